// SPDX-License-Identifier: Apache-2.0

/// Lets something be told at most once in an interval, in nanoseconds of the clock that nobody sets.
package struct Cadence: Hashable, Sendable {
    package let interval: Int64
    private var last: Int64?

    package init(nanoseconds interval: Int64) {
        self.interval = interval
    }

    /// When it may be told again; nil for at once.
    package func next(at now: Int64) -> Int64? {
        guard let last, now - last < interval else { return nil }
        return last + interval
    }

    /// Whether it may be told now; then it counts as told.
    package mutating func take(at now: Int64) -> Bool {
        guard next(at: now) == nil else { return false }
        last = now
        return true
    }
}

/// Drops that nobody was told of yet, and when to tell: at most every 5 s, and only once they have stopped for the moment.
package struct DropTally: Hashable, Sendable {
    private var cadence = Cadence(nanoseconds: 5_000_000_000)
    private var count = 0
    private var since: Int64 = 0
    private var grewInThisRound = false

    package init() {}

    /// Adds drops; all times are nanoseconds of the clock that nobody sets.
    package mutating func add(_ number: Int, at now: Int64) {
        guard number > 0 else { return }
        if count == 0 { since = now }
        count += number
        grewInThisRound = true
    }

    /// What is to be told at the end of a round, if no more were dropped in it: how many, and since when.
    package mutating func told(at now: Int64, isLast: Bool = false) -> (count: Int, since: Int64)? {
        defer { grewInThisRound = false }
        guard count > 0, isLast || (!grewInThisRound && cadence.take(at: now)) else { return nil }
        defer { count = 0 }
        return (count, since)
    }

    /// Whether there is anything to tell.
    package var isOwed: Bool { count > 0 }

    /// When to ask again; nil when there is nothing to tell.
    package func next(at now: Int64) -> Int64? {
        count == 0 ? nil : cadence.next(at: now) ?? now
    }
}
