// SPDX-License-Identifier: Apache-2.0

/// Memory that lines are written into, one after the other; it keeps its room when it is emptied.
struct LineSink: ~Copyable {
    typealias Text = UnsafeBufferPointer<UInt8>

    private var memory: UnsafeMutablePointer<UInt8>
    /// Where the next byte goes.
    private var next: UnsafeMutablePointer<UInt8>
    private var end: UnsafeMutablePointer<UInt8>

    init(capacity: Int) {
        memory = .allocate(capacity: capacity)
        next = memory
        end = memory + capacity
    }

    deinit {
        memory.deallocate()
    }

    var count: Int { next - memory }
    var written: Text { Text(start: memory, count: count) }

    /// Empties it; room that a few giants needed is given back.
    mutating func removeAll(keepingAtMost limit: Int) {
        next = memory
        guard end - memory > limit else { return }
        memory.deallocate()
        memory = .allocate(capacity: limit)
        (next, end) = (memory, memory + limit)
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if end - next < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let (count, capacity) = (count, max((end - memory) * 2, count + more))
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: memory, count: count)
        memory.deallocate()
        (memory, next, end) = (larger, larger + count, larger + capacity)
    }

    /// Has a pen write that many bytes at most.
    @inline(__always)
    mutating func write(atMost room: Int, _ body: (inout LinePen) -> Void) {
        reserve(room)
        var pen = LinePen(at: next)
        body(&pen)
        next = pen.place
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        write(atMost: 1) { $0.write(byte) }
    }

    @inline(__always)
    mutating func append(_ word: StaticString) {
        write(atMost: word.utf8CodeUnitCount) { $0.write(word) }
    }

    @inline(__always)
    mutating func append(_ bytes: Text) {
        write(atMost: bytes.count) { $0.write(bytes) }
    }

    @inline(__always)
    mutating func append(_ piece: LinePiece) {
        write(atMost: LinePiece.room(piece.count)) { $0.write(piece) }
    }

    /// Writes a text between quotes.
    mutating func append(quoted text: Text) {
        write(atMost: LinePen.room(quoted: text.count)) { $0.write(quoted: text) }
    }

    mutating func append(quoted text: String) {
        var text = text
        text.withUTF8 { append(quoted: $0) }
    }

    /// Writes a text in which nothing moves a terminal's cursor or ends a line.
    mutating func append(safe text: Text, quotes: Bool = false) {
        write(atMost: LinePen.room(quoted: text.count)) { $0.write(safe: text, quotes: quotes) }
    }

    mutating func append(_ integer: Int64) {
        write(atMost: LinePen.numberRoom) { $0.write(number: integer) }
    }

    mutating func append(_ number: UInt64) {
        write(atMost: LinePen.numberRoom) { $0.write(number: number) }
    }

    mutating func append(_ double: Double) {
        write(atMost: LinePen.numberRoom) { $0.write(double) }
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    mutating func removeFirst(_ number: Int) {
        memory.update(from: memory + number, count: count - number)
        next -= number
    }

    mutating func removeLast(_ number: Int) {
        next -= number
    }

    /// Puts bytes between those that were written.
    mutating func insert(_ word: StaticString, at position: Int) {
        let size = word.utf8CodeUnitCount
        reserve(size)
        (memory + position + size).update(from: memory + position, count: count - position)
        (memory + position).update(from: word.utf8Start, count: size)
        next += size
    }

    /// How many columns what was written since then takes, a scalar each.
    func columns(since position: Int) -> Int {
        (position..<count).count { memory[$0] & 0xC0 != 0x80 }
    }
}
