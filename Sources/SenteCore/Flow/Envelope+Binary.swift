// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Envelopes as binary messages: a mark, a kind, and what the kind asks for.
///
/// | kind | what follows |
/// | --- | --- |
/// | 1 | the algorithm's byte, compressed bytes |
/// | 2 | number, index (varints), flags, with flag 4 the size of the whole (a varint), bytes |
///
/// Flag 1 is the last part's; with flag 2 the whole is compressed and begins with the algorithm's byte. The first part says the
/// size, so that memory is laid out once, and what is too large is refused before it came.
///
/// No message of a built-in format begins with the mark: MessagePack never uses it, and UTF-8 cannot hold it.
extension Envelope {
    private static let mark: UInt8 = 0xC1
    private static let compressedKind: UInt8 = 1
    private static let partKind: UInt8 = 2
    private static let lastFlag: UInt8 = 1
    private static let algorithmFlag: UInt8 = 2
    private static let sizeFlag: UInt8 = 4

    /// Whether a binary message begins as one.
    static func isBinary(_ message: [UInt8]) -> Bool { message.first == mark }

    /// The binary message; nil for what only flow words say.
    package var binary: [UInt8]? {
        switch self {
        case .compressed(let algorithm, let bytes):
            return [Self.mark, Self.compressedKind, algorithm.code] + bytes
        case .part(let part):
            var message: [UInt8] = []
            message.reserveCapacity(part.bytes.count + 33)
            message.append(Self.mark)
            message.append(Self.partKind)
            Varint.append(part.number, to: &message)
            Varint.append(part.index, to: &message)
            message.append(
                (part.isLast ? Self.lastFlag : 0) | (part.namesAlgorithm ? Self.algorithmFlag : 0)
                    | (part.size != nil ? Self.sizeFlag : 0))
            if let size = part.size { Varint.append(size, to: &message) }
            message.append(contentsOf: part.bytes)
            return message
        case .start, .end, .abort: return nil
        }
    }

    /// What a binary message is; nil when it is no envelope.
    package static func read(binary message: [UInt8]) throws(FlowViolation) -> Envelope? {
        guard message.first == mark else { return nil }
        var rest = message.dropFirst()
        switch rest.popFirst() {
        case compressedKind:
            guard let algorithm = rest.popFirst().flatMap(MessageCompression.Algorithm.init(code:)) else {
                throw violation("is compressed by nothing that was agreed on")
            }
            return .compressed(algorithm, rest)
        case partKind:
            guard let number = Varint.take(from: &rest), let index = Varint.take(from: &rest),
                let flags = rest.popFirst(), flags <= lastFlag | algorithmFlag | sizeFlag
            else { throw malformedPart }
            var size: UInt64?
            if flags & sizeFlag != 0 {
                guard let said = Varint.take(from: &rest) else { throw malformedPart }
                size = said
            }
            return .part(
                ChunkPart(
                    number: number, index: index, isLast: flags & lastFlag != 0,
                    namesAlgorithm: flags & algorithmFlag != 0, size: size, bytes: rest))
        default: throw violation("is of a kind that was not agreed on")
        }
    }

    private static let malformedPart = violation(
        "is no part of a message: its numbers or flags are malformed")

    private static func violation(_ what: String) -> FlowViolation {
        FlowViolation(.protocolError, "It sent an envelope that \(what).")
    }
}
