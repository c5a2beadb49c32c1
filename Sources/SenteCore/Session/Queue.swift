// SPDX-License-Identifier: Apache-2.0

/// First in, first out, in an array with a moving head; amortised constant time at both ends.
struct Queue<Element>: RandomAccessCollection {
    private var storage: [Element] = []
    private var head = 0

    var startIndex: Int { 0 }
    var endIndex: Int { storage.count - head }

    subscript(position: Int) -> Element {
        get { storage[head + position] }
        set { storage[head + position] = newValue }
    }

    mutating func append(_ element: Element) {
        storage.append(element)
    }

    mutating func popFirst() -> Element? {
        guard head < storage.count else { return nil }
        let element = storage[head]
        head += 1
        if head == storage.count {
            // Keeps a small buffer for the next burst, and gives a large one back.
            storage.removeAll(keepingCapacity: storage.capacity <= 64)
            head = 0
        } else if head >= 64, head * 2 >= storage.count {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Takes everything.
    mutating func drain() -> [Element] {
        defer {
            storage = []
            head = 0
        }
        if head > 0 { storage.removeFirst(head) }
        return storage
    }

    mutating func removeAll(where shouldRemove: (Element) -> Bool) {
        var kept = drain()
        kept.removeAll(where: shouldRemove)
        storage = kept
    }
}

extension Queue: Sendable where Element: Sendable {}
