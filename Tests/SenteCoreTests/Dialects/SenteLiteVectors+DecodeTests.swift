// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("sente-lite's vectors read")
struct SenteLiteVectorsDecodeTests {
    private static let greeting = Inbound.greeting(
        Identity(
            connectionID: "conn-1", uid: "conn-1", csrfToken: "tok",
            handshakeData: [.keyword("sente-lite-version"): "2.0.0"]))
    private static let hello = Inbound.event(Event(id: "my/hello", data: 1))

    private static func acknowledgement(
        _ channel: String, _ subscribe: Reply, _ unsubscribe: Reply
    ) -> Inbound {
        .reply(
            .next(.subscription, channel: WireName(channel)),
            .either(subscribe: subscribe, unsubscribe: unsubscribe))
    }

    static let frames: [(String, [Inbound])] = [
        (#"[:chsk/handshake ["conn-1" "tok" {:sente-lite-version "2.0.0"} true]]"#, [greeting]),
        (#"[:chsk/handshake ["conn-1" "tok" {:sente-lite-version "2.0.0"}]]"#, [greeting]),
        (
            #"[:chsk/handshake ["conn-1" nil]]"#,
            [.greeting(Identity(connectionID: "conn-1", uid: "conn-1"))]
        ),
        ("[:chsk/handshake [7 nil nil true]]", [.greeting(Identity(uid: 7))]),
        ("[:chsk/handshake [:sente/nil-uid nil]]", [.greeting(Identity())]),
        ("[:my/hello 1]", [hello]),
        ("[:my/hello]", [.event(Event(id: "my/hello"))]),
        (#"[:my/hello "text"]"#, [.event(Event(id: "my/hello", data: "text"))]),
        ("(:my/hello 1)", [hello]),
        ("[[:my/hello 1] [:my/hello 1] [:my/hello 1]]", [hello, hello, hello]),
        ("[[:my/hello 1]]", [hello]),
        ("[]", [.noise]),
        ("[[:chsk/ws-ping] [:my/hello 1]]", [.ping(stamp: nil), hello]),
        ("[:chsk/ws-ping]", [.ping(stamp: nil)]),
        ("[:chsk/ws-pong]", [.pong(stamp: nil)]),
        (
            #"[:sente-lite/channel-msg {:channel-id "room", :data {:a 1}, :from "conn-2"}]"#,
            [.delivery(ChannelMessage(channel: "room", data: [.keyword("a"): 1], sender: "conn-2"))]
        ),
        (
            #"[:sente-lite/channel-msg {:channel-id "room", :data nil, :from nil}]"#,
            [.delivery(ChannelMessage(channel: "room", data: .null))]
        ),
        (
            "[:sente-lite/channel-msg {:channel-id :kw/chan, :data {}}]",
            [.delivery(ChannelMessage(channel: ":kw/chan", data: [:]))]
        ),
        (
            #"[:chsk/recv [:sente-lite/channel-msg {:channel-id "room", :data {}}]]"#,
            [.delivery(ChannelMessage(channel: "room", data: [:]))]
        ),
        ("[:chsk/recv [:my/hello 1]]", [hello]),
        ("[[:chsk/recv [:my/hello 1]] [:my/hello 1]]", [hello, hello]),
        (
            #"[:sente-lite/subscribed {:channel-id "room", :success true}]"#,
            [acknowledgement("room", .subscribed(retained: []), .unsubscribed)]
        ),
        (
            "[:my/done {:request-id 7, :ok true}]",
            [
                .answering(
                    .requestID(7),
                    Event(id: "my/done", data: [.keyword("request-id"): 7, .keyword("ok"): true]))
            ]
        ),
        ("[:sente-lite/echo {:original-event-id :chsk/ws-ping}]", [.pong(stamp: nil)]),
        ("[:sente-lite/echo {:original-event-id :chsk/ws-pong}]", [.pongAcknowledged]),
        ("[:sente-lite/echo nil]", [.event(Event(id: "sente-lite/echo"))]),
        ("[:chsk/bad-event 1]", [.event(Event(id: "chsk/bad-event", data: 1))]),
        ("[:sente-lite/message 1]", [.event(Event(id: "sente-lite/message", data: 1))]),
    ]

    @Test("every kind of frame", arguments: frames)
    func decoding(_ frame: String, _ expected: [Inbound]) throws {
        let coder = SenteLiteVectors(format: .edn)
        #expect(coder.hear(frame) == expected)
        let transit = SenteLiteVectors(format: .transitJSON)
        let bytes = try WireFormat.transitJSON.encode(try Vectors.edn(frame))
        #expect(transit.decode(Message(.text, bytes), isCallback: Vectors.nobody) == expected)
    }

    @Test(
        "what they do not understand, one by one, with the reason",
        arguments: [
            ("[:plain 1]", "no namespace"), ("[\"text\" 1]", "no keyword"), ("[nil 1]", "no keyword"),
            ("[nil []]", "no vector"),
            ("[:my/hello 1 2]", "3 elements"), ("{:type :ping}", "no vector"), ("nil", "no vector"),
            ("7", "no vector"), ("[:chsk/handshake [1]]", "2, 3 or 4"),
            ("[:chsk/handshake [1 2 3 4 5]]", "2, 3 or 4"), ("[:chsk/handshake]", "2, 3 or 4"),
            ("[:sente-lite/channel-msg {:data 1}]", "channel-id"),
            ("[:sente-lite/channel-msg 5]", "channel-id"),
            ("[:sente-lite/subscribed {:channel-id 5}]", "channel-id"),
            ("[:chsk/reply {:data 1}]", "cb-uuid"), ("[:chsk/reply 5]", "cb-uuid"),
            ("[:chsk/recv nil]", "no vector"), ("[broken", "no edn"), ("", "no edn"),
        ])
    func complaints(_ frame: String, _ reason: String) {
        let coder = SenteLiteVectors(format: .edn)
        let heard = coder.hear(frame)
        let isNamed = heard.contains { $0.complaint?.contains(reason) == true }
        #expect(isNamed, "\(frame): \(heard)")
        #expect(heard.allSatisfy { $0.complaint?.hasSuffix(".") == true }, "\(heard)")
    }

    @Test("a bad member of a batch, without losing the others")
    func badBatch() {
        let coder = SenteLiteVectors(format: .edn)
        let heard = coder.hear("[[:my/hello 1] [:plain 2] 5 [:my/hello 1]]")
        #expect(heard.count == 4)
        #expect(heard[0] == Self.hello && heard[3] == Self.hello)
        #expect(heard[1].complaint != nil && heard[2].complaint != nil)
    }

    @Test("one wrapping, not two")
    func wrappings() {
        let coder = SenteLiteVectors(format: .edn)
        let heard = coder.hear("[:chsk/recv [:chsk/recv [:my/hello 1]]]")
        let inner: Value = [.keyword("my/hello"), 1]
        #expect(heard == [.event(Event(id: "chsk/recv", data: inner))])
    }

    @Test("no binary message where text is due")
    func binary() {
        let coder = SenteLiteVectors(format: .edn)
        let heard = coder.decode(.binary(Array("[:my/hello 1]".utf8)), isCallback: Vectors.nobody)
        #expect(heard.first?.complaint?.contains("binary") == true)
    }

    // MARK: Acknowledgements

    private static func acknowledged(_ channel: String, _ success: String) -> String {
        #"[:sente-lite/subscribed {:channel-id "\#(channel)", :success \#(success)}]"#
    }

    @Test(
        "a refused subscription with the server's reason",
        arguments: [
            (":max-subscribers-reached", "is full"),
            (":max-subscriptions-per-conn", "as many as it may"),
            (":channel-not-found", "does not exist"), (":closed", "“closed”"), ("nil", "no reason"),
        ])
    func rejection(_ reason: String, _ text: String) {
        let frame = #"[:sente-lite/subscribed {:channel-id "a" :success false :error \#(reason)}]"#
        guard
            case .reply(
                .next(.subscription, channel: "a"), .either(.refused(let error), .refused(let other)))? =
                SenteLiteVectors(format: .edn).hear(frame).first
        else {
            Issue.record("\(frame) is no refusal.")
            return
        }
        #expect(error.code == .rejected && error.message.contains("the subscription of “a”"))
        #expect(error.message.contains(text), "\(error.message)")
        #expect(other.code == .rejected && other.message.contains("the unsubscription of “a”"))
    }

    @Test("null for success: nothing subscribed, which is what an unsubscribe wanted and a subscribe did not")
    func nullSuccess() {
        let unknown = #"[:sente-lite/subscribed {:channel-id "a", :success nil, :error :not-subscribed}]"#
        guard
            case .reply(.next(.subscription, channel: "a"), .either(.refused, .unsubscribed))? =
                SenteLiteVectors(format: .edn).hear(unknown).first
        else {
            Issue.record("\(unknown) is not read so.")
            return
        }
    }

    // MARK: Replies

    @Test(
        "a reply in each of the three envelopes that servers use, whether or not somebody waits for it",
        arguments: [
            #"[{:a 1} "cb1"]"#, #"[:chsk/reply {:cb-uuid "cb1" :data {:a 1}}]"#,
            #"[:chsk/recv ["cb1" {:a 1}]]"#,
        ])
    func envelopes(_ frame: String) {
        let coder = SenteLiteVectors(format: .edn)
        let reply = Inbound.reply(.id(.event, "cb1"), .answered([.keyword("a"): 1]))
        #expect(coder.hear(frame, Vectors.given("cb1")) == [reply])
        #expect(coder.hear(frame) == [reply])
    }

    @Test("an event with a text, unless this client gave that text as a callback")
    func textOrReply() {
        let coder = SenteLiteVectors(format: .edn)
        let frame = #"[:my/hello "cb1"]"#
        #expect(coder.hear(frame) == [.event(Event(id: "my/hello", data: "cb1"))])
        let reply = Inbound.reply(.id(.event, "cb1"), .answered(.keyword("my/hello")))
        #expect(coder.hear(frame, Vectors.given("cb1")) == [reply])
    }

    @Test("an echo as one that may answer the event just like it")
    func echoes() throws {
        let text = "[:sente-lite/echo {:original-event-id :my/ev :original-data [1]}]"
        let echo = Event(id: "sente-lite/echo", data: try Vectors.edn(text)[1] ?? .null)
        #expect(
            SenteLiteVectors(format: .edn).hear(text) == [.answering(.echo("my/ev", data: [1]), echo)])
    }
}
