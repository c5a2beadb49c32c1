// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// How many signals may pass in a time.
public struct RateLimit: Hashable, Sendable {
    /// What is counted together.
    public enum Key: Hashable, Sendable {
        /// All signals.
        case all
        /// Those of a namespace.
        case namespace
        /// Those of an id; without ids, those of a namespace.
        case id
    }

    /// How many pass in each interval.
    public var count: Int
    /// How long an interval lasts, from the first signal in it.
    public var interval: Duration
    /// What is counted together.
    ///
    /// The default is `.id`.
    public var key: Key

    /// Makes a limit; a count below 0 counts as 0, an interval below 1 ns as 1 ns.
    public init(_ count: Int, per interval: Duration, each key: Key = .id) {
        self.count = max(0, count)
        self.interval = max(interval, .nanoseconds(1))
        self.key = key
    }

    /// What a signal is counted under.
    package func key(namespace: String, id: String?) -> String {
        switch key {
        case .all: ""
        case .namespace: namespace
        case .id: id ?? namespace
        }
    }
}

/// Counts signals under a limit.
package struct RateLimiter: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        /// It passes, and tells how many did not: those that were owed before it, and of its key those since the last that did.
        case passes(suppressed: Int)
        case suppressed
    }

    private struct Window: Hashable, Sendable {
        var start: Int64
        var passed = 0
        var suppressed = 0
    }

    /// As many keys are kept; ids made at run time must not grow without bound.
    package static let maximumKeys = 1_024

    package let limit: RateLimit
    private let interval: Int64
    private var windows: [String: Window] = [:]
    /// For all keys that found no room.
    private var others = Window(start: .min)

    package init(_ limit: RateLimit) {
        self.limit = limit
        interval = limit.interval.wholeNanoseconds
    }

    package var keys: Int { windows.count }

    /// Counts one more signal; the time in nanoseconds, of any clock.
    ///
    /// What limits before this one have it tell is told if it passes, and else is this one's to tell.
    package mutating func take(_ key: String, owing owed: Int = 0, at now: Int64) -> Decision {
        if let window = windows[key] {
            let (next, decision) = taken(window, owing: owed, at: now)
            windows[key] = next
            return decision
        }
        if windows.count >= Self.maximumKeys { forgetEnded(at: now) }
        guard windows.count < Self.maximumKeys else {
            let (next, decision) = taken(others, owing: owed, at: now)
            others = next
            return decision
        }
        let (next, decision) = taken(Window(start: now), owing: owed, at: now)
        windows[key] = next
        return decision
    }

    private func taken(_ window: Window, owing owed: Int, at now: Int64) -> (Window, Decision) {
        var window = window
        if hasEnded(window, at: now) { (window.start, window.passed) = (now, 0) }
        guard window.passed < limit.count else {
            window.suppressed += 1 + owed
            return (window, .suppressed)
        }
        let suppressed = owed + window.suppressed
        (window.passed, window.suppressed) = (window.passed + 1, 0)
        return (window, .passes(suppressed: suppressed))
    }

    /// A clock that was set back by an interval ends a window too; else nothing would pass until it is where it was.
    ///
    /// What is a little older was raised by another thread a moment ago, and is in the window.
    private func hasEnded(_ window: Window, at now: Int64) -> Bool {
        let (age, overflow) = now.subtractingReportingOverflow(window.start)
        return overflow || age.magnitude >= UInt64(interval)
    }

    /// A window that still owes somebody its count stays.
    private mutating func forgetEnded(at now: Int64) {
        windows = windows.filter { $0.value.suppressed > 0 || !hasEnded($0.value, at: now) }
    }
}
