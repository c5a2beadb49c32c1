// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// A message, or a part of one, in another shape than its format's: as a word or as a binary message.
package enum FlowEnvelope: Hashable, Sendable {
    /// A whole message.
    case compressed(FlowCapabilities.Algorithm, ArraySlice<UInt8>)
    /// Says what parts will come; those of binary messages come without.
    case start(number: UInt64, parts: UInt64, bytes: UInt64, FlowCapabilities.Algorithm?)
    case part(FlowPart)
    /// The last part has been sent; that of binary messages says so itself.
    case end(number: UInt64)
    /// The rest will not come.
    case abort(number: UInt64)
}

extension FlowEnvelope {
    /// The number of the message in parts that it belongs to.
    var number: UInt64? {
        switch self {
        case .part(let part): part.number
        case .start(let number, _, _, _), .end(let number), .abort(let number): number
        case .compressed: nil
        }
    }

    /// Whether it says that all parts have been sent.
    var isEnd: Bool {
        switch self {
        case .part(let part): part.isLast
        case .end: true
        case .compressed, .start, .abort: false
        }
    }
}

/// A part of a message.
package struct FlowPart: Hashable, Sendable {
    /// The message's; never used twice on a link.
    var number: UInt64
    var index: UInt64
    var bytes: ArraySlice<UInt8>
    /// Whether it came, or goes, as a binary message.
    var isBinary = false
    /// In a binary message, whether none follows.
    var isLast = false
    /// In a binary message, whether the whole begins with the byte of an algorithm.
    var isCompressed = false
    /// In the first of binary messages, how many bytes all parts have.
    var size: UInt64?
}

// MARK: As a binary message

extension FlowEnvelope {
    /// MessagePack never uses it, and UTF-8 cannot hold it: no message of a built-in format begins so.
    static let mark: UInt8 = 0xC1

    /// The envelope that a binary message is; nil for one that is malformed.
    init?(_ message: Message) {
        var rest = message.bytes.dropFirst(2)
        guard message.kind == .binary, message.bytes.first == Self.mark, message.bytes.count > 2 else {
            return nil
        }
        switch message.bytes[1] {
        case 1:
            guard let algorithm = FlowCapabilities.Algorithm(byte: rest.removeFirst()) else { return nil }
            self = .compressed(algorithm, rest)
        case 2:
            guard let number = Self.takeNumber(&rest), let index = Self.takeNumber(&rest),
                let flags = rest.popFirst(), flags < 8
            else { return nil }
            let size = flags & 4 != 0 ? Self.takeNumber(&rest) : nil
            guard (size != nil) == (flags & 4 != 0) else { return nil }
            self = .part(
                FlowPart(
                    number: number, index: index, bytes: rest, isBinary: true, isLast: flags & 1 != 0,
                    isCompressed: flags & 2 != 0, size: size))
        default: return nil
        }
    }

    /// The binary message; nil for what only words say.
    var binary: Message? {
        var bytes = [Self.mark]
        switch self {
        case .compressed(let algorithm, let compressed): bytes += [1, algorithm.byte] + compressed
        case .part(let part):
            bytes.reserveCapacity(part.bytes.count + 34)
            bytes.append(2)
            Self.add(part.number, to: &bytes)
            Self.add(part.index, to: &bytes)
            bytes.append((part.isLast ? 1 : 0) | (part.isCompressed ? 2 : 0) | (part.size != nil ? 4 : 0))
            if let size = part.size { Self.add(size, to: &bytes) }
            bytes += part.bytes
        case .start, .end, .abort: return nil
        }
        return .binary(bytes)
    }

    /// A minimal LEB128 number of at most ten bytes.
    private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for place in 0..<10 as Range<UInt64> {
            guard let byte = bytes.popFirst() else { return nil }
            // The tenth byte has room for one bit.
            if place == 9, byte > 1 { return nil }
            number |= UInt64(byte & 0x7F) << (7 * place)
            if byte < 0x80 { return byte == 0 && place > 0 ? nil : number }
        }
        return nil
    }

    private static func add(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

extension FlowCapabilities.Algorithm {
    var byte: UInt8 { self == .gzip ? 1 : 2 }

    init?(byte: UInt8) {
        switch byte {
        case 1: self = .gzip
        case 2: self = .deflate
        default: return nil
        }
    }
}

// MARK: As a word

extension FlowEnvelope {
    /// The name of the word.
    var name: String {
        switch self {
        case .compressed: "compressed"
        case .start: "chunk-start"
        case .part: "chunk"
        case .end: "chunk-end"
        case .abort: "chunk-abort"
        }
    }

    /// The envelope of a word; nil when it is another, or lacks what belongs to it.
    init?(named name: String, _ fields: ValueMap) {
        func number(_ name: String) -> UInt64? {
            fields.value(named: name)?.integerValue.flatMap { UInt64(exactly: $0) }
        }
        var data: ArraySlice<UInt8>? {
            switch fields.value(named: "data") {
            case .bytes(let bytes): bytes[...]
            case .string(let text): Base64.bytes(text)?[...]
            default: nil
            }
        }
        let named = fields.value(named: "compression-algorithm").flatMap {
            $0.isNull ? Value?.none : $0
        }
        let algorithm = named?.name.flatMap(FlowCapabilities.Algorithm.init(rawValue:))
        let id = number("message-id")
        switch name {
        case "compressed":
            guard let algorithm, let data else { return nil }
            self = .compressed(algorithm, data)
        case "chunk-start":
            guard let id, let parts = number("total-chunks"), let bytes = number("total-size"),
                (named == nil) == (algorithm == nil)
            else { return nil }
            self = .start(number: id, parts: parts, bytes: bytes, algorithm)
        case "chunk":
            guard let id, let index = number("chunk-index"), let data else { return nil }
            self = .part(FlowPart(number: id, index: index, bytes: data))
        case "chunk-end":
            guard let id else { return nil }
            self = .end(number: id)
        case "chunk-abort":
            guard let id else { return nil }
            self = .abort(number: id)
        default: return nil
        }
    }

    /// Adds its fields to a map, under names that `key` makes.
    func add(to map: inout ValueMap, _ key: (String) -> Value, writesBytes: Bool) {
        func data(_ bytes: ArraySlice<UInt8>) -> Value {
            writesBytes ? .bytes(Array(bytes)) : .string(Base64.text(Array(bytes)))
        }
        func value(_ number: UInt64) -> Value { .integer(Int64(clamping: number)) }
        switch self {
        case .compressed(let algorithm, let bytes):
            map[key("compressed")] = true
            map[key("compression-algorithm")] = .string(algorithm.rawValue)
            map[key("data")] = data(bytes)
        case .start(let number, let parts, let bytes, let algorithm):
            map[key("message-id")] = value(number)
            map[key("total-chunks")] = value(parts)
            map[key("total-size")] = value(bytes)
            if let algorithm { map[key("compression-algorithm")] = .string(algorithm.rawValue) }
        case .part(let part):
            map[key("message-id")] = value(part.number)
            map[key("chunk-index")] = value(part.index)
            map[key("data")] = data(part.bytes)
        case .end(let number), .abort(let number): map[key("message-id")] = value(number)
        }
    }
}
