// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Puts messages that leave at one time together, in their order.
///
/// It holds them for the time of a turn only: what waits for company waits in the outbox, where its call can still be
/// cancelled (`BatchDelay`).
package struct BatchGathering<Item: Sendable>: Sendable {
    package struct Limits: Hashable, Sendable {
        package var messages: Int
        package var bytes: Int

        package init(messages: Int, bytes: Int) {
            self.messages = messages
            self.bytes = bytes
        }
    }

    package struct Batch: Sendable {
        package var items: [Item]
        package var reason: FlushReason
    }

    private let limits: Limits
    private var items: [Item] = []
    private var bytes = 0

    package init(limits: Limits) {
        self.limits = limits
    }

    package var isEmpty: Bool { items.isEmpty }

    /// Adds a message of so many bytes, and returns what goes before the next one.
    ///
    /// One that is in a hurry, or has half the bytes that a batch may have, goes alone, behind what came before it.
    package mutating func add(_ item: Item, bytes: Int, goesAlone: Bool = false) -> [Batch] {
        if goesAlone || bytes >= limits.bytes / 2 {
            return flush(.urgent) + [Batch(items: [item], reason: .urgent)]
        }
        let before = self.bytes + bytes > limits.bytes ? flush(.bytes) : []
        items.append(item)
        self.bytes += bytes
        return items.count >= limits.messages ? before + flush(.count) : before
    }

    /// What is held goes.
    package mutating func flush(_ reason: FlushReason) -> [Batch] {
        guard !items.isEmpty else { return [] }
        defer {
            items = []
            bytes = 0
        }
        return [Batch(items: items, reason: reason)]
    }
}

/// Why a batch left.
package enum FlushReason: String, Hashable, Sendable, CaseIterable {
    /// It held as many messages as one may.
    case count
    /// One more message would have had too many bytes.
    case bytes
    /// Its oldest message had waited as long as it may.
    case time
    /// Nothing more was there to go with it.
    case idle
    /// A message behind it had to go alone.
    case urgent
}

/// How long messages wait for company.
package struct BatchDelay: Hashable, Sendable {
    package let linger: Duration
    /// Whether a message that finds nothing under way goes at once.
    package let flushesWhenIdle: Bool
    /// When messages left last.
    private var leftAt: Instant?

    package init(linger: Duration, flushesWhenIdle: Bool) {
        self.linger = linger
        self.flushesWhenIdle = flushesWhenIdle
    }

    /// Until when what waits since `oldest` is held back; nil when it goes now.
    package func end(oldest: Instant, isFull: Bool, at now: Instant) -> Instant? {
        guard linger > .zero, !isFull else { return nil }
        if flushesWhenIdle, leftAt.map({ $0.advanced(by: linger) <= now }) ?? true { return nil }
        let end = oldest.advanced(by: linger)
        return end > now ? end : nil
    }

    package mutating func left(at now: Instant) {
        leftAt = now
    }
}
