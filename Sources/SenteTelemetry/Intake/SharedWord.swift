// SPDX-License-Identifier: Apache-2.0

public import CSenteAtomics

/// A word that threads read and write without a lock, in memory of its own.
///
/// It is never given back on its own: who makes one calls `deallocate`.
@usableFromInline
struct SharedWord: @unchecked Sendable {
    @usableFromInline let place: UnsafeMutablePointer<UInt64>

    init(_ value: UInt64) {
        // A cache line, so that no neighbour's writes slow its readers.
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        place = bytes.bindMemory(to: UInt64.self, capacity: 8)
        place.initialize(to: value)
    }

    func deallocate() {
        UnsafeMutableRawPointer(place).deallocate()
    }

    @inlinable var value: UInt64 {
        get { sente_load_relaxed(place) }
        nonmutating set { sente_store_relaxed(place, newValue) }
    }

    /// Adds, and returns what it was.
    @discardableResult
    func add(_ number: UInt64) -> UInt64 {
        sente_add_relaxed(place, number)
    }

    /// Puts a word in the place of another; false if that is not there any more.
    func exchange(_ expected: UInt64, for word: UInt64) -> Bool {
        sente_exchange_relaxed(place, expected, word)
    }
}

/// Many such words side by side.
struct SharedWords: @unchecked Sendable {
    private let place: UnsafeMutablePointer<UInt64>

    init(count: Int) {
        place = .allocate(capacity: count)
        place.initialize(repeating: 0, count: count)
    }

    func deallocate() { place.deallocate() }

    subscript(index: Int) -> UInt64 { sente_load_relaxed(place + index) }

    /// Puts a word in the place of another; false if that is not there any more.
    func exchange(_ index: Int, _ expected: UInt64, for word: UInt64) -> Bool {
        sente_exchange_relaxed(place + index, expected, word)
    }
}
