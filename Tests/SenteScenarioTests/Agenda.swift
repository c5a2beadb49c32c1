// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// What is to come, by time and, among equals, in the order it was added.
struct Agenda<Event> {
    private struct Row {
        var due: Instant
        var number: UInt64
        var event: Event

        static func < (a: Row, b: Row) -> Bool { a.due == b.due ? a.number < b.number : a.due < b.due }
    }

    private var heap: [Row] = []
    private var number: UInt64 = 0

    var next: Instant? { heap.first?.due }

    mutating func add(_ event: Event, at due: Instant) {
        number += 1
        heap.append(Row(due: due, number: number, event: event))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop(by now: Instant) -> Event? {
        guard let first = heap.first, first.due <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child] < heap[least] { least = child }
            }
            guard least != parent else { return first.event }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
