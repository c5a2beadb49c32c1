// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The map dialect reads")
struct SenteLiteMapsDecodeTests {
    static let hello = Event(id: "hello", data: ["x": 1])
    static let receipt = PublishReceipt(outcome: .acknowledged, messageID: "msg-1405", deliveredTo: 2)
    static let question = IncomingRequest(id: "r1", channel: "svc", data: ["q": 1], sender: "c", createdAt: 3)

    static var room: ChannelInfo {
        var info = ChannelInfo(name: "room")
        info.maximumSubscribers = 2
        info.messageRetention = 3
        info.requestLimitMilliseconds = 30_000
        info.createdAt = 15
        info.messageCount = 5
        return info
    }

    static let frames: [(String, [Inbound])] = [
        (
            #"{"type":"welcome","conn-id":"conn-1","server-time":5}"#,
            [.greeting(Identity(connectionID: "conn-1", serverTime: 5))]
        ),
        (#"{"conn-id":null,"type":"welcome"}"#, [.greeting(Identity(connectionID: ""))]),
        (#"{"type":"ping","timestamp":12}"#, [.ping(stamp: 12)]),
        (#"{"type":"ping"}"#, [.ping(stamp: nil)]),
        (#"{"type":"ping","timestamp":"soon"}"#, [.ping(stamp: nil)]),
        (#"{"type":"pong","timestamp":1,"original-timestamp":12}"#, [.pong(stamp: 12)]),
        (#"{"type":"pong","timestamp":1,"original-timestamp":12.0}"#, [.pong(stamp: 12)]),
        (#"{"type":"pong","timestamp":1,"original-timestamp":null}"#, [.pong(stamp: nil)]),
        (#"{"type":"pong","original-timestamp":1e300}"#, [.pong(stamp: nil)]),
        (#"{"type":"pong","original-timestamp":99999999999999999999}"#, [.pong(stamp: nil)]),
        (#"{"type":"pong-ack","timestamp":14}"#, [.pongAcknowledged]),
        (#"{"type":"rpc-response-result","request-id":"r","success":false}"#, [.noise]),
        (
            #"{"type":"publish-result","channel-id":"room","success":true,"message-id":"msg-1405","delivered-to":2}"#,
            [.reply(.next(.publish, channel: "room"), .published(receipt))]
        ),
        (
            #"{"type":"publish-result","channel-id":"room","success":true}"#,
            [.reply(.next(.publish, channel: "room"), .published(PublishReceipt(outcome: .acknowledged)))]
        ),
        (
            #"{"type":"publish-result","success":true,"channel-id":null,"delivered-to":-1,"message-id":7}"#,
            [.reply(.next(.publish, channel: nil), .published(PublishReceipt(outcome: .acknowledged)))]
        ),
        (
            #"{"type":"unsubscription-result","channel-id":"room","success":true}"#,
            [.reply(.next(.unsubscribe, channel: "room"), .unsubscribed)]
        ),
        (
            #"{"type":"unsubscription-result","channel-id":"room","success":null}"#,
            [.reply(.next(.unsubscribe, channel: "room"), .unsubscribed)]
        ),
        (
            #"{"type":"unsubscription-result","channel-id":"room"}"#,
            [.reply(.next(.unsubscribe, channel: "room"), .unsubscribed)]
        ),
        (
            #"{"type":"rpc-request-result","request-id":"r","channel-id":"svc","delivery":{"success":true,"delivered-to":0}}"#,
            [.reply(.next(.request, channel: "svc"), .forwarded(requestID: "r", deliveredTo: 0))]
        ),
        (
            #"{"type":"rpc-request-result","request-id":"r","channel-id":"svc","delivery":{"success":true}}"#,
            [.reply(.next(.request, channel: "svc"), .forwarded(requestID: "r", deliveredTo: nil))]
        ),
        (
            #"{"type":"rpc-response","request-id":"r","data":{"sum":3},"error?":false}"#,
            [.reply(.id(.answer, "r"), .answered(["sum": 3]))]
        ),
        (
            #"{"type":"rpc-response","request-id":"r","error":null,"error?":null}"#,
            [.reply(.id(.answer, "r"), .answered(.null))]
        ),
        (
            #"{"type":"channel-list","channels":{"room":{"config":{"max-subscribers":2,"message-retention":3,"rpc-timeout-ms":30000,"telemetry-enabled":true},"created-at":15,"message-count":5}}}"#,
            [.reply(.next(.channels, channel: nil), .channels([room]))]
        ),
        (
            #"{"type":"channel-list","channels":{"":null,"b":{"subscriber-count":4}}}"#,
            [.reply(.next(.channels, channel: nil), .channels([ChannelInfo(name: ""), counted("b", 4)]))]
        ),
        (
            #"{"type":"channel-list","channels":null}"#,
            [.reply(.next(.channels, channel: nil), .channels([]))]
        ),
        (
            #"{"type":"subscription-list","subscriptions":["b",null,1,"a"]}"#,
            [.reply(.next(.subscriptions, channel: nil), .subscriptions(["b", "a"]))]
        ),
        (#"{"type":"subscription-list"}"#, [.reply(.next(.subscriptions, channel: nil), .subscriptions([]))]),
    ]

    static func counted(_ name: String, _ count: Int) -> ChannelInfo {
        var info = ChannelInfo(name: name)
        info.subscriberCount = count
        return info
    }

    @Test("every message of the protocol", arguments: frames)
    func messages(_ text: String, _ expected: [Inbound]) {
        #expect(Frames.decode(text) == expected)
    }

    // MARK: Deliveries

    static let deliveries: [(String, ChannelMessage)] = [
        (
            #"{"type":"channel-message","channel-id":"room","data":{"text":"hi"},"broadcast-time":11}"#,
            ChannelMessage(channel: "room", data: ["text": "hi"], time: 11)
        ),
        (
            #"{"type":"channel-message","channel-id":"room","data":null,"broadcast-time":11,"message-id":"m1","sender-conn-id":"c"}"#,
            ChannelMessage(channel: "room", data: .null, id: "m1", sender: "c", time: 11)
        ),
        (#"{"type":"channel-message","channel-id":"room"}"#, ChannelMessage(channel: "room", data: .null)),
        (
            #"{"text":"hi","channel-id":"room","broadcast-time":11}"#,
            ChannelMessage(channel: "room", data: ["text": "hi"], time: 11)
        ),
        (#"{"channel-id":"room","broadcast-time":null}"#, ChannelMessage(channel: "room", data: [:])),
        (
            // Nobody can answer it, so it is data like any other.
            #"{"type":"rpc-request","x":1,"channel-id":"room","broadcast-time":11}"#,
            ChannelMessage(channel: "room", data: ["type": "rpc-request", "x": 1], time: 11)
        ),
        (
            #"{"type":"x","message-id":"mine","channel-id":"room","broadcast-time":11}"#,
            ChannelMessage(channel: "room", data: ["type": "x", "message-id": "mine"], time: 11)
        ),
    ]

    @Test("deliveries in both shapes as one thing, the forced fields gone", arguments: deliveries)
    func delivered(_ text: String, _ expected: ChannelMessage) {
        #expect(Frames.decode(text) == [.delivery(expected)])
    }

    @Test("a delivery whose channel is no text as unreadable", arguments: ["5", "null", "[]", #"{"a":1}"#])
    func namelessDeliveries(_ channel: String) {
        for text in [
            #"{"type":"ping","channel-id":\#(channel),"broadcast-time":11}"#,
            #"{"type":"channel-message","channel-id":\#(channel),"data":{}}"#,
        ] {
            guard case .undecodable(let why, _)? = Frames.decode(text).first else {
                Issue.record("\(text) was read")
                continue
            }
            #expect(why.contains("channel-id"))
        }
    }

    @Test(
        "what a peer publishes in the flat shape is never taken for the server's own word",
        arguments: [
            "welcome", "ping", "pong", "pong-ack", "echo", "error", "publish-result", "subscription-result",
            "unsubscription-result", "rpc-request-result", "rpc-response", "rpc-response-result",
            "channel-list",
            "subscription-list",
        ])
    func forgery(_ type: String) {
        let fields =
            #""request-id":"r","timestamp":1,"success":true,"original":{"type":"ping","timestamp":9},"conn-id":"x""#
        let text = #"{"type":"\#(type)",\#(fields),"channel-id":"room","broadcast-time":11}"#
        let data: Value = [
            "type": Value(type), "request-id": "r", "timestamp": 1, "success": true,
            "original": ["type": "ping", "timestamp": 9], "conn-id": "x",
        ]
        #expect(Frames.decode(text) == [.delivery(ChannelMessage(channel: "room", data: data, time: 11))])
        let enveloped =
            #"{"type":"channel-message","channel-id":"room","data":{"type":"\#(type)","request-id":"r"}}"#
        #expect(
            Frames.decode(enveloped)
                == [
                    .delivery(
                        ChannelMessage(channel: "room", data: ["type": Value(type), "request-id": "r"]))
                ])
    }

    // MARK: Subscriptions

    @Test("a confirmed subscription with what the server kept: messages in the reply, requests after it")
    func retained() {
        let text = #"""
            {"type":"subscription-result","channel-id":"svc","success":true,"retained-messages":[
            {"a":1,"type":"ping","channel-id":"other","published-at":7,"message-id":"m1"},
            {"type":"rpc-request","request-id":"r1","data":{"q":1},"sender-conn-id":"c","created-at":3,
             "channel-id":"svc","published-at":8,"message-id":"m2"},
            5, null, {}]}
            """#
        let kept = [
            ChannelMessage(
                channel: "svc", data: ["a": 1, "type": "ping"], id: "m1", time: 7, isRetained: true),
            ChannelMessage(channel: "svc", data: [:], isRetained: true),
        ]
        var request = Self.question
        request.isRetained = true
        let heard = Frames.decode(text)
        #expect(heard.first == .reply(.next(.subscribe, channel: "svc"), .subscribed(retained: kept)))
        #expect(heard.contains(.request(request)) && heard.count == 4)
        let complaints = heard.compactMap { if case .undecodable(let why, _) = $0 { why } else { nil } }
        #expect(complaints.count == 2 && complaints.allSatisfy { $0.contains("no map") })
    }

    @Test("a subscription without retained messages", arguments: ["[]", "null", "7", #"{"a":1}"#])
    func subscribed(_ retained: String) {
        let text =
            #"{"type":"subscription-result","channel-id":"room","success":true,"retained-messages":\#(retained)}"#
        #expect(
            Frames.decode(text) == [.reply(.next(.subscribe, channel: "room"), .subscribed(retained: []))])
    }

    @Test("a refused subscription with the server's reason and numbers")
    func subscriptionRefused() throws {
        let text = #"""
            {"type":"subscription-result","channel-id":"room","success":false,"reason":"max-subscribers-reached",
             "current":2,"max":2,"subscriber-count":null,"retained-messages":null}
            """#
        let (slot, error) = try #require(Frames.refusal(Frames.decode(text)))
        #expect(slot == .next(.subscribe, channel: "room"))
        #expect(error.code == .rejected)
        #expect(error.outcome == .acknowledged)
        #expect(error.details == ["reason": "max-subscribers-reached", "current": 2, "max": 2])
        #expect(error.message.contains("room") && error.message.contains("max-subscribers-reached"))
    }

    // MARK: Refusals

    static let refusals: [(String, Correlation, SenteError.Code, Outcome, Value?)] = [
        (
            #"{"type":"subscription-result","channel-id":"room","success":null}"#,
            .next(.subscribe, channel: "room"), .rejected, .acknowledged, nil
        ),
        (
            #"{"type":"publish-result","channel-id":"room","success":false,"message-id":null,"delivered-to":null}"#,
            .next(.publish, channel: "room"), .rejected, .acknowledged, nil
        ),
        (
            #"{"type":"publish-result","channel-id":"room"}"#, .next(.publish, channel: "room"), .rejected,
            .acknowledged, nil
        ),
        (
            #"{"type":"publish-result","channel-id":"room","success":"true","reason":"no"}"#,
            .next(.publish, channel: "room"), .rejected, .acknowledged, ["reason": "no"]
        ),
        (
            #"{"type":"unsubscription-result","channel-id":"room","success":false,"reason":"no"}"#,
            .next(.unsubscribe, channel: "room"), .rejected, .acknowledged, ["reason": "no"]
        ),
        (
            #"{"type":"rpc-request-result","request-id":"r","channel-id":"svc","delivery":{"success":false,"reason":"channel-not-found"}}"#,
            .next(.request, channel: "svc"), .rejected, .acknowledged, ["reason": "channel-not-found"]
        ),
        (
            #"{"type":"rpc-request-result","request-id":"r","channel-id":"svc","delivery":null}"#,
            .next(.request, channel: "svc"), .rejected, .acknowledged, nil
        ),
        (
            #"{"type":"rpc-request-result","channel-id":"svc","delivery":{"success":true}}"#,
            .next(.request, channel: "svc"), .noReply, .unknown, nil
        ),
        (
            #"{"type":"rpc-response","request-id":"r","data":{"why":"x"},"error?":true}"#, .id(.answer, "r"),
            .remoteError, .acknowledged, ["why": "x"]
        ),
        (
            #"{"type":"rpc-response","request-id":"r","data":null,"error":"boom"}"#, .id(.answer, "r"),
            .remoteError,
            .acknowledged, "boom"
        ),
        (
            #"{"type":"rpc-response","request-id":"r","data":{"reason":"busy"},"error":true,"error?":true}"#,
            .id(.answer, "r"), .busy, .acknowledged, ["reason": "busy"]
        ),
        (
            #"{"type":"rpc-response","request-id":"r","data":null,"error":true,"reason":"rpc-timeout"}"#,
            .id(.answer, "r"), .timedOut, .unknown, ["reason": "rpc-timeout"]
        ),
        (
            #"{"type":"error","message":"late","reason":"rpc-timeout","request-id":"r"}"#, .id(.answer, "r"),
            .timedOut, .unknown, ["message": "late", "reason": "rpc-timeout", "request-id": "r"]
        ),
        (
            #"{"type":"error","message":"gone","request-id":"r"}"#, .id(.answer, "r"), .remoteError,
            .acknowledged,
            ["message": "gone", "request-id": "r"]
        ),
    ]

    @Test("a no for the call it answers, null counting as no", arguments: refusals)
    func refused(
        _ text: String, _ slot: Correlation, _ code: SenteError.Code, _ outcome: Outcome, _ details: Value?
    ) throws {
        let (correlation, error) = try #require(Frames.refusal(Frames.decode(text)))
        #expect(correlation == slot)
        #expect(error.code == code)
        #expect(error.outcome == outcome)
        #expect(error.details == details)
    }

    @Test("a hostile reason stays short and printable in the sentence")
    func hostileReason() throws {
        let reason = "\u{202E}\u{1B}[31m" + String(repeating: "x", count: 5_000)
        let frame: Value = [
            "type": "publish-result", "channel-id": "room", "success": false, "reason": Value(reason),
        ]
        let (_, error) = try #require(Frames.refusal(try Frames.decode(frame)))
        #expect(error.message.count < 200)
        #expect(!error.message.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
    }

    @Test("an error that names no call, for listeners")
    func serverError() throws {
        let inbound = Frames.decode(
            #"{"type":"error","message":"Operation failed","reason":"no","timestamp":1}"#)
        guard case .failure(let error, let event)? = inbound.first, inbound.count == 1 else {
            Issue.record("\(inbound)")
            return
        }
        #expect(error.code == .serverError)
        #expect(error.message.contains("Operation failed"))
        let fields: Value = ["message": "Operation failed", "reason": "no", "timestamp": 1]
        #expect(error.details == fields)
        #expect(event == Event(id: "error", data: fields))
    }

    // MARK: Requests

    static let body =
        #""type":"rpc-request","request-id":"r1","data":{"q":1},"sender-conn-id":"c","created-at":3"#

    @Test(
        "a request direct, flat and enveloped",
        arguments: [
            "{\(body),\"channel-id\":\"svc\"}",
            "{\(body),\"channel-id\":\"svc\",\"broadcast-time\":9}",
            "{\"type\":\"channel-message\",\"channel-id\":\"svc\",\"data\":{\(body)},\"broadcast-time\":9}",
        ])
    func requests(_ text: String) {
        #expect(Frames.decode(text) == [.request(Self.question)])
    }

    @Test("a request's own limit and missing fields")
    func requestFields() {
        #expect(
            Frames.decode(#"{"type":"rpc-request","request-id":"r","channel-id":"svc","timeout-ms":500}"#)
                == [.request(IncomingRequest(id: "r", channel: "svc", data: .null, limit: 500))])
    }

    @Test(
        "a request or an answer that lacks what is needed to answer or find it as unreadable",
        arguments: [
            #"{"type":"rpc-request","channel-id":"svc","data":{}}"#,
            #"{"type":"rpc-request","request-id":"r","data":{}}"#,
            #"{"type":"rpc-request","request-id":7,"channel-id":"svc"}"#,
            #"{"type":"rpc-response","data":{}}"#, #"{"type":"rpc-response","request-id":null,"data":{}}"#,
        ])
    func unanswerable(_ text: String) {
        guard case .undecodable(let why, _)? = Frames.decode(text).first else {
            Issue.record("\(text) was read")
            return
        }
        #expect(why.contains("request-id"))
    }

    // MARK: Echoes and events

    static let events: [(String, Inbound)] = [
        (#"{"type":"echo","original":{"type":"ping","timestamp":16},"conn-id":"c"}"#, .pong(stamp: 16)),
        (#"{"type":"echo","original":{"type":"ping"}}"#, .pong(stamp: nil)),
        (#"{"type":"echo","original":{"type":"pong","timestamp":1}}"#, .pongAcknowledged),
        (
            #"{"type":"echo","original":{"type":"hello"},"conn-id":"c","timestamp":1}"#,
            .event(Event(id: "echo", data: ["original": ["type": "hello"], "conn-id": "c", "timestamp": 1]))
        ),
        (#"{"type":"echo","original":[1,2]}"#, .event(Event(id: "echo", data: ["original": [1, 2]]))),
        (#"{"type":"echo"}"#, .event(Event(id: "echo", data: [:]))),
        (#"{"type":"hello","x":1}"#, .event(hello)),
        (#"{"x":1,"type":"chat/hello"}"#, .event(Event(id: "chat/hello", data: ["x": 1]))),
        (
            #"{"type":":odd one","x":1}"#,
            .event(Event(id: Keyword(namespace: nil, name: ":odd one"), data: ["x": 1]))
        ),
        (#"{"type":""}"#, .event(Event(id: "", data: [:]))),
        (#"{"x":1}"#, .event(Event(id: Frames.untyped, data: ["x": 1]))),
        (#"{"type":5,"x":1}"#, .event(Event(id: Frames.untyped, data: ["type": 5, "x": 1]))),
        (#"{"type":null,"x":1}"#, .event(Event(id: Frames.untyped, data: ["type": nil, "x": 1]))),
        (
            #"{"type":"news","text":"all","broadcast":true}"#,
            .event(Event(id: "news", data: ["text": "all", "broadcast": true]))
        ),
        (
            #"{"text":"all","broadcast":true}"#,
            .event(Event(id: Frames.untyped, data: ["text": "all", "broadcast": true]))
        ),
        // A server echoes nothing of this kind unasked; whoever sends it means the app.
        (
            #"{"type":"subscribe","channel-id":"a"}"#,
            .event(Event(id: "subscribe", data: ["channel-id": "a"]))
        ),
        ("[1,2]", .event(Event(id: Frames.untyped, data: [1, 2]))),
        ("\"text\"", .event(Event(id: Frames.untyped, data: "text"))),
        ("7", .event(Event(id: Frames.untyped, data: 7))),
        ("null", .event(Event(id: Frames.untyped))),
        ("{}", .event(Event(id: Frames.untyped, data: [:]))),
    ]

    @Test("echoes of our own pings as pongs, and all that is unknown as events", arguments: events)
    func happened(_ text: String, _ expected: Inbound) {
        #expect(Frames.decode(text) == [expected])
    }

    // MARK: Garbage

    @Test(
        "what is no JSON as unreadable, with the reason",
        arguments: [
            "", "{", "{broken", "{\"type\":\"ping\"} x", "nul", "[[[[", "{\"a\":1,}", "'a'", "{\"type\":\"pi",
        ])
    func malformed(_ text: String) {
        guard case .undecodable(let why, _)? = Frames.decode(text).first else {
            Issue.record("\(text) was read")
            return
        }
        #expect(why.contains("json") && why.hasSuffix("skipped."), "\(why)")
    }

    @Test("a binary message as unreadable")
    func binary() {
        let coder = SenteLiteMaps(format: .json)
        let inbound = coder.decode(.binary(Array(#"{"type":"ping"}"#.utf8))) { _ in false }
        guard case .undecodable(let why, _)? = inbound.first else {
            Issue.record("\(inbound)")
            return
        }
        #expect(why.contains("binary"))
    }

    @Test("a message nested far beyond the limit as unreadable")
    func deep() {
        let text = String(repeating: "[", count: 100_000)
        guard case .undecodable? = Frames.decode(text).first else {
            Issue.record("it was read")
            return
        }
    }

    // MARK: Generated

    @Test(
        "any field replaced or missing, however deep, without losing its footing", arguments: Frames.samples)
    func anyField(_ sample: String) throws {
        let value = try WireFormat.json.decode(Array(sample.utf8))
        let variants = Self.variants(of: value)
        #expect(variants.count >= 6)
        for variant in variants {
            let inbound = try Frames.decode(variant)
            #expect(!inbound.isEmpty)
            for case .undecodable(let why, _) in inbound {
                // Only what cannot be routed is given up.
                #expect(why.contains("channel-id") || why.contains("request-id"), "\(variant): \(why)")
            }
        }
    }

    /// The value with each of its fields, at every depth, replaced by other kinds of value or removed.
    private static func variants(of value: Value) -> [Value] {
        switch value {
        case .map(let map):
            map.flatMap { key, inner in
                let replaced = (replacements + variants(of: inner)).map { other in
                    var copy = map
                    copy[key] = other
                    return Value(copy)
                }
                var removed = map
                removed[key] = nil
                return replaced + [Value(removed)]
            }
        case .vector(let items):
            items.indices.flatMap { index in
                (replacements + variants(of: items[index])).map { other in
                    var copy = items
                    copy[index] = other
                    return Value(copy)
                }
            }
        default: []
        }
    }

    private static let replacements: [Value] = [
        nil, -1, 1.5, 1e300, .integer(.max), .integer(.min), "text", "", true, false, [], [1], [:], ["a": 1],
    ]

    /// The same frame as a server in a format with keywords writes it.
    private static func keyworded(_ value: Value, _ isWholly: Bool) -> Value {
        guard case .map(let map) = value else { return value }
        var result = ValueMap()
        for (key, value) in map {
            // Only what is the protocol's own: a peer's data stays as it is, and so do the names of channels.
            let name = key.stringValue ?? ""
            let isOwn = !["data", "original", "channels", "retained-messages"].contains(name)
            var value = isOwn ? keyworded(value, isWholly) : value
            if isWholly, name == "type" || name == "reason", let text = value.stringValue {
                value = .keyword(Keyword(text))
            }
            result[.keyword(Keyword(name))] = value
        }
        return .map(result)
    }

    @Test(
        "the same from servers whose format has keywords, for fields alone or types as well",
        arguments: [WireFormat.edn, .transitJSON, .transitJSONVerbose], [false, true])
    func keywords(_ format: WireFormat, _ isWholly: Bool) throws {
        var compared = 0
        for frame in Frames.samples where frame.contains(#""type""#) {
            let value = try WireFormat.json.decode(Array(frame.utf8))
            let coder = SenteLiteMaps(format: format, writesKeywords: true)
            let bytes = try format.encode(Self.keyworded(value, isWholly))
            let heard = coder.decode(Message(.text, bytes)) { _ in false }
            for (ours, theirs) in zip(heard, Frames.decode(frame)) {
                switch (ours, theirs) {
                case (.event(let a), .event(let b)): #expect(a.id == b.id)
                case (.failure(let a, _), .failure(let b, _)): #expect(a.code == b.code)
                case (.delivery(let a), .delivery(let b)):
                    #expect(
                        a.channel == b.channel && a.id == b.id && a.time == b.time && a.sender == b.sender)
                case (.reply(let a, .refused(let x)), .reply(let b, .refused(let y))):
                    #expect(a == b && x.code == y.code && x.message == y.message, "\(x) \(y)")
                default: #expect(ours == theirs, "\(frame)")
                }
                compared += 1
            }
        }
        #expect(compared >= 20)
    }

    @Test("a flat delivery with keywords as one, whatever a peer put beside the server's fields")
    func flatKeywords() throws {
        let coder = SenteLiteMaps(format: .edn, writesKeywords: true)
        let frame = #"{"type" "welcome", :type :ping, :text "hi", :channel-id "room", :broadcast-time 11}"#
        let data = try Vectors.edn(#"{"type" "welcome", :type :ping, :text "hi"}"#)
        #expect(
            coder.decode(.text(frame)) { _ in false }
                == [.delivery(ChannelMessage(channel: "room", data: data, time: 11))])
    }
}
