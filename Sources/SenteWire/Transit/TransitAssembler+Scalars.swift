// SPDX-License-Identifier: Apache-2.0

extension TransitAssembler {
    /// The value of a tag and what stands under it.
    mutating func value(under tag: TransitTag, _ content: Value, at offset: Int) throws(ReadingError) -> Value
    {
        switch (tag, content) {
        case (.quote, _): return content
        case (.named(let name), _): return try named(name, content, at: offset)
        case (.set, .vector(let items)): return .set(ValueSet(items))
        case (.list, .vector(let items)): return .list(items)
        case (.cmap, .vector(let items)) where items.count & 1 == 0: return .map(ValueMap(items: items))
        case (.ratio, .vector(let parts)) where parts.count == 2:
            guard let above = Self.wholeNumber(parts[0]), let below = Self.wholeNumber(parts[1]),
                let ratio = Ratio(above, below)
            else { break }
            return .ratio(ratio)
        case (.scalar(let letter), .string(let text)):
            return try scalar(String(Unicode.Scalar(letter)), text, at: offset)
        case (.scalar(let letter), _):
            guard let value = Self.scalar(letter, content) else { break }
            return value
        default: break
        }
        throw ReadingError("What stands under the tag is not what the tag says.", at: offset)
    }

    /// The value of a tag that Transit does not know, or that a user has a reader for.
    private mutating func named(_ name: String, _ content: Value, at offset: Int) throws(ReadingError)
        -> Value
    {
        guard hasReaders, let reader = options.readers[name] else { return .tagged(name, content) }
        do {
            return try reader(content)
        } catch {
            let error = WireError(error, from: "tag's reader", kind: .malformed)
            thrown = error
            throw ReadingError("A reader refused the value.", error.kind, at: offset)
        }
    }

    /// The value of a scalar written as text.
    mutating func scalar(_ tag: String, _ text: String, at offset: Int) throws(ReadingError) -> Value {
        if hasReaders, options.readers[tag] != nil { return try named(tag, .string(text), at: offset) }
        guard let letter = tag.utf8.first, TransitTag.isOwn(tag), letter != UInt8(ascii: "'") else {
            return .tagged(tag, .string(text))
        }
        guard let value = Self.scalar(letter, text) else {
            throw ReadingError("The text after the letter is not what the letter says.", at: offset)
        }
        return value
    }

    private static func scalar(_ letter: UInt8, _ text: String) -> Value? {
        switch letter {
        case UInt8(ascii: ":"): .keyword(Keyword(exactly: text))
        case UInt8(ascii: "$"): .symbol(Symbol(text))
        case UInt8(ascii: "r"): .uri(text)
        case UInt8(ascii: "_"): text.isEmpty ? .null : nil
        case UInt8(ascii: "?"): text == "t" ? .bool(true) : text == "f" ? .bool(false) : nil
        case UInt8(ascii: "i"):
            Int64(text).map(Value.integer) ?? BigInteger(text).map { Value.bigInteger($0) }
        case UInt8(ascii: "n"): BigInteger(text).map(Value.bigInteger)
        case UInt8(ascii: "d"): double(text).map(Value.double)
        case UInt8(ascii: "f"): BigDecimal(text).map(Value.decimal)
        case UInt8(ascii: "z"): special(text).map(Value.double)
        case UInt8(ascii: "m"): Int64(text).map { .instant(Timestamp(milliseconds: $0)) }
        case UInt8(ascii: "t"): Timestamp(text).map(Value.instant)
        case UInt8(ascii: "u"): UniqueID(text).map(Value.uuid)
        case UInt8(ascii: "c"): character(text).map(Value.character)
        case UInt8(ascii: "b"): Base64.bytes(text).map(Value.bytes)
        default: nil
        }
    }

    /// The value of a one-letter tag over something that is no text, as MessagePack writes time and UUIDs.
    private static func scalar(_ letter: UInt8, _ content: Value) -> Value? {
        switch (letter, content) {
        case (UInt8(ascii: "m"), .integer(let milliseconds)):
            .instant(Timestamp(milliseconds: milliseconds))
        case (UInt8(ascii: "u"), .vector(let halves)) where halves.count == 2:
            half(halves[0]).flatMap { high in half(halves[1]).map { .uuid(UniqueID(high: high, low: $0)) } }
        case (UInt8(ascii: "n"), .integer(let integer)): .bigInteger(BigInteger(integer))
        case (UInt8(ascii: "n"), .bigInteger), (UInt8(ascii: "i"), .integer),
            (UInt8(ascii: "i"), .bigInteger),
            (UInt8(ascii: "d"), .double), (UInt8(ascii: "?"), .bool), (UInt8(ascii: "_"), .null),
            (UInt8(ascii: "b"), .bytes):
            content
        default: nil
        }
    }

    /// Half of a UUID, signed as Java has it, or not.
    private static func half(_ value: Value) -> UInt64? {
        switch value {
        case .integer(let integer): UInt64(bitPattern: integer)
        case .bigInteger(let integer): integer.digitCount <= 20 ? UInt64(integer.description) : nil
        default: nil
        }
    }

    private static func wholeNumber(_ value: Value) -> BigInteger? {
        switch value {
        case .integer(let integer): BigInteger(integer)
        case .bigInteger(let integer): integer
        default: nil
        }
    }

    private static func special(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "INF": .infinity
        case "-INF": -.infinity
        default: nil
        }
    }

    /// A decimal number; none of the words and hexadecimal forms that `Double` reads too.
    private static func double(_ text: String) -> Double? {
        let isDecimal = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        guard isDecimal, let double = Double(text), double.isFinite else { return nil }
        return double
    }

    private static func character(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        return scalars.dropFirst().isEmpty ? scalars.first : nil
    }
}
