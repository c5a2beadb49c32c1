// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What is still to be written, in one piece, and which messages end where in it.
///
/// Empty, it owns no more memory than a small buffer begins with.
struct OutputBuffer: Sendable {
    /// What a small buffer begins as.
    ///
    /// A copy costs 510 instructions, an array that is made uninitialized 840: its type is looked up each time.
    private static let blank = [UInt8](repeating: 0, count: 256)

    /// Only `head..<tail` means anything; the rest is room, counted as elements so that frames can be written
    /// in place.
    private var storage: [UInt8] = []
    private var head = 0
    private var tail = 0
    /// Bytes written over the link's life: the scale of the marks.
    private var written: UInt64 = 0
    /// The messages that are not written yet; without their ends, so that the ids are handed over as they stand.
    private var ids: [SendID] = []
    /// Where the first of them ends.
    private var firstEnd: UInt64 = 0
    /// Where those after it end; apart, because one message at a time is the common case, and needs no array for this.
    private var laterEnds: [UInt64] = []

    var count: Int { tail &- head }

    /// What is not written yet, which stays as it is when the buffer changes.
    var unwritten: ArraySlice<UInt8> { storage[head..<tail] }

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
        let end = written &+ UInt64(count)
        if ids.isEmpty {
            ids = [id]
            firstEnd = end
        } else {
            ids.append(id)
            laterEnds.append(end)
        }
    }

    /// Offers everything to `body`, which returns how much of it was written; `wrote` gets the messages that now are.
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
        if !ids.isEmpty, firstEnd <= written { wrote = complete() }
        if head == tail { empty() }
        return taken
    }

    /// Takes out the messages that are written, of which the first is one.
    private mutating func complete() -> [SendID] {
        let later = laterEnds.prefix { $0 <= written }.count
        guard later < laterEnds.count else {
            defer { forgetMarks() }
            return ids
        }
        firstEnd = laterEnds[later]
        laterEnds.removeFirst(later + 1)
        defer { ids.removeFirst(later + 1) }
        return Array(ids[...later])
    }

    private mutating func forgetMarks() {
        ids = []
        if !laterEnds.isEmpty { laterEnds = [] }
    }

    /// Forgets everything unwritten.
    mutating func discard() {
        forgetMarks()
        storage = []
        empty()
    }

    /// Keeps a small buffer for the next message: to free it and make it anew is a sixth of what a small message costs.
    private mutating func empty() {
        if storage.count > Self.blank.count { storage = [] }
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
        guard live > 0 || size > Self.blank.count else {
            storage = Self.blank.withUnsafeBytes { Array($0) }
            head = 0
            tail = 0
            return
        }
        let capacity = max(live &+ size, live &* 2, Self.blank.count)
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
