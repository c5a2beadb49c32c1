// SPDX-License-Identifier: Apache-2.0

/// Writes a value as JSON, without spaces.
struct JSONWriter: ValueWriter, ~Copyable {
    enum Kind: ValueWriterKind {
        case array, object

        var isMap: Bool { self == .object }
    }

    let options: JSONOptions
    var sink = ByteSink()
    var open: OpenCollections<Kind>

    init(options: JSONOptions, limits: WireLimits) {
        self.options = options
        open = OpenCollections(limits: limits)
    }

    @inline(__always)
    mutating func write(_ item: borrowing ValueInPlace, at position: Int, of kind: Kind) throws(WireError) {
        let isValue = kind == .object && position & 1 == 1
        if position > 0 { sink.append(isValue ? UInt8(ascii: ":") : UInt8(ascii: ",")) }
        if case .string(let text) = item.value {
            sink.appendQuoted(text)
        } else if kind == .array || isValue {
            try emit(item.value)
        } else {
            try emitKey(item.value)
        }
    }

    @inline(__always)
    mutating func end(_ kind: Kind) {
        sink.append(kind == .array ? UInt8(ascii: "]") : UInt8(ascii: "}"))
    }

    /// Writes a scalar, or opens a collection.
    mutating func emit(_ value: Value) throws(WireError) {
        switch value {
        case .null: sink.append("null")
        case .bool(let bool): sink.append(bool ? "true" : "false")
        case .integer(let integer): sink.append(digitsOf: integer)
        case .double(let double): try emit(double)
        case .string(let text): sink.appendQuoted(text)
        case .vector(let items), .list(let items): try begin(items, .array)
        case .set(let set): try begin(set.items, .array)
        case .map(let map):
            try begin(map.items, .object)
            try checkKeys(map)
        case .bigInteger(let integer): emitExact(integer.description)
        case .decimal(let decimal): emitExact(decimal.description)
        case .instant(let instant) where options.instants == .milliseconds:
            sink.append(digitsOf: instant.milliseconds)
        default:
            guard let text = text(of: value) else {
                throw WireError(
                    .unencodable, "JSON has no word for a tagged value; take the value out of its tag.")
            }
            sink.appendQuoted(text)
        }
    }

    private mutating func begin(_ items: [Value], _ kind: Kind) throws(WireError) {
        try open.begin(items, kind, written: sink.count)
        sink.append(kind == .array ? UInt8(ascii: "[") : UInt8(ascii: "{"))
    }

    private mutating func emit(_ double: Double) throws(WireError) {
        if double.isFinite { return sink.append(digitsOf: double) }
        switch options.nonFinite {
        case .refuse:
            throw WireError(.unencodable, "JSON has no word for \(double); send null or a text instead.")
        case .null: sink.append("null")
        case .text: sink.append(double.isNaN ? "\"NaN\"" : double < 0 ? "\"-Infinity\"" : "\"Infinity\"")
        }
    }

    private mutating func emitExact(_ digits: String) {
        if options.exactNumbers == .digits {
            sink.append(text: digits)
        } else {
            sink.appendQuoted(digits)
        }
    }

    private mutating func emitKey(_ key: Value) throws(WireError) {
        guard let text = keyText(of: key) else {
            throw WireError(.unencodable, "The key \(key) is no text; JSON's names are text.")
        }
        sink.appendQuoted(text)
    }

    /// Two keys that become one name would lose a value in silence; only keys that are no text can do so.
    private func checkKeys(_ map: ValueMap) throws(WireError) {
        var position = 0
        while position < map.items.count, case .string = map.items[position] { position += 2 }
        guard position < map.items.count else { return }
        var names = ValueSet()
        for (key, _) in map {
            guard let name = keyText(of: key), !names.insert(.string(name)) else { continue }
            throw WireError(.unencodable, "Two keys of the map would both be written as “\(name)”.")
        }
    }

    private func keyText(of key: Value) -> String? {
        switch key {
        case .string, .keyword, .symbol: text(of: key)
        case _ where options.keys == .names: nil
        case .null: "null"
        case .bool(let bool): bool ? "true" : "false"
        case .integer(let integer): String(integer)
        case .double(let double): double.description
        case .bigInteger(let integer): integer.description
        case .decimal(let decimal): decimal.description
        case .bytes: nil
        default: text(of: key)
        }
    }

    private func text(of value: Value) -> String? {
        if case .keyword(let keyword) = value, options.keywords == .colon { return keyword.description }
        return value.plainText
    }
}

extension Value {
    /// The text that stands for a scalar other than null, truth and numbers where there is only text.
    var plainText: String? {
        switch self {
        case .string(let text), .uri(let text): text
        case .keyword(let keyword): keyword.text
        case .symbol(let symbol): symbol.text
        case .character(let scalar): String(scalar)
        case .ratio(let ratio): ratio.description
        case .bytes(let bytes): Base64.text(bytes)
        case .instant(let instant): instant.description
        case .uuid(let id): id.description
        default: nil
        }
    }
}
