// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// A message that is about to leave.
struct Leaving: Sendable {
    var call: CallID
    var outbound: Outbound
    var priority: SendOptions.Priority
    var weight: Int
    var queuedAt: Instant
    /// It waits for no company.
    var isHurried: Bool
    /// It was on an earlier link whole, and its session goes on.
    var isRepeat = false
    /// How many links the server closed while parts of it came.
    var closings = 0

    init(
        call: CallID, outbound: Outbound, priority: SendOptions.Priority, weight: Int, queuedAt: Instant
    ) {
        self.call = call
        self.outbound = outbound
        self.priority = priority
        isHurried = priority == .urgent
        self.weight = weight
        self.queuedAt = queuedAt
    }

    init(_ item: Outbox.Item) {
        self.init(
            call: item.call, outbound: item.outbound, priority: item.priority, weight: item.weight,
            queuedAt: item.queuedAt)
        isRepeat = item.isRepeat
        closings = item.closings
    }
}
