// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// The first bytes of a frame (RFC 6455 §5.2).
struct FrameHeader: Hashable, Sendable {
    enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    var opcode: Opcode
    var isFinal: Bool
    /// RSV1, which begins a compressed message where permessage-deflate was agreed on (RFC 7692 §6).
    var isCompressed: Bool
    /// The wire's four bytes read as little-endian; 0, which masks nothing, in a frame without a mask.
    var key: UInt32
    var length: Int
    /// How many bytes the header itself takes.
    var size: Int

    /// Reads a header, checking each byte as soon as it is there; nil when more are needed.
    ///
    /// `masked` is what the peer's role demands: clients mask every frame, servers none (§5.1). `inflates`: whether
    /// compressed messages were agreed on.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, masked: Bool, inflates: Bool
    ) throws(FrameError) -> FrameHeader? {
        guard bytes.count >= 1 else { return nil }
        let first = bytes[0]
        guard first & (inflates ? 0x30 : 0x70) == 0 else {
            throw .protocolError("a reserved bit is set that no extension was agreed on for")
        }
        guard let opcode = Opcode(rawValue: first & 0x0F) else {
            throw .protocolError("the frame has the reserved opcode \(first & 0x0F)")
        }
        let isFinal = first & 0x80 != 0
        let isCompressed = first & 0x40 != 0
        guard !isCompressed || opcode == .text || opcode == .binary else {
            throw .protocolError("a frame that begins no message is marked as compressed")
        }
        guard isFinal || !opcode.isControl else { throw .protocolError("a control frame is fragmented") }
        guard bytes.count >= 2 else { return nil }
        let second = bytes[1]
        guard (second & 0x80 != 0) == masked else {
            throw .protocolError(masked ? "a client's frame is not masked" : "a server's frame is masked")
        }
        guard let (length, end) = try parseLength(bytes, short: second & 0x7F, isControl: opcode.isControl)
        else {
            return nil
        }
        guard masked else {
            return FrameHeader(
                opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, key: 0, length: length,
                size: end)
        }
        guard bytes.count >= end + 4 else { return nil }
        let key = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
        return FrameHeader(
            opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, key: key, length: length,
            size: end + 4)
    }

    /// The payload's length and where the header goes on after it.
    ///
    /// The minimal form is a MUST of the sender (§5.2); holding the peer to it is our choice.
    private static func parseLength(
        _ bytes: UnsafeRawBufferPointer, short: UInt8, isControl: Bool
    ) throws(FrameError) -> (length: Int, end: Int)? {
        if short < 126 { return (Int(short), 2) }
        guard !isControl else { throw .protocolError("a control frame is longer than 125 bytes") }
        if short == 126 {
            guard bytes.count >= 4 else { return nil }
            let length = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            guard length > 125 else { throw .protocolError("a length is not in its shortest form") }
            return (Int(length), 4)
        }
        guard bytes.count >= 10 else { return nil }
        let length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
        guard length >> 63 == 0 else { throw .protocolError("the top bit of a 64-bit length is set") }
        guard length > 0xFFFF else { throw .protocolError("a length is not in its shortest form") }
        // Where Int has 32 bits every such length is beyond any limit.
        return (Int(clamping: length), 10)
    }

    /// The size of the header of a frame that carries `length` bytes.
    static func size(length: Int, masked: Bool) -> Int {
        (length < 126 ? 2 : length <= 0xFFFF ? 4 : 10) + (masked ? 4 : 0)
    }

    /// Writes the header of an unfragmented frame; `key` nil leaves it without a mask.
    static func write(
        _ opcode: Opcode, isCompressed: Bool, length: Int, key: UInt32?, to target: UnsafeMutableRawPointer
    ) {
        let maskBit: UInt8 = key == nil ? 0 : 0x80
        target.storeBytes(of: (isCompressed ? 0xC0 : 0x80) | opcode.rawValue, as: UInt8.self)
        var end = 2
        if length < 126 {
            target.storeBytes(
                of: maskBit | UInt8(truncatingIfNeeded: length), toByteOffset: 1, as: UInt8.self)
        } else if length <= 0xFFFF {
            target.storeBytes(of: maskBit | 126, toByteOffset: 1, as: UInt8.self)
            target.storeBytes(of: UInt16(length).bigEndian, toByteOffset: 2, as: UInt16.self)
            end = 4
        } else {
            target.storeBytes(of: maskBit | 127, toByteOffset: 1, as: UInt8.self)
            target.storeBytes(of: UInt64(length).bigEndian, toByteOffset: 2, as: UInt64.self)
            end = 10
        }
        if let key { target.storeBytes(of: key.littleEndian, toByteOffset: end, as: UInt32.self) }
    }
}

/// How the peer broke the protocol of frames, and the close code that tells it so.
struct FrameError: Error, Hashable, Sendable {
    var code: CloseCode
    var message: String

    /// The peer wrote 1006, which says that a connection was lost and belongs in no close frame (RFC 6455 §7.4.1).
    ///
    /// nats-server 2.9 does when it gives up a silent client: the fault is small, and what it means is plain.
    static let lost = FrameError(
        code: .abnormal, message: "The peer gave the connection up as lost (close code 1006).")

    /// What the peer is told, which 1006 is not for.
    var answer: CloseCode { code == .abnormal ? .protocolError : code }

    static func protocolError(_ message: String) -> FrameError {
        FrameError(code: .protocolError, message: message)
    }

    static func tooBig(limit: Int) -> FrameError {
        FrameError(code: .messageTooBig, message: "a message is larger than the limit of \(limit) bytes")
    }

    static func invalidText(_ what: String) -> FrameError {
        FrameError(code: .invalidData, message: "\(what) is not valid UTF-8")
    }

    /// The fault as the link's owner hears of it; `isTold`: whether the peer does, by a close frame.
    func failure(isTold: Bool) -> LinkFailure {
        guard code != .abnormal else { return LinkFailure(.lost, message) }
        // A message beyond a limit of ours breaks no rule of the protocol's.
        let blame =
            code == .messageTooBig ? "The peer sent too much" : "The peer broke the WebSocket protocol"
        return LinkFailure(.protocolViolation, "\(blame): \(message).", closeCode: isTold ? code : nil)
    }
}

extension LinkFailure {
    /// The peer was told that its message is beyond the limit.
    package static func messageTooBig(limit: Int) -> LinkFailure {
        FrameError.tooBig(limit: limit).failure(isTold: true)
    }
}
