// SPDX-License-Identifier: Apache-2.0

/// A map that is being encoded by key; of equal keys the last wins.
struct KeyedWriting<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let writing: ValueWriting

    var codingPath: [any CodingKey] { writing.codingPath }

    mutating func encodeNil(forKey key: Key) throws { put(.null, key) }
    mutating func encode(_ value: Bool, forKey key: Key) throws { put(.bool(value), key) }
    mutating func encode(_ value: String, forKey key: Key) throws { put(.string(value), key) }
    mutating func encode(_ value: Double, forKey key: Key) throws { put(.double(value), key) }
    mutating func encode(_ value: Float, forKey key: Key) throws { put(.double(Double(value)), key) }
    mutating func encode(_ value: Int, forKey key: Key) throws { put(.integer(Int64(value)), key) }
    mutating func encode<I: FixedWidthInteger & Encodable>(_ value: I, forKey key: Key) throws {
        put(Value(value), key)
    }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        put(try writing.encoded(value, key), key)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        below(key).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        below(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        below(FreeKey.parent)
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        below(key)
    }

    private func put(_ value: Value, _ key: Key) {
        writing.append(writing.plan.key(key), value)
    }

    private func below(_ key: some CodingKey) -> ValueWriting {
        let name = writing.plan.key(key)
        if let writing = writing.writing(under: name) { return writing }
        writing.append(name, .null)
        return writing.below(key)
    }
}
