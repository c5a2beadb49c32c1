// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Decides when signals go to a server, how many at once, and what becomes of those that cannot.
///
///     waiting ──► in flight (one batch at a time) ──► sent
///        ▲                   │  did not leave
///        └───────────────────┘
///
/// What may have arrived is never sent again, so a signal arrives once at most. It is given back, as is what finds no room, the
/// oldest first, and what is left at the end.
package struct RemoteBatcher: Sendable {
    package struct Settings: Hashable, Sendable {
        /// A batch leaves when there are as many; it has no more.
        package var count: Int
        /// It leaves when its oldest has waited so long.
        package var interval: Duration
        /// How many may wait.
        package var maximumCount: Int
        /// How many bytes those may have.
        package var maximumBytes: Int

        package init(
            count: Int = 10, interval: Duration = .seconds(1), maximumCount: Int = 1_000,
            maximumBytes: Int = 1 << 20
        ) {
            self.count = max(1, count)
            self.interval = max(.zero, interval)
            self.maximumCount = max(1, maximumCount)
            self.maximumBytes = max(0, maximumBytes)
        }
    }

    /// A signal on its way.
    package struct Item: Hashable, Sendable {
        package var value: Value
        /// What it weighs, in bytes.
        package var weight: Int

        package init(_ value: Value, weight: Int) {
            self.value = value
            self.weight = weight
        }
    }

    /// What became of a batch.
    package enum Outcome: Sendable { case sent, notSent, unknown }

    package struct Counts: Hashable, Sendable {
        package var accepted = 0
        package var sent = 0
        /// Of a batch that may have arrived.
        package var unknown = 0
        package var givenBack = 0
    }

    private let settings: Settings
    private var waiting = Queue<(item: Item, since: Instant)>()
    private var bytes = 0
    private var inFlight: [(item: Item, since: Instant)] = []
    private var isOpen = false
    private var isHurried = false
    /// After a batch that did not leave the next waits.
    private var notBefore = Instant.distantPast
    package private(set) var counts = Counts()

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    /// How many wait or are on their way.
    package var count: Int { waiting.count + inFlight.count }

    /// Takes a signal; what has no room any more comes back.
    package mutating func add(_ item: Item, at now: Instant) -> [Item] {
        counts.accepted += 1
        waiting.append((item, now))
        bytes += item.weight
        return trimmed()
    }

    /// The connection is there, or not.
    package mutating func connectionChanged(isOpen: Bool) {
        // A link that has come anew is worth a try at once.
        if isOpen, !self.isOpen { notBefore = .distantPast }
        self.isOpen = isOpen
    }

    /// What waits now does not wait for company.
    package mutating func hurry() { isHurried = !waiting.isEmpty }

    /// The batch that is to leave now, if any; its end is told with `ended`.
    package mutating func next(at now: Instant) -> [Item]? {
        guard let due = deadline, due <= now else { return nil }
        while inFlight.count < settings.count, let first = waiting.popFirst() {
            bytes -= first.item.weight
            inFlight.append(first)
        }
        if waiting.isEmpty { isHurried = false }
        return inFlight.map(\.item)
    }

    /// The batch has ended; what has no room any more comes back, and what may have arrived.
    package mutating func ended(_ outcome: Outcome, at now: Instant) -> [Item] {
        let batch = inFlight
        inFlight = []
        switch outcome {
        case .sent: counts.sent += batch.count
        case .unknown:
            counts.unknown += batch.count
            return batch.map(\.item)
        case .notSent:
            notBefore = now.advanced(by: settings.interval)
            let later = waiting.drain()
            for element in batch + later { waiting.append(element) }
            bytes += batch.reduce(0) { $0 + $1.item.weight }
            return trimmed()
        }
        return []
    }

    /// Everything that waits, given back, and before it the batch whose end nobody waits for any more.
    package mutating func takeAll() -> [Item] {
        bytes = 0
        counts.unknown += inFlight.count
        counts.givenBack += waiting.count
        defer { inFlight = [] }
        return (inFlight + waiting.drain()).map(\.item)
    }

    /// When a batch is to leave; nil when none is, as things stand.
    package var deadline: Instant? {
        guard isOpen, inFlight.isEmpty, let first = waiting.first else { return nil }
        let isFull = waiting.count >= settings.count || isHurried
        return max(isFull ? first.since : first.since.advanced(by: settings.interval), notBefore)
    }

    private mutating func trimmed() -> [Item] {
        var dropped: [Item] = []
        while waiting.count > settings.maximumCount || bytes > settings.maximumBytes,
            let first = waiting.popFirst()
        {
            bytes -= first.item.weight
            dropped.append(first.item)
        }
        counts.givenBack += dropped.count
        return dropped
    }
}
