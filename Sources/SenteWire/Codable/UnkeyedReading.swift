// SPDX-License-Identifier: Apache-2.0

/// A sequence that is being decoded in order.
struct UnkeyedReading: UnkeyedDecodingContainer {
    let items: [Value]
    let parent: ValueReading
    private(set) var currentIndex = 0

    init(items: [Value], parent: ValueReading) {
        self.items = items
        self.parent = parent
    }

    var codingPath: [any CodingKey] { parent.codingPath }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    mutating func decodeNil() throws -> Bool {
        guard try current(Value.self).value.isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try step(type) { try $0.decode(type) } }
    mutating func decode(_ type: String.Type) throws -> String { try step(type) { try $0.decode(type) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try step(type) { try $0.decode(type) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try step(type) { try $0.decode(type) } }
    mutating func decode<I: FixedWidthInteger & Decodable>(_ type: I.Type) throws -> I {
        try step(type) { try $0.decode(type) }
    }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if !isAtEnd, items[currentIndex].isPlain(type) {
            currentIndex += 1
            return items[currentIndex - 1].plain(type)
        }
        return try step(type) { try $0.decode(type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try step(ValueMap.self) { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try step([Value].self) { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder {
        try step(Value.self) { $0 }
    }

    /// The next element; it is passed only when reading it succeeded.
    private mutating func step<R>(_ type: Any.Type, _ body: (ValueReading) throws -> R) throws -> R {
        let result = try body(current(type))
        currentIndex += 1
        return result
    }

    private func current(_ type: Any.Type) throws -> ValueReading {
        let key = IndexKey(currentIndex)
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type,
                DecodingError.Context(
                    codingPath: codingPath + [key],
                    debugDescription: "There are only \(items.count) elements, and one more is wanted."))
        }
        return ValueReading(items[currentIndex], parent, key)
    }
}
