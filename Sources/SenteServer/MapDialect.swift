// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The dialect of sente-lite's first family ("v1"): one map a text message, `{"type": …}`, the keys in the order
/// its own server writes them.
///
/// In JSON names are text, in the other formats keywords. What goes beyond its own server comes after its keys.
struct MapDialect: ServerDialect {
    private let format: MessageFormat
    private let isJSON: Bool
    /// Whether `flood` is understood; otherwise it is a type like any unknown one.
    private let allowsFlood: Bool

    /// Whether words about messages are understood; otherwise they are types like any unknown one.
    private let understandsFlow: Bool

    init(_ format: MessageFormat, allowsFlood: Bool, understandsFlow: Bool = false) {
        self.format = format
        isJSON = format.format == .json
        self.allowsFlood = allowsFlood
        self.understandsFlow = understandsFlow
    }

    static let json = MapDialect(MessageFormat(.json), allowsFlood: false)

    private static let types: [String: Kind] = Dictionary(
        uniqueKeysWithValues: Kind.allCases.map { ($0.rawValue, $0) })

    private enum Kind: String, CaseIterable {
        case subscribe, unsubscribe, publish, ping, pong, flood
        case request = "rpc-request"
        case respond = "rpc-response"
        case listChannels = "list-channels"
        case listSubscriptions = "get-subscriptions"
    }

    // MARK: Reading

    /// Every value but null means something; messages of the wrong kind, what is no value, and null mean nothing.
    func decode(_ message: Message) -> ClientMessage {
        format.value(of: message).map { decode($0) } ?? .unreadable
    }

    func decode(_ value: Value) -> ClientMessage {
        said(value).traced(by: value.mapValue.flatMap { map in TraceFields { field($0, of: map) } })
    }

    private func said(_ value: Value) -> ClientMessage {
        if value.isNull { return .unreadable }
        guard let map = value.mapValue, let type = field("type", of: map),
            let text = type.stringValue ?? type.keywordValue?.text
        else { return .other(value) }
        guard let kind = Self.types[text] else {
            guard understandsFlow, text.hasPrefix("flow-") else { return .other(value) }
            return .flow(FlowWord(named: String(text.dropFirst(5)), map), callback: nil)
        }
        // sente-lite takes a missing channel-id for a channel whose id is null.
        var channel: Value { field("channel-id", of: map) ?? .null }
        var data: Value { field("data", of: map) ?? .null }
        switch kind {
        case .subscribe: return .subscribe(channel)
        case .unsubscribe: return .unsubscribe(channel)
        case .publish:
            return .publish(
                channel, data: data, excludesSender: isSet("exclude-sender", in: map),
                messageID: map.messageID)
        case .request:
            return .request(
                channel, data: data, milliseconds: field("timeout-ms", of: map)?.integerValue,
                messageID: map.messageID)
        case .respond:
            return .respond(
                requestID: field("request-id", of: map) ?? .null, data: data,
                isError: isSet("error", in: map),
                messageID: map.messageID)
        case .ping: return .ping(stamp: field("timestamp", of: map) ?? .null)
        case .pong: return .pong
        case .listChannels: return .listChannels
        case .listSubscriptions: return .listSubscriptions
        case .flood:
            guard allowsFlood else { return .other(value) }
            return .flood(channel, data: data, count: field("count", of: map)?.integerValue ?? -1)
        }
    }

    private func field(_ name: String, of map: ValueMap) -> Value? {
        isJSON ? map[name] : map[Keyword(name)]
    }

    /// The documents write a flag bare, the code reads it with a question mark: both count.
    private func isSet(_ flag: String, in map: ValueMap) -> Bool {
        for name in [flag, flag + "?"] {
            // Clojure's truth: everything but false and nil.
            if let value = field(name, of: map), !value.isNull, value.boolValue != false { return true }
        }
        return false
    }

    // MARK: Writing

    /// Nil when a value of the server's own user cannot be said, or a broadcast is no map.
    func value(of message: ServerMessage, at now: Moment) -> Value? {
        value(of: message, .integer(now.wallMilliseconds))
    }

    func encode(_ value: Value, of message: ServerMessage) -> Message? { format.message(of: value) }

    private func value(of message: ServerMessage, _ now: Value) -> Value? {
        switch message {
        case .welcome(let conn, _, _, let capabilities):
            frame(
                "welcome",
                [
                    "conn-id": .string(conn), "server-time": now,
                    "capabilities": capabilities.map { $0.value(name) },
                ])
        case .ping: frame("ping", ["timestamp": now])
        case .pong(let stamp): frame("pong", ["timestamp": now, "original-timestamp": stamp])
        case .pongAcknowledged: frame("pong-ack", ["timestamp": now])
        case .echo(let value, let name):
            frame("echo", ["original": value, "conn-id": .string(name), "timestamp": now])
        case .application(let value): value
        case .broadcast(let value): value.mapValue.map { .map(adding(["broadcast": true], to: $0)) }
        case .error(let reason, let requestID):
            frame(
                "error",
                [
                    "message": .string(reason.sentence), "reason": name(reason.rawValue), "timestamp": now,
                    "request-id": requestID.map { .string($0) },
                ])
        case .delivery(let channel, let data, let messageID, _, let isFlat, let trace):
            delivery(channel, data, messageID, isFlat: isFlat, now, trace)
        case .request(let request, let channel, let isFlat):
            .map(
                adding(
                    ["channel-id": channel, "broadcast-time": isFlat ? now : Value?.none],
                    to: map(of: request)))
        case .response(let requestID, let data, let isError, let reason):
            frame(
                "rpc-response",
                [
                    "request-id": .string(requestID), "data": data, "error?": .bool(isError),
                    "created-at": now, "error": .bool(isError), "reason": reason.map { name($0.rawValue) },
                ])
        case .flow(let word, _):
            .map(
                word.adding(
                    to: adding(["type": name("flow-" + word.name)]), name, writesBytes: format.format.isBinary
                ) { ["conn-id": .string($0.name)] })
        case .channels(let reports): frame("channel-list", ["channels": channelMap(reports)])
        case .subscriptions(let channels): frame("subscription-list", ["subscriptions": .vector(channels)])
        default: result(of: message)
        }
    }

    /// The answers to a client's own messages.
    private func result(of message: ServerMessage) -> Value? {
        switch message {
        case .subscribed(let channel, let count, let retained):
            frame(
                "subscription-result",
                [
                    "channel-id": channel, "success": true, "reason": .null, "subscriber-count": Value(count),
                    "retained-messages": .vector(retained.map { value(of: $0, in: channel) }),
                ])
        case .subscribeRefused(let channel, let reason, let current, let maximum):
            frame(
                "subscription-result",
                [
                    "channel-id": channel, "success": false, "reason": name(reason.rawValue),
                    "subscriber-count": .null, "retained-messages": .null,
                    "current": current.map { Value($0) }, "max": maximum.map { Value($0) },
                ])
        case .unsubscribed(let channel, let existed):
            frame("unsubscription-result", ["channel-id": channel, "success": existed ? true : .null])
        case .published(let channel, let messageID, let deliveredTo):
            frame(
                "publish-result",
                [
                    "channel-id": channel, "success": true, "message-id": .string(messageID),
                    "delivered-to": Value(deliveredTo),
                ])
        case .publishRefused(let channel, let reason):
            frame(
                "publish-result",
                [
                    "channel-id": channel, "success": false, "message-id": .null, "delivered-to": .null,
                    "reason": name(reason.rawValue),
                ])
        case .requestTaken(let requestID, let channel, let messageID, let subscribers):
            frame(
                "rpc-request-result",
                [
                    "request-id": .string(requestID), "channel-id": channel,
                    "delivery": delivered(messageID, subscribers),
                ])
        case .requestRefused(let requestID, let channel, let reason):
            frame(
                "rpc-request-result",
                [
                    "request-id": .string(requestID), "channel-id": channel,
                    "delivery": .map(adding(["success": false, "reason": name(reason.rawValue)])),
                ])
        case .responseTaken(let requestID):
            frame("rpc-response-result", ["request-id": requestID, "success": true])
        case .responseRefused(let requestID, let reason):
            frame(
                "rpc-response-result",
                ["request-id": requestID, "success": false, "reason": name(reason.rawValue)])
        default: nil
        }
    }

    private func delivery(
        _ channel: Value, _ data: Value, _ messageID: String, isFlat: Bool, _ now: Value,
        _ trace: TraceContext?
    ) -> Value {
        guard isFlat else {
            let fields = adding([
                "type": name("channel-message"), "channel-id": channel, "data": data, "broadcast-time": now,
                "message-id": .string(messageID),
            ])
            return .map(adding(trace, to: fields))
        }
        return .map(adding(["channel-id": channel, "broadcast-time": now], to: data.mapValue ?? ValueMap()))
    }

    /// sente-lite's set of subscribers is an array in JSON.
    private func delivered(_ messageID: String, _ subscribers: [String]) -> Value {
        let names = subscribers.map { Value.string($0) }
        return .map(
            adding([
                "success": true, "message-id": .string(messageID), "delivered-to": Value(names.count),
                "subscribers": isJSON ? .vector(names) : .set(ValueSet(names)),
            ]))
    }

    private func map(of request: ForwardedRequest) -> ValueMap {
        let fields = adding([
            "type": name("rpc-request"), "request-id": .string(request.id), "data": request.data,
            "sender-conn-id": .string(request.sender), "created-at": .integer(request.createdAt),
        ])
        return adding(request.trace, to: fields)
    }

    /// Retained messages are flat in every version of sente-lite.
    private func value(of retained: Retained, in channel: Value) -> Value {
        let map: ValueMap =
            switch retained.body {
            case .data(let data): data.mapValue ?? ValueMap()
            case .request(let request): map(of: request)
            }
        return .map(
            adding(
                [
                    "channel-id": channel, "published-at": .integer(retained.publishedAt),
                    "message-id": .string(retained.messageID),
                ], to: map))
    }

    private func adding(_ trace: TraceContext?, to map: ValueMap) -> ValueMap {
        var map = map
        for field in trace?.fields ?? [] { map[name(field.name)] = .string(field.text) }
        return map
    }

    // MARK: Names

    /// A name of the protocol, as key or value.
    private func name(_ text: String) -> Value { isJSON ? .string(text) : .keyword(Keyword(text)) }

    private func frame(_ type: String, _ fields: KeyValuePairs<String, Value?>) -> Value {
        .map(adding(fields, to: adding(["type": name(type)])))
    }

    /// The fields that are not nil, forced into a map.
    private func adding(
        _ fields: KeyValuePairs<String, Value?>, to map: ValueMap = ValueMap()
    ) -> ValueMap {
        var map = map
        for (key, value) in fields {
            if let value { map[name(key)] = value }
        }
        return map
    }

    // MARK: Channels

    /// The channels by their ids; in JSON, where keys are text, by their names.
    func channelMap(_ reports: [ChannelReport], _ subscriptionLimit: Int? = nil) -> Value {
        .map(
            ValueMap(
                reports.map { report in
                    let settings = report.configuration
                    let config = adding([
                        "max-subscribers": Value(settings.maximumSubscribers),
                        "message-retention": Value(settings.retention),
                        "rpc-timeout-ms": .integer(settings.requestLimit.wholeMilliseconds),
                        "telemetry-enabled": true,
                        "max-subscriptions-per-conn": subscriptionLimit.map { Value($0) },
                    ])
                    let entry = adding([
                        "config": .map(config), "created-at": .integer(report.createdAt),
                        "message-count": Value(report.messageCount),
                        "subscriber-count": Value(report.subscriberCount),
                    ])
                    return (isJSON ? .string(StatusPages.name(of: report.id)) : report.id, .map(entry))
                }))
    }
}
