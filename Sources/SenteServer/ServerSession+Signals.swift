// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire

/// What the session tells of itself.
extension ServerSession {
    typealias SignalFields = KeyValuePairs<String, Value?>

    /// The signal, if somebody wants it; its fields are made only then.
    ///
    /// They are made of the session that is handed over: to capture it, a step would copy all of it, with each message.
    func signal(
        _ id: ServerSignal.ID, error: @autoclosure () -> SignalError? = nil,
        _ fields: (ServerSession) -> SignalFields = { _ in [:] }
    ) -> ServerSignal? {
        guard let signalLevel, id.level >= signalLevel else { return nil }
        var signal = ServerSignal(id, fields(self), error: error())
        signal.trace = trace
        return signal
    }

    mutating func record(
        _ id: ServerSignal.ID, error: @autoclosure () -> SignalError? = nil,
        _ fields: (ServerSession) -> SignalFields = { _ in [:] }
    ) {
        if let signal = signal(id, error: error(), fields) { effects.append(.record(signal)) }
    }

    /// The conn-id as a field.
    func field(_ id: ConnectionID?) -> Value? { id.flatMap { connections[$0] }.map { .string($0.name) } }

    /// The name of the messages' format as a field.
    var formatField: Value { .string(configuration.format.name) }

    /// The step that a peer names; nil for none, and for what is none, which is counted.
    mutating func trace(of fields: TraceFields?) -> TraceContext? {
        guard let fields else { return nil }
        let trace = fields.trace
        if trace == nil { counters.malformedTraces += 1 }
        return trace
    }

    // MARK: The server

    /// The port that was asked for shows only where another was taken.
    mutating func recordStart(on port: Int) {
        let isOther = port != configuration.port
        record(.serverStarted) {
            [
                "port": Value(port), "host": .string($0.configuration.host),
                "requested-port": isOther ? Value($0.configuration.port) : Value?.none,
                "actual-port": isOther ? Value(port) : Value?.none,
                "ephemeral?": isOther ? .bool($0.configuration.port == 0) : Value?.none,
            ]
        }
        let interval = family == .sente ? nil : configuration.heartbeatInterval
        record(.heartbeatStarting) { _ in
            [
                "enabled": .bool(interval != nil),
                "interval-ms": interval.map { .integer($0.wholeMilliseconds) },
            ]
        }
    }

    // MARK: Messages

    /// The text itself is only for those who follow every message, and of it no more than 256 bytes.
    mutating func recordUnreadable(_ message: Message, from id: ConnectionID) {
        let showsText = signalLevel.map { $0 <= .trace } ?? false
        record(.parseFailed, error: SignalError(.unreadable)) {
            [
                "conn-id": $0.field(id), "size": Value(message.bytes.count),
                "raw-message": showsText
                    ? .string(String(decoding: message.bytes.prefix(256), as: UTF8.self)) : Value?.none,
                "error-type": .string(RejectionReason.unreadable.rawValue), "format": $0.formatField,
            ]
        }
    }

    mutating func recordUnprocessed(
        _ reason: String, _ sentence: String, size: Int? = nil, from id: ConnectionID
    ) {
        record(.processFailed, error: SignalError(type: "RejectionReason", message: sentence, code: reason)) {
            [
                "conn-id": $0.field(id), "size": size.map { Value($0) }, "error-type": .string(reason),
                "format": $0.formatField,
            ]
        }
    }

    mutating func recordUnsent(_ type: String, to id: ConnectionID?, _ sentence: String) {
        record(.sendFailed, error: SignalError(type: "WireError", message: sentence)) {
            ["conn-id": $0.field(id), "message-type": .string(type), "format": $0.formatField]
        }
    }
}

extension SignalError {
    /// A reason that the server gives.
    init(_ reason: RejectionReason) {
        self.init(type: "RejectionReason", message: reason.sentence, code: reason.rawValue)
    }
}

extension ClientMessage {
    /// What it is called in signals: its name in the dialect of maps, or its event's id.
    var type: String? {
        switch self {
        case .subscribe: "subscribe"
        case .unsubscribe: "unsubscribe"
        case .publish: "publish"
        case .request: "rpc-request"
        case .respond: "rpc-response"
        case .ping: "ping"
        case .pong: "pong"
        case .listChannels: "list-channels"
        case .listSubscriptions: "get-subscriptions"
        case .flood: "flood"
        case .other(let value): (value["type"] ?? value["type" as Keyword]).flatMap(\.name)
        case .event(let event, _): event[0]?.keywordValue?.text
        case .flow(let word, _): "flow-" + word.name
        case .traced(let message, _): message.type
        case .ignored, .unreadable: nil
        }
    }
}

extension ServerMessage {
    /// What it is called in signals: its name in the dialect of maps, or its event's id.
    var type: String {
        switch self {
        case .welcome: "welcome"
        case .subscribed, .subscribeRefused: "subscription-result"
        case .unsubscribed: "unsubscription-result"
        case .published, .publishRefused: "publish-result"
        case .requestTaken, .requestRefused: "rpc-request-result"
        case .responseTaken, .responseRefused: "rpc-response-result"
        case .response: "rpc-response"
        case .request: "rpc-request"
        case .delivery: "channel-message"
        case .ping: "ping"
        case .pong: "pong"
        case .pongAcknowledged: "pong-ack"
        case .channels: "channel-list"
        case .subscriptions: "subscription-list"
        case .echo: "echo"
        case .broadcast: "broadcast"
        case .application(let value): value[0]?.keywordValue?.text ?? "application"
        case .error: "error"
        case .batch: "batch"
        case .reply: "reply"
        case .flow(let word, _): "flow-" + word.name
        }
    }

    /// Whether it carries data, so that it is lost when it cannot be written; an answer that a family does not have is not.
    var carriesData: Bool {
        switch self {
        case .welcome, .delivery, .request, .response, .echo, .broadcast, .application, .batch, .reply: true
        default: false
        }
    }

    /// The channel it is about.
    var channel: Value? {
        switch self {
        case .subscribed(let channel, _, _), .subscribeRefused(let channel, _, _, _),
            .unsubscribed(let channel, _), .published(let channel, _, _), .publishRefused(let channel, _),
            .requestTaken(_, let channel, _, _), .requestRefused(_, let channel, _),
            .request(_, let channel, _), .delivery(let channel, _, _, _, _, _):
            channel
        default: nil
        }
    }
}
