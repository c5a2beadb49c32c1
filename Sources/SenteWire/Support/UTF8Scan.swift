// SPDX-License-Identifier: Apache-2.0

/// Finding the way through UTF-8 text in place.
enum UTF8Scan {
    /// The next byte that is a quote, a backslash, a control character or not ASCII, eight at a time.
    @inline(__always)
    static func plainEnd(_ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        while position + 8 <= end {
            let word = UInt64(
                littleEndian: UnsafeRawPointer(bytes + position).loadUnaligned(as: UInt64.self))
            let special = specialBytes(word)
            if special != 0 { return position + special.trailingZeroBitCount >> 3 }
            position += 8
        }
        while position < end, isPlain(bytes[position]) { position += 1 }
        return position
    }

    /// The upper bit of each byte that is a quote, a backslash, below 0x20 or, if asked, not ASCII.
    ///
    /// Bits after the first set one may be wrong (a borrow), those before never are.
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

    /// How long the sequence of two to four bytes is that begins here, well-formed by Unicode's table 3-7.
    ///
    /// 0 if it is malformed, −1 if the bytes end within it.
    static func sequenceLength(_ bytes: UnsafePointer<UInt8>, at position: Int, end: Int) -> Int {
        let (length, lowest, highest): (Int, UInt8, UInt8)
        switch bytes[position] {
        case 0xC2...0xDF: (length, lowest, highest) = (2, 0x80, 0xBF)
        case 0xE0: (length, lowest, highest) = (3, 0xA0, 0xBF)
        case 0xE1...0xEC, 0xEE, 0xEF: (length, lowest, highest) = (3, 0x80, 0xBF)
        case 0xED: (length, lowest, highest) = (3, 0x80, 0x9F)
        case 0xF0: (length, lowest, highest) = (4, 0x90, 0xBF)
        case 0xF1...0xF3: (length, lowest, highest) = (4, 0x80, 0xBF)
        case 0xF4: (length, lowest, highest) = (4, 0x80, 0x8F)
        default: return 0
        }
        guard position + length <= end else { return -1 }
        guard (lowest...highest).contains(bytes[position + 1]) else { return 0 }
        for offset in 2..<max(2, length) where bytes[position + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
