// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Recordings of the real server, read where `SENTE_SHARED` says they are.
@Suite(
    "A recorded conversation with sente-lite's vectors",
    .enabled(if: Transcript.folder != nil, "SENTE_SHARED does not name the folder of the recordings"))
struct SenteLiteVectorsTranscriptTests {
    private typealias Heard = Conversation.Heard

    private static func greeting(_ name: String, _ token: String) -> Heard {
        .greeting(
            Identity(
                connectionID: name, uid: .string(name), csrfToken: token,
                handshakeData: [.keyword("sente-lite-version"): "2.0.0"]))
    }

    private static let echo = Heard.events(["sente-lite/echo"])

    /// One word for both.
    private static func acknowledged(_ channel: String) -> Heard {
        let reply = Reply.either(subscribe: .subscribed(retained: []), unsubscribe: .unsubscribed)
        return .inbound([.reply(.next(.subscription, channel: WireName(channel)), reply)])
    }

    /// No subscription is confirmed so; one that nobody had is ended.
    private static func unknown(_ channel: String) -> Heard {
        let error = SenteError(
            .rejected,
            "The server refused the subscription of “\(channel)”. Its reason is “not-subscribed”.",
            outcome: .acknowledged, details: ["error": .keyword("not-subscribed")])
        let reply = Reply.either(subscribe: .refused(error), unsubscribe: .unsubscribed)
        return .inbound([.reply(.next(.subscription, channel: WireName(channel)), reply)])
    }

    private static func delivery(_ channel: String, _ data: Value, from sender: String) -> Heard {
        .inbound([.delivery(ChannelMessage(channel: channel, data: data, sender: sender))])
    }

    /// An echo that may answer the event just like it.
    private static func answer(_ event: Event, _ data: String) throws -> Heard {
        let echo = Event(id: "sente-lite/echo", data: try Vectors.edn(data))
        return .inbound([.answering(.echo(event.id, data: event.data), echo)])
    }

    private static func publish(_ channel: String, _ data: Value, excludeSender: Bool = false) -> Outbound {
        .publish(channel: channel, data: data, excludeSender: excludeSender)
    }

    @Test("every frame of its client is one of our words or a probe, every frame of its server is understood")
    func edn() throws {
        let (name, token) = ("conn-1795249731634-7002", "lite-csrf-token")
        let hello: Value = [.keyword("hello"): "all"]
        var conversation = Conversation(.senteLiteVectors, .edn)
        try conversation.play(
            try Transcript.entries("lite-head-edn"),
            said: [
                .event(#"[:test/echo {:a 1, "s" "é✓"}]"#), .event("[:test/none]"),
                .event("[:test/echo {:a 1}]", "cb-1"),
                // [[:test/echo {:a 1}] nil], Sente's own form without callback
                .probe(.event(Event(id: "[:test/echo {:a 1}]")), naming: "no keyword"),
                .word(.ping(stamp: 5)),
                // [[:chsk/ws-ping] "cb-2"], Sente's own ping
                .probe(.event(Event(id: "chsk/ws-ping"), callback: "cb-2"), naming: "word of the protocol"),
                .word(.pong(original: nil)),
                .probe(.event(Event(id: "chsk/handshake", data: ["x"])), naming: "word of the protocol"),
                .word(.subscribe(channel: "news")), .word(.subscribe(channel: "news")),
                .word(.subscribe(channel: "news")), .word(Self.publish("news", hello)),
                .probe(Self.publish("news", 2, excludeSender: true), naming: "`data` is a number"),
                .word(.unsubscribe(channel: "news")), .word(.unsubscribe(channel: "news")),
                .probe(Self.publish("nope", 1), naming: "`data` is a number"),
                .probe(.event(Event(id: "plain", data: 1)), naming: "no namespace"),
                // []
                .probe(.event(Event(id: "")), naming: "`id` is empty"),
                // {:type :ping}
                .probe(.event(Event(id: "{:type :ping}")), naming: "no keyword"),
                .probe(.event(Event(id: "[broken")), naming: "no keyword"),
                // The binary frame 01 02, and a blank one.
                .probe(.event(Event(id: "\u{1}\u{2}")), naming: "no namespace"),
                .probe(.event(Event(id: "   ")), naming: "no keyword"),
                .event(#"[:test/still "here"]"#),
            ],
            heard: [
                Self.greeting(name, token), Self.echo, Self.echo,
                try Self.answer(
                    Event(id: "test/echo", data: [.keyword("a"): 1]),
                    #"{:original-event-id :test/echo, :original-data {:a 1}, :conn-id "\#(name)", :timestamp 1795249733273}"#
                ),
                .inbound([.pong(stamp: nil)]),
                // To the probe that we do not send.
                .inbound([.pong(stamp: nil)]),
                Self.acknowledged("news"), Self.acknowledged("news"),
                Self.greeting("conn-1795249739694-6287", token), Self.acknowledged("news"),
                Self.delivery("news", hello, from: name), Self.delivery("news", hello, from: name),
                Self.acknowledged("news"), Self.acknowledged("news"), Self.echo,
            ])
    }

    @Test("what may be published, and what that does")
    func publishing() throws {
        let (name, token) = ("conn-1795249904625-8270", "46c62b8b-3258-4433-86ed-907319bb1fe5")
        let one: Value = [.keyword("m"): 1]
        let two: Value = [.keyword("m"): 2]
        var conversation = Conversation(.senteLiteVectors, .edn)
        try conversation.play(
            try Transcript.entries("lite-head-publish"),
            said: [
                .word(.subscribe(channel: "c")), .word(.subscribe(channel: "c")),
                .word(Self.publish("c", one)), .word(Self.publish("c", .null)),
                .probe(Self.publish("c", 2), naming: "`data` is a number"),
                .probe(Self.publish("c", "s"), naming: "`data` is text"),
                .probe(Self.publish("c", [1, 2]), naming: "`data` is an array"),
                .probe(Self.publish("c", .set([1])), naming: "`data` is a set"),
                .word(Self.publish("c", two, excludeSender: true)),
                .word(.subscribe(channel: ":kw/chan")), .word(.unsubscribe(channel: "never")),
                .event(#"[:sente-lite/rpc {:channel-id "c" :data {:q 1}}]"#),
            ],
            heard: [
                Self.greeting(name, token), Self.greeting("conn-1795249904673-5441", token),
                Self.acknowledged("c"), Self.acknowledged("c"),
                Self.delivery("c", one, from: name), Self.delivery("c", one, from: name),
                Self.delivery("c", .null, from: name), Self.delivery("c", .null, from: name),
                Self.delivery("c", two, from: name), Self.delivery("c", two, from: name),
                Self.acknowledged(":kw/chan"), Self.unknown("never"), Self.echo,
            ])
    }

    @Test("its heartbeat")
    func heartbeat() throws {
        let ping = Heard.inbound([.ping(stamp: nil)])
        let alive = Array(repeating: Conversation.Said.event("[:test/alive 1]"), count: 7)
        var conversation = Conversation(.senteLiteVectors, .edn)
        try conversation.play(
            try Transcript.entries("lite-head-heartbeat"),
            said: [.word(.pong(original: nil)), .word(.pong(original: nil)), .word(.ping(stamp: 9))] + alive,
            heard: [
                Self.greeting("conn-1795250000216-3898", "f2864460-05ce-481b-b3d6-feb7865d6b5d"), ping, ping,
                .inbound([.pong(stamp: nil)]), Self.echo, Self.echo, Self.echo, ping, Self.echo, Self.echo,
                ping,
                Self.echo, Self.echo,
            ])
    }
}
