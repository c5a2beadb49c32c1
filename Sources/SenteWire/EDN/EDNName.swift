// SPDX-License-Identifier: Apache-2.0

/// What Clojure's reader takes for one symbol or keyword (`clojure.lang.EdnReader`).
enum EDNName {
    // Bits for the bytes that end a token or may not stand in one: white space, `"(),;` below 64, `@[\]^`{}~`
    // above.
    private static let lowStops: UInt64 = 0x0800_1305_F000_3E00
    private static let highStops: UInt64 = 0x6800_0001_7800_0001

    /// Whether the byte goes on a token; those that are not ASCII are to be looked at.
    @inline(__always)
    static func isConstituent(_ byte: UInt8) -> Bool {
        byte < 0x80 && (byte < 64 ? lowStops : highStops) >> UInt64(byte & 63) & 1 == 0
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }

    /// White space to Java and the comma.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == UInt8(ascii: ",") || byte &- 0x09 <= 4 || byte &- 0x1C <= 3
    }

    /// Whether three bytes are white space to Java: Unicode's separators without those that do not break.
    static func isWideSpace(_ bytes: UnsafePointer<UInt8>) -> Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0xE1, 0x9A, 0x80), (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80): true
        case (0xE2, 0x80, 0x80...0x86), (0xE2, 0x80, 0x88...0x8A), (0xE2, 0x80, 0xA8...0xA9): true
        default: false
        }
    }

    /// Whether the text is a keyword once a colon stands before it.
    static func isKeyword(_ text: String) -> Bool {
        text.readUTF8 { isToken($0) && isName($0, isKeyword: true) }
    }

    /// Whether the text is a symbol.
    static func isSymbol(_ text: String) -> Bool {
        text.readUTF8 { isToken($0) && startsSymbol($0) && isName($0, isKeyword: false) }
            && !["nil", "true", "false"].contains(text)
    }

    /// Whether the text is a tag: a symbol that begins with a letter.
    static func isTag(_ text: String) -> Bool {
        text.unicodeScalars.first.map(isLetter) == true && isSymbol(text)
    }

    static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// Whether one token of constituents is one name (the reader's `symbolPat` and the checks that follow it).
    static func isName(_ token: UnsafeBufferPointer<UInt8>, isKeyword: Bool) -> Bool {
        let (slash, colon) = (UInt8(ascii: "/"), UInt8(ascii: ":"))
        guard let first = token.first, first != colon, token.last != colon else { return false }
        var lastSlash = -1
        var previous = first
        for position in 0..<token.count {
            let byte = token[position]
            if byte == slash {
                lastSlash = position
            } else if byte == colon, previous == colon {
                return false
            }
            previous = byte
        }
        if lastSlash < 0 || token.count == 1 { return isKeyword || !isDigit(first) }
        guard first != slash else { return false }
        guard lastSlash < token.count - 1 else {
            // The name is the slash itself: `clojure.core//`.
            return token.count > 2 && token[lastSlash - 1] == slash && token[lastSlash - 2] != colon
        }
        return !isDigit(token[lastSlash + 1]) && token[lastSlash - 1] != colon
    }

    private static func startsSymbol(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = token.first else { return false }
        switch first {
        case UInt8(ascii: "#"): return false
        case UInt8(ascii: "+"), UInt8(ascii: "-"): return token.count == 1 || !isDigit(token[1])
        default: return !isDigit(first)
        }
    }

    /// Whether a reader would take all the bytes for one token; they are UTF-8.
    private static func isToken(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = token.baseAddress else { return false }
        for position in 0..<token.count where !isConstituent(token[position]) {
            guard token[position] >= 0x80 else { return false }
            // Bytes within a character begin none of these three.
            if token[position] &- 0xE1 <= 2, isWideSpace(base + position) { return false }
        }
        return true
    }
}
