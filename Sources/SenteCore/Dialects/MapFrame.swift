// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// What the `type` of a `{"type": …}` map can be.
enum MapFrameType: String, CaseIterable {
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

    private static let longest = allCases.map(\.rawValue.utf8.count).max() ?? 0
    /// By the length of their names, which tells most of them apart.
    private static let byLength = (0...longest).map { length in
        allCases.filter { $0.rawValue.utf8.count == length }
    }

    /// Looked up: the compiler's `init(rawValue:)` compares with one after the other, and to hash a name costs each message more.
    init?(_ name: String) {
        let length = name.utf8.count
        guard length < Self.byLength.count else { return nil }
        for type in Self.byLength[length] where WireName(type.rawValue) == WireName(name) {
            self = type
            return
        }
        return nil
    }

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

/// The name of a field: text in JSON, a keyword in the formats that have keywords.
struct MapField: ExpressibleByStringLiteral, Sendable {
    let text: String
    var keyword: Value { .keyword(Keyword(text)) }

    init(stringLiteral text: String) {
        self.text = text
    }

    static let type: MapField = "type"
    static let channel: MapField = "channel-id"
    static let data: MapField = "data"
    static let broadcastTime: MapField = "broadcast-time"
    static let publishedAt: MapField = "published-at"
    static let messageID: MapField = "message-id"
    static let requestID: MapField = "request-id"
    static let sender: MapField = "sender-conn-id"
    static let createdAt: MapField = "created-at"
    static let limit: MapField = "timeout-ms"
    static let timestamp: MapField = "timestamp"
    static let originalTimestamp: MapField = "original-timestamp"
    static let success: MapField = "success"
    static let reason: MapField = "reason"
    static let deliveredTo: MapField = "delivered-to"
    static let original: MapField = "original"
    /// Servers read the second of each pair; the project's documents write the first.
    static let excludeSender: [MapField] = ["exclude-sender", "exclude-sender?"]
    static let isError: [MapField] = ["error", "error?"]
}

/// A map as a server sent it, read leniently: what is missing, null or of another type than expected is nil.
///
/// Servers name fields by text or by keywords, as their format has it; some commits do both.
struct MapFrame {
    var map: ValueMap

    init(_ map: ValueMap) {
        self.map = map
    }

    init?(_ value: Value?) {
        guard case .map(let map)? = value else { return nil }
        self.map = map
    }

    private func value(_ field: MapField) -> Value? { map.value(named: field.text) }

    /// Whether the field is there at all, null or not.
    func has(_ field: MapField) -> Bool { value(field) != nil }

    /// The field, nil when it is missing or null.
    subscript(_ field: MapField) -> Value? {
        guard let value = value(field), !value.isNull else { return nil }
        return value
    }

    func text(_ field: MapField) -> String? { map.text(named: field.text) }

    func name(_ field: MapField) -> WireName? { text(field).map { WireName($0) } }

    func integer(_ field: MapField) -> Int64? { map.integer(named: field.text) }

    /// A number of things: never negative.
    func count(_ field: MapField) -> Int? {
        integer(field).flatMap { Int(exactly: $0) }.flatMap { $0 < 0 ? nil : $0 }
    }

    /// False unless it is true: servers say null for "no".
    func isTrue(_ field: MapField) -> Bool { self[field]?.boolValue ?? false }

    var type: MapFrameType? { text(.type).flatMap { MapFrameType($0) } }

    /// What names the trace that it belongs to.
    var trace: TraceFields? { TraceFields { map.value(named: $0) } }

    /// Whether this is somebody's request to a service.
    var isRequest: Bool { text(.type) == MapFrameType.rpcRequest.rawValue }

    /// All but some fields, as data for the app.
    func without(_ fields: MapField...) -> Value {
        var rest = map
        for field in fields {
            rest[field.text] = nil
            rest[field.keyword] = nil
        }
        return .map(rest)
    }

    /// The fields that are there, of some, by their text.
    func only(_ fields: MapField...) -> Value? {
        var some = ValueMap()
        for field in fields {
            if let value = self[field] { some[field.text] = value }
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
