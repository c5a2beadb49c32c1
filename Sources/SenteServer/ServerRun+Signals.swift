// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteSocket
import SenteTransport
import SenteWire

/// What a run tells of itself: the session's signals, and those about sockets.
extension ServerRun {
    func tell(_ signal: ServerSignal?, of trace: TraceContext? = nil) {
        guard var signal else { return }
        if let trace { signal.trace = trace }
        service.onSignal?(Signal(signal, at: loop.now))
    }

    /// The path alone: what follows it may hold tokens.
    func tellRequest(_ request: HTTPRequest) {
        let trace = request.trace
        tell(
            session.signal(
                .httpRequest,
                [
                    "method": .string(request.method), "uri": .string(request.path),
                    "user-agent": request.header("User-Agent").map { .string($0) },
                ]), of: trace)
        guard request.isUpgrade else { return }
        tell(
            session.signal(
                .webSocketRequest,
                [
                    "method": .string(request.method), "uri": .string(request.path), "websocket?": true,
                ]), of: trace)
    }

    /// A connection that is merely lost is no error: clients move on without a word.
    func tellClosed(_ visit: Visit, _ end: LinkEnd) {
        let name = visit.visitor.name.map { Value.string($0) }
        let status: CloseCode
        switch end {
        case .closed(let code, _): status = code
        case .failed(let failure):
            status = failure.closeCode ?? .abnormal
            guard failure.kind != .lost else { break }
            let type = String(describing: failure.kind)
            tell(
                session.signal(
                    .webSocketError, ["conn-id": name, "error-type": .string(type)],
                    error: SignalError(type: "LinkFailure", message: failure.message, code: type)),
                of: visit.trace)
        }
        tell(
            session.signal(
                .webSocketClosed,
                [
                    "conn-id": name, "status": .integer(Int64(status.rawValue)),
                    "final-message-count": Value(visit.messages),
                ]), of: visit.trace)
    }

    func tellStart() {
        tell(
            session.signal(
                .serverStarting,
                [
                    "port": Value(session.configuration.port), "host": .string(session.configuration.host),
                    "telemetry": [.keyword("enabled"): true],
                ]))
    }

    func tellOpened(_ name: String, _ trace: TraceContext?) {
        tell(
            session.signal(
                .webSocketOpened,
                [
                    "conn-id": .string(name),
                    "config": [
                        .keyword("port"): Value(session.actualPort ?? session.configuration.port),
                        .keyword("host"): .string(session.configuration.host),
                    ],
                    "wire-format": session.formatField,
                ]), of: trace)
    }

    func tellTooBig(_ message: Message, for id: ConnectionID) {
        tell(
            session.signal(
                .sendFailed,
                ["conn-id": session.field(id), "size": Value(message.bytes.count)],
                error: SignalError(
                    type: "Link", message: "An answer is larger than a message may be.")))
    }
}

extension HTTPRequest {
    /// The step of a trace that it names; the session counts a text that is none.
    var trace: TraceContext? { traceFields?.trace }

    var traceFields: TraceFields? { TraceFields { header($0).map { .string($0) } } }
}
