// SPDX-License-Identifier: Apache-2.0

/// Makes values of what Transit's readers find, whichever bytes they stand in: keeps the cache and the open
/// collections (transit-format 0.8, "Tag-based encoding", "Caching").
struct TransitAssembler: ~Copyable {
    /// A collection or tag that is open.
    struct Frame {
        enum Kind { case array, map, object, tag }

        let kind: Kind
        /// Where its values begin in the stack.
        let start: Int
        /// For how many levels of nesting it counts.
        let level: Int
        /// The bracket that ends it, in JSON.
        var close: UInt8 = 0
        /// How many values are still to come, in MessagePack.
        var remaining = 0
    }

    /// What a string stands for.
    enum Text {
        case value(Value, fingerprint: UInt32)
        case tag(TransitTag)
        /// The `^ ` that makes a map of an array.
        case marker
    }

    static let digits = 44
    private static let cacheBound = digits * digits

    private(set) var frames: [Frame] = []
    private(set) var stack = ValueStack()
    private var tags: [TransitTag] = []
    private var cache: [Text] = []
    private var depth = 0
    private let limits: WireLimits
    let options: TransitOptions
    let hasReaders: Bool
    /// What a user's reader threw.
    var thrown: WireError?

    init(options: TransitOptions, limits: WireLimits) {
        self.options = options
        self.limits = limits
        hasReaders = !options.readers.isEmpty
    }

    /// The error for the reader's caller: what a user's reader threw, if one did.
    func wireError(_ error: ReadingError) -> WireError {
        guard var thrown else { return WireError(error) }
        thrown.offset = thrown.offset ?? error.offset
        return thrown
    }

    // MARK: Values

    /// Whether the next value is the key of a map.
    var isAtKey: Bool {
        guard let last = frames.last else { return false }
        return last.kind == .map && (stack.count - last.start) & 1 == 0
    }

    @inline(__always)
    mutating func push(_ value: consuming Value, fingerprint: UInt32 = 0) {
        stack.pushKey(value, fingerprint: fingerprint)
    }

    /// Notes that one of the values that the innermost frame announced has begun.
    @inline(__always)
    mutating func countDown() {
        if !frames.isEmpty { frames[frames.count - 1].remaining -= 1 }
    }

    mutating func takeValue() -> Value { stack.pop() }

    // MARK: Collections

    mutating func open(
        _ kind: Frame.Kind, close: UInt8 = 0, remaining: Int = 0, at offset: Int
    ) throws(ReadingError) {
        var level = 1
        if frames.last?.kind == .tag, tags.last?.isScalar == true { level = 0 }
        try open(
            Frame(kind: kind, start: stack.count, level: level, close: close, remaining: remaining), offset)
    }

    mutating func openTag(
        _ tag: TransitTag, close: UInt8 = 0, remaining: Int = 0, at offset: Int
    ) throws(ReadingError) {
        let level = tag.isLevel ? 1 : 0
        try open(
            Frame(kind: .tag, start: stack.count, level: level, close: close, remaining: remaining), offset)
        tags.append(tag)
    }

    private mutating func open(_ frame: Frame, _ offset: Int) throws(ReadingError) {
        // A set is an array under a tag, and a ratio in the innermost set is such a pair once more.
        guard depth + frame.level <= limits.maximumDepth, frames.count < 2 * limits.maximumDepth + 2 else {
            throw ReadingError("The Transit document is nested too deep.", .tooDeep, at: offset)
        }
        depth += frame.level
        frames.append(frame)
    }

    /// Makes a value of the innermost frame.
    mutating func close(at offset: Int) throws(ReadingError) {
        guard let frame = frames.popLast() else { return }
        depth -= frame.level
        switch frame.kind {
        case .array: push(.vector(stack.takeArray(from: frame.start)))
        case .map, .object:
            guard (stack.count - frame.start) & 1 == 0 else {
                throw ReadingError("The last key of the map has no value.", at: offset)
            }
            push(.map(stack.takeMap(from: frame.start)))
        case .tag:
            guard let tag = tags.popLast() else { return }
            let value = try value(under: tag, stack.pop(), at: offset)
            push(value, fingerprint: Fingerprint.of(value))
        }
    }

    // MARK: Strings

    /// What a string without a mark at its beginning stands for.
    @inline(__always)
    mutating func plain(_ text: String, asKey: Bool) -> Text {
        guard asKey else { return .value(.string(text), fingerprint: 0) }
        return named(.string(text), isCacheable: Self.isLong(text, 0))
    }

    /// What the string `~`, letter, rest stands for.
    mutating func escaped(
        _ letter: UInt8, _ rest: String, asKey: Bool, at offset: Int
    ) throws(ReadingError) -> Text {
        switch letter {
        case UInt8(ascii: "#"):
            let tag = Text.tag(TransitTag(rest, readers: options.readers))
            if Self.isLong(rest, 2) { keep(tag) }
            return tag
        case UInt8(ascii: "~"), UInt8(ascii: "^"), UInt8(ascii: "`"):
            let text = String(Unicode.Scalar(letter)) + rest
            guard asKey else { return .value(.string(text), fingerprint: 0) }
            return named(.string(text), isCacheable: Self.isLong(rest, 2))
        case UInt8(ascii: ":") where !hasReaders:
            return named(.keyword(Keyword(exactly: rest)), isCacheable: Self.isLong(rest, 2))
        case UInt8(ascii: "$") where !hasReaders:
            return named(.symbol(Symbol(rest)), isCacheable: Self.isLong(rest, 2))
        default:
            let isName = letter == UInt8(ascii: ":") || letter == UInt8(ascii: "$")
            let value = try scalar(String(Unicode.Scalar(letter)), rest, at: offset)
            return named(value, isCacheable: (asKey || isName) && Self.isLong(rest, 2))
        }
    }

    /// What a string stands for that was put together from escapes, or whose letter is not ASCII.
    mutating func whole(_ text: String, asKey: Bool, at offset: Int) throws(ReadingError) -> Text {
        let scalars = text.unicodeScalars
        switch scalars.first {
        case "^":
            let code: Int? = text.readUTF8 {
                $0.baseAddress.map { [count = $0.count] in Self.code($0, count) } ?? nil
            }
            return try self.code(code, at: offset)
        case "~" where scalars.count > 1:
            let letter = scalars[scalars.index(after: scalars.startIndex)]
            let rest = String(scalars.dropFirst(2))
            if letter.isASCII {
                return try escaped(UInt8(truncatingIfNeeded: letter.value), rest, asKey: asKey, at: offset)
            }
            let value = try scalar(String(letter), rest, at: offset)
            return named(value, isCacheable: asKey && Self.isLong(text, 0))
        default: return plain(text, asKey: asKey)
        }
    }

    /// The number of a cache code, −1 for the map marker; nil if it is none.
    static func code(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        guard count == 2 || count == 3 else { return nil }
        if count == 2, text[1] == UInt8(ascii: " ") { return -1 }
        var number = 0
        for position in 1..<count {
            let digit = Int(text[position]) - 48
            guard 0..<digits ~= digit else { return nil }
            number = number * digits + digit
        }
        return number
    }

    /// What a cache code stands for.
    func code(_ number: Int?, at offset: Int) throws(ReadingError) -> Text {
        guard let number else {
            throw ReadingError("A cache code is ^ with one or two of 44 digits.", at: offset)
        }
        if number < 0 { return .marker }
        guard number < cache.count else {
            throw ReadingError("The cache code refers to nothing that was written before.", at: offset)
        }
        return cache[number]
    }

    private mutating func named(_ value: Value, isCacheable: Bool) -> Text {
        let text = Text.value(value, fingerprint: Fingerprint.of(value))
        if isCacheable { keep(text) }
        return text
    }

    private mutating func keep(_ text: Text) {
        // The writer begins anew when the last code is taken, and so do its codes.
        if cache.count == Self.cacheBound { cache.removeAll(keepingCapacity: true) }
        cache.append(text)
    }

    /// Whether a text has four UTF-16 units or more with what was taken from its front, as transit-java counts.
    @inline(__always)
    static func isLong(_ text: String, _ taken: Int) -> Bool {
        let count = text.utf8.count + taken
        return count >= 4 && (count >= 12 || taken + text.utf16.count >= 4)
    }
}
