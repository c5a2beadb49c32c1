// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Makes few changes of the network out of many: the first counts at once, whatever follows within a second counts as one
/// when the second is over.
///
/// A link that comes up says so with a dozen words (carrier, addresses, routes), and a cable that is badly plugged in
/// never stops talking. A way that opens is not held up by one that has just closed.
package struct PathChanges: Sendable {
    /// The least time between two that count.
    package static let interval: Duration = .seconds(1)

    private var last: (change: NetworkChange, until: Instant)?
    private var waiting: NetworkChange?

    package init() {}

    /// When what waits will count.
    package var deadline: Instant? { waiting == nil ? nil : last?.until }

    /// Notes a change; what counts now, if anything.
    package mutating func noticed(_ change: NetworkChange, at now: Instant) -> NetworkChange? {
        // A way that opened outweighs those that closed.
        if waiting != .available { waiting = change }
        return popDue(at: now)
    }

    /// What has waited long enough.
    package mutating func popDue(at now: Instant) -> NetworkChange? {
        guard let change = waiting else { return nil }
        if let last, now < last.until, last.change == .available || change == .lost { return nil }
        last = (change, now.advanced(by: Self.interval))
        waiting = nil
        return change
    }
}
