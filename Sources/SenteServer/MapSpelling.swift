// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// How sente-lite's first family ("v1") writes its words: one JSON object a text message, `{"type": …}`, the
/// keys in the order its own server writes them.
///
/// What goes beyond it comes after its keys.
struct MapSpelling: Sendable {
    /// Whether `flood` is a word; otherwise it is a type like any unknown one.
    let allowsFlood: Bool

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

    /// Everything that is JSON and not null means something; binary messages, other text and null mean
    /// nothing.
    func read(_ message: Message) -> ClientWord {
        guard message.kind == .text, let value = try? WireFormat.json.decode(message.bytes), !value.isNull
        else {
            return .unreadable
        }
        guard let map = value.mapValue, let type = map["type"]?.stringValue, let kind = Self.types[type]
        else {
            return .other(value)
        }
        // sente-lite takes a missing channel-id for a channel whose id is null.
        var channel: Value { map["channel-id"] ?? .null }
        var data: Value { map["data"] ?? .null }
        switch kind {
        case .subscribe: return .subscribe(channel)
        case .unsubscribe: return .unsubscribe(channel)
        case .publish:
            return .publish(channel, data: data, excludesSender: Self.isSet("exclude-sender", in: map))
        case .request: return .request(channel, data: data, milliseconds: map["timeout-ms"]?.integerValue)
        case .respond:
            return .respond(
                requestID: map["request-id"] ?? .null, data: data, isError: Self.isSet("error", in: map))
        case .ping: return .ping(stamp: map["timestamp"] ?? .null)
        case .pong: return .pong
        case .listChannels: return .listChannels
        case .listSubscriptions: return .listSubscriptions
        case .flood:
            guard allowsFlood else { return .other(value) }
            return .flood(channel, data: data, count: map["count"]?.integerValue ?? -1)
        }
    }

    /// The documents write a flag bare, the code reads it with a question mark: both count.
    private static func isSet(_ flag: String, in map: ValueMap) -> Bool {
        for key in [flag, flag + "?"] {
            // Clojure's truth: everything but false and nil.
            if let value = map[key], !value.isNull, value.boolValue != false { return true }
        }
        return false
    }

    // MARK: Writing

    /// Nil when a value of the server's own user cannot be said in JSON, or a broadcast is no map.
    func write(_ word: ServerWord, at now: Moment) -> Message? {
        value(of: word, .integer(now.wallMilliseconds)).flatMap(message)
    }

    private func message(_ value: Value) -> Message? {
        (try? WireFormat.json.encode(value)).map { Message(.text, $0) }
    }

    private func value(of word: ServerWord, _ now: Value) -> Value? {
        switch word {
        case .welcome(let name): ["type": "welcome", "conn-id": .string(name), "server-time": now]
        case .ping: ["type": "ping", "timestamp": now]
        case .pong(let stamp): ["type": "pong", "timestamp": now, "original-timestamp": stamp]
        case .pongAcknowledged: ["type": "pong-ack", "timestamp": now]
        case .echo(let value, let name):
            ["type": "echo", "original": value, "conn-id": .string(name), "timestamp": now]
        case .application(let value): value
        case .broadcast(let value): value.mapValue.map { Self.adding(["broadcast": true], to: $0) }
        case .error(let reason, let requestID): Self.error(reason, requestID, now)
        case .delivery(let channel, let data, let messageID, let isFlat):
            Self.delivery(channel, data, messageID, isFlat: isFlat, now)
        case .request(let request, let channel, let isFlat):
            Self.adding(
                isFlat ? ["channel-id": channel, "broadcast-time": now] : ["channel-id": channel],
                to: Self.map(of: request))
        case .response(let requestID, let data, let isError, let reason):
            Self.response(requestID, data, isError, reason, now)
        case .channels(let reports): ["type": "channel-list", "channels": channelMap(reports)]
        case .subscriptions(let channels): ["type": "subscription-list", "subscriptions": .vector(channels)]
        default: result(of: word)
        }
    }

    /// What answers a client's own message.
    private func result(of word: ServerWord) -> Value? {
        switch word {
        case .subscribed(let channel, let count, let retained):
            [
                "type": "subscription-result", "channel-id": channel, "success": true, "reason": nil,
                "subscriber-count": Value(count),
                "retained-messages": .vector(retained.map { Self.value(of: $0, in: channel) }),
            ]
        case .subscribeRefused(let channel, let reason, let current, let maximum):
            Self.adding(
                ["current": current.map { Value($0) }, "max": maximum.map { Value($0) }],
                to: [
                    "type": "subscription-result", "channel-id": channel, "success": false,
                    "reason": .string(reason.rawValue), "subscriber-count": nil, "retained-messages": nil,
                ])
        case .unsubscribed(let channel, let existed):
            [
                "type": "unsubscription-result", "channel-id": channel,
                "success": existed ? true : nil as Value,
            ]
        case .published(let channel, let messageID, let deliveredTo):
            [
                "type": "publish-result", "channel-id": channel, "success": true,
                "message-id": .string(messageID), "delivered-to": Value(deliveredTo),
            ]
        case .publishRefused(let channel, let reason):
            [
                "type": "publish-result", "channel-id": channel, "success": false, "message-id": nil,
                "delivered-to": nil, "reason": .string(reason.rawValue),
            ]
        case .requestTaken(let requestID, let channel, let messageID, let subscribers):
            [
                "type": "rpc-request-result", "request-id": .string(requestID), "channel-id": channel,
                "delivery": [
                    "success": true, "message-id": .string(messageID),
                    "delivered-to": Value(subscribers.count),
                    "subscribers": .vector(subscribers.map { .string($0) }),
                ],
            ]
        case .requestRefused(let requestID, let channel, let reason):
            [
                "type": "rpc-request-result", "request-id": .string(requestID), "channel-id": channel,
                "delivery": ["success": false, "reason": .string(reason.rawValue)],
            ]
        case .responseTaken(let requestID):
            ["type": "rpc-response-result", "request-id": requestID, "success": true]
        case .responseRefused(let requestID, let reason):
            [
                "type": "rpc-response-result", "request-id": requestID, "success": false,
                "reason": .string(reason.rawValue),
            ]
        default: nil
        }
    }

    private static func delivery(
        _ channel: Value, _ data: Value, _ messageID: String, isFlat: Bool, _ now: Value
    ) -> Value {
        guard isFlat else {
            return [
                "type": "channel-message", "channel-id": channel, "data": data, "broadcast-time": now,
                "message-id": .string(messageID),
            ]
        }
        return adding(["channel-id": channel, "broadcast-time": now], to: data.mapValue ?? ValueMap())
    }

    private static func map(of request: ForwardedRequest) -> ValueMap {
        [
            "type": "rpc-request", "request-id": .string(request.id), "data": request.data,
            "sender-conn-id": .string(request.sender), "created-at": .integer(request.createdAt),
        ]
    }

    private static func response(
        _ requestID: String, _ data: Value, _ isError: Bool, _ reason: Reason?, _ now: Value
    ) -> Value {
        adding(
            ["reason": reason.map { .string($0.rawValue) }],
            to: [
                "type": "rpc-response", "request-id": .string(requestID), "data": data,
                "error?": .bool(isError), "created-at": now, "error": .bool(isError),
            ])
    }

    private static func error(_ reason: Reason, _ requestID: String?, _ now: Value) -> Value {
        adding(
            ["request-id": requestID.map { .string($0) }],
            to: [
                "type": "error", "message": .string(reason.sentence), "reason": .string(reason.rawValue),
                "timestamp": now,
            ])
    }

    /// Retained messages are flat in every version of sente-lite.
    private static func value(of retained: Retained, in channel: Value) -> Value {
        let map: ValueMap =
            switch retained.body {
            case .data(let data): data.mapValue ?? ValueMap()
            case .request(let request): map(of: request)
            }
        return adding(
            [
                "channel-id": channel, "published-at": .integer(retained.publishedAt),
                "message-id": .string(retained.messageID),
            ], to: map)
    }

    private static func adding(_ fields: KeyValuePairs<String, Value?>, to map: ValueMap) -> Value {
        var map = map
        for (key, value) in fields {
            if let value { map[key] = value }
        }
        return .map(map)
    }

    /// A flood's deliveries, cut where their message ids go.
    ///
    /// Flat ones carry none, so theirs are all alike.
    func flood(
        _ channel: Value, data: Value, count: Int, first number: UInt64, isFlat: Bool, at now: Moment
    ) -> Flood? {
        let word = ServerWord.delivery(channel, data: data, messageID: "msg-", isFlat: isFlat)
        guard let bytes = write(word, at: now)?.bytes else { return nil }
        guard !isFlat else { return Flood(count: count, first: nil, head: bytes, tail: []) }
        let tail = Array("\"}".utf8)
        return Flood(count: count, first: number, head: Array(bytes.dropLast(tail.count)), tail: tail)
    }
}
