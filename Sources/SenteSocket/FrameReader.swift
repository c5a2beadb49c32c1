// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Turns bytes cut anywhere into messages and control frames (RFC 6455 §5).
///
/// A message whose bytes are all at hand is one allocation. Otherwise its payload is laid out at its final length when the
/// frame's header is known, so that what is missing can be received in place. Compressed payload is unfolded as it comes,
/// and is never kept itself. Between messages the reader owns no memory but what compression keeps. As a stream, payload is
/// handed on as it comes, and the reader owns none at all. After a fault it must not be used again.
struct FrameReader: Sendable {
    /// What a frame completed.
    enum Piece: Hashable, Sendable {
        /// In a stream, a piece of it.
        case message(Message)
        case ping([UInt8])
        case pong
        case close([UInt8])
    }

    private enum State: Sendable {
        case betweenFrames
        /// In a header, of which so much has come.
        case header([UInt8])
        /// In the payload of a message's frame, of which so many bytes have come.
        case payload(FrameHeader, received: Int)
        /// In the payload of a control frame, of which so much has come, masked as it is.
        case control(FrameHeader, [UInt8])
    }

    /// The message that frames are adding to.
    private struct Unfinished: Sendable {
        /// Nil between messages.
        var kind: Message.Kind?
        var isCompressed = false
        /// Valid up to `filled`.
        var payload: [UInt8] = []
        var filled = 0
        var validator = UTF8Validator()
    }

    private let masked: Bool
    private let limit: Int
    private let mode: PayloadMode
    private var state = State.betweenFrames
    private var message = Unfinished()
    /// Nil unless permessage-deflate is agreed on.
    var inflater: MessageInflater?

    /// `masked`: whether the peer masks, as clients do.
    ///
    /// `limit`: bytes of payload a message may have; a stream has none.
    init(masked: Bool, limit: Int, mode: PayloadMode) {
        self.masked = masked
        self.limit = mode == .stream ? .max : limit
        self.mode = mode
    }

    /// Bytes of a data frame's payload that have not come, for which memory is laid out.
    var missing: Int {
        guard mode == .messages, case .payload(let frame, let received) = state, !message.isCompressed else {
            return 0
        }
        return frame.length &- received
    }

    /// Takes bytes off `rest` until a piece is complete; nil when all of them are taken.
    mutating func read(_ rest: inout UnsafeRawBufferPointer) throws(FrameError) -> Piece? {
        guard !rest.isEmpty else { return nil }
        while true {
            switch state {
            case .betweenFrames:
                guard let header = try parse(rest) else {
                    if !rest.isEmpty { state = .header(Array(rest)) }
                    return nil
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[header.size...])
                if isWhole(header, in: rest) { return .message(try whole(header, &rest)) }
                try begin(header)
            case .header(let head):
                guard let header = try complete(head, &rest) else { return nil }
                state = .betweenFrames
                if isWhole(header, in: rest) { return .message(try whole(header, &rest)) }
                try begin(header)
            case .payload(let frame, let received):
                let piece = Self.take(frame.length &- received, off: &rest)
                try add(piece, key: frame.key, phase: received)
                guard received &+ piece.count == frame.length else {
                    state = .payload(frame, received: received &+ piece.count)
                    return handOn().map(Piece.message)
                }
                if let message = try finish(frame) { return .message(message) }
            case .control(let frame, var payload):
                payload.append(contentsOf: Self.take(frame.length &- payload.count, off: &rest))
                guard payload.count == frame.length else {
                    state = .control(frame, payload)
                    return nil
                }
                state = .betweenFrames
                return Self.piece(frame, payload)
            }
        }
    }

    /// Lets `body` write what is missing of a data frame to its place.
    ///
    /// It returns how many bytes it wrote.
    mutating func fill(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> (count: Int, outcome: Result<Message?, FrameError>) {
        let room = missing
        guard case .payload(let frame, let received) = state, room > 0 else { return (0, .success(nil)) }
        let start = message.filled
        let count = try message.payload.withUnsafeMutableBytes { bytes in
            let region = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + room])
            let count = min(max(0, try body(region)), room)
            Masking.apply(
                frame.key, to: UnsafeMutableRawBufferPointer(rebasing: region[..<count]), phase: received)
            return count
        }
        state = .payload(frame, received: received &+ count)
        do throws(FrameError) {
            try filled(count)
            return (count, .success(count == room ? try finish(frame) : nil))
        } catch {
            return (count, .failure(error))
        }
    }

    private static func take(
        _ count: Int, off rest: inout UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        let count = min(count, rest.count)
        let piece = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return piece
    }

    // MARK: - Headers

    private func parse(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> FrameHeader? {
        try FrameHeader.parse(bytes, masked: masked, inflates: inflater != nil)
    }

    /// Adds to a header that has come in part.
    private mutating func complete(
        _ begun: [UInt8], _ rest: inout UnsafeRawBufferPointer
    ) throws(FrameError) -> FrameHeader? {
        var head = begun
        for (index, byte) in rest.enumerated() {
            head.append(byte)
            let result = head.withUnsafeBytes { bytes in
                Result { () throws(FrameError) in try parse(bytes) }
            }
            if let header = try result.get() {
                rest = UnsafeRawBufferPointer(rebasing: rest[(index + 1)...])
                return header
            }
        }
        state = .header(head)
        return nil
    }

    // MARK: - Payloads

    /// Whether a frame is a message by itself, and all at hand.
    private func isWhole(_ header: FrameHeader, in rest: UnsafeRawBufferPointer) -> Bool {
        header.isFinal && !header.isCompressed && rest.count >= header.length && message.kind == nil
            && (header.opcode == .text || header.opcode == .binary)
            && (mode == .messages || header.length > 0)
    }

    private func whole(
        _ header: FrameHeader, _ rest: inout UnsafeRawBufferPointer
    ) throws(FrameError) -> Message {
        guard header.length <= limit else { throw .tooBig(limit: limit) }
        // To copy and then to unmask costs less than an array that is made uninitialized, which has its type looked up.
        var bytes = Array(Self.take(header.length, off: &rest))
        if header.key != 0 { bytes.withUnsafeMutableBytes { Masking.apply(header.key, to: $0) } }
        guard header.opcode == .text else { return Message(.binary, bytes) }
        var validator = UTF8Validator()
        let isText = bytes.withUnsafeBytes { validator.accept($0) } && validator.isAtBoundary
        guard isText else { throw .invalidText("a text message") }
        return Message(mode == .stream ? .binary : .text, bytes)
    }

    /// Checks a frame against the message under way and lays out its memory.
    private mutating func begin(_ header: FrameHeader) throws(FrameError) {
        switch header.opcode {
        case .close, .ping, .pong:
            state = .control(header, [])
            return
        case .continuation:
            guard message.kind != nil else { throw .protocolError("a continuation frame continues nothing") }
        case .text, .binary:
            // RFC 6455 §5.4: fragments of two messages must not be interleaved.
            guard message.kind == nil else {
                throw .protocolError("a new message begins inside a fragmented one")
            }
            message.kind = header.opcode == .text ? .text : .binary
            message.isCompressed = header.isCompressed
        }
        state = .payload(header, received: 0)
        let length = header.length
        if message.isCompressed {
            try inflater?.begin(frame: length)
            return
        }
        guard mode == .messages else { return }
        guard length <= limit, length <= limit - message.filled else { throw .tooBig(limit: limit) }
        if message.filled == 0 {
            // Not zeroed: every byte is written before `filled` passes it, and none beyond `filled` is read.
            message.payload = [UInt8](unsafeUninitializedCapacity: length) { $1 = length }
        } else {
            message.payload.append(contentsOf: repeatElement(0, count: length))
        }
    }

    /// Adds a piece of a frame's payload to the message.
    private mutating func add(
        _ piece: UnsafeRawBufferPointer, key: UInt32, phase: Int
    ) throws(FrameError) {
        guard let source = piece.baseAddress, !piece.isEmpty else { return }
        guard !message.isCompressed else { return try inflate(piece, key: key, phase: phase) }
        let start = message.filled
        if mode == .stream {
            // What came before has been handed on.
            message.payload = [UInt8](unsafeUninitializedCapacity: piece.count) { $1 = piece.count }
        }
        message.payload.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            Masking.copy(source, to: base + start, count: piece.count, key: key, phase: phase)
        }
        try filled(piece.count)
    }

    /// Adds what a piece of a compressed message's payload unfolds to.
    private mutating func inflate(
        _ piece: UnsafeRawBufferPointer, key: UInt32, phase: Int
    ) throws(FrameError) {
        if key == 0 {
            try inflater?.inflate(piece, into: &message.payload)
        } else {
            var unmasked = Array(piece)
            unmasked.withUnsafeMutableBytes { Masking.apply(key, to: $0, phase: phase) }
            let result = unmasked.withUnsafeBytes { bytes in
                Result { () throws(FrameError) in
                    try inflater?.inflate(bytes, into: &message.payload)
                }
            }
            try result.get()
        }
        try filled(message.payload.count &- message.filled)
    }

    /// Counts payload that has been put in its place, and checks text as it comes: a bad byte fails the link at once.
    private mutating func filled(_ count: Int) throws(FrameError) {
        let start = message.filled
        message.filled = start &+ count
        guard message.kind == .text, count > 0 else { return }
        var validator = message.validator
        let isText = message.payload.withUnsafeBytes { bytes in
            validator.accept(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        message.validator = validator
        guard isText else { throw .invalidText("a text message") }
    }

    /// A data frame is complete; the message, if that is.
    private mutating func finish(_ frame: FrameHeader) throws(FrameError) -> Message? {
        state = .betweenFrames
        guard frame.isFinal, let kind = message.kind else { return handOn() }
        if message.isCompressed {
            try inflater?.finish(into: &message.payload)
            try filled(message.payload.count &- message.filled)
        }
        guard message.validator.isAtBoundary else { throw .invalidText("the end of a text message") }
        let rest = handOn()
        defer { message = Unfinished() }
        return mode == .stream ? rest : Message(kind, message.payload)
    }

    /// As a stream: what has come of the message since the last time, if anything has.
    private mutating func handOn() -> Message? {
        guard mode == .stream, message.filled > 0 else { return nil }
        let piece = Message(.binary, message.payload)
        message.payload = []
        message.filled = 0
        return piece
    }

    private static func piece(_ frame: FrameHeader, _ payload: [UInt8]) -> Piece {
        var payload = payload
        payload.withUnsafeMutableBytes { Masking.apply(frame.key, to: $0) }
        switch frame.opcode {
        case .ping: return .ping(payload)
        case .close: return .close(payload)
        case .pong, .continuation, .text, .binary: return .pong
        }
    }
}
