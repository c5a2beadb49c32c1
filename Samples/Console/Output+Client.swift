// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// The lines about a client.
extension Output {
    /// A change of the state, or with a line's number the answer to it.
    func write(state status: ConnectionStatus, from old: ConnectionState? = nil, line: Int? = nil) {
        write(
            .state,
            [
                "line": line.map { Value($0) }, "state": Value(status.state.rawValue),
                "from": old.map { Value($0.rawValue) }, "attempt": Value(status.attempt),
                "connection": status.identity?.connectionID.map { Value($0) }, "uid": status.identity?.uid,
                "close": status.lastClose.map(Self.close), "error": status.lastError.map(Self.error),
            ])
    }

    func write(status client: SenteClient, line: Int?) {
        let status = client.status
        write(
            .status,
            [
                "line": line.map { Value($0) }, "state": Value(status.state.rawValue),
                "attempt": Value(status.attempt),
                "connection": status.identity?.connectionID.map { Value($0) }, "uid": status.identity?.uid,
                "serverTime": status.identity?.serverTime.map { Value($0) },
                "dialect": status.dialect.map { Value($0.rawValue) },
                "format": status.format.map { Value($0.name) }, "close": status.lastClose.map(Self.close),
                "error": status.lastError.map(Self.error),
                "subscriptions": Value(client.subscriptions.map { Value($0) }),
            ])
    }

    func write(message: ChannelMessage) {
        write(
            .message,
            [
                "channel": Value(message.channel), "data": message.data, "id": message.id.map { Value($0) },
                "sender": message.sender.map { Value($0) }, "time": message.time.map { Value($0) },
                "retained": Value(message.isRetained), "missed": Value(message.missed),
                "gap": message.gap.map {
                    ["duration": Value($0.duration.milliseconds), "filling": Value($0.filling.rawValue)]
                },
            ])
    }

    /// What became of a command.
    func write(outcomeOf command: String, line: Int?, _ result: KeyValuePairs<String, Value?>) {
        let fields: [(String, Value?)] = [("line", line.map { Value($0) }), ("command", Value(command))]
        write(.outcome, fields + result.map { ($0.key, $0.value) })
    }

    func write(metrics: ClientMetrics, line: Int?) {
        let connection = metrics.connection
        let outbox = metrics.outbox
        write(
            .metrics,
            [
                "line": line.map { Value($0) }, "received": Self.traffic(metrics.received),
                "sent": Self.traffic(metrics.sent),
                "connection": [
                    "attempts": Value(connection.attempts), "reconnects": Value(connection.reconnects),
                    "uptime": Value(connection.uptime.milliseconds),
                    "connectedTime": Value(connection.connectedTime.milliseconds),
                    "timeToOpen": Self.milliseconds(connection.timeToOpen),
                ],
                "outbox": [
                    "messages": Value(outbox.messages), "bytes": Value(outbox.bytes),
                    "oldestAge": Self.milliseconds(outbox.oldestAge), "drops": Self.counts(outbox.drops),
                ],
                "subscriptions": [
                    "wished": Value(metrics.subscriptions.wished),
                    "confirmed": Value(metrics.subscriptions.confirmed),
                ],
                "pendingRequests": Value(metrics.pendingRequests), "missed": Value(metrics.missed),
                "undecodable": Value(metrics.undecodable), "serverErrors": Value(metrics.serverErrors),
                "errors": Self.counts(metrics.errors),
                "roundTrip": metrics.roundTrip.map {
                    [
                        "p50": Value($0.p50.milliseconds), "p95": Value($0.p95.milliseconds),
                        "p99": Value($0.p99.milliseconds),
                    ]
                },
            ])
    }

    private static func close(_ close: ConnectionStatus.Close) -> Value {
        ["code": Value(close.code.rawValue), "reason": Value(close.reason)]
    }

    private static func error(_ error: SenteError) -> Value {
        ["code": Value(error.code.rawValue), "message": Value(error.description)]
    }

    private static func traffic(_ traffic: ClientMetrics.Traffic) -> Value {
        [
            "messages": Value(traffic.messages), "bytes": Value(traffic.bytes),
            "largeMessages": Value(traffic.largeMessages),
            "messagesPerSecond": Value(traffic.messagesPerSecond),
        ]
    }

    private static func counts(_ counts: [SenteError.Code: Int]) -> Value {
        let sorted = counts.sorted { $0.key.rawValue < $1.key.rawValue }
        return .map(ValueMap(sorted.map { (Value($0.key.rawValue), Value($0.value)) }))
    }

    private static func milliseconds(_ duration: Duration?) -> Value {
        duration.map { Value($0.milliseconds) } ?? .null
    }
}
