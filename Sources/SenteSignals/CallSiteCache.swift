// SPDX-License-Identifier: Apache-2.0

/// What a format writes for all signals of a call site, as finished bytes: its level, names and place in the program, and the
/// keys of its data.
///
/// A site is known by addresses of static texts, which say the same for as long as the process lives. Two sites that fall on
/// one slot take turns.
struct CallSiteCache: ~Copyable {
    private static let slots = 256

    private struct Entry {
        var site: CallSite
        var parts: Parts
    }

    /// Made with the first site, which a single line may never have.
    private var entries: UnsafeMutablePointer<Entry?>?

    init() {}

    deinit {
        guard let entries else { return }
        for slot in 0..<Self.slots { entries[slot]?.parts.deallocate() }
        entries.deallocate()
    }

    /// What is the same in signal after signal.
    struct Parts {
        /// What stands before that which differs, at the beginning of the memory of all pieces.
        fileprivate(set) var head: LinePiece
        /// What stands behind it.
        fileprivate(set) var tail: LinePiece
        fileprivate(set) var keys: KnownKeys
        /// What all of them take to be written.
        fileprivate(set) var room: Int

        fileprivate func deallocate() {
            head.start.deallocate()
            keys.deallocate()
        }
    }

    /// The parts of a site; nil if they are not known.
    @inline(__always)
    func parts(of site: CallSite) -> Parts? {
        guard let entry = entries?[site.hash & (Self.slots - 1)], entry.site == site else { return nil }
        return entry.parts
    }

    /// Keeps what was written of a site: its head, its tail and its keys, one behind the other, as far as the ends say.
    mutating func keep(_ written: LineSink.Text, ends: [Int], keys: [SignalRecord.Text], of site: CallSite)
        -> Parts
    {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: LinePiece.room(written.count), alignment: LinePiece.blockSize)
        // The last block is read whole.
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.copyBytes(from: written)
        let start = UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
        var begin = 0
        let pieces = ends.map { end in
            defer { begin = end }
            return LinePiece(start: start + begin, count: end - begin)
        }
        let parts = Parts(
            head: pieces[0], tail: pieces[1], keys: KnownKeys(keys, pieces[2...]),
            room: pieces.reduce(0) { $0 + LinePiece.room($1.count) })
        let entry = madeEntries() + site.hash & (Self.slots - 1)
        entry.pointee?.parts.deallocate()
        entry.pointee = Entry(site: site, parts: parts)
        return parts
    }

    private mutating func madeEntries() -> UnsafeMutablePointer<Entry?> {
        if let entries { return entries }
        let made = UnsafeMutablePointer<Entry?>.allocate(capacity: Self.slots)
        made.initialize(repeating: nil, count: Self.slots)
        entries = made
        return made
    }
}

/// The part of a record's head that all signals of a call site have in common.
struct CallSite: Equatable {
    private let words: (UInt64, UInt64, UInt64, UInt64, UInt64)

    /// Nil if one of the names was made at run time.
    @inline(__always)
    init?(_ record: SignalRecord) {
        func word(_ index: Int) -> UInt64 {
            record.bytes.loadUnaligned(fromByteOffset: RecordLayout.site + 8 * index, as: UInt64.self)
        }
        guard !record.hasCopiedName else { return nil }
        words = (word(0), word(1), word(2), word(3), word(4))
    }

    @inline(__always)
    var hash: Int {
        let mixed = (words.3 ^ words.4 << 1 ^ words.0 << 7 ^ words.1 << 3 ^ words.2) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 40)
    }

    @inline(__always)
    static func == (left: Self, right: Self) -> Bool { left.words == right.words }
}
