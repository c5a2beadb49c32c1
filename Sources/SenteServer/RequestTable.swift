// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The requests that wait for their answers, by request-id and by time.
struct RequestTable: Sendable {
    struct Request {
        var requester: ConnectionID
        var createdAt: Instant
        /// Nobody is told of an answer or of the end of its time.
        var isSilent: Bool
        /// The step of a trace that whoever asks named.
        var trace: TraceContext?
    }

    private struct Row {
        var request: Request
        var ticket: DeadlineQueue<WireName>.Ticket
    }

    private var rows: [WireName: Row] = [:]
    private var deadlines = DeadlineQueue<WireName>()
    private var last = 0

    var count: Int { rows.count }
    var deadline: Instant? { deadlines.earliest }
    var steps: Int { deadlines.steps }

    /// `req-<ms>-<n>` as in sente-lite, but never the same twice: clients tell a request that comes again by its id.
    mutating func newID(at now: Moment) -> WireName {
        last += 1
        return WireName("req-\(now.wallMilliseconds)-\(last)")
    }

    mutating func add(_ id: WireName, _ request: Request, due: Instant) {
        rows[id] = Row(request: request, ticket: deadlines.add(id, due: due))
    }

    @discardableResult
    mutating func remove(_ id: WireName) -> Request? {
        guard let row = rows.removeValue(forKey: id) else { return nil }
        deadlines.remove(row.ticket)
        return row.request
    }

    mutating func takeExpired(by now: Instant) -> (WireName, Request)? {
        guard let id = deadlines.take(by: now), let row = rows.removeValue(forKey: id) else { return nil }
        return (id, row.request)
    }

    /// The number of requests that have waited longer than `age`.
    func count(olderThan age: Duration, at now: Instant) -> Int {
        rows.values.reduce(0) { $0 + ($1.request.createdAt.duration(to: now) > age ? 1 : 0) }
    }
}
