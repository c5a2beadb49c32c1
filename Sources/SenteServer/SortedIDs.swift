// SPDX-License-Identifier: Apache-2.0

/// A set of connections that is always walked in the order of their ids, so that a run can be repeated.
package struct SortedIDs: Hashable, Sendable, RandomAccessCollection {
    private var elements: [ConnectionID] = []

    package init() {}

    package var startIndex: Int { elements.startIndex }
    package var endIndex: Int { elements.endIndex }
    package subscript(position: Int) -> ConnectionID { elements[position] }

    package func contains(_ id: ConnectionID) -> Bool {
        let place = place(of: id)
        return place < elements.count && elements[place] == id
    }

    /// Whether the id is new.
    ///
    /// New connections have the highest ids, so this mostly appends.
    @discardableResult
    package mutating func insert(_ id: ConnectionID) -> Bool {
        let place = place(of: id)
        if place < elements.count, elements[place] == id { return false }
        elements.insert(id, at: place)
        return true
    }

    /// Whether the id was there.
    @discardableResult
    package mutating func remove(_ id: ConnectionID) -> Bool {
        let place = place(of: id)
        guard place < elements.count, elements[place] == id else { return false }
        elements.remove(at: place)
        return true
    }

    private func place(of id: ConnectionID) -> Int {
        if let last = elements.last, last < id { return elements.count }
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
