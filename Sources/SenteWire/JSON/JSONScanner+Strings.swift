// SPDX-License-Identifier: Apache-2.0

extension JSONScanner {
    /// Reads a string; `position` is at its opening quote and moves behind the closing one.
    mutating func string() throws(ReadingError) -> String {
        position += 1
        let start = position
        while true {
            skipPlainText()
            guard position < end else { throw incomplete() }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = text(from: start)
                position += 1
                return text
            }
            if byte >= 0x80 {
                try skipSequence()
            } else if byte == UInt8(ascii: "\\") {
                return try stringWithEscapes(from: start)
            } else {
                throw error("A control character in a string must be written as an escape.")
            }
        }
    }

    /// Moves to the next byte that is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    private mutating func skipPlainText() {
        position = UTF8Scan.plainEnd(bytes, from: position, to: end)
    }

    @inline(__always)
    private func text(from start: Int) -> String {
        String(checked: UnsafeBufferPointer(start: bytes + start, count: position - start))
    }

    /// Moves over one character that is not ASCII.
    private mutating func skipSequence() throws(ReadingError) {
        let length = UTF8Scan.sequenceLength(bytes, at: position, end: end)
        guard length >= 0 else { throw incomplete() }
        guard length > 0 else { throw error("The text is not UTF-8.", .invalidText) }
        position += length
    }

    /// Goes on at the first backslash of a string that began at `start`.
    private mutating func stringWithEscapes(from start: Int) throws(ReadingError) -> String {
        scratch.removeAll(keepingCapacity: true)
        var copied = start
        while true {
            guard position < end else { throw incomplete() }
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                scratch.append(
                    contentsOf: UnsafeBufferPointer(start: bytes + copied, count: position - copied))
                position += 1
                return String(decoding: scratch, as: UTF8.self)
            case UInt8(ascii: "\\"):
                scratch.append(
                    contentsOf: UnsafeBufferPointer(start: bytes + copied, count: position - copied))
                try escape()
                copied = position
            case 0x80...: try skipSequence()
            case ..<0x20: throw error("A control character in a string must be written as an escape.")
            default:
                position += 1
                skipPlainText()
            }
        }
    }

    /// Reads an escape and adds what it stands for to the scratch bytes.
    private mutating func escape() throws(ReadingError) {
        guard position + 1 < end else { throw incomplete() }
        let letter = bytes[position + 1]
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(letter)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): return try unicodeEscape()
        default:
            throw error(
                "The escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits.")
        }
        position += 2
    }

    private mutating func unicodeEscape() throws(ReadingError) {
        let scalar = try UnicodeEscape.read(bytes, &position, before: end, incomplete: incomplete())
        scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}
