// SPDX-License-Identifier: Apache-2.0

/// A map with keys of any kind that keeps the order of insertion.
///
/// The order shows when it is iterated and written; equality and hashing do not see it. A key set again keeps
/// its place and takes the new value.
public struct ValueMap: Sendable {
    /// Keys and values in turns.
    private(set) var items: [Value]
    private var index: KeyIndex

    /// Makes an empty map.
    public init() {
        items = []
        index = KeyIndex()
    }

    /// Makes a map of pairs; of equal keys the last wins.
    public init(_ pairs: some Sequence<(Value, Value)>) {
        var stack = ValueStack()
        for (key, value) in pairs {
            stack.pushKey(key, fingerprint: Fingerprint.of(key))
            stack.push(value)
        }
        self = stack.takeMap(from: 0)
    }

    /// Makes a map of keys and values in turns; of equal keys the last wins.
    init(items: [Value]) {
        if let index = KeyIndex(distinct: items, stride: 2) {
            self.items = items
            self.index = index
        } else {
            (self.items, index) = ([], KeyIndex())
            for position in stride(from: 0, to: items.count, by: 2) {
                self[items[position]] = items[position + 1]
            }
        }
    }

    /// Makes a map of keys and values in turns that are few and known to differ.
    package init(fewDistinct items: [Value]) {
        self.init(items: items, index: KeyIndex())
    }

    /// Makes a map of keys and values in turns, and their index.
    init(items: [Value], index: KeyIndex) {
        self.items = items
        self.index = index
    }

    /// How many keys there are.
    public var count: Int { items.count / 2 }

    /// Whether there are none.
    public var isEmpty: Bool { items.isEmpty }

    /// The keys in order.
    public var keys: [Value] { stride(from: 0, to: items.count, by: 2).map { items[$0] } }

    /// The values in the order of their keys.
    public var values: [Value] { stride(from: 1, to: items.count, by: 2).map { items[$0] } }

    /// Where among the items a key stands.
    func position(of key: Value) -> Int? { index.position(of: key, in: items, stride: 2) }

    /// Where among the items a text stands as a key.
    func position(of key: String) -> Int? { index.position(of: key, in: items, stride: 2) }

    /// Where among the items a text, or else the keyword of that text, stands as a key.
    func position(named name: String) -> Int? { index.position(named: name, in: items, stride: 2) }

    /// What stands under a text, or else under the keyword of that text.
    package func value(named name: String) -> Value? { position(named: name).map { items[$0 + 1] } }

    /// The text, or the text of the keyword, that stands under a text, or else under the keyword of that text.
    package func text(named name: String) -> String? {
        guard let position = position(named: name) else { return nil }
        return switch items[position + 1] {
        case .string(let text): text
        case .keyword(let keyword): keyword.text
        default: nil
        }
    }

    /// The whole number that stands there.
    package func integer(named name: String) -> Int64? {
        guard let position = position(named: name) else { return nil }
        return items[position + 1].integerValue
    }

    /// What stands under a key; setting nil removes it.
    public subscript(_ key: Value) -> Value? {
        get { position(of: key).map { items[$0 + 1] } }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            if let position = position(of: key) {
                items[position + 1] = newValue
            } else {
                items.append(key)
                items.append(newValue)
                index.added(at: items.count - 2, in: items, stride: 2)
            }
        }
    }

    /// What stands under a text; setting nil removes it.
    public subscript(_ key: String) -> Value? {
        get { position(of: key).map { items[$0 + 1] } }
        set { self[Value.string(key)] = newValue }
    }

    /// What stands under a keyword; setting nil removes it.
    public subscript(_ key: Keyword) -> Value? {
        get { self[Value.keyword(key)] }
        set { self[Value.keyword(key)] = newValue }
    }

    /// Removes a key and returns what stood under it; takes time in proportion to the size of the map.
    @discardableResult public mutating func removeValue(forKey key: Value) -> Value? {
        guard let position = position(of: key) else { return nil }
        let value = items[position + 1]
        items.removeSubrange(position...(position + 1))
        index.rebuild(items, stride: 2)
        return value
    }

    /// Makes room for that many keys.
    public mutating func reserveCapacity(_ count: Int) {
        items.reserveCapacity(count * 2)
    }
}

extension ValueMap: Hashable {
    /// Whether both hold equal values under equal keys, in whatever order.
    public static func == (left: ValueMap, right: ValueMap) -> Bool {
        guard left.items.count == right.items.count else { return false }
        for position in stride(from: 0, to: left.items.count, by: 2) {
            let key = left.items[position]
            // Maps of the same making have the same order.
            let found =
                right.items[position] == key
                ? position : right.index.position(of: key, in: right.items, stride: 2)
            guard let found, left.items[position + 1] == right.items[found + 1] else { return false }
        }
        return true
    }

    /// Feeds the entries without regard to order.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in self {
            var entry = Hasher()
            entry.combine(key)
            entry.combine(value)
            sum &+= entry.finalize()
        }
        hasher.combine(count)
        hasher.combine(sum)
    }
}

extension ValueMap: Sequence {
    /// Walks the entries in order.
    public struct Iterator: IteratorProtocol {
        let items: [Value]
        var position = 0

        /// The next entry.
        public mutating func next() -> (key: Value, value: Value)? {
            guard position < items.count else { return nil }
            defer { position += 2 }
            return (items[position], items[position + 1])
        }
    }

    /// Walks the entries in order.
    public func makeIterator() -> Iterator { Iterator(items: items) }

    /// How many keys there are.
    public var underestimatedCount: Int { count }
}

extension ValueMap: ExpressibleByDictionaryLiteral {
    /// Makes a map of a literal; of equal keys the last wins.
    public init(dictionaryLiteral elements: (Value, Value)...) {
        self.init(elements)
    }
}

extension ValueMap: CustomStringConvertible {
    /// The map as EDN.
    public var description: String { Value.map(self).description }
}
