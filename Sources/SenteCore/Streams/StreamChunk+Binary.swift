// SPDX-License-Identifier: Apache-2.0

/// Chunks of streams as binary messages, beside the envelopes of whole messages and of their parts.
///
/// | kind | what follows |
/// | --- | --- |
/// | 3 | the stream's number, the chunk's index (varints), flags (1: SHA-256 follows, 32 bytes), bytes |
extension StreamChunk {
    private static let mark: UInt8 = 0xC1
    private static let kind: UInt8 = 3
    private static let checksumFlag: UInt8 = 1
    private static let checksumBytes = 32

    /// Whether a binary message is one.
    package static func isBinary(_ message: [UInt8]) -> Bool {
        message.count > 2 && message[0] == mark && message[1] == kind
    }

    /// The binary message, for the stream of a number.
    package func binary(number: UInt64) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(bytes.count + 23 + Self.checksumBytes)
        message += [Self.mark, Self.kind]
        Varint.append(number, to: &message)
        Varint.append(index, to: &message)
        message.append(checksum == nil ? 0 : Self.checksumFlag)
        message += checksum ?? []
        message += bytes
        return message
    }

    /// The number and the chunk of a binary message; nil when it is malformed.
    package static func read(binary message: [UInt8]) -> (number: UInt64, chunk: StreamChunk)? {
        var rest = message.dropFirst(2)
        guard isBinary(message), let number = Varint.take(from: &rest), let index = Varint.take(from: &rest),
            let flags = rest.popFirst(), flags <= checksumFlag
        else { return nil }
        guard flags == checksumFlag else { return (number, StreamChunk(index: index, bytes: rest)) }
        guard rest.count >= checksumBytes else { return nil }
        let checksum = Array(rest.prefix(checksumBytes))
        return (number, StreamChunk(index: index, checksum: checksum, bytes: rest.dropFirst(checksumBytes)))
    }
}
