// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Names a handler in a table.
package struct HandlerID: Hashable, Sendable, Comparable {
    fileprivate let number: UInt64

    package static func < (left: HandlerID, right: HandlerID) -> Bool { left.number < right.number }
}

/// Who hears which event, and until when; the closures themselves are kept elsewhere.
///
/// A handler for one event is claimed before its closure starts, and only the first claim succeeds: so it runs once,
/// whatever its closure does, and a time-out, a close or an `off` that came first takes it away.
package struct HandlerTable: Sendable {
    package enum Filter: Hashable, Sendable {
        case id(Keyword)
        case all
        /// A closure decides, which whoever dispatches asks.
        case predicate
    }

    private struct Entry: Sendable {
        var filter: Filter
        var isOnce: Bool
        var deadline: Instant?
    }

    private var entries: [HandlerID: Entry] = [:]
    /// Those of one id, and those that may hear any; each in the order they were added.
    private var byEvent: [Keyword: [HandlerID]] = [:]
    private var others: [HandlerID] = []
    private var last: UInt64 = 0

    package init() {}

    package var count: Int { entries.count }

    package func contains(_ id: HandlerID) -> Bool { entries[id] != nil }

    /// When the next one's time is up.
    package var deadline: Instant? { entries.values.lazy.compactMap(\.deadline).min() }

    package mutating func add(_ filter: Filter, isOnce: Bool = false, deadline: Instant? = nil) -> HandlerID {
        last += 1
        let id = HandlerID(number: last)
        entries[id] = Entry(filter: filter, isOnce: isOnce, deadline: deadline)
        if case .id(let event) = filter { byEvent[event, default: []].append(id) } else { others.append(id) }
        return id
    }

    /// Whom an event may concern, in the order they were added.
    package func candidates(for event: Keyword) -> [HandlerID] {
        guard let own = byEvent[event] else { return others }
        return others.isEmpty ? own : (own + others).sorted()
    }

    /// Whether the handler may run now; one for a single event is taken out by it.
    package mutating func claim(_ id: HandlerID) -> Bool {
        guard let entry = entries[id] else { return false }
        if entry.isOnce { remove(id) }
        return true
    }

    /// False when it was gone already.
    @discardableResult
    package mutating func remove(_ id: HandlerID) -> Bool {
        guard let entry = entries.removeValue(forKey: id) else { return false }
        guard case .id(let event) = entry.filter else {
            others.removeAll { $0 == id }
            return true
        }
        byEvent[event]?.removeAll { $0 == id }
        if byEvent[event]?.isEmpty == true { byEvent[event] = nil }
        return true
    }

    /// Takes out the handlers of an event's id, or all.
    package mutating func removeAll(of event: Keyword? = nil) -> [HandlerID] {
        let ids = event.map { byEvent[$0] ?? [] } ?? entries.keys.sorted()
        for id in ids { remove(id) }
        return ids
    }

    /// Takes out those whose time is up.
    package mutating func expire(at now: Instant) -> [HandlerID] {
        takeOut { ($0.deadline ?? .distantFuture) <= now }
    }

    /// Takes out those that await a single event: it will not come on this connection.
    package mutating func endOnce() -> [HandlerID] {
        takeOut { $0.isOnce }
    }

    private mutating func takeOut(where matches: (Entry) -> Bool) -> [HandlerID] {
        let ids = entries.filter { matches($0.value) }.keys.sorted()
        for id in ids { remove(id) }
        return ids
    }
}
