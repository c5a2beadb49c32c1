// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Something that says how much of its kind was lost right before it.
package protocol CountsMissed {
    var missed: Int { get set }
}

/// What one consumer has not taken yet, bounded by number and size: the oldest goes, and the next one says so.
///
/// The newest always stays, whatever its size.
package struct BoundedQueue<Element: CountsMissed> {
    private var queue = Queue<(element: Element, size: Int)>()
    private var bytes = 0
    private let maximumCount: Int
    private let maximumBytes: Int

    package init(maximumCount: Int, maximumBytes: Int = .max) {
        self.maximumCount = max(1, maximumCount)
        self.maximumBytes = maximumBytes
    }

    package var count: Int { queue.count }
    package var isEmpty: Bool { queue.isEmpty }

    package mutating func append(_ element: Element, size: Int = 0) {
        queue.append((element, size))
        bytes += size
        var missed = 0
        while queue.count > maximumCount || bytes > maximumBytes, queue.count > 1,
            let oldest = queue.popFirst()
        {
            bytes -= oldest.size
            missed += 1 + oldest.element.missed
        }
        if missed > 0 { queue[0].element.missed += missed }
    }

    package mutating func popFirst() -> Element? {
        guard let first = queue.popFirst() else { return nil }
        bytes -= first.size
        return first.element
    }

    package mutating func drain() -> [Element] {
        bytes = 0
        return queue.drain().map(\.element)
    }
}

extension BoundedQueue: Sendable where Element: Sendable {}
