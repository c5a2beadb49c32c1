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

    package func makeIterator() -> some IteratorProtocol<Element> {
        slots.lazy.compactMap(\.self).makeIterator()
    }
}

extension OrderedSet: Sendable where Element: Sendable {}
