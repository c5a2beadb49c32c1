// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

extension ServerSession {
    /// What can wake the session, in the order in which it is served.
    enum Timer: CaseIterable {
        /// A message that a fault holds up goes.
        case heldUp
        /// A request has waited as long as it may.
        case request
        /// Every connection is pinged, and whoever has been silent for too long is closed.
        case heartbeat
        /// The pushes gathered for a user go.
        case pushes
        /// A message for a client that was away is tried again.
        case retry
        /// A client that has not come back is forgotten.
        case absence
        /// A connection's window ends (Sente's keep-alive).
        case window
        /// A client is told how many of its messages have come.
        case acknowledgement
        /// What was gathered for a connection goes.
        case gathering
        /// A message of which parts have come is let go of.
        case parts
        /// A session whose client has not come back is forgotten.
        case session
        /// A stream wants to be woken.
        case stream
    }

    private func time(of timer: Timer) -> Instant? {
        switch timer {
        case .heldUp: outbox.deadline
        case .request: requests.deadline
        case .heartbeat: heartbeatDue
        case .pushes: users.pushesDue
        case .retry: users.retryDue
        case .absence: users.absenceDue
        case .window: windows.earliest
        case .acknowledgement: acknowledgements.earliest
        case .gathering: gatherings.earliest
        case .parts: unfinished.earliest
        case .session: expiries.earliest
        case .stream: streamsDue
        }
    }

    /// When `timerFired` is due; nil: never.
    ///
    /// In the future after every `handle`.
    package var deadline: Instant? { Timer.allCases.compactMap { time(of: $0) }.min() }

    /// Serves whatever is due; each turn moves the time it served, so the loop ends.
    mutating func expire(_ timers: [Timer] = Timer.allCases) {
        for timer in timers {
            while let time = time(of: timer), time <= now.instant { serve(timer) }
        }
    }

    private mutating func serve(_ timer: Timer) {
        switch timer {
        case .heldUp: release()
        case .request: if let (id, request) = requests.takeExpired(by: now.instant) { expire(id, request) }
        case .heartbeat: beat()
        case .pushes: if let uid = users.takeFlush(by: now.instant) { flush(uid) }
        case .retry: if let held = users.takeHeld(by: now.instant) { deliver(held) }
        case .absence: if let absence = users.takeAbsence(by: now.instant) { end(absence) }
        case .window: if let id = windows.take(by: now.instant) { endWindow(of: id) }
        case .acknowledgement: if let id = acknowledgements.take(by: now.instant) { acknowledge(id) }
        case .gathering: if let id = gatherings.take(by: now.instant) { flushGathered(of: id) }
        case .parts: if let id = unfinished.take(by: now.instant) { letGoOfParts(of: id) }
        case .session: if let id = expiries.take(by: now.instant) { expireSession(of: id) }
        case .stream: expireStreams()
        }
    }

    private mutating func release() {
        var departures: [Departure] = []
        outbox.release(by: now.instant, into: &departures)
        for departure in departures { depart(departure) }
    }

    // MARK: Heartbeat

    func nextHeartbeat() -> Instant? {
        guard family != .sente else { return nil }
        return configuration.heartbeatInterval.map { now.instant.advanced(by: max($0, .milliseconds(1))) }
    }

    /// Whoever's last pong is too old is given up; the others are pinged.
    private mutating func beat() {
        heartbeatDue = linkedConnections == 0 ? nil : nextHeartbeat()
        guard let ping = encode(.ping) else { return }
        let timeout = configuration.heartbeatTimeout
        let timeoutField = Value.integer(timeout.wholeMilliseconds)
        record(.heartbeatCheck) {
            ["total-connections": Value($0.linkedConnections), "timeout-ms": timeoutField]
        }
        let dead = counters.deadConnections
        for id in connectionIDs {
            guard links[id] != nil, let connection = connections[id] else { continue }
            let silence = connection.lastPong.duration(to: now.instant)
            if silence > timeout, !outbox.faults(of: id).isSilent {
                counters.deadConnections += 1
                record(.heartbeatTimeout) {
                    [
                        "conn-id": $0.field(id), "time-since-pong-ms": .integer(silence.wholeMilliseconds),
                        "timeout-ms": timeoutField,
                    ]
                }
                record(.closingDeadConnection) { ["conn-id": $0.field(id)] }
                // The original closes with http-kit's default, 1000.
                end(id, .close(.normal, family == .vectors ? "" : "heartbeat timeout"))
            } else {
                send(ping, to: id, as: .push)
                record(.heartbeatPingSent) { ["conn-id": $0.field(id)] }
            }
        }
        if counters.deadConnections > dead {
            record(.heartbeatCleanupComplete) { ["closed-count": Value($0.counters.deadConnections - dead)] }
        }
    }
}
