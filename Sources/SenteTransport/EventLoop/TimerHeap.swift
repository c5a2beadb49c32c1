// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// The deadlines of a loop: a binary heap whose entries know their place, so that re-arming and disarming cost a few
/// swaps.
///
/// Equal deadlines fire in the order they were armed.
struct TimerHeap {
    /// One deadline.
    final class Entry {
        let fire: @Sendable () -> Void
        fileprivate(set) var deadline = Instant.distantFuture
        fileprivate var order: UInt64 = 0
        fileprivate var place = -1

        init(_ fire: @escaping @Sendable () -> Void) {
            self.fire = fire
        }
    }

    private var entries: [Entry] = []
    /// How many times an entry was armed.
    private(set) var armed: UInt64 = 0

    var count: Int { entries.count }
    var earliest: Instant? { entries.first?.deadline }

    /// Puts the entry at `deadline`, wherever it was before; nil takes it out.
    mutating func arm(_ entry: Entry, at deadline: Instant?) {
        guard let deadline else { return remove(entry) }
        armed &+= 1
        entry.order = armed
        if entry.place < 0 {
            entry.place = entries.count
            entry.deadline = deadline
            entries.append(entry)
            rise(entry.place)
        } else {
            let later = entry.deadline <= deadline
            entry.deadline = deadline
            if later { sink(entry.place) } else { rise(entry.place) }
        }
    }

    /// Takes out and returns the earliest entry that is due, unless it was armed after the first `armed` times.
    mutating func popDue(at now: Instant, amongFirst armed: UInt64) -> Entry? {
        guard let first = entries.first, first.deadline <= now, first.order <= armed else { return nil }
        remove(first)
        return first
    }

    mutating func removeAll() {
        for entry in entries { entry.place = -1 }
        entries = []
    }

    private mutating func remove(_ entry: Entry) {
        let place = entry.place
        guard place >= 0, let last = entries.popLast() else { return }
        entry.place = -1
        guard last !== entry else { return }
        entries[place] = last
        last.place = place
        sink(place)
        rise(last.place)
    }

    private func comesBefore(_ a: Entry, _ b: Entry) -> Bool {
        a.deadline == b.deadline ? a.order < b.order : a.deadline < b.deadline
    }

    private mutating func rise(_ start: Int) {
        var place = start
        let entry = entries[place]
        while place > 0 {
            let parent = entries[(place - 1) / 2]
            guard comesBefore(entry, parent) else { break }
            entries[place] = parent
            let above = (place - 1) / 2
            parent.place = place
            place = above
        }
        entries[place] = entry
        entry.place = place
    }

    private mutating func sink(_ start: Int) {
        var place = start
        let entry = entries[place]
        while true {
            var child = 2 * place + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, comesBefore(entries[child + 1], entries[child]) { child += 1 }
            guard comesBefore(entries[child], entry) else { break }
            entries[place] = entries[child]
            entries[place].place = place
            place = child
        }
        entries[place] = entry
        entry.place = place
    }
}
