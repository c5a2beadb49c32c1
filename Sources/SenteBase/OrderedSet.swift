// SPDX-License-Identifier: Apache-2.0

/// A set that is walked in the order in which its elements were put in.
///
/// An element that is taken out leaves a gap. The gaps are closed when they are more than the elements, so that every
/// change costs the same however many elements there are.
package struct OrderedSet<Element: Hashable>: Sequence {
    private var slots: [Element?] = []
    private var indices: [Element: Int] = [:]

    package init() {}

    package var count: Int { indices.count }
    package var isEmpty: Bool { indices.isEmpty }

    package func contains(_ element: Element) -> Bool { indices[element] != nil }

    /// Whether the element is new; one that was there keeps its place.
    @discardableResult
    package mutating func insert(_ element: Element) -> Bool {
        guard indices[element] == nil else { return false }
        indices[element] = slots.count
        slots.append(element)
        return true
    }

    /// Whether the element was there.
    @discardableResult
    package mutating func remove(_ element: Element) -> Bool {
        guard let index = indices.removeValue(forKey: element) else { return false }
        slots[index] = nil
        if slots.count > 2 * indices.count + 8 { closeGaps() }
        return true
    }

    private mutating func closeGaps() {
        let elements = Array(self)
        self = OrderedSet()
        for element in elements { insert(element) }
    }

    /// The element that was put in before all others that are in it.
    package var first: Element? {
        var elements = makeIterator()
        return elements.next()
    }

    package func makeIterator() -> Iterator { Iterator(slots: slots.makeIterator()) }

    /// Not a lazy sequence over a key path: such a path is made anew each time, by the names of types.
    package struct Iterator: IteratorProtocol {
        fileprivate var slots: IndexingIterator<[Element?]>

        package mutating func next() -> Element? {
            while let slot = slots.next() {
                if let slot { return slot }
            }
            return nil
        }
    }
}

extension OrderedSet: Sendable where Element: Sendable {}
