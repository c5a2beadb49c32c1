// SPDX-License-Identifier: Apache-2.0

/// One value that is being decoded: the decoder of types and the container of single values in one.
///
/// It is an object so that Codable's existentials of it cost nothing more.
final class ValueReading: Decoder, SingleValueDecodingContainer, CodingStep {
    let value: Value
    let parent: ValueReading?
    let key: (any CodingKey)?
    /// Of the outermost value only.
    private let info: [CodingUserInfoKey: any Sendable]
    /// The value, once it is asked for by key.
    private(set) var map = ValueMap()
    /// The position in the map's items where the next key is expected.
    private var next = 0

    init(
        _ value: Value, _ parent: ValueReading? = nil, _ key: (any CodingKey)? = nil,
        userInfo: [CodingUserInfoKey: any Sendable] = [:]
    ) {
        self.value = value
        self.parent = parent
        self.key = key
        info = userInfo
    }

    var userInfo: [CodingUserInfoKey: Any] {
        var outermost = self
        while let parent = outermost.parent { outermost = parent }
        return outermost.info
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .map(let map) = value else { throw mismatch(ValueMap.self, "a map") }
        self.map = map
        return KeyedDecodingContainer(KeyedReading<Key>(parent: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        switch value {
        case .vector(let items), .list(let items): UnkeyedReading(items: items, parent: self)
        case .set(let set): UnkeyedReading(items: set.items, parent: self)
        default: throw mismatch([Value].self, "a vector, a list or a set")
        }
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension ValueReading {
    /// What stands under a text or a keyword; types mostly ask in the order in which they were written.
    func find(_ text: String) -> Value? {
        if next < map.items.count, map.items[next].isKey(text) {
            next += 2
            return map.items[next - 1]
        }
        guard let position = map.position(named: text) else { return nil }
        next = position + 2
        return map.items[position + 1]
    }

    func decodeNil() -> Bool { value.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let bool) = value else { throw mismatch(type, "true or false") }
        return bool
    }

    func decode(_ type: String.Type) throws -> String {
        switch value {
        case .string(let text), .uri(let text): text
        case .keyword(let keyword): keyword.text
        case .symbol(let symbol): symbol.text
        case .character(let scalar): String(scalar)
        default: throw mismatch(type, "text")
        }
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard let double = value.doubleValue else { throw mismatch(type, "a number") }
        return double
    }

    func decode(_ type: Float.Type) throws -> Float {
        let double = try decode(Double.self)
        let float = Float(double)
        guard float.isFinite || !double.isFinite else {
            throw doesNotFit("which ends at ±\(Float.greatestFiniteMagnitude)", type)
        }
        return float
    }

    func decode<I: FixedWidthInteger & Decodable>(_ type: I.Type) throws -> I {
        if case .integer(let integer) = value, let number = I(exactly: integer) { return number }
        let number: I?
        if let integer = value.integerValue {
            number = I(exactly: integer)
        } else if case .bigInteger(let integer) = value {
            number = integer.digitCount <= 40 ? I(integer.description) : nil
        } else if case .double(let double) = value, double.isFinite, double.magnitude >= 0x1p63 {
            number = nil
        } else {
            throw mismatch(type, "a whole number", isContentWrong: value.doubleValue != nil)
        }
        guard let number else { throw doesNotFit("which holds \(I.min) to \(I.max)", type) }
        return number
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        if value.isPlain(type) { return value.plain(type) }
        switch value {
        case .vector(let items): if let array = PlainArray(items, type) { return array.cast(to: type) }
        case .map: break
        default: if Self.isBridged(type) { return try bridged(type) }
        }
        if type == Keyword.self { return unsafeBitCast(try keyword(), to: type) }
        return try T(from: self)
    }

    private func keyword() throws -> Keyword {
        switch value {
        case .keyword(let keyword): keyword
        case .string(let text): Keyword(text)
        default: throw mismatch(Keyword.self, "a keyword or text")
        }
    }
}

extension ValueReading {
    /// The error of a value of the wrong kind, or of the right kind with content that does not do.
    func mismatch(_ type: Any.Type, _ wanted: String, isContentWrong: Bool = false) -> any Error {
        let context = context("There is \(value.phrase) where \(wanted) is wanted.")
        if value.isNull { return DecodingError.valueNotFound(type, context) }
        return isContentWrong ? DecodingError.dataCorrupted(context) : .typeMismatch(type, context)
    }

    private func doesNotFit(_ range: String, _ type: Any.Type) -> any Error {
        DecodingError.dataCorrupted(
            context("There is \(value.phrase), and it does not fit \(type), \(range)."))
    }

    func context(_ message: String) -> DecodingError.Context {
        DecodingError.Context(codingPath: codingPath, debugDescription: message)
    }
}

extension Value {
    /// Whether the type is that of the content, or `Value`: then no decoding is needed.
    func isPlain<T>(_ type: T.Type) -> Bool {
        switch self {
        case .string where type == String.self, .integer where Self.isWord(type),
            .double where type == Double.self:
            true
        default: type == Value.self
        }
    }

    private static func isWord(_ type: Any.Type) -> Bool {
        type == Int64.self || (type == Int.self && Int.bitWidth == 64)
    }

    /// The content as it is, where `isPlain` holds.
    ///
    /// The types are the same, so the bits are; a cast would look the type up anew for every element.
    func plain<T>(_ type: T.Type) -> T {
        switch self {
        case .string(let text) where type == String.self: unsafeBitCast(text, to: type)
        case .integer(let integer) where Self.isWord(type): unsafeBitCast(integer, to: type)
        case .double(let double) where type == Double.self: unsafeBitCast(double, to: type)
        default: unsafeBitCast(self, to: type)
        }
    }

    /// Whether it is this text or the keyword of this text.
    fileprivate func isKey(_ key: String) -> Bool {
        switch self {
        case .string(let text): text.isSameText(as: key)
        case .keyword(let keyword): keyword.text.isSameText(as: key)
        default: false
        }
    }

    /// The value in a sentence: what it is and, where it is short, what it says.
    fileprivate var phrase: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .integer, .bigInteger, .double, .decimal, .ratio: "the number \(excerpt)"
        case .string(let text): "the text “\(Self.excerpt(text))”"
        case .character: "the character \(excerpt)"
        case .keyword: "the keyword \(excerpt)"
        case .symbol: "the symbol \(excerpt)"
        case .list: "a list"
        case .vector: "a vector"
        case .map: "a map"
        case .set: "a set"
        case .bytes: "bytes"
        case .instant(let instant): "the instant \(instant)"
        case .uuid(let id): "the UUID \(id)"
        case .uri(let text): "the URI “\(Self.excerpt(text))”"
        case .tagged: "a tagged value"
        }
    }

    private var excerpt: String { Self.excerpt(description) }

    /// So much of a text as an error can show.
    private static func excerpt(_ text: String) -> String {
        let start = text.unicodeScalars.prefix(40)
        return start.endIndex == text.endIndex ? text : "\(String(start))…"
    }
}
