// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteSocket
import SenteTransport
import SenteWire

/// What a run tells of itself: the session's signals, and those about sockets.
extension ServerRun {
    func tell(
        _ id: ServerSignal.ID, of trace: TraceContext? = nil, error: @autoclosure () -> SignalError? = nil,
        _ fields: (ServerSession) -> ServerSession.SignalFields = { _ in [:] }
    ) {
        guard var signal = session.signal(id, error: error(), fields) else { return }
        if let trace { signal.trace = trace }
        tell(signal)
    }

    func tell(_ signal: ServerSignal) {
        service.onSignal?(Signal(signal, at: loop.now))
    }

    /// The path alone: what follows it may hold tokens.
    func tellRequest(_ request: HTTPRequest) {
        let trace = request.trace
        tell(.httpRequest, of: trace) { _ in
            [
                "method": .string(request.method), "uri": .string(request.path),
                "user-agent": request.header("User-Agent").map { .string($0) },
            ]
        }
        guard request.isUpgrade else { return }
        tell(.webSocketRequest, of: trace) { _ in
            ["method": .string(request.method), "uri": .string(request.path), "websocket?": true]
        }
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
                .webSocketError, of: visit.trace,
                error: SignalError(type: "LinkFailure", message: failure.message, code: type)
            ) { _ in ["conn-id": name, "error-type": .string(type)] }
        }
        tell(.webSocketClosed, of: visit.trace) { _ in
            [
                "conn-id": name, "status": .integer(Int64(status.rawValue)),
                "final-message-count": Value(visit.messages),
            ]
        }
    }

    func tellStart() {
        tell(.serverStarting) {
            [
                "port": Value($0.configuration.port), "host": .string($0.configuration.host),
                "telemetry": [.keyword("enabled"): true],
            ]
        }
    }

    func tellOpened(_ name: String, _ trace: TraceContext?) {
        tell(.webSocketOpened, of: trace) {
            [
                "conn-id": .string(name),
                "config": [
                    .keyword("port"): Value($0.actualPort ?? $0.configuration.port),
                    .keyword("host"): .string($0.configuration.host),
                ], "wire-format": $0.formatField,
            ]
        }
    }

    func tellTooBig(_ message: Message, for id: ConnectionID) {
        tell(
            .sendFailed,
            error: SignalError(
                type: "Link", message: "An answer is larger than a message may be.")
        ) { ["conn-id": $0.field(id), "size": Value(message.bytes.count)] }
    }
}

extension HTTPRequest {
    /// The step of a trace that it names; the session counts a text that is none.
    var trace: TraceContext? { traceFields?.trace }

    var traceFields: TraceFields? { TraceFields { header($0).map { .string($0) } } }
}
