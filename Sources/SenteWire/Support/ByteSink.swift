// SPDX-License-Identifier: Apache-2.0

/// Growing memory that a writer fills, without a check for every byte.
///
/// Large bytes are lent to it: they are copied once, by `copy`, and pages that nobody has touched yet cost more than the copy.
struct ByteSink: ~Copyable {
    /// Bytes that stand before what is written at a position.
    private struct Loan {
        let bytes: [UInt8]
        var position: Int
    }

    /// From which size on bytes are lent.
    private static let loanSize = 64 << 10

    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// How many bytes were written, those lent left out.
    private(set) var count = 0
    private var loans: [Loan] = []

    init() {
        capacity = 512
        memory = .allocate(capacity: capacity)
    }

    deinit {
        memory.deallocate()
    }

    /// What was written, that lent left out.
    var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: memory, count: count) }

    /// How many bytes were written or lent from a position on; what was lent right there stands before it.
    func length(from start: Int) -> Int {
        loans.reduce(count - start) { $1.position > start ? $0 + $1.bytes.count : $0 }
    }

    /// Adds what was written or lent to other bytes.
    func copy(to bytes: inout [UInt8]) {
        guard loans.isEmpty else { return copyWithLoans(to: &bytes) }
        // To make an array takes half of the instructions that growing an empty one does.
        if bytes.isEmpty { bytes = Array(written) } else { bytes.append(contentsOf: written) }
    }

    private func copyWithLoans(to bytes: inout [UInt8]) {
        bytes.reserveCapacity(loans.reduce(bytes.count + count) { $0 + $1.bytes.count })
        var position = 0
        for loan in loans {
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: written[position..<loan.position]))
            bytes.append(contentsOf: loan.bytes)
            position = loan.position
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: written[position...]))
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    private mutating func grow(_ more: Int) {
        // Little follows what is large, and to grow for that would copy all of it.
        let larger = max(capacity * 2, count + more + more / 8)
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

    mutating func append(_ word: StaticString) {
        append(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    mutating func append(text: String) {
        text.readUTF8 { append($0) }
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return }
        reserve(bytes.count)
        (memory + count).update(from: base, count: bytes.count)
        count += bytes.count
    }

    /// Writes bytes, or has them lent until they are copied.
    mutating func append(_ bytes: [UInt8]) {
        if bytes.count < Self.loanSize { return bytes.withUnsafeBufferPointer { append($0) } }
        loans.append(Loan(bytes: bytes, position: count))
    }

    /// Writes a number's bytes, the highest first.
    @inline(__always)
    mutating func append(bigEndian number: some FixedWidthInteger) {
        let size = number.bitWidth / 8
        reserve(size)
        UnsafeMutableRawPointer(memory + count).storeBytes(of: number.bigEndian, as: type(of: number))
        count += size
    }

    /// Puts bytes between those that were written, behind what was lent there.
    mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) {
        reserve(bytes.count)
        for index in loans.indices where loans[index].position > position {
            loans[index].position += bytes.count
        }
        (memory + position + bytes.count).update(from: memory + position, count: count - position)
        if let base = bytes.baseAddress { (memory + position).update(from: base, count: bytes.count) }
        count += bytes.count
    }

    /// Writes a whole number's digits.
    mutating func append(digitsOf integer: Int64) {
        reserve(20)
        if integer < 0 {
            memory[count] = UInt8(ascii: "-")
            count += 1
        }
        var rest = integer.magnitude
        let length = Self.digitCount(rest)
        var position = count + length
        count = position
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            position -= 1
            memory[position] = UInt8(truncatingIfNeeded: digit) &+ 0x30
            rest = quotient
        } while rest != 0
    }

    private static func digitCount(_ number: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while number >= bound {
            count += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        return count
    }

    /// Writes the shortest decimal that reads back as the same double; it must be finite.
    mutating func append(digitsOf double: Double) {
        // A double has at most one decimal of 15 digits, so a whole number of thousandths that gives the double
        // back is the shortest text already; prices and times are such.
        let scaled = double * 1000
        let bound = 1e15
        if scaled < bound, scaled > -bound {
            let thousandths = Int64(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
            if (Double(thousandths) / 1000).bitPattern == double.bitPattern {
                return append(thousandths: thousandths)
            }
        }
        append(text: double.description)
    }

    /// Writes a decimal of one to three places.
    private mutating func append(thousandths: Int64) {
        if thousandths < 0 { append(UInt8(ascii: "-")) }
        let (whole, part) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
        append(digitsOf: Int64(whole))
        append(UInt8(ascii: "."))
        append(UInt8(truncatingIfNeeded: part / 100) + 0x30)
        guard part % 100 > 0 else { return }
        append(UInt8(truncatingIfNeeded: part / 10 % 10) + 0x30)
        guard part % 10 > 0 else { return }
        append(UInt8(truncatingIfNeeded: part % 10) + 0x30)
    }

    /// Writes a JSON string with its quotes, escaping only what RFC 8259 §7 says must be.
    mutating func appendQuoted(_ text: String) {
        text.readUTF8 { appendQuoted($0, hasBegun: false) }
    }

    /// Writes the rest of a JSON string whose quote and first characters stand there already.
    mutating func append(restOfQuoted text: String) {
        text.readUTF8 { appendQuoted($0, hasBegun: true) }
    }

    private mutating func appendQuoted(_ bytes: UnsafeBufferPointer<UInt8>, hasBegun: Bool) {
        reserve(bytes.count + 16)
        if !hasBegun {
            memory[count] = UInt8(ascii: "\"")
            count += 1
        }
        var position = 0
        if let base = bytes.baseAddress {
            while true {
                position = copyPlain(base, from: position, to: bytes.count)
                guard position < bytes.count else { break }
                escape(base[position])
                position += 1
                reserve(bytes.count - position + 16)
            }
        }
        memory[count] = UInt8(ascii: "\"")
        count += 1
    }

    /// Copies up to the first byte that must be escaped and says where it stands; room for all is there.
    @inline(__always)
    private mutating func copyPlain(_ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let source = UnsafeRawPointer(bytes)
        let target = UnsafeMutableRawPointer(memory + count)
        var position = start
        defer { count += position - start }
        while position + 8 <= end {
            let word = source.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            target.storeBytes(of: word, toByteOffset: position - start, as: UInt64.self)
            let special = UTF8Scan.specialBytes(UInt64(littleEndian: word), orNotASCII: false)
            if special != 0 {
                position += special.trailingZeroBitCount >> 3
                return position
            }
            position += 8
        }
        let left = end - position
        guard left > 0 else { return position }
        let word = Self.tail(source, of: left, before: end)
        // Room for 16 more is there, and what follows is written over the rest.
        target.storeBytes(of: word.littleEndian, toByteOffset: position - start, as: UInt64.self)
        let special = UTF8Scan.specialBytes(
            word | (0x2020_2020_2020_2020 << UInt64(left * 8)), orNotASCII: false)
        position = special == 0 ? end : position + special.trailingZeroBitCount >> 3
        return position
    }

    private mutating func escape(_ byte: UInt8) {
        reserve(6)
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(escapeLetter: byte)
        case 0x08: append(escapeLetter: UInt8(ascii: "b"))
        case 0x0C: append(escapeLetter: UInt8(ascii: "f"))
        case 0x0A: append(escapeLetter: UInt8(ascii: "n"))
        case 0x0D: append(escapeLetter: UInt8(ascii: "r"))
        case 0x09: append(escapeLetter: UInt8(ascii: "t"))
        default:
            append("\\u00")
            append(byte >> 4 + 0x30)
            append(byte & 0xF < 10 ? byte & 0xF + 0x30 : byte & 0xF + 0x57)
        }
    }

    private mutating func append(escapeLetter letter: UInt8) {
        append(UInt8(ascii: "\\"))
        append(letter)
    }

    /// The last `left` (1…7) bytes before `end` in the low bytes of a word, without reading outside the text.
    @inline(__always)
    private static func tail(_ source: UnsafeRawPointer, of left: Int, before end: Int) -> UInt64 {
        if end >= 8 {
            let word = source.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self)
            return UInt64(littleEndian: word) >> UInt64((8 - left) * 8)
        }
        let start = end - left
        if left >= 4 {
            let low = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            let high = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: end - 4, as: UInt32.self))
            return UInt64(low) | UInt64(high) << UInt64((left - 4) * 8)
        }
        func byte(_ offset: Int) -> UInt64 { UInt64(source.load(fromByteOffset: offset, as: UInt8.self)) }
        return byte(start) | byte(start + left / 2) << UInt64(left / 2 * 8) | byte(end - 1)
            << UInt64((left - 1) * 8)
    }
}
