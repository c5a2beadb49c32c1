// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What the `type` of a `{"type": …}` map can be.
enum MapFrameType: String {
    // Said by clients.
    case subscribe, unsubscribe, publish
    case rpcRequest = "rpc-request"
    case rpcResponse = "rpc-response"
    case listChannels = "list-channels"
    case getSubscriptions = "get-subscriptions"
    // Said by both.
    case ping, pong
    // Said by servers; an RPC's request and response too, when they are passed on.
    case welcome, echo, error
    case channelMessage = "channel-message"
    case subscriptionResult = "subscription-result"
    case unsubscriptionResult = "unsubscription-result"
    case publishResult = "publish-result"
    case rpcRequestResult = "rpc-request-result"
    case rpcResponseResult = "rpc-response-result"
    case pongAck = "pong-ack"
    case channelList = "channel-list"
    case subscriptionList = "subscription-list"

    /// Whether a server acts on a client's message of this type; it echoes all others.
    var isActedUpon: Bool {
        switch self {
        case .subscribe, .unsubscribe, .publish, .rpcRequest, .rpcResponse, .listChannels, .getSubscriptions,
            .ping,
            .pong:
            true
        case .welcome, .echo, .error, .channelMessage, .subscriptionResult, .unsubscriptionResult,
            .publishResult,
            .rpcRequestResult, .rpcResponseResult, .pongAck, .channelList, .subscriptionList:
            false
        }
    }
}

/// The names of the fields.
enum MapField {
    static let type = "type"
    static let channel = "channel-id"
    static let data = "data"
    static let broadcastTime = "broadcast-time"
    static let publishedAt = "published-at"
    static let messageID = "message-id"
    static let requestID = "request-id"
    static let sender = "sender-conn-id"
    static let createdAt = "created-at"
    static let limit = "timeout-ms"
    static let timestamp = "timestamp"
    static let originalTimestamp = "original-timestamp"
    static let success = "success"
    static let reason = "reason"
    static let deliveredTo = "delivered-to"
    static let original = "original"
    /// Servers read the second of each pair; the project's documents write the first.
    static let excludeSender = ["exclude-sender", "exclude-sender?"]
    static let isError = ["error", "error?"]
}

/// A map as a server sent it, read leniently: what is missing, null or of another type than expected is nil.
struct MapFrame {
    var map: ValueMap

    init(_ map: ValueMap) {
        self.map = map
    }

    init?(_ value: Value?) {
        guard case .map(let map)? = value else { return nil }
        self.map = map
    }

    /// Whether the field is there at all, null or not.
    func has(_ name: String) -> Bool { map[name] != nil }

    /// The field, nil when it is missing or null.
    subscript(_ name: String) -> Value? {
        guard let value = map[name], !value.isNull else { return nil }
        return value
    }

    func text(_ name: String) -> String? { self[name].flatMap(Self.text) }

    func integer(_ name: String) -> Int64? { self[name]?.integerValue }

    /// A number of things: never negative.
    func count(_ name: String) -> Int? {
        integer(name).flatMap { Int(exactly: $0) }.flatMap { $0 < 0 ? nil : $0 }
    }

    /// False unless it is true: servers say null for "no".
    func isTrue(_ name: String) -> Bool { self[name]?.boolValue ?? false }

    var type: MapFrameType? { text(MapField.type).flatMap(MapFrameType.init(rawValue:)) }

    /// Whether this is somebody's request to a service.
    var isRequest: Bool { text(MapField.type) == MapFrameType.rpcRequest.rawValue }

    /// All but some fields, as data for the app.
    func without(_ names: String...) -> Value {
        var rest = map
        for name in names { rest[name] = nil }
        return .map(rest)
    }

    /// The fields that are there, of some.
    func only(_ names: String...) -> Value? {
        var some = ValueMap()
        for name in names {
            if let value = self[name] { some[name] = value }
        }
        return some.isEmpty ? nil : .map(some)
    }

    /// A string as it is, a keyword without its colon: formats that have keywords may use either.
    static func text(_ value: Value) -> String? {
        switch value {
        case .string(let text): text
        case .keyword(let keyword): keyword.text
        default: nil
        }
    }
}
