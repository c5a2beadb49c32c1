// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The last identifiers seen, bounded: the oldest is forgotten first.
///
/// Only hashes are kept, so that a server that sends long identifiers fills no memory. They are 64 bits wide and
/// seeded by the process: two of a thousand meet by chance once in 10¹³ times.
package struct RecentIDs: Sendable {
    private let limit: Int
    private var times: [Int: Int64?] = [:]
    private var order = Queue<Int>()

    package init(limit: Int = 1_024) {
        self.limit = limit
    }

    /// Remembers the id.
    ///
    /// False when it was seen before with about the same time.
    ///
    /// Servers number their messages anew after a restart, so an id alone proves nothing when both times are known.
    package mutating func insert(_ id: String, time: Int64? = nil) -> Bool {
        let hash = WireName(id).hashValue
        if let seen = times.updateValue(time, forKey: hash) {
            guard let seen, let time else { return false }
            let (distance, overflow) = seen.subtractingReportingOverflow(time)
            return overflow || distance.magnitude > 5_000
        }
        order.append(hash)
        if order.count > limit, let oldest = order.popFirst() { times[oldest] = nil }
        return true
    }
}
