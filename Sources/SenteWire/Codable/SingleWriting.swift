// SPDX-License-Identifier: Apache-2.0

/// A single value that is being encoded.
struct SingleWriting: SingleValueEncodingContainer {
    let writing: ValueWriting

    var codingPath: [any CodingKey] { writing.codingPath }

    mutating func encodeNil() throws { writing.set(.null) }
    mutating func encode(_ value: Bool) throws { writing.set(.bool(value)) }
    mutating func encode(_ value: String) throws { writing.set(.string(value)) }
    mutating func encode(_ value: Double) throws { writing.set(.double(value)) }
    mutating func encode(_ value: Float) throws { writing.set(.double(Double(value))) }
    mutating func encode<I: FixedWidthInteger & Encodable>(_ value: I) throws { writing.set(Value(value)) }
    mutating func encode<T: Encodable>(_ value: T) throws { writing.set(try writing.encoded(value, nil)) }
}
