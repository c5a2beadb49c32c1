// SPDX-License-Identifier: Apache-2.0

/// How the dispatcher rests between rounds: callers pay nothing while it is about, and 5 µs to wake it once it is parked.
package struct RestPlan: Hashable, Sendable {
    package enum Rest: Hashable, Sendable {
        /// Look again then, or when a buffer is half full or something urgent came.
        case linger(until: Int64)
        /// Until something comes, or then.
        case park(until: Int64?)
    }

    /// Between two looks while signals come: a buffer is not half full by then, so nobody has to wake anybody; and each look takes
    /// from all callers what they had in their processors' caches, so that to look all the time costs them more than it gains.
    package static let nap: Int64 = 50_000
    /// So long after a signal the next is likely soon.
    package static let watch: Int64 = 200_000
    package static let linger: Int64 = 10_000_000
    package static let rest: Int64 = 1_000_000_000

    private var lastWork: Int64

    package init(at now: Int64) {
        lastWork = now
    }

    /// How to rest after a round; `wake` is when something is due in any case.
    package mutating func next(worked: Bool, at now: Int64, wake: Int64?) -> Rest {
        if worked { lastWork = now }
        let quiet = now - lastWork
        guard quiet < Self.rest else { return .park(until: wake) }
        return .linger(until: min(now + (quiet < Self.watch ? Self.nap : Self.linger), wake ?? .max))
    }
}
