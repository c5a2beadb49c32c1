// SPDX-License-Identifier: Apache-2.0

/// A sequence that is being encoded in order.
struct UnkeyedWriting: UnkeyedEncodingContainer {
    let writing: ValueWriting

    var codingPath: [any CodingKey] { writing.codingPath }
    var count: Int { writing.elementCount }

    mutating func encodeNil() throws { writing.append(.null) }
    mutating func encode(_ value: Bool) throws { writing.append(.bool(value)) }
    mutating func encode(_ value: String) throws { writing.append(.string(value)) }
    mutating func encode(_ value: Double) throws { writing.append(.double(value)) }
    mutating func encode(_ value: Float) throws { writing.append(.double(Double(value))) }
    mutating func encode<I: FixedWidthInteger & Encodable>(_ value: I) throws {
        writing.append(Value(value))
    }
    mutating func encode<T: Encodable>(_ value: T) throws {
        writing.append(try writing.encoded(value, IndexKey(count)))
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        below().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        below().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        below()
    }

    private func below() -> ValueWriting {
        let key = IndexKey(count)
        writing.append(.null)
        return writing.below(key)
    }
}
