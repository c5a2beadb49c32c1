// SPDX-License-Identifier: Apache-2.0

/// Finds an entry of a `DeadlineQueue` again before it is due.
///
/// It stands outside of the queue, so that a heap of them is no generic type, whose code would look itself up at each call.
package struct DeadlineTicket: Hashable, Comparable, Sendable {
    fileprivate let due: Instant
    fileprivate let number: UInt64

    package static func < (lhs: DeadlineTicket, rhs: DeadlineTicket) -> Bool {
        lhs.due == rhs.due ? lhs.number < rhs.number : lhs.due < rhs.due
    }
}

/// Entries that are due at some instant, taken out in order of time and, among equals, in the order they were put in.
///
/// A binary heap of tickets beside a table of entries. An entry that is taken out early leaves its ticket behind, unless
/// it was the first; when such tickets are more than the entries, the heap is made anew. So every change costs a
/// logarithm of the number of entries, taken over all changes.
package struct DeadlineQueue<Entry> {
    package typealias Ticket = DeadlineTicket

    /// The first ticket always has an entry.
    private var heap: [Ticket] = []
    private var entries: [UInt64: Entry] = [:]
    private var number: UInt64 = 0
    /// How many tickets were looked at or moved since the beginning, for tests of what the queue costs.
    package private(set) var steps = 0

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    package var earliest: Instant? { heap.first?.due }

    @discardableResult
    package mutating func add(_ entry: Entry, due: Instant) -> Ticket {
        number &+= 1
        let ticket = Ticket(due: due, number: number)
        entries[number] = entry
        heap.append(ticket)
        rise()
        return ticket
    }

    /// The earliest entry, if it is due by `now`; nil for `now`: whenever it is due.
    package mutating func take(by now: Instant?) -> Entry? {
        guard let first = heap.first, now.map({ first.due <= $0 }) ?? true else { return nil }
        return remove(first)
    }

    /// Takes an entry out; nil when it is gone already.
    @discardableResult
    package mutating func remove(_ ticket: Ticket) -> Entry? {
        guard let entry = entries.removeValue(forKey: ticket.number) else { return nil }
        if heap.count > 2 * entries.count + 8 {
            steps += heap.count
            heap = heap.filter { entries[$0.number] != nil }.sorted()
        }
        while let first = heap.first, entries[first.number] == nil { removeFirst() }
        return entry
    }

    // MARK: The heap

    private mutating func rise() {
        var place = heap.count - 1
        let ticket = heap[place]
        while place > 0, ticket < heap[(place - 1) / 2] {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
            steps += 1
        }
        heap[place] = ticket
    }

    private mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        var place = 0
        while true {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard child < heap.count, heap[child] < last else { break }
            heap[place] = heap[child]
            place = child
            steps += 1
        }
        heap[place] = last
    }
}

extension DeadlineQueue: Sendable where Entry: Sendable {}
