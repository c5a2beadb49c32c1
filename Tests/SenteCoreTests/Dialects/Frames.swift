// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Short ways to say what the tests of dialects say all the time.
enum Frames {
    static let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 1_700_000_000_123)
    static let untyped: Keyword = "sente-lite/message"

    static func decode(_ text: String) -> [Inbound] {
        let coder = SenteLiteMaps(format: .json)
        return coder.decode(.text(text)) { _ in false }
    }

    static func decode(_ value: Value) throws -> [Inbound] {
        let coder = SenteLiteMaps(format: .json)
        return coder.decode(Message(.text, try WireFormat.json.encode(value))) { _ in false }
    }

    static func encode(_ outbound: Outbound, at moment: Moment = now) throws(SenteError) -> String {
        let coder = SenteLiteMaps(format: .json)
        let message = try coder.encode(outbound, at: moment)
        return message.kind == .text ? message.string : "binary"
    }

    static func refusal(_ inbound: [Inbound]) -> (Correlation, SenteError)? {
        guard inbound.count == 1, case .reply(let correlation, .refused(let error)) = inbound[0] else {
            return nil
        }
        return (correlation, error)
    }

    /// One frame of every kind a server may send, with every field it may have.
    static let samples = [
        #"{"type":"welcome","conn-id":"conn-1-2","server-time":5}"#,
        #"{"type":"subscription-result","channel-id":"room","success":true,"reason":null,"subscriber-count":1,"retained-messages":[{"a":1,"channel-id":"room","published-at":7,"message-id":"m1"},{"type":"rpc-request","request-id":"r1","data":{"q":1},"sender-conn-id":"c","created-at":3,"channel-id":"room","published-at":8,"message-id":"m2"}]}"#,
        #"{"type":"subscription-result","channel-id":"room","success":false,"reason":"max-subscribers-reached","current":2,"max":2,"subscriber-count":null,"retained-messages":null}"#,
        #"{"type":"unsubscription-result","channel-id":"room","success":true}"#,
        #"{"type":"publish-result","channel-id":"room","success":true,"message-id":"msg-1405","delivered-to":2}"#,
        #"{"type":"publish-result","channel-id":"room","success":false,"message-id":null,"delivered-to":null}"#,
        #"{"type":"rpc-request-result","request-id":"req-1","channel-id":"svc","delivery":{"success":true,"message-id":"msg-1","delivered-to":1,"subscribers":["conn-1"]}}"#,
        #"{"type":"rpc-request-result","request-id":"req-1","channel-id":"svc","delivery":{"success":false,"reason":"channel-not-found"}}"#,
        #"{"type":"rpc-response","request-id":"req-1","data":{"sum":3},"error?":false,"error":false,"created-at":9}"#,
        #"{"type":"rpc-response","request-id":"req-1","data":{"reason":"no","message":"boom"},"error?":true,"error":true,"reason":"rpc-timeout"}"#,
        #"{"type":"rpc-response-result","request-id":"req-1","success":true}"#,
        #"{"type":"rpc-request","request-id":"req-1","data":{"q":1},"sender-conn-id":"c","created-at":3,"channel-id":"svc","timeout-ms":500}"#,
        #"{"type":"rpc-request","request-id":"req-1","data":{"q":1},"sender-conn-id":"c","created-at":3,"channel-id":"svc","broadcast-time":4}"#,
        #"{"type":"channel-message","channel-id":"svc","data":{"type":"rpc-request","request-id":"req-1","data":{"q":1},"sender-conn-id":"c","created-at":3},"broadcast-time":4}"#,
        #"{"type":"channel-message","channel-id":"room","data":{"text":"hi"},"broadcast-time":11,"message-id":"m","sender-conn-id":"c"}"#,
        #"{"text":"hi","channel-id":"room","broadcast-time":11}"#,
        #"{"type":"ping","timestamp":12}"#,
        #"{"type":"pong","timestamp":13,"original-timestamp":12}"#,
        #"{"type":"pong-ack","timestamp":14}"#,
        #"{"type":"channel-list","channels":{"room":{"config":{"max-subscribers":2,"message-retention":3,"rpc-timeout-ms":30000,"telemetry-enabled":true},"created-at":15,"message-count":5,"subscriber-count":1}}}"#,
        #"{"type":"subscription-list","subscriptions":["room","svc"]}"#,
        #"{"type":"echo","original":{"type":"ping","timestamp":16},"conn-id":"c","timestamp":17}"#,
        #"{"type":"echo","original":{"type":"anything","x":1},"conn-id":"c","timestamp":17}"#,
        #"{"type":"error","message":"Operation failed","reason":"channel-not-found","timestamp":18,"request-id":"req-1"}"#,
        #"{"type":"error","message":"Operation failed","reason":"channel-not-found","timestamp":18}"#,
        #"{"text":"all","broadcast":true}"#,
        #"{"type":"news","text":"all","broadcast":true}"#,
        #"{"free":[1,2]}"#,
    ]
}
