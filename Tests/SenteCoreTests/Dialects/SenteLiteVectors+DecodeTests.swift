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
        (#"[:sente-lite/subscribed {:channel-id "room", :success true}]"#, [.noise]),
        ("[:sente-lite/echo {:original-event-id :chsk/ws-ping}]", [.pong(stamp: nil)]),
        ("[:sente-lite/echo {:original-event-id :chsk/ws-pong}]", [.noise]),
        ("[:sente-lite/echo nil]", [.event(Event(id: "sente-lite/echo"))]),
        ("[:chsk/bad-event 1]", [.event(Event(id: "chsk/bad-event", data: 1))]),
        ("[:sente-lite/message 1]", [.event(Event(id: "sente-lite/message", data: 1))]),
    ]

    @Test("every kind of frame", arguments: frames)
    func decoding(_ frame: String, _ expected: [Inbound]) throws {
        var coder = SenteLiteVectors(format: .edn)
        #expect(coder.hear(frame) == expected)
        var transit = SenteLiteVectors(format: .transitJSON)
        let bytes = try WireFormat.transitJSON.encode(try Vectors.edn(frame))
        #expect(transit.decode(Message(.text, bytes), isPending: Vectors.nobody) == expected)
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
        var coder = SenteLiteVectors(format: .edn)
        let heard = coder.hear(frame)
        let isNamed = heard.contains { $0.complaint?.contains(reason) == true }
        #expect(isNamed, "\(frame): \(heard)")
        #expect(heard.allSatisfy { $0.complaint?.hasSuffix(".") == true }, "\(heard)")
    }

    @Test("a bad member of a batch, without losing the others")
    func badBatch() {
        var coder = SenteLiteVectors(format: .edn)
        let heard = coder.hear("[[:my/hello 1] [:plain 2] 5 [:my/hello 1]]")
        #expect(heard.count == 4)
        #expect(heard[0] == Self.hello && heard[3] == Self.hello)
        #expect(heard[1].complaint != nil && heard[2].complaint != nil)
    }

    @Test("one wrapping, not two")
    func wrappings() {
        var coder = SenteLiteVectors(format: .edn)
        let heard = coder.hear("[:chsk/recv [:chsk/recv [:my/hello 1]]]")
        let inner: Value = [.keyword("my/hello"), 1]
        #expect(heard == [.event(Event(id: "chsk/recv", data: inner))])
    }

    @Test("no binary message where text is due")
    func binary() {
        var coder = SenteLiteVectors(format: .edn)
        let heard = coder.decode(.binary(Array("[:my/hello 1]".utf8)), isPending: Vectors.nobody)
        #expect(heard.first?.complaint?.contains("binary") == true)
    }

    // MARK: Acknowledgements

    private static func acknowledged(_ channel: String, _ success: String) -> String {
        #"[:sente-lite/subscribed {:channel-id "\#(channel)", :success \#(success)}]"#
    }

    @Test("the one acknowledgement of both by what was written first on its channel")
    func sharedAcknowledgement() throws {
        var coder = SenteLiteVectors(format: .edn)
        for outbound in [
            Outbound.subscribe(channel: "a"), .unsubscribe(channel: "a"), .subscribe(channel: "b"),
            .subscribe(channel: "a"),
        ] {
            _ = try coder.encode(outbound, at: Vectors.now)
        }
        #expect(
            coder.hear(Self.acknowledged("b", "true"))
                == [.reply(.next(.subscribe, channel: "b"), .subscribed(retained: []))])
        #expect(
            coder.hear(Self.acknowledged("a", "true"))
                == [.reply(.next(.subscribe, channel: "a"), .subscribed(retained: []))])
        #expect(
            coder.hear(Self.acknowledged("a", "true"))
                == [.reply(.next(.unsubscribe, channel: "a"), .unsubscribed)])
        #expect(
            coder.hear(Self.acknowledged("a", "true"))
                == [.reply(.next(.subscribe, channel: "a"), .subscribed(retained: []))])
        #expect(coder.hear(Self.acknowledged("a", "true")) == [.noise])
    }

    @Test(
        "a refused subscription with the server's reason",
        arguments: [
            (":max-subscribers-reached", "is full"),
            (":max-subscriptions-per-conn", "as many as it may"),
            (":channel-not-found", "does not exist"), (":closed", "“closed”"), ("nil", "no reason"),
        ])
    func rejection(_ reason: String, _ text: String) throws {
        var coder = SenteLiteVectors(format: .edn)
        _ = try coder.encode(.subscribe(channel: "a"), at: Vectors.now)
        let heard = coder.hear(
            #"[:sente-lite/subscribed {:channel-id "a" :success false :error \#(reason)}]"#)
        guard case .reply(.next(.subscribe, channel: "a"), .refused(let error))? = heard.first else {
            Issue.record("\(heard)")
            return
        }
        #expect(error.code == .rejected)
        #expect(error.message.contains(text), "\(error.message)")
    }

    @Test("null for success: nothing subscribed, which is what an unsubscribe wanted and a subscribe did not")
    func nullSuccess() throws {
        var coder = SenteLiteVectors(format: .edn)
        _ = try coder.encode(.unsubscribe(channel: "a"), at: Vectors.now)
        let unknown = #"[:sente-lite/subscribed {:channel-id "a", :success nil, :error :not-subscribed}]"#
        #expect(coder.hear(unknown) == [.reply(.next(.unsubscribe, channel: "a"), .unsubscribed)])
        _ = try coder.encode(.unsubscribe(channel: "a"), at: Vectors.now)
        guard
            case .reply(.next(.unsubscribe, channel: "a"), .refused)? = coder.hear(
                Self.acknowledged("a", "false")
            ).first
        else {
            Issue.record("An unsubscribe refused is not told.")
            return
        }
        _ = try coder.encode(.subscribe(channel: "a"), at: Vectors.now)
        guard case .reply(.next(.subscribe, channel: "a"), .refused)? = coder.hear(unknown).first else {
            Issue.record("A subscribe without success is not refused.")
            return
        }
    }

    @Test("a failure that nobody asked for as the end of the subscription")
    func unsolicited() {
        var coder = SenteLiteVectors(format: .edn)
        guard
            case .subscriptionLost(channel: "a", let error)? = coder.hear(Self.acknowledged("a", "false"))
                .first
        else {
            Issue.record("The end of a subscription is not told.")
            return
        }
        #expect(error.code == .rejected)
    }

    // MARK: Pongs

    @Test("each pong with the stamp of the ping it answers")
    func pongs() throws {
        var coder = SenteLiteVectors(format: .edn)
        for stamp: Int64? in [5, nil, 7] { _ = try coder.encode(.ping(stamp: stamp), at: Vectors.now) }
        let heard = (0..<4).flatMap { _ in coder.hear("[:chsk/ws-pong]") }
        #expect(heard == [.pong(stamp: 5), .pong(stamp: nil), .pong(stamp: 7), .pong(stamp: nil)])
    }

    @Test("what was written before a ping as answered, once its pong is here")
    func fence() throws {
        var coder = SenteLiteVectors(format: .edn)
        _ = try coder.encode(.unsubscribe(channel: "a"), at: Vectors.now)
        _ = try coder.encode(.event(Event(id: "my/ev"), callback: "old"), at: Vectors.now)
        _ = try coder.encode(.ping(stamp: 1), at: Vectors.now)
        _ = try coder.encode(.subscribe(channel: "a"), at: Vectors.now)
        _ = try coder.encode(.event(Event(id: "my/ev"), callback: "new"), at: Vectors.now)
        _ = coder.hear("[:chsk/ws-pong]")
        #expect(
            coder.hear(Self.acknowledged("a", "true"))
                == [.reply(.next(.subscribe, channel: "a"), .subscribed(retained: []))])
        let echo = coder.hear(
            "[:sente-lite/echo {:original-event-id :my/ev}]", Vectors.waiting("old", "new"))
        guard case .reply(.id(.event, "new"), _)? = echo.first else {
            Issue.record("\(echo)")
            return
        }
    }

    @Test("pings beyond a thousand whose pongs are then not told apart, in order, and never one for another")
    func manyPings() throws {
        var coder = SenteLiteVectors(format: .edn)
        for stamp in 0..<1_030 { _ = try coder.encode(.ping(stamp: Int64(stamp)), at: Vectors.now) }
        for stamp in 0..<1_024 { #expect(coder.hear("[:chsk/ws-pong]") == [.pong(stamp: Int64(stamp))]) }
        _ = try coder.encode(.ping(stamp: 5_000), at: Vectors.now)
        for _ in 0..<7 { #expect(coder.hear("[:chsk/ws-pong]") == [.pong(stamp: nil)]) }
        _ = try coder.encode(.ping(stamp: 6_000), at: Vectors.now)
        #expect(coder.hear("[:chsk/ws-pong]") == [.pong(stamp: 6_000)])
    }

    // MARK: Replies

    @Test(
        "a reply in each of the three envelopes that servers use, whether or not somebody waits for it",
        arguments: [
            #"[{:a 1} "cb1"]"#, #"[:chsk/reply {:cb-uuid "cb1" :data {:a 1}}]"#,
            #"[:chsk/recv ["cb1" {:a 1}]]"#,
        ])
    func envelopes(_ frame: String) throws {
        var coder = SenteLiteVectors(format: .edn)
        _ = try coder.encode(.event(Event(id: "my/ev"), callback: "cb1"), at: Vectors.now)
        let reply = Inbound.reply(.id(.event, "cb1"), .answered([.keyword("a"): 1]))
        #expect(coder.hear(frame, Vectors.waiting("cb1")) == [reply])
        #expect(coder.hear(frame) == [reply])
    }

    @Test("an event with a text, unless that is the id of a call that waits")
    func textOrReply() {
        var coder = SenteLiteVectors(format: .edn)
        let frame = #"[:my/hello "cb1"]"#
        #expect(coder.hear(frame) == [.event(Event(id: "my/hello", data: "cb1"))])
        let reply = Inbound.reply(.id(.event, "cb1"), .answered(.keyword("my/hello")))
        #expect(coder.hear(frame, Vectors.waiting("cb1")) == [reply])
    }

    private static func echo(_ id: String, _ data: String) -> String {
        "[:sente-lite/echo {:original-event-id \(id) :original-data \(data)}]"
    }

    @Test("an echo as the answer to the oldest event just like it, and as an event")
    func echoes() throws {
        var coder = SenteLiteVectors(format: .edn)
        for (callback, data) in [("a", 1), ("b", 2), ("c", 2)] as [(String, Value)] {
            _ = try coder.encode(.event(Event(id: "my/ev", data: data), callback: callback), at: Vectors.now)
        }
        let all = Vectors.waiting("a", "b", "c")
        for (data, callback) in [("2", "b"), ("2", "c"), ("1", "a")] {
            let heard = coder.hear(Self.echo(":my/ev", data), all)
            let value = try Vectors.edn(Self.echo(":my/ev", data))[1] ?? .null
            #expect(
                heard == [
                    .reply(.id(.event, WireName(callback)), .answered(value)),
                    .event(Event(id: "sente-lite/echo", data: value)),
                ])
        }
        #expect(coder.hear(Self.echo(":my/ev", "1"), all).count == 1)
        #expect(coder.hear(Self.echo(":my/other", "1"), all).count == 1)
    }

    @Test("an echo whose data changed a little as the answer to the oldest event of its id")
    func changedEcho() throws {
        var coder = SenteLiteVectors(format: .edn)
        _ = try coder.encode(.event(Event(id: "my/ev", data: .list([1])), callback: "a"), at: Vectors.now)
        let heard = coder.hear(Self.echo(":my/ev", "[1]"), Vectors.waiting("a"))
        guard case .reply(.id(.event, "a"), .answered)? = heard.first else {
            Issue.record("\(heard)")
            return
        }
    }

    @Test("the late echo for a call that gave up as nobody's answer")
    func lateEcho() throws {
        var coder = SenteLiteVectors(format: .edn)
        _ = try coder.encode(.event(Event(id: "my/ev", data: 1), callback: "gone"), at: Vectors.now)
        _ = try coder.encode(.event(Event(id: "my/ev", data: 1), callback: "here"), at: Vectors.now)
        let isPending = Vectors.waiting("here")
        #expect(coder.hear(Self.echo(":my/ev", "1"), isPending).count == 1)
        #expect(coder.hear(Self.echo(":my/ev", "1"), isPending).count == 2)
    }

    @Test(
        "an event with the request-id of the data sent as its answer, also after a later pong",
        arguments: ["{:request-id 7 :ok true}", "{:ok true :request-id 7}"])
    func requestIDs(_ data: String) throws {
        var coder = SenteLiteVectors(format: .edn)
        for (callback, id) in [("a", 6), ("b", 7)] as [(String, Value)] {
            let event = Event(id: "my/ev", data: [.keyword("request-id"): id])
            _ = try coder.encode(.event(event, callback: callback), at: Vectors.now)
        }
        _ = try coder.encode(.ping(stamp: 1), at: Vectors.now)
        let isPending = Vectors.waiting("a", "b")
        _ = coder.hear("[:chsk/ws-pong]", isPending)
        let answer = Event(id: "my/done", data: try Vectors.edn(data))
        #expect(
            coder.hear("[:my/done \(data)]", isPending)
                == [.reply(.id(.event, "b"), .answered(answer.data)), .event(answer)])
        #expect(coder.hear("[:my/done \(data)]", isPending) == [.event(answer)])
    }
}
