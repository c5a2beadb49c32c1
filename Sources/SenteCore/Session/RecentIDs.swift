// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The last identifiers seen, bounded: the oldest is forgotten first.
///
/// Only hashes are kept, so that a server that sends long identifiers fills no memory. They are 64 bits wide and
/// seeded by the process: two of a thousand meet by chance once in 10¹³ times.
package struct RecentIDs: Sendable {
    /// By how many milliseconds a server's stamps of one message may differ, live and kept; a server that numbers anew has
    /// started anew, which takes longer.
    private static let tolerance = 1_000

    private let limit: Int
    private var seen: [Int: Entry] = [:]
    private var order = Queue<Int>()
    /// How many were remembered since the beginning: where in their order a moment lies.
    package private(set) var count: UInt64 = 0

    private struct Entry: Sendable {
        var time: Int64?
        /// `count` when it came.
        var place: UInt64
    }

    package init(limit: Int = 1_024) {
        self.limit = limit
    }

    /// Remembers the id.
    ///
    /// Returns its place in the order when it was seen before, with about the same time; nil when it is new.
    ///
    /// Servers number their messages anew after a restart, so an id alone proves nothing when both times are known.
    package mutating func insert(_ id: String, time: Int64? = nil) -> UInt64? {
        let hash = WireName(id).hashValue
        count += 1
        if let before = seen.updateValue(Entry(time: time, place: count), forKey: hash) {
            guard let seenTime = before.time, let time else { return before.place }
            let (distance, overflow) = seenTime.subtractingReportingOverflow(time)
            return overflow || distance.magnitude > Self.tolerance ? nil : before.place
        }
        order.append(hash)
        if order.count > limit, let oldest = order.popFirst() { seen[oldest] = nil }
        return nil
    }
}
