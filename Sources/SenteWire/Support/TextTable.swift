// SPDX-License-Identifier: Apache-2.0

/// Numbers the texts that a writer has written, each with the letter of what it is, in order of first sight.
///
/// An open-addressed table over a hash that is seeded anew in each process, so that no peer can choose texts
/// that collide. The numbers do not depend on the hash.
struct TextTable {
    private struct Entry {
        let hash: UInt64
        let kind: UInt8
        let text: String
    }

    /// Up to this many texts there is no table.
    private static let smallCount = 4

    private var entries: [Entry] = []
    /// Number + 1 of a text, 0 for free; a power of two long, at most half full; empty while there are few texts.
    private var slots: [UInt16] = []
    private static let seed = UInt64(truncatingIfNeeded: 0.hashValue) | 1

    var count: Int { entries.count }

    /// The number of a text that was noted before; otherwise nil, and it is noted if `bound` allows.
    mutating func number(of text: String, kind: UInt8, bound: Int) -> Int? {
        let hash = Self.hash(text, kind)
        func isNoted(as number: Int) -> Bool {
            entries[number].hash == hash && entries[number].kind == kind
                && entries[number].text.isSameText(as: text)
        }
        var slot = 0
        if slots.isEmpty {
            if let number = entries.indices.first(where: isNoted) { return number }
        } else {
            slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] != 0 {
                if isNoted(as: Int(slots[slot]) - 1) { return Int(slots[slot]) - 1 }
                slot = (slot + 1) & (slots.count - 1)
            }
        }
        guard entries.count < bound, entries.count < Int(UInt16.max) else { return nil }
        if entries.isEmpty { entries.reserveCapacity(Self.smallCount) }
        entries.append(Entry(hash: hash, kind: kind, text: text))
        if !slots.isEmpty { slots[slot] = UInt16(entries.count) }
        if entries.count > max(Self.smallCount, slots.count / 2) { grow() }
        return nil
    }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = 0 }
    }

    private mutating func grow() {
        slots = [UInt16](repeating: 0, count: max(64, slots.count * 4))
        for (number, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt16(number + 1)
        }
    }

    /// Folds eight bytes at a time through a full multiplication, as wyhash does.
    private static func hash(_ text: String, _ kind: UInt8) -> UInt64 {
        text.readUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            var hash = seed ^ UInt64(kind) &* 0x9E37_79B9_7F4A_7C15
            var position = 0
            while position + 8 <= raw.count {
                hash = fold(hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                position += 8
            }
            var rest = UInt64(raw.count)
            while position < raw.count {
                rest = rest << 8 | UInt64(raw[position])
                position += 1
            }
            return fold(hash ^ rest)
        }
    }

    @inline(__always)
    private static func fold(_ word: UInt64) -> UInt64 {
        let (high, low) = (word ^ seed).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return high ^ low
    }
}
