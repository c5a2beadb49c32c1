// SPDX-License-Identifier: Apache-2.0

/// Memory that lines are written into, one after the other; it keeps its room when it is emptied.
struct LineSink: ~Copyable {
    typealias Text = UnsafeBufferPointer<UInt8>

    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        memory = .allocate(capacity: capacity)
    }

    deinit {
        memory.deallocate()
    }

    var written: Text { Text(start: memory, count: count) }

    /// Empties it; room that a few giants needed is given back.
    mutating func removeAll(keepingAtMost limit: Int) {
        count = 0
        guard capacity > limit else { return }
        memory.deallocate()
        (memory, capacity) = (.allocate(capacity: limit), limit)
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let newMemory = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        newMemory.update(from: memory, count: count)
        memory.deallocate()
        (memory, capacity) = (newMemory, larger)
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        memory[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func append(_ word: StaticString) {
        append(Text(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func append(_ bytes: Text) {
        guard let base = bytes.baseAddress else { return }
        reserve(bytes.count)
        (memory + count).update(from: base, count: bytes.count)
        count += bytes.count
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    mutating func removeFirst(_ number: Int) {
        memory.update(from: memory + number, count: count - number)
        count -= number
    }

    mutating func removeLast(_ number: Int) {
        count -= number
    }

    /// Puts bytes between those that were written.
    mutating func insert(_ word: StaticString, at position: Int) {
        let size = word.utf8CodeUnitCount
        reserve(size)
        (memory + position + size).update(from: memory + position, count: count - position)
        (memory + position).update(from: word.utf8Start, count: size)
        count += size
    }

    /// How many columns what was written since then takes, a scalar each.
    func columns(since position: Int) -> Int {
        (position..<count).count { memory[$0] & 0xC0 != 0x80 }
    }
}

// MARK: - Texts

extension LineSink {
    /// Writes a text between quotes, as JSON and EDN both read it.
    @inline(__always)
    mutating func append(quoted text: Text) {
        append(UInt8(ascii: "\""))
        append(safe: text, quotes: true)
        append(UInt8(ascii: "\""))
    }

    mutating func append(quoted text: String) {
        var text = text
        text.withUTF8 { append(quoted: $0) }
    }

    /// Writes a text in which nothing moves a terminal's cursor or ends a line: control characters, those beyond ASCII too, and
    /// Unicode's own line ends become escapes.
    mutating func append(safe text: Text, quotes: Bool = false) {
        guard let base = text.baseAddress else { return }
        // Each step writes up to 6 bytes for one, or copies 8 of which it may keep fewer.
        reserve(text.count + 16)
        var position = 0
        while true {
            position = copyPlain(base, from: position, to: text.count)
            guard position < text.count else { return }
            position += appendSpecial(base + position, left: text.count - position, quotes: quotes)
            reserve(text.count - position + 16)
        }
    }

    /// Copies up to the first byte that needs a look and says where it stands; room for all is there.
    @inline(__always)
    private mutating func copyPlain(_ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let source = UnsafeRawPointer(bytes)
        let target = UnsafeMutableRawPointer(memory + count)
        var position = start
        defer { count += position - start }
        while position + 8 <= end {
            let word = source.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            target.storeBytes(of: word, toByteOffset: position - start, as: UInt64.self)
            let special = Self.specialBytes(UInt64(littleEndian: word))
            if special != 0 {
                position += special.trailingZeroBitCount >> 3
                return position
            }
            position += 8
        }
        while position < end, Self.isPlain(bytes[position]) {
            target.storeBytes(of: bytes[position], toByteOffset: position - start, as: UInt8.self)
            position += 1
        }
        return position
    }

    /// The upper bit of each byte that is a quote, a backslash, a control character or not ASCII; bits after the first may be
    /// wrong (a borrow), those before never are.
    @inline(__always)
    private static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5C)
        let deletes = word ^ (ones &* 0x7F)
        let found =
            (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
            | (deletes &- ones) & ~deletes | (word &- ones &* 0x20) & ~word
        return (found | word) & (ones &* 0x80)
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Writes the character that begins here and says how many bytes it has.
    private mutating func appendSpecial(_ bytes: UnsafePointer<UInt8>, left: Int, quotes: Bool) -> Int {
        let byte = bytes[0]
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            if quotes { append(UInt8(ascii: "\\")) }
            append(byte)
            return 1
        case 0..<0x80:
            appendEscape(byte)
            return 1
        case 0xC2 where left > 1 && bytes[1] < 0xA0:
            append(escaped: UInt16(bytes[1]))
            return 2
        case 0xE2 where left > 2 && bytes[1] == 0x80 && (0xA8...0xA9).contains(bytes[2]):
            append(escaped: 0x2028 + UInt16(bytes[2] - 0xA8))
            return 3
        default:
            let length = min(left, byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4)
            append(Text(start: bytes, count: length))
            return length
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        switch byte {
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        default: append(escaped: UInt16(byte))
        }
    }

    private mutating func append(escaped unit: UInt16) {
        append("\\u")
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xF)
            append(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }
}

// MARK: - Numbers

extension LineSink {
    mutating func append(_ integer: Int64) {
        if integer < 0 { append(UInt8(ascii: "-")) }
        append(integer.magnitude)
    }

    mutating func append(_ number: UInt64) {
        reserve(20)
        var rest = number
        var length = 0
        // Written backwards from the end of the room, then moved to its place.
        let end = memory + count + 20
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            length += 1
            (end - length).pointee = UInt8(truncatingIfNeeded: digit) &+ 0x30
            rest = quotient
        } while rest != 0
        (memory + count).update(from: end - length, count: length)
        count += length
    }

    /// Writes a number below 1,000 in three digits.
    @inline(__always)
    mutating func append(threeDigits number: Int64) {
        append(UInt8(truncatingIfNeeded: number / 100) &+ 0x30)
        append(UInt8(truncatingIfNeeded: number / 10 % 10) &+ 0x30)
        append(UInt8(truncatingIfNeeded: number % 10) &+ 0x30)
    }

    /// Writes the shortest decimal that reads back as the same double; it must be finite.
    mutating func append(_ double: Double) {
        // A double has at most one decimal of 15 digits, so a whole number of thousandths that gives the double back is the
        // shortest text; most measures are such, and this makes no string.
        let scaled = double * 1000
        if abs(scaled) < 1e15 {
            let thousandths = Int64(scaled.rounded())
            if (Double(thousandths) / 1000).bitPattern == double.bitPattern {
                return append(thousandths: thousandths)
            }
        }
        append(text: double.description)
    }

    private mutating func append(thousandths: Int64) {
        if thousandths < 0 { append(UInt8(ascii: "-")) }
        let (whole, part) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
        append(whole)
        append(UInt8(ascii: "."))
        let digits = (UInt8(part / 100), UInt8(part / 10 % 10), UInt8(part % 10))
        append(digits.0 + 0x30)
        if digits.1 > 0 || digits.2 > 0 { append(digits.1 + 0x30) }
        if digits.2 > 0 { append(digits.2 + 0x30) }
    }
}
