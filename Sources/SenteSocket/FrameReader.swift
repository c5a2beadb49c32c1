// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Turns bytes cut anywhere into messages and control frames (RFC 6455 §5).
///
/// A message whose bytes are all at hand is one allocation and one pass over them. Otherwise its payload is
/// laid out at its final length when the frame's header is known, so that what is missing can be received in
/// place. Compressed payload is unfolded as it comes, and is never kept itself. Between messages the reader owns no
/// memory but what compression keeps. After a fault it must not be used again.
struct FrameReader: Sendable {
    /// What a frame completed.
    enum Piece: Hashable, Sendable {
        case message(Message)
        case ping([UInt8])
        case pong([UInt8])
        case close([UInt8])
    }

    private let masked: Bool
    private let limit: Int
    /// One once permessage-deflate is agreed on, else none; an array, so that links without it stay small.
    var inflater: [MessageInflater] = []
    /// The bytes of a header that is not complete.
    private var head: [UInt8] = []
    /// The frame whose payload is being read, and how much of it came.
    private var frame: FrameHeader?
    private var received = 0
    /// The message that frames are adding to; its payload is valid up to `filled`.
    private var kind: Message.Kind?
    private var isCompressed = false
    private var payload: [UInt8] = []
    private var filled = 0
    private var validator = UTF8Validator()
    /// The payload of a control frame that came in pieces.
    private var control: [UInt8] = []

    /// `masked`: whether the peer masks, as clients do.
    ///
    /// `limit`: bytes of payload a message may have.
    init(masked: Bool, limit: Int) {
        self.masked = masked
        self.limit = limit
    }

    /// Bytes of a data frame's payload that have not come, for which memory is laid out.
    var missing: Int {
        guard let frame, !frame.opcode.isControl, !isCompressed else { return 0 }
        return frame.length &- received
    }

    /// Takes bytes off `rest` until a piece is complete; nil when all of them are taken.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(FrameFault) -> Piece? {
        while true {
            if let frame {
                if let piece = try go(on: frame, &rest) { return piece }
                if self.frame != nil { return nil }
                continue
            }
            guard let header = try nextHeader(&rest) else { return nil }
            if header.isFinal, !header.isCompressed, kind == nil, rest.count >= header.length,
                header.opcode == .binary || header.opcode == .text
            {
                return try whole(header, &rest)
            }
            try begin(header)
        }
    }

    /// Lets `body` write what is missing of a data frame to its place.
    ///
    /// It returns how many bytes it wrote.
    mutating func fill(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> (count: Int, outcome: Result<Piece?, FrameFault>) {
        guard let frame, missing > 0 else { return (0, .success(nil)) }
        let (start, room, phase) = (filled, missing, received)
        let count = try payload.withUnsafeMutableBytes { bytes in
            let region = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + room])
            let count = min(max(0, try body(region)), room)
            if frame.key != 0, let base = region.baseAddress {
                Masking.copy(base, to: base, count: count, key: frame.key, phase: phase)
            }
            return count
        }
        do throws(FrameFault) {
            try advance(by: count)
            return (count, .success(received == frame.length ? try finish(frame) : nil))
        } catch {
            return (count, .failure(error))
        }
    }

    // MARK: - Headers

    private mutating func nextHeader(_ rest: inout UnsafeRawBufferPointer) throws(FrameFault) -> FrameHeader?
    {
        if head.isEmpty {
            if let header = try FrameHeader.parse(rest, masked: masked, inflates: !inflater.isEmpty) {
                rest = UnsafeRawBufferPointer(rebasing: rest[header.size...])
                return header
            }
            head = Array(rest)
            rest = UnsafeRawBufferPointer(start: nil, count: 0)
            return nil
        }
        while let byte = rest.first {
            head.append(byte)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
            if let header = try parseHead() {
                head = []
                return header
            }
        }
        return nil
    }

    private func parseHead() throws(FrameFault) -> FrameHeader? {
        let (masked, inflates) = (masked, !inflater.isEmpty)
        let result = head.withUnsafeBytes { bytes -> Result<FrameHeader?, FrameFault> in
            do throws(FrameFault) {
                return .success(try FrameHeader.parse(bytes, masked: masked, inflates: inflates))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    // MARK: - Payloads

    /// A message in one frame that is all at hand.
    private func whole(_ header: FrameHeader, _ rest: inout UnsafeRawBufferPointer) throws(FrameFault)
        -> Piece
    {
        let length = header.length
        guard length <= limit else { throw .tooBig(limit: limit) }
        let source = rest
        rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        var isText = true
        let bytes = [UInt8](unsafeUninitializedCapacity: length) { target, count in
            count = length
            guard length > 0, let from = source.baseAddress, let to = target.baseAddress else { return }
            Self.copy(from, to: UnsafeMutableRawPointer(to), count: length, key: header.key, phase: 0)
            guard header.opcode == .text else { return }
            var validator = UTF8Validator()
            isText =
                validator.accept(UnsafeRawBufferPointer(start: to, count: length)) && validator.isAtBoundary
        }
        guard header.opcode == .text else { return .message(Message(.binary, bytes)) }
        guard isText else { throw .invalidText("a text message") }
        return .message(Message(.text, bytes))
    }

    /// Checks a frame against the message under way and lays out its memory.
    private mutating func begin(_ header: FrameHeader) throws(FrameFault) {
        received = 0
        frame = header
        switch header.opcode {
        case .close, .ping, .pong:
            return
        case .continuation:
            guard kind != nil else { throw .protocolError("a continuation frame continues nothing") }
        case .text, .binary:
            // RFC 6455 §5.4: fragments of two messages must not be interleaved.
            guard kind == nil else { throw .protocolError("a new message begins inside a fragmented one") }
            kind = header.opcode == .text ? .text : .binary
            isCompressed = header.isCompressed
        }
        let length = header.length
        if isCompressed {
            for index in inflater.indices { try inflater[index].begin(frame: length) }
            return
        }
        guard length <= limit, length <= limit - filled else { throw .tooBig(limit: limit) }
        if filled == 0 {
            // Not zeroed: every byte is written before `filled` passes it, and none beyond `filled` is read.
            payload = [UInt8](unsafeUninitializedCapacity: length) { $1 = length }
        } else {
            payload.append(contentsOf: repeatElement(0, count: length))
        }
    }

    /// Takes payload off `rest`.
    private mutating func go(on frame: FrameHeader, _ rest: inout UnsafeRawBufferPointer) throws(FrameFault)
        -> Piece?
    {
        let count = min(rest.count, frame.length &- received)
        if count > 0, let from = rest.baseAddress {
            let (start, phase) = (filled, received)
            if frame.opcode.isControl {
                let old = control.count
                control.append(contentsOf: UnsafeRawBufferPointer(start: from, count: count))
                if frame.key != 0 {
                    control.withUnsafeMutableBytes { bytes in
                        guard let base = bytes.baseAddress else { return }
                        Masking.copy(base + old, to: base + old, count: count, key: frame.key, phase: phase)
                    }
                }
                received &+= count
            } else if isCompressed {
                received &+= count
                try inflate(UnsafeRawBufferPointer(start: from, count: count), key: frame.key, phase: phase)
            } else {
                payload.withUnsafeMutableBytes { bytes in
                    guard let base = bytes.baseAddress else { return }
                    Self.copy(from, to: base + start, count: count, key: frame.key, phase: phase)
                }
                try advance(by: count)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return received == frame.length ? try finish(frame) : nil
    }

    /// Counts payload that has been put in its place, and checks text as it comes: a bad byte fails the link
    /// at once.
    private mutating func advance(by count: Int) throws(FrameFault) {
        filled &+= count
        received &+= count
        try checkText(last: count)
    }

    /// Adds what a piece of a compressed message's payload unfolds to, and checks it likewise.
    private mutating func inflate(
        _ bytes: UnsafeRawBufferPointer, key: UInt32, phase: Int
    ) throws(FrameFault) {
        guard key != 0, let from = bytes.baseAddress else {
            return try inflate(bytes)
        }
        let unmasked = [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
            count = bytes.count
            guard let to = target.baseAddress else { return }
            Masking.copy(from, to: UnsafeMutableRawPointer(to), count: count, key: key, phase: phase)
        }
        try unmasked.withUnsafeBytes { bytes in
            Result { () throws(FrameFault) in try inflate(bytes) }
        }.get()
    }

    private mutating func inflate(_ bytes: UnsafeRawBufferPointer) throws(FrameFault) {
        for index in inflater.indices { try inflater[index].inflate(bytes, into: &payload) }
        try inflated()
    }

    private mutating func inflated() throws(FrameFault) {
        let count = payload.count &- filled
        filled = payload.count
        try checkText(last: count)
    }

    /// Checks the last `count` bytes of what there is of a text.
    private mutating func checkText(last count: Int) throws(FrameFault) {
        guard kind == .text, count > 0 else { return }
        let start = filled &- count
        var validator = validator
        let isText = payload.withUnsafeBytes { bytes in
            validator.accept(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        self.validator = validator
        guard isText else { throw .invalidText("a text message") }
    }

    private mutating func finish(_ frame: FrameHeader) throws(FrameFault) -> Piece? {
        self.frame = nil
        received = 0
        if frame.opcode.isControl {
            let bytes = control
            control = []
            switch frame.opcode {
            case .ping: return .ping(bytes)
            case .pong: return .pong(bytes)
            default: return .close(bytes)
            }
        }
        guard frame.isFinal, let kind else { return nil }
        if isCompressed {
            for index in inflater.indices { try inflater[index].finish(into: &payload) }
            try inflated()
        }
        guard validator.isAtBoundary else { throw .invalidText("the end of a text message") }
        let message = Message(kind, payload)
        self.kind = nil
        isCompressed = false
        payload = []
        filled = 0
        return .message(message)
    }

    private static func copy(
        _ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, key: UInt32, phase: Int
    ) {
        if key == 0 {
            target.copyMemory(from: source, byteCount: count)
        } else {
            Masking.copy(source, to: target, count: count, key: key, phase: phase)
        }
    }
}
