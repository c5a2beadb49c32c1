// SPDX-License-Identifier: Apache-2.0

/// What a format writes for all signals of a call site: its level, names and place in the program, as finished bytes.
///
/// A site is known by addresses of static texts, which say the same for as long as the process lives. Two sites that fall on
/// one slot take turns.
struct CallSiteCache: ~Copyable {
    private static let slots = 256

    private struct Entry {
        var site: CallSite
        /// One piece of memory, which begins with the head.
        var parts: Parts
    }

    /// Made with the first site, which a single line may never have.
    private var entries: UnsafeMutablePointer<Entry?>?

    init() {}

    deinit {
        guard let entries else { return }
        for slot in 0..<Self.slots { entries[slot]?.parts.head.deallocate() }
        entries.deallocate()
    }

    /// What stands before and behind that which differs from signal to signal.
    struct Parts {
        var head: LineSink.Text
        var tail: LineSink.Text
    }

    /// The parts of a site; nil if they are not known.
    @inline(__always)
    func parts(of site: CallSite) -> Parts? {
        guard let entry = entries?[site.hash & (Self.slots - 1)], entry.site == site else { return nil }
        return entry.parts
    }

    /// Keeps a copy of the parts of a site, and returns it.
    mutating func keep(_ parts: Parts, of site: CallSite) -> Parts {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: parts.head.count + parts.tail.count)
        _ = UnsafeMutableBufferPointer(start: bytes, count: parts.head.count).initialize(from: parts.head)
        _ = UnsafeMutableBufferPointer(start: bytes + parts.head.count, count: parts.tail.count)
            .initialize(from: parts.tail)
        let entry = madeEntries() + site.hash & (Self.slots - 1)
        entry.pointee?.parts.head.deallocate()
        let kept = Parts(
            head: LineSink.Text(start: bytes, count: parts.head.count),
            tail: LineSink.Text(start: bytes + parts.head.count, count: parts.tail.count))
        entry.pointee = Entry(site: site, parts: kept)
        return kept
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
    private let words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    private let kindAndFlags: UInt16

    /// Nil if one of the names was made at run time.
    @inline(__always)
    init?(_ record: SignalRecord) {
        func load<Word>(_ offset: Int, as type: Word.Type = Word.self) -> Word {
            record.bytes.loadUnaligned(fromByteOffset: offset, as: type)
        }
        func isStatic(_ address: Int, _ length: Int) -> Bool {
            load(address, as: UInt.self) != 0 || load(length, as: UInt32.self) == RecordLayout.none
        }
        guard isStatic(RecordLayout.namespace, RecordLayout.namespaceLength),
            isStatic(RecordLayout.id, RecordLayout.idLength),
            isStatic(RecordLayout.file, RecordLayout.fileLength)
        else { return nil }
        words = (
            load(RecordLayout.level), load(RecordLayout.namespace), load(RecordLayout.id),
            load(RecordLayout.file), load(RecordLayout.line), load(RecordLayout.idLength)
        )
        kindAndFlags = load(RecordLayout.kind)
    }

    @inline(__always)
    var hash: Int {
        let mixed = (words.2 ^ words.3 << 1 ^ words.4 << 7 ^ words.0 << 3 ^ words.1) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 40)
    }

    @inline(__always)
    static func == (left: Self, right: Self) -> Bool {
        left.words == right.words && left.kindAndFlags == right.kindAndFlags
    }
}
