// SPDX-License-Identifier: Apache-2.0

import SampleOptions
public import SenteLite

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
                "features": status.features.map(Self.features), "recovery": Self.recovery(status.recovery),
            ])
    }

    func write(message: ChannelMessage) {
        write(
            .message,
            [
                "channel": Value(message.channel), "data": message.data, "id": message.id.map { Value($0) },
                "sender": message.sender.map { Value($0) }, "time": message.time.map { Value($0) },
                "retained": Value(message.isRetained), "missed": Value(message.missed),
                "subject": message.subject == message.channel ? nil : Value(message.subject),
                "headers": message.headers.isEmpty
                    ? nil : .vector(message.headers.map { [Value($0.name), Value($0.value)] }),
                "position": message.position.map { Value(Int64(clamping: $0)) },
                "gap": message.gap.map(Self.fields(of:)),
            ])
    }

    /// With the first and the last sequence that are missing, where a stream numbers them.
    private static func fields(of gap: ChannelGap) -> Value {
        var fields: ValueMap = [
            "duration": Value(gap.duration.milliseconds), "filling": Value(gap.filling.rawValue),
        ]
        if let missing = gap.sequences {
            fields["sequences"] = [
                Value(Int64(clamping: missing.lowerBound)), Value(Int64(clamping: missing.upperBound)),
            ]
        }
        return .map(fields)
    }

    /// What became of a command.
    func write(outcomeOf command: String, line: Int?, _ result: KeyValuePairs<String, Value?>) {
        let fields: [(String, Value?)] = [("line", line.map { Value($0) }), ("command", Value(command))]
        write(.outcome, fields + result.map { ($0.key, $0.value) })
    }

    /// What became of a message that was kept, of an earlier run perhaps.
    func write(stored: StoredOutcome) {
        write(
            .outcome,
            [
                "command": "outbox", "outcome": Value(stored.outcome.rawValue),
                "message": stored.message.value,
                "error": stored.error.map(Self.error),
            ])
    }

    func write(metrics: ClientMetrics, line: Int?) {
        write(.metrics, [("line", line.map { Value($0) })] + Self.fields(of: metrics))
    }

    /// All there is, each part of it a field.
    public static func fields(of metrics: ClientMetrics) -> [(String, Value?)] {
        let connection = metrics.connection
        let outbox = metrics.outbox
        let fields: KeyValuePairs<String, Value?> = [
            "received": traffic(metrics.received), "sent": traffic(metrics.sent),
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
            "roundTrip": metrics.roundTrip.map(Self.times),
        ]
        return fields.map { ($0.key, $0.value) } + flow(metrics)
    }

    /// A field for each part of flow, with its numbers.
    private static func flow(_ metrics: ClientMetrics) -> [(String, Value?)] {
        var fields: [(String, ValueMap)] = []
        for figure in metrics.flowFigures {
            if fields.last?.0 != figure.group { fields.append((figure.group, [:])) }
            fields[fields.count - 1].1[Value(figure.name)] = value(of: figure.amount)
        }
        return fields.map { ($0, .map($1)) }
    }

    private static func value(of amount: ClientMetrics.FlowFigure.Amount) -> Value {
        switch amount {
        case .total(let count): Value(count)
        case .totalTime(let time): Value(time.milliseconds)
        case .totals(let counts):
            .map(ValueMap(counts.sorted { $0.key < $1.key }.map { (Value($0), Value($1)) }))
        // Most are whole.
        case .level(let level): Int(exactly: level).map { Value($0) } ?? Value((level * 100).rounded() / 100)
        case .times(let times): times.map(Self.times) ?? .null
        }
    }

    private static func times(_ times: ClientMetrics.Percentiles) -> Value {
        [
            "p50": Value(times.p50.milliseconds), "p95": Value(times.p95.milliseconds),
            "p99": Value(times.p99.milliseconds),
        ]
    }

    /// What holds beyond plain messages, by the names of `--flow`.
    public static func features(_ features: FlowFeatures) -> Value {
        let held: KeyValuePairs<FlowName, Bool> = [
            .resume: features.resumption != nil, .batching: features.batching,
            .compression: !features.compression.isEmpty, .chunking: features.chunking,
            .binary: features.binaryEnvelope, .deduplication: features.deduplication,
        ]
        return Value(held.filter(\.value).map { Value($0.key.rawValue) })
    }

    /// Whether the session went on when the connection opened last; nil where none is kept.
    public static func recovery(_ recovery: ConnectionStatus.Recovery) -> Value? {
        switch recovery {
        case .none: nil
        case .fresh: "fresh"
        case .resumed(let missed): ["resumed": true, "missed": Value(missed)]
        }
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
