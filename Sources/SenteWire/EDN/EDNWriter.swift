// SPDX-License-Identifier: Apache-2.0

/// Writes a value as Clojure's `pr-str` does.
struct EDNWriter: ValueWriter, ~Copyable {
    enum Kind: ValueWriterKind {
        case list, vector, map, set, tag

        var isMap: Bool { self == .map }
        var isTag: Bool { self == .tag }
    }

    var sink = ByteSink()
    var open: OpenCollections<Kind>
    /// Whether the text is for people: then values that no reader would take back are written all the same, and `…`
    /// stands where they are too deep.
    private let isLenient: Bool
    /// Tags with a reader of the user's mean what it makes of them, not what they mean in EDN.
    private let readers: [String: EDNOptions.Reader]

    init(limits: WireLimits, readers: [String: EDNOptions.Reader] = [:], isLenient: Bool = false) {
        open = OpenCollections(limits: limits)
        self.readers = readers
        self.isLenient = isLenient
    }

    @inline(__always)
    mutating func write(_ item: borrowing ValueInPlace, at position: Int, of kind: Kind) throws(WireError) {
        if position > 0 {
            if kind == .map, position & 1 == 0 { sink.append(UInt8(ascii: ",")) }
            sink.append(UInt8(ascii: " "))
        }
        try emit(item.value)
    }

    @inline(__always)
    mutating func end(_ kind: Kind) {
        switch kind {
        case .list: sink.append(UInt8(ascii: ")"))
        case .vector: sink.append(UInt8(ascii: "]"))
        case .map, .set: sink.append(UInt8(ascii: "}"))
        case .tag: break
        }
    }

    /// Writes a scalar, or opens a collection.
    @inline(__always)
    mutating func emit(_ value: Value) throws(WireError) {
        switch value {
        case .null: sink.append("nil")
        case .bool(let bool): sink.append(bool ? "true" : "false")
        case .integer(let integer): sink.append(digitsOf: integer)
        case .double(let double): emit(double)
        case .string(let text): sink.appendQuoted(text)
        case .keyword(let keyword): try emit(keyword)
        case .vector(let items): try begin(.vector, items, "[")
        case .map(let map):
            try begin(.map, map.items, "{")
            try checkKeys(map.items, stride: 2)
        case .list(let items): try begin(.list, items, "(")
        case .set(let set):
            try begin(.set, set.items, "#{")
            try checkKeys(set.items, stride: 1)
        case .tagged(let tag, let value): try emit(tag, value)
        default: try emitRare(value)
        }
    }

    private mutating func begin(_ kind: Kind, _ items: [Value], _ opening: StaticString) throws(WireError) {
        if isLenient, open.isFull { return sink.append("…") }
        try open.begin(items, kind, written: sink.count)
        sink.append(opening)
    }

    /// Readers refuse a whole document for two keys that they take for equal.
    private func checkKeys(_ items: [Value], stride: Int) throws(WireError) {
        guard isLenient || ClojureEquality.tellsApart(items, stride: stride) else {
            throw WireError(
                .unencodable,
                "Clojure takes two of the keys or elements for equal, such as 1 and 1N or () and [].")
        }
    }

    private mutating func emit(_ double: Double) {
        if double.isFinite { return sink.append(digitsOf: double) }
        sink.append(double.isNaN ? "##NaN" : double < 0 ? "##-Inf" : "##Inf")
    }

    private mutating func emit(_ keyword: Keyword) throws(WireError) {
        guard isLenient || keyword.isValid else {
            throw WireError(
                .unencodable,
                "“\(keyword.text)” is no keyword in EDN; send it as a string or without what may not stand in names."
            )
        }
        sink.append(UInt8(ascii: ":"))
        sink.append(text: keyword.text)
    }

    private mutating func emit(_ tag: String, _ value: Value) throws(WireError) {
        guard isLenient || EDNName.isTag(tag) else {
            throw WireError(
                .unencodable, "“\(tag)” is no tag in EDN; tags are symbols that begin with a letter.")
        }
        guard isLenient || readers[tag] != nil || !EDNReader.hasMeaning(tag, value) else {
            throw WireError(.unencodable, "Under #\(tag) EDN has a value of its own; send that value.")
        }
        sink.append(UInt8(ascii: "#"))
        sink.append(text: tag)
        sink.append(UInt8(ascii: " "))
        try begin(.tag, [value], "")
    }

    /// Writes a scalar of the kinds that most documents do not have.
    private mutating func emitRare(_ value: Value) throws(WireError) {
        switch value {
        case .bigInteger(let integer): sink.append(text: "\(integer)N")
        case .decimal(let decimal): sink.append(text: "\(decimal)M")
        case .ratio(let ratio): try emit(ratio)
        case .symbol(let symbol):
            guard isLenient || symbol.isValid else {
                throw WireError(.unencodable, "“\(symbol.text)” is no symbol in EDN; send it as a string.")
            }
            sink.append(text: symbol.text)
        case .character(let scalar): try emit(scalar)
        case .bytes(let bytes):
            sink.append("#bytes ")
            sink.appendQuoted(Base64.text(bytes))
        case .instant(let instant): try emit(instant)
        case .uuid(let id): sink.append(text: "#uuid \"\(id)\"")
        case .uri(let text):
            sink.append("#uri ")
            sink.appendQuoted(text)
        default: break
        }
    }

    private mutating func emit(_ ratio: Ratio) throws(WireError) {
        guard isLenient || !ratio.denominator.isNegative else {
            throw WireError(.unencodable, "In EDN the sign of a ratio stands above its line.")
        }
        sink.append(text: ratio.description)
    }

    private mutating func emit(_ scalar: Unicode.Scalar) throws(WireError) {
        switch scalar {
        case "\n": sink.append("\\newline")
        case "\r": sink.append("\\return")
        case " ": sink.append("\\space")
        case "\t": sink.append("\\tab")
        case "\u{8}": sink.append("\\backspace")
        case "\u{C}": sink.append("\\formfeed")
        case "\u{10000}"... where !isLenient:
            throw WireError(.unencodable, "Clojure has no character beyond U+FFFF; send a string.")
        default:
            sink.append(UInt8(ascii: "\\"))
            guard scalar.properties.isWhitespace || scalar.properties.generalCategory == .control else {
                return sink.append(text: String(scalar))
            }
            sink.append(text: "u" + scalar.value.digits(atLeast: 4, radix: 16))
        }
    }

    private mutating func emit(_ instant: Timestamp) throws(WireError) {
        let text = instant.description
        guard isLenient || text.utf8.first.map(EDNName.isDigit) == true else {
            throw WireError(.unencodable, "EDN's dates have years from 0 to 9999.")
        }
        sink.append(text: "#inst \"\(text.dropLast())-00:00\"")
    }
}
