// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// What a subscriber got of a run of numbers, and since when it was back.
actor Arrivals {
    private var counts: [Int] = []
    private var states: [(state: SubscriptionState, at: ContinuousClock.Instant)] = []

    /// A run of so many numbers begins.
    func begin(_ count: Int) {
        counts = Array(repeating: 0, count: count)
        states = []
    }

    func came(_ number: Int64?) {
        guard let number, counts.indices.contains(Int(clamping: number)) else { return }
        counts[Int(clamping: number)] += 1
    }

    func became(_ state: SubscriptionState) { states.append((state, .now)) }

    /// When the node confirmed the channel after it had been lost; nil while it has not.
    var backAt: ContinuousClock.Instant? {
        let lost = states.drop { $0.state != .subscribing }
        return lost.first { $0.state == .subscribed }?.at
    }

    var hasLast: Bool { counts.last.map { $0 > 0 } ?? true }
    var lost: Int { counts.count { $0 == 0 } }
    var doubled: Int { counts.count { $0 > 1 } }
}
