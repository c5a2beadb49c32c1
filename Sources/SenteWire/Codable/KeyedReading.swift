// SPDX-License-Identifier: Apache-2.0

/// A map that is being decoded by key.
struct KeyedReading<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let map: ValueMap
    let parent: ValueReading

    var codingPath: [any CodingKey] { parent.codingPath }

    var allKeys: [Key] {
        map.keys.compactMap { key in
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
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try reading(key).decode(type) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try reading(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try reading(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        ValueReading(map[FreeKey.parent.stringValue] ?? .null, parent, FreeKey.parent)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        ValueReading(find(key) ?? .null, parent, key)
    }

    private func find(_ key: Key) -> Value? {
        let text = key.stringValue
        if let value = map[text] ?? map[Keyword(exactly: text)] { return value }
        return key.intValue.flatMap { map[Value($0)] }
    }

    private func value(_ key: Key) throws -> Value {
        guard let value = find(key) else {
            throw DecodingError.keyNotFound(
                key,
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "The map has no key “\(key.stringValue)”."))
        }
        return value
    }

    private func reading(_ key: Key) throws -> ValueReading {
        ValueReading(try value(key), parent, key)
    }
}
