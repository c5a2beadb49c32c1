// SPDX-License-Identifier: Apache-2.0

/// Writes a value as Transit.
struct TransitWriter: ValueWriter, ~Copyable {
    enum Mode {
        case json, verbose, messagePack
    }

    enum Kind: ValueWriterKind {
        case array
        case map
        /// An array under a tag.
        case taggedArray
        /// A map's keys and values in turns, in an array under a tag.
        case cmap
        /// One value under a tag.
        case tag

        var isMap: Bool { self == .map || self == .cmap }
        var isTag: Bool { self == .tag }
    }

    var output: TransitOutput
    var open: OpenCollections<Kind>
    private let options: TransitOptions

    init(mode: Mode, options: TransitOptions, limits: WireLimits) {
        output = TransitOutput(mode: mode)
        open = OpenCollections(limits: limits)
        self.options = options
    }

    mutating func emit(_ root: Value) throws(WireError) {
        let value = try handled(root)
        let isQuoted = Self.isScalar(value)
        if isQuoted { output.beginTag("'") }
        try emit(value, asKey: false)
        if isQuoted { output.endObject() }
    }

    @inline(__always)
    mutating func write(_ item: borrowing ValueInPlace, at position: Int, of kind: Kind) throws(WireError) {
        let asKey = kind == .map && position & 1 == 0
        if kind != .tag { output.separate(position, isMap: kind == .map) }
        if options.writers.isEmpty {
            try emit(item.value, asKey: asKey)
        } else {
            try emit(try handled(item.value), asKey: asKey)
        }
    }

    @inline(__always)
    mutating func end(_ kind: Kind) {
        switch kind {
        case .array: output.endArray()
        case .map, .tag: output.endObject()
        case .taggedArray, .cmap:
            output.endArray()
            output.endObject()
        }
    }

    /// The value that is written in the place of another.
    @inline(__always)
    private func handled(_ value: Value) throws(WireError) -> Value {
        guard !options.writers.isEmpty, let kind = TransitOptions.Kind(value),
            let writer = options.writers[kind]
        else { return value }
        do {
            return try writer(value)
        } catch {
            throw WireError(error, from: "kind's writer", kind: .unencodable)
        }
    }

    /// Whether the value must be quoted to stand alone.
    private static func isScalar(_ value: Value) -> Bool {
        switch value {
        case .list, .vector, .map, .set, .ratio: false
        case .tagged(let tag, let content): TransitOutput.isLetter(tag) && content.stringValue != nil
        default: true
        }
    }

    /// Whether a map may have the key as it is; otherwise it is written as a `cmap`.
    private func isPlainKey(_ key: Value) -> Bool {
        if options.writers.isEmpty { return Self.isScalar(key) }
        return (try? handled(key)).map(Self.isScalar) ?? true
    }

    private mutating func emit(_ value: Value, asKey: Bool) throws(WireError) {
        switch value {
        case .string(let text): output.text(text, asKey: asKey)
        case .integer(let integer): output.integer(integer, asKey: asKey)
        case .double(let double): output.double(double, asKey: asKey)
        case .bool(let bool): output.bool(bool, asKey: asKey)
        case .null: output.null(asKey: asKey)
        case .keyword(let keyword): output.scalar(UInt8(ascii: ":"), keyword.text, asKey: asKey)
        case .vector(let items): try begin(items, .array)
        case .map(let map): try begin(map)
        case .list(let items): try begin(items, .taggedArray, tag: "list")
        case .set(let set): try begin(set.items, .taggedArray, tag: "set")
        case .tagged(let tag, let content): try emit(tag, content, asKey: asKey)
        default: emitExtension(value, asKey: asKey)
        }
    }

    /// Writes a scalar of Transit's extension types.
    private mutating func emitExtension(_ value: Value, asKey: Bool) {
        switch value {
        case .symbol(let symbol): output.scalar(UInt8(ascii: "$"), symbol.text, asKey: asKey)
        case .bigInteger(let integer):
            output.scalar(UInt8(ascii: "n"), integer.description, asKey: asKey)
        case .decimal(let decimal): output.scalar(UInt8(ascii: "f"), decimal.description, asKey: asKey)
        case .character(let scalar): output.scalar(UInt8(ascii: "c"), String(scalar), asKey: asKey)
        case .uri(let text): output.scalar(UInt8(ascii: "r"), text, asKey: asKey)
        case .bytes(let bytes): output.scalar(UInt8(ascii: "b"), Base64.text(bytes), asKey: asKey)
        case .uuid(let id): output.uuid(id, asKey: asKey)
        case .instant(let instant): output.instant(instant, asKey: asKey)
        case .ratio(let ratio):
            output.beginTag("ratio")
            output.beginArray(2)
            output.scalar(UInt8(ascii: "n"), ratio.numerator.description, asKey: false)
            output.separate(1, isMap: false)
            output.scalar(UInt8(ascii: "n"), ratio.denominator.description, asKey: false)
            output.endArray()
            output.endObject()
        default: break
        }
    }

    private mutating func emit(_ tag: String, _ content: Value, asKey: Bool) throws(WireError) {
        guard !TransitTag.isOwn(tag) else {
            throw WireError(
                .unencodable, "The tag “\(tag)” is Transit's own; send the value that it stands for.")
        }
        if case .string(let text) = content, let letter = tag.utf8.first, TransitOutput.isLetter(tag) {
            return output.scalar(letter, text, asKey: asKey)
        }
        try begin([content], .tag, tag: tag)
    }

    private mutating func begin(_ map: ValueMap) throws(WireError) {
        var position = 0
        while position < map.items.count, isPlainKey(map.items[position]) { position += 2 }
        if position < map.items.count {
            try begin(map.items, .cmap, tag: "cmap")
        } else {
            try begin(map.items, .map)
        }
    }

    private mutating func begin(_ items: [Value], _ kind: Kind, tag: String = "") throws(WireError) {
        try open.begin(items, kind, written: output.sink.count)
        switch kind {
        case .array: output.beginArray(items.count)
        case .map: output.beginMap(items.count / 2)
        case .taggedArray, .cmap:
            output.beginTag(tag)
            output.beginArray(items.count)
        case .tag: output.beginTag(tag)
        }
    }
}
