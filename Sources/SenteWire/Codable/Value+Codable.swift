// SPDX-License-Identifier: Apache-2.0

/// A keyword is a field of Codable types like any other; other coders than ``ValueEncoder`` see its text.
extension Keyword: Codable {
    /// Reads `ns/name`, with or without the colon.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes `ns/name`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A value may be a field of a Codable type, for what has no fixed shape.
///
/// ``ValueEncoder`` and ``ValueDecoder`` pass it through as it is. Other coders see what JSON can say of it.
extension Value: Codable {
    /// Reads whatever there is: null, a boolean, a number, text, a sequence or a map with text as keys.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: FreeKey.self) {
            var map = ValueMap()
            for key in container.allKeys {
                map[key.stringValue] = try container.decode(Value.self, forKey: key)
            }
            self = .map(map)
        } else if var container = try? decoder.unkeyedContainer() {
            var items: [Value] = []
            while !container.isAtEnd { items.append(try container.decode(Value.self)) }
            self = .vector(items)
        } else {
            self = try Self.scalar(decoder.singleValueContainer())
        }
    }

    private static func scalar(_ container: any SingleValueDecodingContainer) throws -> Value {
        if container.decodeNil() { return .null }
        if let bool = try? container.decode(Bool.self) { return .bool(bool) }
        if let integer = try? container.decode(Int64.self) { return .integer(integer) }
        if let double = try? container.decode(Double.self) { return .double(double) }
        return .string(try container.decode(String.self))
    }

    /// Writes what JSON can say; a map's keys must be text, keywords or symbols.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .map(let map):
            var container = encoder.container(keyedBy: FreeKey.self)
            for (key, value) in map {
                guard let name = key.stringValue ?? key.keywordValue?.text ?? key.symbolText else {
                    throw EncodingError.invalidValue(
                        key,
                        .init(
                            codingPath: encoder.codingPath,
                            debugDescription:
                                "The key \(key) is no text, keyword or symbol; make a text of it."))
                }
                try container.encode(value, forKey: FreeKey(stringValue: name))
            }
        case .vector(let items), .list(let items): try Self.encode(items, to: encoder)
        case .set(let set): try Self.encode(set.items, to: encoder)
        case .tagged(_, let value): try value.encode(to: encoder)
        default: try encodeScalar(to: encoder)
        }
    }

    private var symbolText: String? {
        if case .symbol(let symbol) = self { symbol.text } else { nil }
    }

    private static func encode(_ items: [Value], to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for item in items { try container.encode(item) }
    }

    private func encodeScalar(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let integer): try container.encode(integer)
        case .double(let double): try container.encode(double)
        case .bigInteger(let integer): try container.encode(integer.description)
        case .decimal(let decimal): try container.encode(decimal.description)
        default: if let plainText { try container.encode(plainText) }
        }
    }
}
