// SPDX-License-Identifier: Apache-2.0

/// Writes where room was reserved, and does not ask for more: whoever has one knows how much it writes at most.
///
/// It is a place and nothing else, so that a processor keeps it in a register. The sink's own would have to reach memory after
/// each byte before the next could be written, which takes longer than to write them.
struct LinePen {
    typealias Text = UnsafeBufferPointer<UInt8>

    private(set) var place: UnsafeMutablePointer<UInt8>

    init(at place: UnsafeMutablePointer<UInt8>) {
        self.place = place
    }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        place.pointee = byte
        place += 1
    }

    @inline(__always)
    mutating func write(_ word: StaticString) {
        place.update(from: word.utf8Start, count: word.utf8CodeUnitCount)
        place += word.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func write(_ bytes: Text) {
        guard let start = bytes.baseAddress else { return }
        place.update(from: start, count: bytes.count)
        place += bytes.count
    }

    /// Writes finished bytes, a block at a time: needs room for the whole of its last block.
    @inline(__always)
    mutating func write(_ piece: LinePiece) {
        var offset = 0
        while offset < piece.count {
            UnsafeMutableRawPointer(place + offset)
                .storeBytes(of: piece.block(at: offset), as: LinePiece.Block.self)
            offset &+= LinePiece.blockSize
        }
        place += piece.count
    }

    /// Writes the low bytes of a word, the lowest first, and needs room for all 8.
    @inline(__always)
    mutating func write(_ word: UInt64, count: Int = 8) {
        UnsafeMutableRawPointer(place).storeBytes(of: word.littleEndian, as: UInt64.self)
        place += count
    }
}

// MARK: - Texts

extension LinePen {
    /// What a text of so many bytes takes at most, with quotes: 6 bytes for one, and 8 at a time, of which fewer may be kept.
    @inline(__always)
    static func room(quoted count: Int) -> Int { 6 * count + 16 }

    /// Writes a text between quotes, as JSON and EDN both read it.
    @inline(__always)
    mutating func write(quoted text: Text) {
        write(UInt8(ascii: "\""))
        write(safe: text, quotes: true)
        write(UInt8(ascii: "\""))
    }

    /// Writes a text in which nothing moves a terminal's cursor or ends a line: control characters, those beyond ASCII too, and
    /// Unicode's own line ends become escapes.
    @inline(__always)
    mutating func write(safe text: Text, quotes: Bool) {
        guard let start = text.baseAddress else { return }
        self = Self.written(start, text.count, quotes: quotes, with: self)
    }

    /// By value, for a pen that is called upon in place lives in memory.
    @inline(never)
    private static func written(
        _ start: UnsafePointer<UInt8>, _ count: Int, quotes: Bool, with pen: LinePen
    ) -> LinePen {
        var (pen, left) = (pen, count)
        let end = UnsafeRawPointer(start + count)
        while left >= 16 {
            let first = UInt64(littleEndian: (end - left).loadUnaligned(as: UInt64.self))
            let second = UInt64(littleEndian: (end - left).loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            guard specialBytes(first) | specialBytes(second) == 0 else { break }
            pen.write(first)
            pen.write(second)
            left &-= 16
        }
        while left > 0 {
            let word =
                left >= 8
                ? UInt64(littleEndian: (end - left).loadUnaligned(as: UInt64.self))
                : lastBytes(end, left, isBehindOthers: count >= 8)
            let special = specialBytes(word)
            // A branch, which is foreseen, so that the next text need not wait for what is found in this one.
            if special == 0 {
                pen.write(word, count: min(left, 8))
                left &-= 8
                continue
            }
            let plain = special.trailingZeroBitCount &>> 3
            pen.write(word, count: plain)
            left &-= plain
            var other = pen
            left &-= other.writeSpecial(end - left, left: left, quotes: quotes)
            pen = other
        }
        return pen
    }

    /// The last bytes of a text, fewer than 8, as the low ones of a word that ends in spaces; read by loads that overlap and do not
    /// reach beyond the text.
    @inline(__always)
    private static func lastBytes(_ end: UnsafeRawPointer, _ count: Int, isBehindOthers: Bool) -> UInt64 {
        func load<Word: FixedWidthInteger>(_ offset: Int, as type: Word.Type) -> UInt64 {
            UInt64(truncatingIfNeeded: Word(littleEndian: (end - offset).loadUnaligned(as: type)))
        }
        func shifted(_ word: UInt64, by bytes: Int) -> UInt64 {
            word &<< UInt64(truncatingIfNeeded: 8 &* bytes)
        }
        let spaces = shifted(0x2020_2020_2020_2020, by: count)
        if isBehindOthers {
            return spaces | load(8, as: UInt64.self) &>> UInt64(truncatingIfNeeded: 64 &- 8 &* count)
        }
        if count >= 4 {
            return spaces | load(count, as: UInt32.self) | shifted(load(4, as: UInt32.self), by: count &- 4)
        }
        let middle = count &>> 1
        return spaces | load(count, as: UInt8.self)
            | shifted(load(count &- middle, as: UInt8.self), by: middle)
            | shifted(load(1, as: UInt8.self), by: count &- 1)
    }

    /// The upper bit of each byte that is a quote, a backslash, a control character or not ASCII; bits after the first may be
    /// wrong (a borrow or a carry), those before never are.
    @inline(__always)
    private static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = (word ^ (ones &* 0x22)) &- ones
        let backslashes = (word ^ (ones &* 0x5C)) &- ones
        let controls = word &- (ones &* 0x20)
        // From 0x7F on, but for 0xFF, which no UTF-8 has.
        let deletesAndOthers = word &+ ones
        return (quotes | backslashes | controls | deletesAndOthers) & (ones &* 0x80)
    }

    /// Writes the character that begins here and says how many bytes it has.
    @inline(never)
    private mutating func writeSpecial(_ start: UnsafeRawPointer, left: Int, quotes: Bool) -> Int {
        let bytes = start.assumingMemoryBound(to: UInt8.self)
        let byte = bytes[0]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            if quotes { write(UInt8(ascii: "\\")) }
            write(byte)
            return 1
        case 0..<0x80:
            writeEscape(byte)
            return 1
        case 0xC2 where left > 1 && bytes[1] < 0xA0:
            write(escaped: UInt16(bytes[1]))
            return 2
        case 0xE2 where left > 2 && bytes[1] == 0x80 && (0xA8...0xA9).contains(bytes[2]):
            write(escaped: 0x2028 + UInt16(bytes[2] - 0xA8))
            return 3
        default:
            let length = min(left, byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4)
            write(Text(start: bytes, count: length))
            return length
        }
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case 0x08: write("\\b")
        case 0x09: write("\\t")
        case 0x0A: write("\\n")
        case 0x0C: write("\\f")
        case 0x0D: write("\\r")
        default: write(escaped: UInt16(byte))
        }
    }

    private mutating func write(escaped unit: UInt16) {
        write("\\u")
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xF)
            write(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }
}

// MARK: - Numbers

extension LinePen {
    /// What a number takes at most.
    static let numberRoom = 48

    @inline(__always)
    mutating func write(number: Int64) {
        if number < 0 { write(UInt8(ascii: "-")) }
        write(number: number.magnitude)
    }

    @inline(__always)
    mutating func write(number: UInt64) {
        self = Self.written(number, with: self)
    }

    @inline(never)
    private static func written(_ number: UInt64, with pen: LinePen) -> LinePen {
        var pen = pen
        let (millions, rest) = number.quotientAndRemainder(dividingBy: 100_000_000)
        if millions > 0 { pen = written(millions, with: pen) }
        let count = millions > 0 ? 8 : digitCount(of: rest)
        let digits = eightDigits(of: rest) | 0x3030_3030_3030_3030
        pen.write(digits &>> UInt64(truncatingIfNeeded: 64 &- 8 &* count), count: count)
        return pen
    }

    /// How many digits a number below 10⁸ has.
    ///
    /// Branches, which are foreseen, and from the number: if it were counted from the digits, the next text would have to wait
    /// for them.
    @inline(__always)
    private static func digitCount(of number: UInt64) -> Int {
        func one(from limit: UInt64) -> Int { number >= limit ? 1 : 0 }
        return 1 &+ one(from: 10) &+ one(from: 100) &+ one(from: 1_000) &+ one(from: 10_000)
            &+ one(from: 100_000) &+ one(from: 1_000_000) &+ one(from: 10_000_000)
    }

    /// The digits of a number below 10⁸, each in a byte, the first in the lowest.
    ///
    /// A product and a shift divide all parts at once, first by 100, then by 10.
    @inline(__always)
    private static func eightDigits(of number: UInt64) -> UInt64 {
        let fours = number / 10_000 | (number % 10_000) << 32
        let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let twos = hundreds | (fours &- hundreds &* 100) << 16
        let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
        return tens | (twos &- tens &* 10) << 8
    }

    /// Writes the shortest decimal that reads back as the same double; it must be finite.
    mutating func write(_ double: Double) {
        // A double has at most one decimal of 15 digits, so a whole number of thousandths that gives the double back is the
        // shortest text; most measures are such, and this makes no string.
        let scaled = double * 1000
        if abs(scaled) < 1e15 {
            let thousandths = Int64(scaled.rounded())
            if (Double(thousandths) / 1000).bitPattern == double.bitPattern {
                return write(thousandths: thousandths)
            }
        }
        var text = double.description
        text.withUTF8 { write($0) }
    }

    private mutating func write(thousandths: Int64) {
        if thousandths < 0 { write(UInt8(ascii: "-")) }
        let (whole, part) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
        write(number: whole)
        write(UInt8(ascii: "."))
        let digits = (UInt8(part / 100), UInt8(part / 10 % 10), UInt8(part % 10))
        write(digits.0 + 0x30)
        if digits.1 > 0 || digits.2 > 0 { write(digits.1 + 0x30) }
        if digits.2 > 0 { write(digits.2 + 0x30) }
    }
}
