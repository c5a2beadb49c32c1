// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Something that says how much of its kind was lost right before it.
package protocol CountsMissed: Sendable {
    var missed: Int { get set }
}

/// What one consumer has not taken yet, bounded by number and size: the oldest goes.
///
/// The newest always stays, whatever its size.
package struct BoundedQueue<Element> {
    private var elements = Queue<Element>()
    /// One for each element where bytes are bounded, else none.
    private var sizes = Queue<Int>()
    private var bytes = 0
    private let maximumCount: Int
    private let maximumBytes: Int
    /// Tells the next element of the one that went.
    private let note: (@Sendable (_ lost: Element, _ next: inout Element) -> Void)?

    /// Nobody is told what goes; without a count nothing does, for those whose sender has a bound.
    package init(latest count: Int = .max) {
        self.init(count, .max, nil)
    }

    /// The element behind those that went says how many.
    package init(maximumCount: Int, maximumBytes: Int = .max) where Element: CountsMissed {
        self.init(maximumCount, maximumBytes) { $1.missed += 1 + $0.missed }
    }

    private init(
        _ maximumCount: Int, _ maximumBytes: Int, _ note: (@Sendable (Element, inout Element) -> Void)?
    ) {
        self.maximumCount = max(1, maximumCount)
        self.maximumBytes = maximumBytes
        self.note = note
    }

    package var count: Int { elements.count }
    package var isEmpty: Bool { elements.isEmpty }

    /// Whether it was empty before.
    @discardableResult
    package mutating func append(_ element: Element, size: Int = 0) -> Bool {
        let wasEmpty = elements.isEmpty
        elements.append(element)
        if maximumBytes < .max {
            sizes.append(size)
            bytes += size
        }
        trim()
        return wasEmpty
    }

    package mutating func append(contentsOf elements: [Element]) {
        for element in elements { append(element) }
    }

    package mutating func popFirst() -> Element? {
        if let size = sizes.popFirst() { bytes -= size }
        return elements.popFirst()
    }

    package mutating func drain() -> [Element] {
        bytes = 0
        sizes = Queue()
        return elements.drain()
    }

    private mutating func trim() {
        while elements.count > maximumCount || bytes > maximumBytes, elements.count > 1,
            let oldest = popFirst()
        {
            note?(oldest, &elements[0])
        }
    }
}

extension BoundedQueue: Sendable where Element: Sendable {}
