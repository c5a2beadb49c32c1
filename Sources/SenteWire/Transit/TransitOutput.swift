// SPDX-License-Identifier: Apache-2.0

/// Transit in the making: its ground types and tags, as bytes of JSON or MessagePack, with the write cache.
struct TransitOutput: ~Copyable {
    private let mode: TransitWriter.Mode
    private(set) var sink = ByteSink()
    private var cache = TextTable()

    /// Beyond these, JSON's numbers are written as text: readers with doubles would round them.
    private static let exactIntegers: ClosedRange<Int64> = -0x1F_FFFF_FFFF_FFFF...0x1F_FFFF_FFFF_FFFF
    private static let cacheBound = TransitAssembler.digits * TransitAssembler.digits

    /// What stands in front of a string's text: nothing, `~`, or `~` and a letter.
    struct Mark {
        let count: Int
        let letter: UInt8
    }

    init(mode: TransitWriter.Mode) {
        self.mode = mode
    }

    /// Whether a scalar of this tag can be written as text with the tag's letter in front.
    static func isLetter(_ tag: String) -> Bool {
        guard let letter = tag.utf8.first, tag.utf8.count == 1 else { return false }
        return letter < 0x80 && !"~^`#".utf8.contains(letter)
    }

    // MARK: Strings

    /// Writes text, escaped where its beginning could be taken for a mark.
    @inline(__always)
    mutating func text(_ text: String, asKey: Bool) {
        switch text.utf8.first {
        case UInt8(ascii: "~"), UInt8(ascii: "^"), UInt8(ascii: "`"):
            string(Mark(count: 1, letter: 0), text, isCacheable: asKey)
        case _ where asKey: string(Mark(count: 0, letter: 0), text, isCacheable: true)
        default: if mode == .messagePack { sink.pack(text) } else { sink.appendQuoted(text) }
        }
    }

    /// Writes `~`, a letter and text.
    mutating func scalar(_ letter: UInt8, _ text: String, asKey: Bool) {
        let isName = letter == UInt8(ascii: ":") || letter == UInt8(ascii: "$") || letter == UInt8(ascii: "#")
        string(Mark(count: 2, letter: letter), text, isCacheable: asKey || isName)
    }

    /// Writes a string, or the code it got the first time.
    private mutating func string(_ mark: Mark, _ text: String, isCacheable: Bool) {
        if isCacheable, mode != .verbose, TransitAssembler.isLong(text, mark.count) {
            let kind = mark.letter &+ UInt8(truncatingIfNeeded: mark.count)
            let isFull = cache.count == Self.cacheBound
            if let number = cache.number(of: text, kind: kind, bound: Self.cacheBound) { return code(number) }
            if isFull {
                cache.removeAll()
                _ = cache.number(of: text, kind: kind, bound: Self.cacheBound)
            }
        }
        if mode == .messagePack { packed(mark, text) } else { quoted(mark, text) }
    }

    /// Writes a string of MessagePack of marks and text.
    private mutating func packed(_ mark: Mark, _ text: String) {
        text.readUTF8 { content in
            sink.packString(mark.count + content.count)
            if mark.count > 0 { sink.append(UInt8(ascii: "~")) }
            if mark.count > 1 { sink.append(mark.letter) }
            sink.append(content)
        }
    }

    /// Writes a JSON string of marks and text.
    private mutating func quoted(_ mark: Mark, _ text: String) {
        guard mark.count > 0 else { return sink.appendQuoted(text) }
        let isSpecial = mark.letter == UInt8(ascii: "\"") || mark.letter == UInt8(ascii: "\\")
        guard !isSpecial, mark.count == 1 || mark.letter >= 0x20 else {
            return sink.appendQuoted("~" + String(Unicode.Scalar(mark.letter)) + text)
        }
        sink.append("\"~")
        if mark.count == 2 { sink.append(mark.letter) }
        sink.append(restOfQuoted: text)
    }

    private mutating func code(_ number: Int) {
        let (high, low) = number.quotientAndRemainder(dividingBy: TransitAssembler.digits)
        if mode == .messagePack {
            sink.packString(high == 0 ? 2 : 3)
        } else {
            sink.append(UInt8(ascii: "\""))
        }
        sink.append(UInt8(ascii: "^"))
        if high > 0 { sink.append(UInt8(truncatingIfNeeded: high + 48)) }
        sink.append(UInt8(truncatingIfNeeded: low + 48))
        if mode != .messagePack { sink.append(UInt8(ascii: "\"")) }
    }

    // MARK: Ground types

    mutating func null(asKey: Bool) {
        if mode == .messagePack { return sink.packNull() }
        if asKey { scalar(UInt8(ascii: "_"), "", asKey: true) } else { sink.append("null") }
    }

    mutating func bool(_ bool: Bool, asKey: Bool) {
        if mode == .messagePack { return sink.pack(bool) }
        if asKey {
            scalar(UInt8(ascii: "?"), bool ? "t" : "f", asKey: true)
        } else {
            sink.append(bool ? "true" : "false")
        }
    }

    mutating func integer(_ integer: Int64, asKey: Bool) {
        if mode == .messagePack { return sink.pack(integer) }
        if asKey || !Self.exactIntegers.contains(integer) {
            scalar(UInt8(ascii: "i"), String(integer), asKey: asKey)
        } else {
            sink.append(digitsOf: integer)
        }
    }

    mutating func double(_ double: Double, asKey: Bool) {
        guard double.isFinite else {
            return scalar(
                UInt8(ascii: "z"), double.isNaN ? "NaN" : double < 0 ? "-INF" : "INF", asKey: asKey)
        }
        if mode == .messagePack { return sink.pack(double) }
        if asKey {
            scalar(UInt8(ascii: "d"), double.description, asKey: true)
        } else {
            sink.append(digitsOf: double)
        }
    }

    /// Writes the halves of an id in MessagePack, its text in JSON and as a key.
    mutating func uuid(_ id: UniqueID, asKey: Bool) {
        guard mode == .messagePack, !asKey else {
            return scalar(UInt8(ascii: "u"), id.description, asKey: asKey)
        }
        beginTag("u")
        sink.packArray(2)
        sink.pack(Int64(bitPattern: id.high))
        sink.pack(Int64(bitPattern: id.low))
    }

    /// Writes milliseconds, or a date and time: in verbose mode, and where there is more than milliseconds.
    mutating func instant(_ instant: Timestamp, asKey: Bool) {
        // A year of more than four digits cannot be read as a date.
        if mode == .verbose || instant.nanoseconds > 0, Timestamp(instant.description) == instant {
            return scalar(UInt8(ascii: "t"), instant.description, asKey: asKey)
        }
        guard mode == .messagePack, !asKey else {
            return scalar(UInt8(ascii: "m"), String(instant.milliseconds), asKey: asKey)
        }
        beginTag("m")
        sink.pack(instant.milliseconds)
    }

    // MARK: Collections

    /// Begins the pair of a tag and the one value under it.
    mutating func beginTag(_ tag: String) {
        if mode == .messagePack {
            sink.packArray(2)
        } else {
            sink.append(mode == .json ? UInt8(ascii: "[") : UInt8(ascii: "{"))
        }
        scalar(UInt8(ascii: "#"), tag, asKey: false)
        if mode != .messagePack { sink.append(mode == .json ? UInt8(ascii: ",") : UInt8(ascii: ":")) }
    }

    /// Ends a map, or the pair of a tag: objects in verbose JSON, arrays in JSON.
    mutating func endObject() {
        if mode != .messagePack { sink.append(mode == .json ? UInt8(ascii: "]") : UInt8(ascii: "}")) }
    }

    mutating func beginArray(_ count: Int) {
        if mode == .messagePack { sink.packArray(count) } else { sink.append(UInt8(ascii: "[")) }
    }

    mutating func endArray() {
        if mode != .messagePack { sink.append(UInt8(ascii: "]")) }
    }

    mutating func beginMap(_ count: Int) {
        switch mode {
        case .json: sink.append("[\"^ \"")
        case .verbose: sink.append(UInt8(ascii: "{"))
        case .messagePack: sink.packMap(count)
        }
    }

    /// Writes what stands before the value at a position.
    @inline(__always)
    mutating func separate(_ position: Int, isMap: Bool) {
        switch mode {
        case .json: if position > 0 || isMap { sink.append(UInt8(ascii: ",")) }
        case .verbose:
            if position > 0 {
                sink.append(isMap && position & 1 == 1 ? UInt8(ascii: ":") : UInt8(ascii: ","))
            }
        case .messagePack: break
        }
    }
}
