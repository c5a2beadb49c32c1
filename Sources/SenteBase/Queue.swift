// SPDX-License-Identifier: Apache-2.0

/// First in, first out, in two arrays: amortised constant time at both ends, and what is taken is let go of at once.
///
/// Other rooms keep a queue for each message, and a generic type of another module is not specialised unless it can be
/// inlined: without that a delivery costs two thirds more instructions.
@usableFromInline
package struct Queue<Element>: RandomAccessCollection {
    /// The older part, newest first, so that the oldest is at the cheap end.
    @usableFromInline var older: [Element] = []
    @usableFromInline var newer: [Element] = []

    /// How many waited when all was taken last: likely as many come next.
    @usableFromInline var usualCount = 0

    @inlinable package init() {}

    /// For so many elements room is kept, or made beforehand.
    @usableFromInline static var smallCount: Int { 128 }

    @inlinable package var startIndex: Int { 0 }
    @inlinable package var endIndex: Int { older.count + newer.count }

    @inlinable package subscript(position: Int) -> Element {
        get {
            position < older.count ? older[older.count - 1 - position] : newer[position - older.count]
        }
        set {
            if position < older.count {
                older[older.count - 1 - position] = newValue
            } else {
                newer[position - older.count] = newValue
            }
        }
    }

    @inlinable package mutating func append(_ element: consuming Element) {
        if newer.capacity == 0 { newer.reserveCapacity(usualCount) }
        newer.append(element)
    }

    @inlinable package mutating func popFirst() -> Element? {
        if older.isEmpty, newer.count > 1 {
            // Moved one by one: to reverse them in place would copy each.
            older.reserveCapacity(newer.count)
            while let element = newer.popLast() { older.append(element) }
        }
        // One alone is at both ends.
        let element = older.isEmpty ? newer.popLast() : older.popLast()
        // Keeps small buffers for the next burst, and gives large ones back.
        if isEmpty, older.capacity + newer.capacity > Self.smallCount { self = Queue() }
        return element
    }

    /// Takes one out; cheap near either end.
    @inlinable package mutating func remove(at position: Int) -> Element {
        if position == 0, let first = popFirst() { return first }
        return position < older.count
            ? older.remove(at: older.count - 1 - position) : newer.remove(at: position - older.count)
    }

    /// The position of the first element for which `isBehind` holds, of a queue where it holds for all behind it too.
    @inlinable package func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Takes everything.
    @inlinable package mutating func drain() -> [Element] {
        let count = count
        defer {
            self = Queue()
            usualCount = Swift.min(count, Self.smallCount)
        }
        return older.isEmpty ? newer : older.reversed() + newer
    }

    /// Drops everything, and keeps small buffers for what comes next.
    @inlinable package mutating func removeAll() {
        if older.capacity + newer.capacity > Self.smallCount { return self = Queue() }
        older.removeAll(keepingCapacity: true)
        newer.removeAll(keepingCapacity: true)
    }

    @inlinable package mutating func removeAll(where shouldRemove: (Element) -> Bool) {
        older.removeAll(where: shouldRemove)
        newer.removeAll(where: shouldRemove)
    }
}

extension Queue: Sendable where Element: Sendable {}
