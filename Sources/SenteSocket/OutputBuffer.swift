// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What is still to be written, in one piece, and which messages end where in it.
///
/// Empty, it owns no memory.
struct OutputBuffer: Sendable {
    private struct Mark: Sendable {
        var end: UInt64
        var id: SendID
    }

    /// Only `head..<tail` means anything; the rest is room, counted as elements so that frames can be written
    /// in place.
    private var storage: [UInt8] = []
    private var head = 0
    private var tail = 0
    /// Bytes written over the link's life: the scale of the marks.
    private var written: UInt64 = 0
    private var marks: [Mark] = []

    var count: Int { tail &- head }

    mutating func append(_ bytes: [UInt8]) {
        append(count: bytes.count) { target in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(start: target, count: $0.count).copyMemory(from: $0)
            }
        }
    }

    /// Appends an unfragmented frame; `key` nil leaves it unmasked.
    mutating func append(
        frame opcode: FrameHeader.Opcode, isCompressed: Bool = false, _ payload: UnsafeRawBufferPointer,
        key: UInt32?
    ) {
        let length = payload.count
        let size = FrameHeader.size(length: length, masked: key != nil)
        append(count: size + length) { target in
            FrameHeader.write(opcode, isCompressed: isCompressed, length: length, key: key, to: target)
            guard length > 0, let source = payload.baseAddress else { return }
            if let key {
                Masking.copy(source, to: target + size, count: length, key: key)
            } else {
                (target + size).copyMemory(from: source, byteCount: length)
            }
        }
    }

    /// Lets `id` complete when all that was appended so far has been written.
    mutating func mark(_ id: SendID) {
        marks.append(Mark(end: written &+ UInt64(count), id: id))
    }

    /// Offers everything to `body`, which returns how much of it was written.
    mutating func drain(
        into wrote: inout [SendID], _ body: (UnsafeRawBufferPointer) throws -> Int
    ) rethrows -> Int {
        guard count > 0 else { return 0 }
        let (from, room) = (head, count)
        let taken = try storage.withUnsafeBytes { bytes in
            min(max(0, try body(UnsafeRawBufferPointer(rebasing: bytes[from..<from + room]))), room)
        }
        head &+= taken
        written &+= UInt64(taken)
        let done = marks.prefix { $0.end <= written }.count
        if done > 0 {
            wrote.append(contentsOf: marks[..<done].lazy.map(\.id))
            marks.removeFirst(done)
        }
        if head == tail { release() }
        return taken
    }

    /// Forgets everything unwritten.
    mutating func discard() {
        marks = []
        release()
    }

    private mutating func release() {
        storage = []
        head = 0
        tail = 0
    }

    private mutating func append(count size: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
        guard size > 0 else { return }
        if storage.count &- tail < size { makeRoom(for: size) }
        let end = tail
        storage.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            write(base + end)
        }
        tail &+= size
    }

    /// Moves what is unwritten to the front of a larger piece of memory.
    private mutating func makeRoom(for size: Int) {
        let live = count
        let capacity = max(live &+ size, live &* 2, 256)
        let old = storage
        let from = head
        storage = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            count = capacity
            guard live > 0, let to = target.baseAddress else { return }
            old.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                UnsafeMutableRawPointer(to).copyMemory(from: base + from, byteCount: live)
            }
        }
        head = 0
        tail = live
    }
}
