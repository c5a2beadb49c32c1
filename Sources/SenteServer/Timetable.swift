// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Things that are due at some instant, taken out in order of time and, among equals, in the order they were
/// put in.
///
/// A sorted array with its consumed front left in place: what is put in is mostly the latest, what is taken
/// out the earliest.
package struct Timetable<Entry: Sendable>: Sendable {
    private struct Row {
        var due: Instant
        var number: UInt64
        var entry: Entry
    }

    /// Finds an entry again before it is due.
    package struct Ticket: Hashable, Sendable {
        fileprivate var due: Instant
        fileprivate var number: UInt64
    }

    private var rows: [Row] = []
    private var front = 0
    private var counter: UInt64 = 0

    package init() {}

    package var count: Int { rows.count - front }
    package var isEmpty: Bool { front == rows.count }
    package var earliest: Instant? { front < rows.count ? rows[front].due : nil }

    @discardableResult
    package mutating func add(_ entry: Entry, due: Instant) -> Ticket {
        counter &+= 1
        let row = Row(due: due, number: counter, entry: entry)
        rows.insert(row, at: place(due, counter))
        return Ticket(due: due, number: counter)
    }

    /// The earliest entry, if it is due by `now`; nil for `now`: whenever it is due.
    package mutating func take(by now: Instant?) -> Entry? {
        guard front < rows.count else { return nil }
        if let now, rows[front].due > now { return nil }
        let entry = rows[front].entry
        front += 1
        if front * 2 >= rows.count {
            rows.removeFirst(front)
            front = 0
        }
        return entry
    }

    package mutating func remove(_ ticket: Ticket) {
        let place = place(ticket.due, ticket.number)
        guard place < rows.count, rows[place].number == ticket.number else { return }
        rows.remove(at: place)
    }

    /// Takes out every entry for which `isGone` holds, and hands it over.
    package mutating func removeAll(where isGone: (Entry) -> Bool, _ body: (Entry) -> Void = { _ in }) {
        var kept: [Row] = []
        for row in rows[front...] {
            if isGone(row.entry) { body(row.entry) } else { kept.append(row) }
        }
        rows = kept
        front = 0
    }

    private func place(_ due: Instant, _ number: UInt64) -> Int {
        var low = front
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            let row = rows[middle]
            if row.due < due || (row.due == due && row.number < number) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
