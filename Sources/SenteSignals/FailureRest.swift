// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// How long a handler that fails again and again is left alone: after ten failures in a row 100 ms, twice as long after each
/// further one, 30 s at most; one call that works ends it.
package struct FailureRest: Hashable, Sendable {
    package static let patience = 10
    private static let first: Int64 = 100_000_000
    private static let longest: Int64 = 30_000_000_000

    package private(set) var failuresInARow = 0
    private var until: Int64?

    package init() {}

    /// Whether it has had enough, whatever time it is.
    package var hasRunOut: Bool { failuresInARow >= Self.patience }

    /// Whether it is not to be called at that time, in nanoseconds of the clock that nobody sets.
    package func holds(at now: Int64) -> Bool { until.map { now < $0 } ?? false }

    package mutating func failed(at now: Int64) {
        failuresInARow += 1
        guard hasRunOut else { return }
        let doublings = min(failuresInARow - Self.patience, 16)
        until = now + min(Self.first << Int64(doublings), Self.longest)
    }

    package mutating func worked() {
        failuresInARow = 0
        until = nil
    }
}
