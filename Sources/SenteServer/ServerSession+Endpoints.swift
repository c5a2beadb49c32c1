// SPDX-License-Identifier: Apache-2.0

package import SenteBase

extension ServerSession {
    /// What becomes of an HTTP request.
    package enum Admission: Hashable, Sendable {
        /// It becomes a WebSocket; `connected` follows when it is open.
        case upgrade
        /// It gets this answer and the connection ends.
        case answer(Refusal)
        /// The connection ends without an answer.
        case disconnect
    }

    /// Decides on a request.
    ///
    /// Any target upgrades, as with sente-lite; `/health`, `/stats` and `/channels` answer any method;
    /// everything else, `/` included, is not found.
    package mutating func admit(target: String, wantsUpgrade: Bool, at now: Moment) -> Admission {
        guard wantsUpgrade else { return .answer(page(target, at: now)) }
        switch outbound.faults(of: nil).refusing {
        case .answer(let refusal): return .answer(refusal)
        case .disconnect: return .disconnect
        case nil: break
        }
        guard !isStopped, connections.count < configuration.maximumConnections else {
            counters.rejectedConnections += 1
            return .answer(
                Refusal(
                    status: 503, headers: [.init("Content-Type", "text/plain"), .init("Retry-After", "1")],
                    body: Array("The server is full. Try again later.\n".utf8)))
        }
        return .upgrade
    }

    /// Whether a fault leaves TCP open after this connection's closing handshake.
    package func leavesTCPOpen(_ id: ConnectionID) -> Bool { outbound.faults(of: id).leavesTCPOpen }

    private func page(_ target: String, at now: Moment) -> Refusal {
        let path = target.prefix { $0 != "?" }
        let statistics = statistics(at: now)
        let body: [UInt8]? =
            switch path {
            case "/health": spelling.health(statistics)
            case "/stats": spelling.statistics(statistics, configuration)
            case "/channels": spelling.channels(statistics.channels)
            default: nil
            }
        guard let body else {
            return Refusal(
                status: 404, headers: [.init("Content-Type", "text/plain")], body: Array("Not found".utf8))
        }
        return Refusal(status: 200, headers: [.init("Content-Type", "application/json")], body: body)
    }
}
