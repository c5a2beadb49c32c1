// SPDX-License-Identifier: Apache-2.0

/// A map that is being decoded by key.
///
/// It holds one reference, since Codable copies it for every field.
struct KeyedReading<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let parent: ValueReading

    var codingPath: [any CodingKey] { parent.codingPath }

    var allKeys: [Key] {
        parent.map.keys.compactMap { key in
            switch key {
            case .string(let text): Key(stringValue: text)
            case .keyword(let keyword): Key(stringValue: keyword.text)
            case .integer(let integer): Int(exactly: integer).flatMap { Key(intValue: $0) }
            default: nil
            }
        }
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key).isNull }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        let value = try value(key)
        if case .bool(let bool) = value { return bool }
        return try ValueReading(value, parent, key).decode(type)
    }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        let value = try value(key)
        if case .string(let text) = value { return text }
        return try ValueReading(value, parent, key).decode(type)
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        let value = try value(key)
        if let double = value.doubleValue { return double }
        return try ValueReading(value, parent, key).decode(type)
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try reading(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        let value = try value(key)
        if case .integer(let integer) = value, let number = Int(exactly: integer) { return number }
        return try ValueReading(value, parent, key).decode(type)
    }
    func decode<I: FixedWidthInteger & Decodable>(_ type: I.Type, forKey key: Key) throws -> I {
        try reading(key).decode(type)
    }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let value = try value(key)
        if case .vector(let items) = value, let array = PlainArray(items, type) {
            return array.cast(to: type)
        }
        return try ValueReading(value, parent, key).decode(type)
    }

    // Codable's own implementations look a key up three times.
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let value = present(key) else { return nil }
        if case .string(let text) = value { return text }
        return try ValueReading(value, parent, key).decode(type)
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try present(key).map { try ValueReading($0, parent, key).decode(type) }
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try present(key).map { try ValueReading($0, parent, key).decode(type) }
    }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try present(key).map { try ValueReading($0, parent, key).decode(type) }
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try reading(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try reading(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        ValueReading(parent.map[FreeKey.parent.stringValue] ?? .null, parent, FreeKey.parent)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        ValueReading(find(key) ?? .null, parent, key)
    }

    private func find(_ key: Key) -> Value? {
        let text = key.stringValue
        if let value = parent.find(text) { return value }
        return key.intValue.flatMap { parent.map[Value($0)] }
    }

    /// The value under a key, unless it is null.
    private func present(_ key: Key) -> Value? {
        guard let value = find(key), !value.isNull else { return nil }
        return value
    }

    private func value(_ key: Key) throws -> Value {
        guard let value = find(key) else {
            throw DecodingError.keyNotFound(key, parent.context("The map has no key “\(key.stringValue)”."))
        }
        return value
    }

    private func reading(_ key: Key) throws -> ValueReading {
        ValueReading(try value(key), parent, key)
    }
}
