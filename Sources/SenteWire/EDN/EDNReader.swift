// SPDX-License-Identifier: Apache-2.0

/// Reads one EDN document of UTF-8 bytes in place, without recursion, as `clojure.edn` does.
struct EDNReader: DocumentReader, ~Copyable {
    /// What is open: a collection, or a prefix that waits for the form it applies to.
    fileprivate enum Kind: UInt8 {
        case vector, list, map, qualifiedMap, set
        case tag, discarded
        /// `#:`, before the namespace.
        case namespace
        /// `^`, before and after the metadata.
        case metadata, described
    }

    private struct Frame {
        let kind: Kind
        /// Where its items begin in the stack.
        let start: Int
    }

    /// A tag, or the namespace of a map, and where it stands.
    struct Name {
        let text: String
        let offset: Int
    }

    var scanner: TextScanner
    let options: EDNOptions
    /// What a reader of the user's threw.
    var refusal: WireError?
    private var stack = ValueStack()
    private var open: [Frame] = []
    /// Of the open tags and maps with a namespace.
    private var names: [Name] = []
    private let maximumDepth: Int

    init(
        _ document: UnsafeRawBufferPointer, _ options: EDNOptions, _ limits: WireLimits
    ) throws(WireError) {
        scanner = try TextScanner(
            document, .edn, ifEmpty: "The EDN document ends before its value does.")
        self.options = options
        maximumDepth = limits.maximumDepth
    }

    func wireError(_ error: ReadingError) -> WireError { refusal ?? WireError(error) }

    mutating func document() throws(ReadingError) -> Value {
        while true {
            try skipSpace()
            guard position < end else {
                guard open.isEmpty, stack.count == 1 else { throw incomplete() }
                return stack.pop()
            }
            if open.isEmpty, stack.count == 1, !isAtDiscard {
                throw error("Only one value may stand in an EDN document.")
            }
            try form()
        }
    }

    private var isAtDiscard: Bool {
        position + 1 < end && bytes[position] == UInt8(ascii: "#") && bytes[position + 1] == UInt8(ascii: "_")
    }

    /// Reads a scalar, the start or end of a collection, or a prefix.
    private mutating func form() throws(ReadingError) {
        switch bytes[position] {
        case UInt8(ascii: "\""):
            let start = position + 1
            let text = try scanner.string()
            // An escape is longer than what it stands for, so equal lengths mean that there was none.
            let isPlain = text.utf8.count == position - 1 - start
            try add(.string(text), textFrom: start, count: isPlain ? text.utf8.count : -1)
        case UInt8(ascii: ":"):
            let start = position + 1
            let keyword = try keyword()
            try add(.keyword(keyword), textFrom: start, count: position - start)
        case 0x30...0x39: try add(try number())
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            let isNumber = position + 1 < end && EDNName.isDigit(bytes[position + 1])
            try add(isNumber ? try number() : try symbolOrWord())
        case UInt8(ascii: "["): try begin(.vector)
        case UInt8(ascii: "{"): try begin(.map)
        case UInt8(ascii: "("): try begin(.list)
        case UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ")"): try close()
        case UInt8(ascii: "#"): try dispatch()
        case UInt8(ascii: "\\"): try add(try character())
        case UInt8(ascii: "^"): try begin(.metadata)
        default: try add(try symbolOrWord())
        }
    }

    /// Reads what begins with `#`.
    private mutating func dispatch() throws(ReadingError) {
        let offset = position
        guard position + 1 < end else { throw incomplete() }
        position += 1
        switch bytes[position] {
        case UInt8(ascii: "{"): try begin(.set)
        case UInt8(ascii: "_"): try begin(.discarded)
        case UInt8(ascii: "^"): try begin(.metadata)
        case UInt8(ascii: "#"): try add(try symbolicNumber())
        case UInt8(ascii: ":"):
            names.append(Name(text: "", offset: position + 1))
            try begin(.namespace)
        default:
            names.append(Name(text: try tag(), offset: offset))
            position -= 1
            try begin(.tag)
        }
    }

    /// Opens what the byte here begins.
    private mutating func begin(_ kind: Kind) throws(ReadingError) {
        guard open.count < maximumDepth else {
            throw error("The EDN document is nested too deep.", .tooDeep)
        }
        position += 1
        if open.isEmpty { open.reserveCapacity(8) }
        open.append(Frame(kind: kind, start: stack.count))
    }

    /// Closes the collection that the bracket here ends.
    private mutating func close() throws(ReadingError) {
        guard let frame = open.last, frame.kind.closing == bytes[position] else {
            throw error("This bracket closes nothing that was opened.")
        }
        open.removeLast()
        let value: Value
        switch frame.kind {
        case .vector: value = .vector(stack.takeArray(from: frame.start))
        case .list: value = .list(stack.takeArray(from: frame.start))
        case .set:
            guard let set = stack.takeDistinctSet(from: frame.start) else {
                throw error("Two elements of the set are equal.")
            }
            value = .set(set)
        default:
            if frame.kind == .qualifiedMap { names.removeLast() }
            guard (stack.count - frame.start) & 1 == 0 else {
                throw error("The map's last key has no value.")
            }
            guard let map = stack.takeDistinctMap(from: frame.start) else {
                throw error("Two keys of the map are equal.")
            }
            value = .map(map)
        }
        position += 1
        try add(value)
    }

    /// Puts a string or a keyword where it belongs; its text stands in the bytes, unless the count is negative.
    @inline(__always)
    private mutating func add(_ value: Value, textFrom start: Int, count: Int) throws(ReadingError) {
        guard count >= 0, let frame = open.last, frame.kind.rawValue <= Kind.map.rawValue else {
            return try add(value)
        }
        if frame.kind == .map, (stack.count - frame.start) & 1 == 0 {
            stack.pushKey(value, fingerprint: Fingerprint.of(bytes + start, count: count))
        } else {
            stack.push(value)
        }
    }

    /// Puts a complete value where it belongs, after the prefixes that wait for it.
    private mutating func add(_ value: Value) throws(ReadingError) {
        var value = value
        while let frame = open.last {
            switch frame.kind {
            case .vector, .list: return stack.push(value)
            case .set: return stack.pushKey(value, fingerprint: Fingerprint.of(value))
            case .map, .qualifiedMap:
                guard (stack.count - frame.start) & 1 == 0 else { return stack.push(value) }
                if frame.kind == .qualifiedMap { value = qualified(value) }
                return stack.pushKey(value, fingerprint: Fingerprint.of(value))
            case .tag, .discarded, .namespace, .metadata, .described:
                guard let result = try finish(frame.kind, value) else { return }
                value = result
            }
        }
        stack.push(value)
    }

    /// Ends a prefix with the value it applies to, and gives what they make together, if anything.
    private mutating func finish(_ prefix: Kind, _ value: Value) throws(ReadingError) -> Value? {
        open.removeLast()
        switch prefix {
        case .tag: return try tagged(names.removeLast(), value)
        case .namespace:
            try beginMap(in: value)
            return nil
        case .metadata:
            switch value {
            case .map, .keyword, .symbol, .string: open.append(Frame(kind: .described, start: stack.count))
            default: throw error("Metadata are a map, a keyword, a symbol or a string.")
            }
            return nil
        case .described:
            switch value {
            case .list, .vector, .map, .set, .symbol, .tagged: return value
            default: throw error("Only collections and symbols have metadata.")
            }
        default: return nil
        }
    }

    /// Opens the map whose namespace was read as any form is, so that white space, comments, `#_` and `^` may stand
    /// before it; before the brace only white space may (`clojure.lang.EdnReader`, `NamespaceMapReader`).
    private mutating func beginMap(in namespace: Value) throws(ReadingError) {
        let offset = names.removeLast().offset
        guard case .symbol(let symbol) = namespace, symbol.namespace == nil else {
            position = offset
            throw error("A map's namespace is a name without a slash.")
        }
        while skipOneSpace() {}
        guard position < end else { throw incomplete() }
        guard bytes[position] == UInt8(ascii: "{") else { throw error("A map must follow its namespace.") }
        names.append(Name(text: symbol.text, offset: offset))
        try begin(.qualifiedMap)
    }

    /// The key of a map with a namespace: one without gets it, `_` stands for none.
    private func qualified(_ key: Value) -> Value {
        guard let namespace = names.last?.text else { return key }
        func qualified(_ name: QualifiedName) -> String {
            switch name.namespace {
            case nil: "\(namespace)/\(name.text)"
            case "_": name.name
            default: name.text
            }
        }
        switch key {
        case .keyword(let keyword): return .keyword(Keyword(exactly: qualified(keyword.qualified)))
        case .symbol(let symbol): return .symbol(Symbol(qualified(symbol.qualified)))
        default: return key
        }
    }
}

extension EDNReader {
    var bytes: UnsafePointer<UInt8> { scanner.bytes }
    var end: Int { scanner.end }
    var position: Int {
        get { scanner.position }
        set { scanner.position = newValue }
    }

    func error(_ message: StaticString, _ kind: WireError.Kind = .malformed) -> ReadingError {
        scanner.error(message, kind)
    }

    func incomplete() -> ReadingError { scanner.incomplete() }
}

extension EDNReader.Kind {
    /// The bracket that ends it.
    fileprivate var closing: UInt8? {
        switch self {
        case .vector: UInt8(ascii: "]")
        case .list: UInt8(ascii: ")")
        case .map, .qualifiedMap, .set: UInt8(ascii: "}")
        case .tag, .discarded, .namespace, .metadata, .described: nil
        }
    }
}
