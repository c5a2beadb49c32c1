// SPDX-License-Identifier: Apache-2.0

/// How the dispatcher rests between rounds: callers pay nothing while it is about, and 5 µs to wake it once it is parked.
package struct RestPlan: Hashable, Sendable {
    package enum Rest: Hashable, Sendable {
        /// Look again at once, after others had their turn.
        case none
        /// Look again then, or when a buffer is half full or something urgent came.
        case linger(until: Int64)
        /// Until something comes, or then.
        case park(until: Int64?)
    }

    package static let linger: Int64 = 10_000_000
    package static let rest: Int64 = 1_000_000_000
    /// So long after a signal the next is likely at full speed: then nobody has to wake anybody.
    package static let watch: Int64 = 50_000

    private var lastWork: Int64

    package init(at now: Int64) {
        lastWork = now
    }

    /// How to rest after a round; `wake` is when something is due in any case.
    package mutating func next(worked: Bool, at now: Int64, wake: Int64?) -> Rest {
        if worked { lastWork = now }
        let quiet = now - lastWork
        if quiet < Self.watch { return .none }
        if quiet < Self.rest { return .linger(until: min(now + Self.linger, wake ?? .max)) }
        return .park(until: wake)
    }
}
