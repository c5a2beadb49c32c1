// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteSignals
package import SenteSocket
import SenteWire

extension ServerSession {
    /// The decision on an HTTP request.
    package enum Admission: Hashable, Sendable {
        /// It becomes a WebSocket; `connected` follows when it is open.
        case upgrade
        /// It gets this answer and the connection ends.
        case answer(Refusal)
        /// The connection ends without an answer.
        case disconnect
    }

    /// Decides on a request of which no more is known than its target.
    package mutating func admit(target: String, wantsUpgrade: Bool, at now: Moment) -> Admission {
        admit(HTTPRequest(method: "GET", target: target, isUpgrade: wantsUpgrade), at: now)
    }

    /// Decides on a request.
    ///
    /// Any target upgrades, as with sente-lite; `/health`, `/stats`, `/channels` and `/metrics` answer any method;
    /// everything else, `/` included, is not found. Sente has one path or all, no pages, and no Ajax here; it wants to know
    /// the client, its token (`csrfToken`, or else the configured one), and where its page comes from.
    package mutating func admit(
        _ request: HTTPRequest, csrfToken: String? = nil, at now: Moment
    ) -> Admission {
        if family == .sente, let path = configuration.sente.path, WireName(path) != WireName(request.path) {
            return .answer(.text(404, "not found"))
        }
        guard request.isUpgrade else {
            return .answer(family == .sente ? .text(404, "not found") : page(request.path, at: now))
        }
        if family == .sente, request.namesNoClient { return .answer(.noClientID) }
        switch outbox.faults(of: nil).refusing {
        case .answer(let refusal): return .answer(refusal)
        case .disconnect: return .disconnect
        case nil: break
        }
        if family == .sente, let refusal = refusal(of: request, csrfToken ?? configuration.csrfToken) {
            return .answer(refusal)
        }
        let isFull = linkedConnections >= configuration.maximumConnections
        // sente-lite's later family takes it and closes it.
        guard !isStopped, !isFull || family == .vectors else {
            counters.rejectedConnections += 1
            return .answer(
                Refusal(
                    status: 503, headers: [.init("Content-Type", "text/plain"), .init("Retry-After", "1")],
                    body: Array("The server is full. Try again later.\n".utf8)))
        }
        return .upgrade
    }

    /// Whether a fault leaves TCP open after this connection's closing handshake.
    package func leavesTCPOpen(_ id: ConnectionID) -> Bool { outbox.faults(of: id).leavesTCPOpen }

    /// sente.cljc, possible-rejection-resp.
    private func refusal(of request: HTTPRequest, _ csrfToken: String?) -> Refusal? {
        if let csrfToken, !request.brings(csrfToken) { return .badCSRFToken }
        if let origins = configuration.sente.allowedOrigins, !request.comes(from: origins) {
            return .text(403, "Unauthorized origin")
        }
        return nil
    }

    private func page(_ path: String, at now: Moment) -> Refusal {
        if path == "/metrics" {
            let text = statistics(at: now).prometheus.text
            return .text(200, text, [.init("Content-Type", PrometheusPage.contentType)])
        }
        guard let body = StatusPages.page(path, statistics(at: now), configuration) else {
            return .text(404, "Not found", [.init("Content-Type", "text/plain")])
        }
        return Refusal(status: 200, headers: [.init("Content-Type", "application/json")], body: body)
    }
}

extension Refusal {
    static func text(_ status: Int, _ text: String, _ headers: [Header] = []) -> Refusal {
        Refusal(status: status, headers: headers, body: Array(text.utf8))
    }

    // sente.cljc, bad-csrf-fn
    static let badCSRFToken = text(403, "Bad CSRF token")
    // sente.cljc, unauthorized-fn
    static let unauthorized = text(401, "Unauthorized request")
    static let forbidden = text(403, "Forbidden")
    /// sente.cljc throws, and http-kit answers with the sentence.
    static let noClientID = text(
        500,
        "Client's Ring request doesn't have a client id. Does your server have the necessary keyword Ring middleware "
            + "(`wrap-params` & `wrap-keyword-params`)?",
        [.init("Content-Type", "text/plain; charset=utf-8")])
}

extension HTTPRequest {
    fileprivate var namesNoClient: Bool {
        (parameter("client-id") ?? "").allSatisfy(\.isWhitespace)
    }

    /// Whether the first of the three places that holds a token holds this one, told in a time that does not say how much of
    /// it was right.
    fileprivate func brings(_ token: String) -> Bool {
        let brought =
            parameter("csrf-token") ?? header("X-CSRF-Token") ?? header("X-XSRF-Token") ?? ""
        guard brought.utf8.count == token.utf8.count else { return false }
        return zip(brought.utf8, token.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    // sente.cljc, allow-origin?
    fileprivate func comes(from origins: [String]) -> Bool {
        if let origin = header("Origin") { return origins.contains { WireName($0) == WireName(origin) } }
        let referrer = (header("Referer") ?? "").utf8
        return origins.contains { referrer.starts(with: "\($0)/".utf8) }
    }
}
