// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport
import SenteWire

/// Who is taken, and what others are told.
extension ServerRun {
    /// What is told when a client goes.
    struct Visit {
        var visitor: ServerAccess.Visitor
        let began: Instant
        /// What its request belongs to.
        var trace: TraceContext?
        var messages = 0
    }

    func requested(_ request: HTTPRequest, by connection: ServerConnection) {
        let id = ConnectionID(connection.id.number)
        lookWhoListens()
        tellRequest(request)
        switch admit(request, id) {
        case .upgrade: connection.accept()
        case .answer(let answer):
            arriving[id] = nil
            service.onAccess?(.refused(visitor(connection, request.target), status: answer.status))
            let headers = answer.headers.map { HTTPHeader($0.name, $0.value) }
            if !connection.respond(status: answer.status, headers: headers, body: answer.body) {
                connection.cut()
            }
        case .disconnect:
            arriving[id] = nil
            connection.abort()
        }
    }

    /// The session's rules come first, then what the server's user decides.
    private func admit(_ request: HTTPRequest, _ id: ConnectionID) -> ServerSession.Admission {
        var token: String?
        if request.isUpgrade, let csrfToken = service.csrfToken {
            token = csrfToken(request)
            guard token != nil else { return .answer(.badCSRFToken) }
        }
        if ["/stats", "/metrics"].contains(request.path) {
            session.signalStatistics = service.signalStatistics()
        }
        let admission = session.admit(request, csrfToken: token, at: loop.now)
        guard admission == .upgrade else { return admission }
        switch service.receive(request) {
        case .refused(let refusal): return .answer(refusal)
        case .accepted(var handshake):
            if session.configuration.flow != .off { handshake.randomID = randomID() }
            handshakes[id] = handshake
            if service.onEvent != nil { requests[id] = request }
            if service.onAccess != nil || service.onSignal != nil {
                visits[id] = Visit(
                    visitor: visitor(arriving[id], request.target), began: loop.now.instant,
                    trace: request.trace)
            }
            return .upgrade
        }
    }

    private func randomID() -> UniqueID {
        var bits: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &bits) { loop.entropy.fill($0) }
        return UniqueID(high: bits.0, low: bits.1)
    }

    private func visitor(_ connection: ServerConnection?, _ target: String) -> ServerAccess.Visitor {
        ServerAccess.Visitor(name: nil, remoteAddress: connection?.remoteAddress, target: target)
    }
}
