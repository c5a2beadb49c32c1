// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteWire

/// Names one piece of work for a storage.
package struct StorageID: Hashable, Sendable {
    package let number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }
}

/// What a storage is to do.
package enum StorageWork: Sendable, Equatable {
    case store(Value)
    case fetch(LargeDataReference)
}

/// What came of it.
package enum StorageOutcome: Sendable, Equatable {
    case stored(LargeDataReference)
    case fetched(Value)
    case failed(SenteError)
}

/// Things in their order, some of which wait for a storage: none leaves before an earlier one of its place.
///
/// Those of other places pass. Few wait for the storage at once, in number and in bytes.
struct StorageLine<Element: Sendable>: Sendable {
    typealias Place = LargeMessages.Ahead

    private enum Stage: Sendable {
        /// Can move to: underWay, ready.
        case waiting(StorageWork)
        /// Can move to: ready.
        case underWay(StorageID, since: Instant)
        /// Leaves as soon as nothing earlier of its place is there.
        case ready
    }

    private struct Entry: Sendable {
        var element: Element
        var place: Place?
        /// What it takes of the bounds.
        var weight: Int
        var stage: Stage
        /// There is work for it, or was.
        let isLarge: Bool

        var isReady: Bool { if case .ready = stage { true } else { false } }
        var isWaiting: Bool { if case .waiting = stage { true } else { false } }
    }

    private var entries: [Entry] = []
    /// The places of those that wait for the storage.
    private var places: [Place] = []
    /// Those for which there is work, or was, and those that only keep their place.
    private(set) var large = (count: 0, weight: 0)
    private(set) var others = (count: 0, weight: 0)

    /// Whether something would overtake what waits for the storage; the more urgent may.
    func holds(_ place: Place?) -> Bool {
        guard let place else { return false }
        return places.contains { $0.place == place.place && $0.priority.lane <= place.priority.lane }
    }

    /// Adds one; without work it only keeps its place.
    mutating func append(_ element: Element, at place: Place?, weighing weight: Int, _ work: StorageWork?) {
        let entry = Entry(
            element: element, place: place, weight: weight, stage: work.map { .waiting($0) } ?? .ready,
            isLarge: work != nil)
        entries.append(entry)
        note(entry)
    }

    /// The next that may begin, within `limit` bytes at once; what is done and has to wait for an earlier one counts still.
    ///
    /// `isWanted` is asked with what of the same place has begun and not left, in bytes; where it says no, all of the place
    /// waits.
    mutating func begin(
        as id: StorageID, within limit: Int, at now: Instant,
        if isWanted: (Element, _ weight: Int, _ begun: Int) -> Bool = { _, _, _ in true }
    ) -> StorageWork? {
        let begun = entries.filter { $0.isLarge && !$0.isWaiting }
        let bytes = begun.reduce(0) { $0 + $1.weight }
        let underWay = begun.count { !$0.isReady }
        guard underWay < LargeDataSettings.concurrency else { return nil }
        var unwanted: Set<WireName> = []
        for index in entries.indices {
            let entry = entries[index]
            guard case .waiting(let work) = entry.stage else { continue }
            guard underWay == 0 || entry.weight <= limit - bytes else { return nil }
            if let place = entry.place?.place {
                let before = begun.reduce(0) { $1.place?.place == place ? $0 + $1.weight : $0 }
                guard !unwanted.contains(place), isWanted(entry.element, entry.weight, before) else {
                    unwanted.insert(place)
                    continue
                }
            }
            entries[index].stage = .underWay(id, since: now)
            return work
        }
        return nil
    }

    /// Whether any has not begun.
    var isWaiting: Bool { entries.contains(where: \.isWaiting) }

    /// The storage is done with one: since when, and the element, to be changed; nil when nobody waits for it any more.
    mutating func end(_ id: StorageID, _ change: (inout Element) -> Void) -> Instant? {
        for index in entries.indices {
            guard case .underWay(id, let since) = entries[index].stage else { continue }
            change(&entries[index].element)
            entries[index].stage = .ready
            note()
            return since
        }
        return nil
    }

    /// Takes those out for which `condition` holds, and says what work of theirs is to be called off.
    mutating func remove(where condition: (Element) -> Bool) -> (elements: [Element], calledOff: [StorageID])
    {
        let gone = entries.filter { condition($0.element) }
        guard !gone.isEmpty else { return ([], []) }
        entries.removeAll { condition($0.element) }
        note()
        return (gone.map(\.element), gone.compactMap(Self.work))
    }

    /// Nothing of a place waits for the storage any more; says what is to be called off.
    mutating func giveUp(_ place: Place) -> [StorageID] {
        var calledOff: [StorageID] = []
        for index in entries.indices where entries[index].place?.place == place.place {
            if let id = Self.work(of: entries[index]) { calledOff.append(id) }
            entries[index].stage = .ready
        }
        note()
        return calledOff
    }

    /// How many of a place there are, and what those weigh that only keep theirs.
    func load(of place: Place) -> (count: Int, weight: Int) {
        entries.reduce(into: (0, 0)) { load, entry in
            guard entry.place?.place == place.place else { return }
            load.0 += 1
            if !entry.isLarge { load.1 += entry.weight }
        }
    }

    /// Takes those that nothing earlier holds, in their order.
    mutating func takeReady() -> [Element] {
        var kept = Self()
        var ready: [Element] = []
        for entry in entries {
            if entry.isReady, !kept.holds(entry.place) {
                ready.append(entry.element)
            } else {
                kept.entries.append(entry)
                kept.note(entry)
            }
        }
        self = kept
        return ready
    }

    /// The first whose time is up.
    func overdue(at now: Instant, after timeout: Duration) -> StorageID? {
        for entry in entries {
            if case .underWay(let id, let since) = entry.stage, since.advanced(by: timeout) <= now {
                return id
            }
        }
        return nil
    }

    /// Since when the oldest work is under way.
    var oldestStart: Instant? {
        entries.compactMap { if case .underWay(_, let since) = $0.stage { since } else { nil } }.min()
    }

    private static func work(of entry: Entry) -> StorageID? {
        if case .underWay(let id, _) = entry.stage { id } else { nil }
    }

    private mutating func note() {
        (places, large, others) = ([], (0, 0), (0, 0))
        for entry in entries { note(entry) }
    }

    private mutating func note(_ entry: Entry) {
        if entry.isLarge {
            large.count += 1
            large.weight += entry.weight
        } else {
            others.count += 1
            others.weight += entry.weight
        }
        if !entry.isReady, let place = entry.place { places.append(place) }
    }
}
