// SPDX-License-Identifier: Apache-2.0

extension EDNReader {
    /// Reads a string; `position` is at its opening quote and moves behind the closing one.
    mutating func string() throws(ReadingError) -> String {
        position += 1
        let start = position
        while true {
            try skipPlainText()
            if bytes[position] == UInt8(ascii: "\"") {
                position += 1
                return String(
                    checked: UnsafeBufferPointer(start: bytes + start, count: position - 1 - start))
            }
            if bytes[position] == UInt8(ascii: "\\") { return try stringWithEscapes(from: start) }
        }
    }

    /// Moves to the next quote or backslash; line breaks and other control characters stand for themselves.
    @inline(__always)
    private mutating func skipPlainText() throws(ReadingError) {
        while true {
            position = UTF8Scan.plainEnd(bytes, from: position, to: end)
            guard position < end else { throw incomplete() }
            let byte = bytes[position]
            if byte >= 0x80 {
                try skipSequence()
            } else if byte < 0x20 {
                position += 1
            } else {
                return
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
            try skipPlainText()
        }
    }

    /// Reads an escape and adds what it stands for to the scratch bytes.
    private mutating func escape() throws(ReadingError) {
        guard position + 1 < end else { throw incomplete() }
        let letter = bytes[position + 1]
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): scratch.append(letter)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): return try unicodeEscape()
        case 0x30...0x37: return try octalEscape()
        default:
            throw error(
                "The escapes are \\\" \\\\ \\b \\f \\n \\r \\t, \\u with four hexadecimal digits, \\0 to \\377."
            )
        }
        position += 2
    }

    private mutating func unicodeEscape() throws(ReadingError) {
        let scalar = try UnicodeEscape.read(bytes, &position, before: end, incomplete: incomplete())
        scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// Reads `\0` to `\377`; like Clojure it wants no other digit or letter behind fewer than three.
    private mutating func octalEscape() throws(ReadingError) {
        position += 1
        let start = position
        var code: UInt32 = 0
        while position < start + 3 {
            guard position < end else { throw incomplete() }
            let digit = bytes[position] &- 0x30
            guard digit <= 7 else {
                guard endsNumber else { throw error("An octal digit must come here.") }
                break
            }
            code = code << 3 | UInt32(digit)
            position += 1
        }
        guard let scalar = Unicode.Scalar(code), code <= 0o377 else {
            throw error("Octal escapes end at \\377.")
        }
        scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}
