// SPDX-License-Identifier: Apache-2.0

/// Writes a value as JSON without recursion, in the order of insertion and without spaces.
struct JSONWriter: ~Copyable {
    /// A collection that is being written.
    private struct Frame {
        let items: [Value]
        var next = 0
        let isMap: Bool
    }

    let options: JSONOptions
    var sink = ByteSink()
    private var frames: [Frame] = []
    private let limits: WireLimits

    init(options: JSONOptions, limits: WireLimits) {
        self.options = options
        self.limits = limits
    }

    mutating func write(_ value: Value) throws(WireError) {
        try emit(value)
        while let last = frames.indices.last {
            let isMap = frames[last].isMap
            try frames[last].items.lend { items throws(WireError) in
                if isMap {
                    try writeEntries(items, of: last)
                } else {
                    try writeElements(items, of: last)
                }
            }
        }
    }

    /// Writes elements until one is a collection that has been opened, or the end.
    private mutating func writeElements(
        _ items: UnsafeBufferPointer<ValueInPlace>, of frame: Int
    ) throws(WireError) {
        var position = frames[frame].next
        while position < items.count {
            if position > 0 { sink.append(UInt8(ascii: ",")) }
            position += 1
            if emitPlain(items[position - 1]) { continue }
            frames[frame].next = position
            try emit(items[position - 1].value)
            if frames.count > frame + 1 { return }
        }
        sink.append(UInt8(ascii: "]"))
        frames.removeLast()
    }

    /// Writes keys and values until a value is a collection that has been opened, or the end.
    private mutating func writeEntries(
        _ items: UnsafeBufferPointer<ValueInPlace>, of frame: Int
    ) throws(WireError) {
        var position = frames[frame].next
        while position < items.count {
            if position > 0 { sink.append(UInt8(ascii: ",")) }
            position += 2
            frames[frame].next = position
            if !emitPlain(items[position - 2]) { try emitKey(items[position - 2].value) }
            sink.append(UInt8(ascii: ":"))
            if emitPlain(items[position - 1]) { continue }
            try emit(items[position - 1].value)
            if frames.count > frame + 1 { return }
        }
        sink.append(UInt8(ascii: "}"))
        frames.removeLast()
    }

    /// Writes a text; false for any other value.
    @inline(__always)
    private mutating func emitPlain(_ item: borrowing ValueInPlace) -> Bool {
        guard case .string(let text) = item.value else { return false }
        sink.appendQuoted(text)
        return true
    }

    /// Writes a scalar, or opens a collection.
    private mutating func emit(_ value: Value) throws(WireError) {
        switch value {
        case .null: sink.append("null")
        case .bool(let bool): sink.append(bool ? "true" : "false")
        case .integer(let integer): sink.append(digitsOf: integer)
        case .double(let double): try emit(double)
        case .string(let text): sink.appendQuoted(text)
        case .vector(let items), .list(let items): try begin(items, isMap: false)
        case .set(let set): try begin(set.items, isMap: false)
        case .map(let map):
            try begin(map.items, isMap: true)
            try checkKeys(map)
        case .bigInteger(let integer): emitExact(integer.description)
        case .decimal(let decimal): emitExact(decimal.description)
        case .instant(let instant) where options.instants == .milliseconds:
            sink.append(digitsOf: instant.milliseconds)
        default:
            guard let text = text(of: value) else {
                throw unencodable("JSON has no word for a tagged value; take the value out of its tag.")
            }
            sink.appendQuoted(text)
        }
    }

    private mutating func begin(_ items: [Value], isMap: Bool) throws(WireError) {
        guard frames.count < limits.maximumDepth else {
            throw WireError(.tooDeep, "The value is nested deeper than \(limits.maximumDepth).")
        }
        guard sink.count <= limits.maximumBytes else {
            throw WireError(.tooLarge, "The document would have more than \(limits.maximumBytes) bytes.")
        }
        sink.append(isMap ? UInt8(ascii: "{") : UInt8(ascii: "["))
        frames.append(Frame(items: items, isMap: isMap))
    }

    private mutating func emit(_ double: Double) throws(WireError) {
        if double.isFinite { return sink.append(digitsOf: double) }
        switch options.nonFinite {
        case .refuse: throw unencodable("JSON has no word for \(double); send null or a text instead.")
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
        if case .string(let text) = key { return sink.appendQuoted(text) }
        guard let text = keyText(of: key) else {
            throw unencodable("The key \(key) is no text; JSON's names are text.")
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
            throw unencodable("Two keys of the map would both be written as “\(name)”.")
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

    /// The text that stands for a scalar other than null, truth and numbers.
    private func text(of value: Value) -> String? {
        switch value {
        case .string(let text), .uri(let text): text
        case .keyword(let keyword): options.keywords == .plain ? keyword.text : keyword.description
        case .symbol(let symbol): symbol.text
        case .character(let scalar): String(scalar)
        case .ratio(let ratio): ratio.description
        case .bytes(let bytes): Base64.text(bytes)
        case .instant(let instant): instant.description
        case .uuid(let id): id.description
        default: nil
        }
    }

    private func unencodable(_ message: String) -> WireError {
        WireError(.unencodable, message, path: path)
    }

    /// The keys and indices of what is being written.
    private var path: [Value] {
        frames.compactMap { frame in
            guard frame.next > 0 else { return nil }
            return frame.isMap ? frame.items[frame.next - 2] : .integer(Int64(frame.next - 1))
        }
    }
}
