// SPDX-License-Identifier: Apache-2.0

/// Reads UTF-8 bytes in place: what the readers of JSON, of Transit in JSON and of EDN share, strings above all.
struct TextScanner: ~Copyable {
    /// Whose strings these are: EDN's may hold control characters, and have other escapes.
    enum Syntax {
        case json, edn
    }

    let bytes: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    private let syntax: Syntax
    /// The text of a string with escapes while it is put together.
    private var scratch: [UInt8] = []

    init(_ document: UnsafeRawBufferPointer, _ syntax: Syntax, ifEmpty message: StaticString)
        throws(WireError)
    {
        bytes = try document.start(ifEmpty: message)
        end = document.count
        self.syntax = syntax
    }

    /// The text from there to here.
    @inline(__always)
    func text(from start: Int) -> String {
        String(checked: UnsafeBufferPointer(start: bytes + start, count: position - start))
    }

    /// Moves over one character that is not ASCII.
    mutating func skipSequence() throws(ReadingError) {
        let length = UTF8Scan.sequenceLength(bytes, at: position, end: end)
        guard length >= 0 else { throw incomplete() }
        guard length > 0 else { throw error("The text is not UTF-8.", .invalidText) }
        position += length
    }

    func error(_ message: StaticString, _ kind: WireError.Kind = .malformed) -> ReadingError {
        ReadingError(message, kind, at: position)
    }

    func incomplete() -> ReadingError {
        let message: StaticString =
            switch syntax {
            case .json: "The JSON document ends in the middle of a value."
            case .edn: "The EDN document ends before its value does."
            }
        return ReadingError(message, .incomplete, at: end)
    }

    // MARK: Strings

    /// Reads a string; `position` is at its opening quote and moves behind the closing one.
    mutating func string() throws(ReadingError) -> String {
        position += 1
        let start = position
        guard try skipPlainText() == UInt8(ascii: "\"") else { return try stringWithEscapes(from: start) }
        let text = text(from: start)
        position += 1
        return text
    }

    /// Moves to the next quote or backslash and says which it is.
    @inline(__always)
    private mutating func skipPlainText() throws(ReadingError) -> UInt8 {
        while true {
            position = UTF8Scan.plainEnd(bytes, from: position, to: end)
            guard position < end else { throw incomplete() }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return byte }
            if byte >= 0x80 {
                try skipSequence()
            } else if syntax == .edn {
                position += 1
            } else {
                throw error("A control character in a string must be written as an escape.")
            }
        }
    }

    /// Goes on at the first backslash of a string that began at `start`.
    private mutating func stringWithEscapes(from start: Int) throws(ReadingError) -> String {
        scratch.removeAll(keepingCapacity: true)
        var copied = start
        while true {
            scratch.append(contentsOf: UnsafeBufferPointer(start: bytes + copied, count: position - copied))
            guard bytes[position] == UInt8(ascii: "\\") else {
                position += 1
                return String(decoding: scratch, as: UTF8.self)
            }
            try escape()
            copied = position
            _ = try skipPlainText()
        }
    }

    /// Reads an escape and adds what it stands for to the scratch bytes.
    private mutating func escape() throws(ReadingError) {
        guard position + 1 < end else { throw incomplete() }
        let letter = bytes[position + 1]
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): scratch.append(letter)
        case UInt8(ascii: "/") where syntax == .json: scratch.append(letter)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): return append(try unicodeEscape())
        case 0x30...0x37 where syntax == .edn: return append(try octalEscape())
        default:
            throw syntax == .json
                ? error(
                    "The escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits.")
                : error(
                    "The escapes are \\\" \\\\ \\b \\f \\n \\r \\t, \\u with four hexadecimal digits, \\0 to \\377."
                )
        }
        position += 2
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// Reads `\uXXXX`, or two of them for a character beyond U+FFFF.
    private mutating func unicodeEscape() throws(ReadingError) -> Unicode.Scalar {
        let loneSurrogate = error("Half of a surrogate pair is no character.", .invalidText)
        var code = try codeUnit()
        if code & 0xF800 == 0xD800 {
            guard code < 0xDC00, position < end, bytes[position] == UInt8(ascii: "\\") else {
                throw loneSurrogate
            }
            guard position + 1 < end else { throw incomplete() }
            guard bytes[position + 1] == UInt8(ascii: "u") else { throw loneSurrogate }
            let low = try codeUnit()
            guard low & 0xFC00 == 0xDC00 else { throw loneSurrogate }
            code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
        }
        guard let scalar = Unicode.Scalar(code) else { throw loneSurrogate }
        return scalar
    }

    private mutating func codeUnit() throws(ReadingError) -> UInt32 {
        position += 2
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < end else { throw incomplete() }
            guard let digit = bytes[position].digit(radix: 16) else {
                throw error("Four hexadecimal digits must come after \\u.")
            }
            code = code << 4 | digit
            position += 1
        }
        return code
    }

    /// Reads `\0` to `\377`; like Clojure it wants no other digit or letter behind fewer than three.
    private mutating func octalEscape() throws(ReadingError) -> Unicode.Scalar {
        position += 1
        let start = position
        var code: UInt32 = 0
        while position < start + 3 {
            guard position < end else { throw incomplete() }
            guard let digit = bytes[position].digit(radix: 8) else {
                guard endsNumber else { throw error("An octal digit must come here.") }
                break
            }
            code = code << 3 | digit
            position += 1
        }
        guard let scalar = Unicode.Scalar(code), code <= 0o377 else {
            throw error("Octal escapes end at \\377.")
        }
        return scalar
    }
}
