// SPDX-License-Identifier: Apache-2.0

extension EDNReader {
    /// Moves over white space, commas and comments.
    mutating func skipSpace() throws(ReadingError) {
        while position < end {
            if skipOneSpace() { continue }
            guard bytes[position] == UInt8(ascii: ";") else { return }
            try skipComment()
        }
    }

    /// Moves over one character of white space, if one stands here.
    @inline(__always)
    mutating func skipOneSpace() -> Bool {
        guard position < end else { return false }
        if EDNName.isSpace(bytes[position]) {
            position += 1
        } else if bytes[position] >= 0x80, isAtWideSpace {
            position += 3
        } else {
            return false
        }
        return true
    }

    private mutating func skipComment() throws(ReadingError) {
        while position < end, bytes[position] != 0x0A, bytes[position] != 0x0D {
            if bytes[position] < 0x80 { position += 1 } else { try scanner.skipSequence() }
        }
    }

    private var isAtWideSpace: Bool { position + 2 < end && EDNName.isWideSpace(bytes + position) }

    /// Moves to the end of the token that has begun before.
    @inline(__always)
    private mutating func skipToken() throws(ReadingError) {
        while position < end {
            if EDNName.isConstituent(bytes[position]) {
                position += 1
            } else if bytes[position] < 0x80 || isAtWideSpace {
                break
            } else {
                try scanner.skipSequence()
            }
        }
        guard position < end else { return }
        switch bytes[position] {
        case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "~"):
            throw error("The characters @ ` ~ may stand in strings only.")
        default: return
        }
    }

    private func token(from start: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bytes + start, count: position - start)
    }

    /// Reads a keyword; `position` is at its colon.
    mutating func keyword() throws(ReadingError) -> Keyword {
        position += 1
        let start = position
        try skipToken()
        guard EDNName.isName(token(from: start), isKeyword: true) else {
            position = start - 1
            throw error("A keyword is :name or :namespace/name.")
        }
        return Keyword(exactly: scanner.text(from: start))
    }

    /// Reads a symbol, or one of the words that are none.
    mutating func symbolOrWord() throws(ReadingError) -> Value {
        let text = try symbolText()
        switch text {
        case "nil": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: return .symbol(Symbol(text))
        }
    }

    private mutating func symbolText() throws(ReadingError) -> String {
        let start = position
        try skipToken()
        guard EDNName.isName(token(from: start), isKeyword: false) else {
            position = start
            throw error("An EDN value must begin here; symbols are name or namespace/name.")
        }
        return scanner.text(from: start)
    }

    /// Reads a tag behind its `#`.
    mutating func tag() throws(ReadingError) -> String {
        let start = position
        if bytes[position] >= 0x80 {
            // A letter is to begin it, so the character must be whole.
            try scanner.skipSequence()
            position = start
        }
        let text = EDNName.isConstituent(bytes[position]) || bytes[position] >= 0x80 ? try symbolText() : ""
        guard EDNName.isTag(text) else {
            position = start
            throw error("After # a tag must come, or one of { _ : # ^.")
        }
        return text
    }

    /// Reads a character; `position` is at its backslash.
    mutating func character() throws(ReadingError) -> Value {
        position += 1
        let start = position
        guard position < end else { throw incomplete() }
        // The first character is taken whatever it is.
        if bytes[position] < 0x80 { position += 1 } else { try scanner.skipSequence() }
        try skipToken()
        let text = scanner.text(from: start)
        guard let scalar = Self.character(text) else {
            position = start - 1
            throw error("This is no character that Clojure knows.")
        }
        return .character(scalar)
    }

    private static func character(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        // Clojure's characters are UTF-16 code units.
        if let only = scalars.first, scalars.count == 1 { return only.value < 0x10000 ? only : nil }
        switch text {
        case "newline": return "\n"
        case "space": return " "
        case "tab": return "\t"
        case "return": return "\r"
        case "backspace": return "\u{8}"
        case "formfeed": return "\u{C}"
        default: break
        }
        let digits = text.utf8.dropFirst()
        switch text.utf8.first {
        case UInt8(ascii: "u") where digits.count == 4:
            return code(digits, radix: 16).flatMap(Unicode.Scalar.init)
        case UInt8(ascii: "o") where digits.count <= 3:
            return code(digits, radix: 8).flatMap { $0 <= 0o377 ? Unicode.Scalar($0) : nil }
        default: return nil
        }
    }

    private static func code(_ digits: some Sequence<UInt8>, radix: UInt32) -> UInt32? {
        var code: UInt32 = 0
        for byte in digits {
            guard let digit = byte.digit(radix: radix) else { return nil }
            code = code * radix + digit
        }
        return code
    }
}
