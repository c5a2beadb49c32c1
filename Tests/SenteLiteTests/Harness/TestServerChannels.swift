// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// The channels and services of a scripted server of maps: enough of them for one client.
struct TestServerChannels {
    var subscribed: Set<String> = []
    var rejected: Set<String> = []
    private var lastRequest = 0

    static func delivery(_ data: Value, _ channel: String) -> Value {
        ["type": "channel-message", "channel-id": Value(channel), "data": data, "broadcast-time": 1]
    }

    mutating func answers(to frame: Value) -> [Value] {
        let channel = frame["channel-id"]?.stringValue ?? ""
        let data = frame["data"] ?? .null
        switch frame["type"]?.stringValue {
        case "subscribe":
            let isAllowed = !rejected.contains(channel)
            if isAllowed { subscribed.insert(channel) }
            return [
                [
                    "type": "subscription-result", "channel-id": Value(channel), "success": Value(isAllowed),
                    "reason": "no",
                ]
            ]
        case "unsubscribe":
            subscribed.remove(channel)
            return [["type": "unsubscription-result", "channel-id": Value(channel), "success": true]]
        case "publish":
            let result: Value = [
                "type": "publish-result", "channel-id": Value(channel), "success": true, "delivered-to": 1,
            ]
            return subscribed.contains(channel) ? [Self.delivery(data, channel), result] : [result]
        case "rpc-request":
            lastRequest += 1
            let id = Value("r\(lastRequest)")
            return [
                [
                    "type": "rpc-request-result", "channel-id": Value(channel), "request-id": id,
                    "delivery": ["success": true, "delivered-to": 1],
                ],
                ["type": "rpc-response", "request-id": id, "data": data],
            ]
        case "list-channels":
            return [["type": "channel-list", "channels": ["news": ["subscriber-count": 3]]]]
        case "get-subscriptions":
            return [
                [
                    "type": "subscription-list",
                    "subscriptions": .vector(subscribed.sorted().map { Value($0) }),
                ]
            ]
        case "rpc-response": return []
        default: return [["type": "echo", "original": frame]]
        }
    }
}
