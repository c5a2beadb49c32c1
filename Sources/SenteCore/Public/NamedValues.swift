// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// Names and their values, in the order they were given; a name may come more than once.
///
/// What a handshake carries is made of them: headers, cookies, and the parameters of a URL's query.
///
/// ```swift
/// configuration.headers = ["User-Agent": "shop/2.1"]
/// configuration.parameters["client-id"] = "7"
/// configuration.parameters.append("a", named: "tag")
/// ```
public struct NamedValues: Hashable, Sendable {
    /// One name with its value.
    public struct Pair: Hashable, Sendable {
        /// As it is sent, before any encoding.
        public var name: String
        /// As it is sent, before any encoding.
        public var value: String

        /// Makes a pair.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The pairs, in order.
    public private(set) var pairs: [Pair]

    /// Makes them of pairs, in order.
    public init(_ pairs: [Pair] = []) {
        self.pairs = pairs
    }

    /// Makes them of a dictionary, in the order of its names.
    public init(_ dictionary: [String: String]) {
        pairs = dictionary.sorted { $0.key < $1.key }.map { Pair(name: $0.key, value: $0.value) }
    }

    /// Adds a value behind the others, and keeps those of the same name.
    public mutating func append(_ value: String, named name: String) {
        pairs.append(Pair(name: name, value: value))
    }

    /// The first value of a name.
    ///
    /// Setting it replaces every value of that name, in the first one's place; nil removes them.
    public subscript(name: String) -> String? {
        get { pairs.first { WireName($0.name) == WireName(name) }?.value }
        set {
            let place = pairs.firstIndex { WireName($0.name) == WireName(name) } ?? pairs.endIndex
            pairs.removeAll { WireName($0.name) == WireName(name) }
            if let newValue { pairs.insert(Pair(name: name, value: newValue), at: place) }
        }
    }

    /// Whether there is none.
    public var isEmpty: Bool { pairs.isEmpty }
}

extension NamedValues: ExpressibleByDictionaryLiteral {
    /// Keeps the order of the literal, and names that come twice.
    public init(dictionaryLiteral elements: (String, String)...) {
        pairs = elements.map { Pair(name: $0.0, value: $0.1) }
    }
}

extension NamedValues: Sequence {
    /// The pairs, in order.
    public func makeIterator() -> Array<Pair>.Iterator { pairs.makeIterator() }
}
