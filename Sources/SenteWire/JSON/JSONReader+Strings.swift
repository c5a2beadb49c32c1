// SPDX-License-Identifier: Apache-2.0

extension JSONReader {
    /// Reads a string; `position` is at its opening quote and moves behind the closing one.
    mutating func string() throws(Fault) -> String {
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
                throw fault("A control character in a string must be written as an escape.")
            }
        }
    }

    /// Moves to the next byte that is a quote, a backslash, a control character or not ASCII, eight at a time.
    @inline(__always)
    private mutating func skipPlainText() {
        while position + 8 <= end {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(bytes + position).loadUnaligned(as: UInt64.self))
            let special = Self.specialBytes(word)
            if special != 0 {
                position += special.trailingZeroBitCount >> 3
                return
            }
            position += 8
        }
        while position < end, Self.isPlain(bytes[position]) { position += 1 }
    }

    /// The upper bit of each byte that is a quote, a backslash, below 0x20 or, if asked, not ASCII.
    ///
    /// Bits after the first
    /// set one may be wrong (a borrow), those before never are.
    @inline(__always)
    static func specialBytes(_ word: UInt64, orNotASCII: Bool = true) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let found =
            (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word
        return (orNotASCII ? found | word : found) & (ones &* 0x80)
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    @inline(__always)
    private func text(from start: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: bytes + start, count: position - start), as: UTF8.self)
    }

    /// Moves over one sequence of two to four bytes, well-formed by Unicode's table 3-7.
    private mutating func skipSequence() throws(Fault) {
        let lead = bytes[position]
        let (length, lowest, highest): (Int, UInt8, UInt8)
        switch lead {
        case 0xC2...0xDF: (length, lowest, highest) = (2, 0x80, 0xBF)
        case 0xE0: (length, lowest, highest) = (3, 0xA0, 0xBF)
        case 0xE1...0xEC, 0xEE, 0xEF: (length, lowest, highest) = (3, 0x80, 0xBF)
        case 0xED: (length, lowest, highest) = (3, 0x80, 0x9F)
        case 0xF0: (length, lowest, highest) = (4, 0x90, 0xBF)
        case 0xF1...0xF3: (length, lowest, highest) = (4, 0x80, 0xBF)
        case 0xF4: (length, lowest, highest) = (4, 0x80, 0x8F)
        default: throw fault("The text is not UTF-8.", .invalidText)
        }
        guard position + length <= end else { throw incomplete() }
        guard (lowest...highest).contains(bytes[position + 1]) else {
            throw fault("The text is not UTF-8.", .invalidText)
        }
        for offset in 2..<max(2, length) where bytes[position + offset] & 0xC0 != 0x80 {
            throw fault("The text is not UTF-8.", .invalidText)
        }
        position += length
    }

    /// Goes on at the first backslash of a string that began at `start`.
    private mutating func stringWithEscapes(from start: Int) throws(Fault) -> String {
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
            case ..<0x20: throw fault("A control character in a string must be written as an escape.")
            default:
                position += 1
                skipPlainText()
            }
        }
    }

    /// Reads an escape and adds what it stands for to the scratch bytes.
    private mutating func escape() throws(Fault) {
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
            throw fault(
                "The escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal digits.")
        }
        position += 2
    }

    private mutating func unicodeEscape() throws(Fault) {
        let start = position
        var code = UInt32(try codeUnit())
        if code & 0xF800 == 0xD800 {
            guard code < 0xDC00, position < end, bytes[position] == UInt8(ascii: "\\") else {
                throw loneSurrogate(start)
            }
            guard position + 1 < end else { throw incomplete() }
            guard bytes[position + 1] == UInt8(ascii: "u") else { throw loneSurrogate(start) }
            let low = UInt32(try codeUnit())
            guard low & 0xFC00 == 0xDC00 else { throw loneSurrogate(start) }
            code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
        }
        guard let scalar = Unicode.Scalar(code) else { throw loneSurrogate(start) }
        scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private func loneSurrogate(_ offset: Int) -> Fault {
        Fault(kind: .invalidText, message: "Half of a surrogate pair is no character.", offset: offset)
    }

    /// Reads `\uXXXX`.
    private mutating func codeUnit() throws(Fault) -> UInt16 {
        position += 2
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard position < end else { throw incomplete() }
            guard let digit = UniqueID.hexDigit(bytes[position]) else {
                throw fault("Four hexadecimal digits must come after \\u.")
            }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }
}
