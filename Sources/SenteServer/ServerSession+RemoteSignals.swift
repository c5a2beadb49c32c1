// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire

/// Telemetry that clients send: `[:tel/signal {…}]` and `[:tel/batch [{…} …]]`; in maps `{"type":"tel/batch","signals":[…]}`.
///
/// Only a callback is answered: a client that tells of its failures must not be failed by the telling.
extension ServerSession {
    /// The signals that an event brings; nil when it is another event, or none are taken.
    func remoteSignals(inEvent event: Value) -> [Value]? {
        guard configuration.takesSignals, let id = event[0]?.keywordValue else { return nil }
        return remoteSignals(id, event[1] ?? .null)
    }

    /// The same of a frame.
    func remoteSignals(inFrame frame: Value) -> [Value]? {
        guard configuration.takesSignals, let map = frame.mapValue, let type = map.value(named: "type"),
            let id = type.keywordValue ?? type.stringValue.map({ Keyword($0) })
        else { return nil }
        return remoteSignals(id, map.value(named: "signals") ?? map.value(named: "signal") ?? frame)
    }

    private func remoteSignals(_ id: Keyword, _ data: Value) -> [Value]? {
        switch id {
        case "tel/signal": [data]
        case "tel/batch": data.arrayValue ?? []
        default: nil
        }
    }

    /// What the server alone says of a signal; a sender may have it under keywords, symbols or, in JSON, texts, and a line shows
    /// them all alike.
    private static let ownFields = ["session", "conn-id", "user", "received", "suppressed-count"]

    /// Hands them on with who sent them and when they came; what a session sends beyond its limit is counted in its next one.
    mutating func take(_ values: [Value], from id: ConnectionID) {
        guard let connection = connections[id] else { return }
        let wallNanoseconds = now.wallMilliseconds.multipliedReportingOverflow(by: 1_000_000).partialValue
        let received = Timestamp(milliseconds: now.wallMilliseconds).description
        let session = connection.clientID.text.isEmpty ? connection.name : connection.clientID.text
        var signals: [Signal] = []
        for value in values {
            guard var signal = Signal(value, at: wallNanoseconds) else {
                counters.unreadableMessages += 1
                continue
            }
            guard
                case .passes(let suppressed) = remoteLimiter.take(
                    connection.name, at: now.instant.nanoseconds)
            else { continue }
            for name in Self.ownFields {
                signal.context[.string(name)] = nil
                signal.context[.keyword(Keyword(name))] = nil
                signal.context[.symbol(Symbol(name))] = nil
            }
            signal.context[.keyword("session")] = .string(session)
            signal.context[.keyword("conn-id")] = .string(connection.name)
            if !connection.uid.isNull { signal.context[.keyword("user")] = connection.uid }
            signal.context[.keyword("received")] = .string(received)
            if suppressed > 0 { signal.context[.keyword("suppressed-count")] = Value(suppressed) }
            signals.append(signal)
        }
        if !signals.isEmpty { effects.append(.remoteSignals(signals)) }
    }
}
