// SPDX-License-Identifier: Apache-2.0

/// A set of values that keeps the order of insertion, which equality and hashing do not see.
public struct ValueSet: Sendable {
    private(set) var items: [Value]
    private var index: KeyIndex

    /// Makes an empty set.
    public init() {
        items = []
        index = KeyIndex()
    }

    /// Makes a set; of equal values the first stays.
    public init(_ values: some Sequence<Value>) {
        let items = Array(values)
        if let index = KeyIndex(distinct: items, stride: 1) {
            self.items = items
            self.index = index
        } else {
            (self.items, index) = ([], KeyIndex())
            for value in items { insert(value) }
        }
    }

    /// Makes a set of values that differ, and their index.
    init(items: [Value], index: KeyIndex) {
        self.items = items
        self.index = index
    }

    /// How many values there are.
    public var count: Int { items.count }

    /// Whether there are none.
    public var isEmpty: Bool { items.isEmpty }

    /// Whether the value is in the set.
    public func contains(_ value: Value) -> Bool {
        index.position(of: value, in: items, stride: 1) != nil
    }

    /// Adds a value; says whether it was new.
    @discardableResult public mutating func insert(_ value: Value) -> Bool {
        guard !contains(value) else { return false }
        items.append(value)
        index.added(at: items.count - 1, in: items, stride: 1)
        return true
    }

    /// Removes a value and says whether it was there, in time proportional to the size of the set.
    @discardableResult public mutating func remove(_ value: Value) -> Bool {
        guard let position = index.position(of: value, in: items, stride: 1) else { return false }
        items.remove(at: position)
        index.rebuild(items, stride: 1)
        return true
    }
}

extension ValueSet: Hashable {
    /// Whether both hold the same values, in whatever order.
    public static func == (left: ValueSet, right: ValueSet) -> Bool {
        left.count == right.count && left.items.allSatisfy(right.contains)
    }

    /// Feeds the values without regard to order.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for value in items { sum &+= value.hashValue }
        hasher.combine(count)
        hasher.combine(sum)
    }
}

extension ValueSet: Sequence {
    /// Walks the values in order.
    public func makeIterator() -> IndexingIterator<[Value]> { items.makeIterator() }

    /// How many values there are.
    public var underestimatedCount: Int { count }
}

extension ValueSet: ExpressibleByArrayLiteral {
    /// Makes a set of a literal; equal values count once.
    public init(arrayLiteral elements: Value...) {
        self.init(elements)
    }
}

extension ValueSet: CustomStringConvertible {
    /// The set as EDN.
    public var description: String { Value.set(self).description }
}
