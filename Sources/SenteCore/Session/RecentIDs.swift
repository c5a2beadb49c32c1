// SPDX-License-Identifier: Apache-2.0

/// The last identifiers seen, bounded: the oldest is forgotten first.
struct RecentIDs: Sendable {
    private let limit: Int
    private var times: [String: Int64?] = [:]
    private var order = Queue<String>()

    init(limit: Int = 1_024) {
        self.limit = limit
    }

    /// Remembers the id.
    ///
    /// False when it was seen before with about the same time.
    ///
    /// Servers number their messages anew after a restart, so an id alone proves nothing when both times are known.
    mutating func insert(_ id: String, time: Int64? = nil) -> Bool {
        if let seen = times.updateValue(time, forKey: id) {
            guard let seen, let time else { return false }
            return seen.subtractingReportingOverflow(time).partialValue.magnitude > 5_000
        }
        order.append(id)
        if order.count > limit, let oldest = order.popFirst() { times[oldest] = nil }
        return true
    }
}
