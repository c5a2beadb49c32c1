// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Where sente-lite's documents and its code disagree: what a client of its vectors does.
@Suite("sente-lite's documents and its code disagree; on vectors")
struct VectorDivergenceTests {
    private static func acknowledged(_ channel: String, _ success: String = "true") -> String {
        #"[:sente-lite/subscribed {:channel-id "\#(channel)", :success \#(success)}]"#
    }

    @Test("A message has one form, and a peer's data cannot pass for a word of the server")
    func deliveries() {
        var session = TestSession.openedInText()
        let (_, inbox) = session.subscribe("room")
        session.receive(Self.acknowledged("room"))
        session.receive(
            #"[:sente-lite/channel-msg {:channel-id "room", :data {:type :welcome, :channel-id "x"}, :from "conn-2"}]"#
        )
        let data: Value = [.keyword("type"): .keyword("welcome"), .keyword("channel-id"): "x"]
        #expect(
            session.consume(inbox) == [
                .message(ChannelMessage(channel: "room", data: data, sender: "conn-2"))
            ])
        // The shapes of v1 are nobody's here.
        session.receive(#"{:type :channel-message, :channel-id "room", :data {}, :broadcast-time 5}"#)
        #expect(session.consume(inbox).isEmpty && session.undecodable.count == 1)
    }

    @Test("The sender is left out by the name the code reads; its own messages come back with its uid")
    func excludedSender() {
        var session = TestSession.openedInText()
        let (_, inbox) = session.subscribe("room")
        session.receive(Self.acknowledged("room"))
        _ = session.submit(.publish(channel: "room", data: [:], excludeSender: true))
        #expect(
            session.sentText == [
                #"[:sente-lite/publish {:channel-id "room", :data {}, :exclude-sender? true}]"#
            ])
        session.receive(#"[:sente-lite/channel-msg {:channel-id "room", :data {}, :from "conn-1"}]"#)
        guard case .message(let message)? = session.consume(inbox).first else {
            Issue.record("The message is missing.")
            return
        }
        #expect(message.sender == session.status.identity?.connectionID)
    }

    @Test("There is no answer to a request to spell, so none is")
    func answers() {
        #expect(throws: SenteError.self) {
            try Dialect.senteLiteVectors.check(
                .answer(requestID: "r", data: ["error": true], isError: true), limit: SizeLimits())
        }
    }

    @Test(
        "Requests are refused at the call; one that slipped in from before the greeting was not sent")
    func requests() {
        #expect(throws: SenteError.self) {
            try Dialect.senteLiteVectors.check(
                .request(channel: "svc", data: [:], limit: 5), limit: SizeLimits())
        }
        var session = TestSession.connectingInText()
        let call = session.submit(.request(channel: "svc", data: [:], limit: 5))
        session.greet()
        #expect(session.error(of: call)?.code == .unsupported && session.error(of: call)?.outcome == .notSent)
        #expect(session.sentText.isEmpty)
    }

    @Test("Silence ends each call at its limit, and a reason is told where there is one")
    func silence() {
        var session = TestSession.openedInText()
        let (subscribing, _) = session.subscribe("room")
        let asking = session.submit("my/ev")
        let ending = session.newCall()
        session.handle(.command(.unsubscribe(ending, channel: "other")))
        let pinging = session.newCall()
        session.handle(.command(.ping(pinging)))
        session.advance(by: .seconds(11))
        #expect(session.answer(to: subscribing) == .subscribed(SubscriptionStatus()))
        #expect(session.error(of: asking)?.code == .timedOut)
        #expect(session.error(of: ending)?.code == .timedOut && session.error(of: pinging)?.code == .timedOut)

        var other = TestSession.openedInText()
        let (refused, _) = other.subscribe("room")
        other.receive(
            #"[:sente-lite/subscribed {:channel-id "room", :success false, :error :max-subscribers-reached}]"#
        )
        #expect(other.error(of: refused)?.code == .rejected)
        #expect(other.error(of: refused)?.message.contains("max-subscribers-reached") == true)
    }

    @Test("Null for success is no success, and ends an unsubscribe all the same")
    func nullSuccess() {
        var session = TestSession.openedInText()
        let (call, _) = session.subscribe("room")
        session.receive(Self.acknowledged("room", "nil"))
        #expect(session.error(of: call)?.code == .rejected)
        let ending = session.newCall()
        session.handle(.command(.unsubscribe(ending, channel: "room")))
        session.receive(Self.acknowledged("room", "nil"))
        #expect(session.answer(to: ending) == .done)
    }

    @Test("Servers do not tell their channels, and are not asked")
    func lists() {
        for outbound in [Outbound.listChannels, .listSubscriptions] {
            let error = #expect(throws: SenteError.self) {
                try Dialect.senteLiteVectors.check(outbound, limit: SizeLimits())
            }
            #expect(error?.code == .unsupported)
        }
    }

    @Test(
        "Only a map or nothing is published; events carry anything",
        arguments: [1, "s", [1]] as [Value])
    func publishedData(_ data: Value) {
        let error = #expect(throws: SenteError.self) {
            try Dialect.senteLiteVectors.check(
                .publish(channel: "room", data: data, excludeSender: false), limit: SizeLimits())
        }
        #expect(error?.code == .invalidArgument)
        #expect(throws: Never.self) {
            try Dialect.senteLiteVectors.check(.event(Event(id: "my/ev", data: data)), limit: SizeLimits())
        }
    }

    @Test(
        "A lost link comes back through connecting, within the cap, and starts over once it was stable"
    )
    func reconnecting() {
        var session = TestSession.openedInText { $0.reconnect = .senteLite }
        for _ in 0..<3 {
            session.advance(by: .seconds(10))
            session.cut()
            let now = session.now.instant
            let delay = session.status.retryAt.map { now.duration(to: $0) } ?? .zero
            // 1 s ± 25 %, and never more than the retry that follows a stable link.
            #expect(delay >= .milliseconds(750) && delay <= .milliseconds(1_250), "\(delay)")
            session.advance(by: delay)
            session.greet()
        }
        let cycle: [ConnectionState] = [.reconnecting, .connecting, .open]
        #expect(session.states.suffix(9) == (cycle + cycle + cycle)[...])
    }

    @Test("What is sent before the handshake waits for it; with the outbox off it is refused")
    func earlySends() {
        var session = TestSession.connectingInText()
        let call = session.send("my/ev", 1)
        #expect(session.sentText.isEmpty && session.isPending(call))
        session.greet()
        #expect(session.sentText == ["[:my/ev 1]"])
        #expect(session.answer(to: call) == .written)
        var strict = TestSession.connectingInText { $0.outbox = .off }
        let refused = strict.send("my/ev", 1)
        #expect(strict.error(of: refused)?.code == .notConnected)
    }

    @Test("Wishes come back in their order, once each, before anything else; a rejected one rests")
    func wishesInOrder() {
        var session = TestSession.connectingInText()
        for channel in ["b", "a", "c", "a"] { session.subscribe(channel) }
        _ = session.send("my/ev")
        session.greet()
        func wish(_ channel: String) -> String { #"[:sente-lite/subscribe {:channel-id "\#(channel)"}]"# }
        #expect(session.sentText == [wish("b"), wish("a"), wish("c"), "[:my/ev]"])
        session.receive(Self.acknowledged("b"))
        session.receive(Self.acknowledged("a", "false"))
        #expect(session.engine.subscription("b")?.isConfirmed == true)
        #expect(session.engine.subscription("a")?.rejection?.code == .rejected)
        session.cut()
        session.advance(by: .seconds(3))
        session.greet()
        #expect(session.sentText == [wish("b"), wish("c")])
    }

    @Test("A ping is answered at once, ahead of any queue, and is no event; nor is a pong")
    func pings() {
        var session = TestSession.openedInText { $0.writeWindow = 1 }
        let events = session.listen()
        session.receive("[:chsk/ws-ping]")
        #expect(session.sentText == ["[:chsk/ws-pong]"])
        session.receive("[:chsk/ws-pong]")
        #expect(session.sentText.isEmpty && session.events(events).isEmpty && session.undecodable.isEmpty)
    }

    @Test("Keys are opaque: they come as they were sent")
    func opaqueKeys() throws {
        var session = TestSession.openedInText()
        let events = session.listen()
        let data = try Vectors.edn(#"{:my-server 1, ":my-server" 2, "my-server" 3}"#)
        session.receive(#"[:my/stats {:my-server 1, ":my-server" 2, "my-server" 3}]"#)
        #expect(session.events(events) == [Event(id: "my/stats", data: data)])
    }

    @Test("The client tells its own states, and adds nothing to the URL by itself")
    func ownStates() {
        var session = TestSession.connectingInText()
        guard case .openLink(_, let target)? = session.effects.last else {
            Issue.record("\(session.effects)")
            return
        }
        #expect(target.parameters == NamedValues())
        session.greet()
        #expect(session.states == [.connecting, .open])
        // `first?` is true at each handshake; who we are is new each time.
        session.cut()
        session.advance(by: .seconds(3))
        session.greet(text: #"[:chsk/handshake ["conn-2" "tok" {} true]]"#)
        #expect(session.status.identity?.uid == "conn-2")
    }

    @Test("A ping that comes back as an echo is as good as its pong")
    func echoedPing() {
        var session = TestSession.openedInText()
        let call = session.newCall()
        session.handle(.command(.ping(call)))
        #expect(session.sentText == ["[:chsk/ws-ping]"])
        session.receive("[:sente-lite/echo {:original-event-id :chsk/ws-ping, :original-data nil}]")
        #expect(session.answer(to: call) == .roundTrip(.zero))
    }

    @Test("Connecting asks for a WebSocket and for nothing else")
    func onlyAWebSocket() {
        let session = TestSession.connectingInText()
        let actions = session.effects.filter {
            switch $0 {
            case .publish, .record: false
            default: true
            }
        }
        #expect(actions.count == 1 && session.sentText.isEmpty)
    }

    @Test("Events that nobody here knows go to whoever listens to all")
    func unknownEvents() {
        var session = TestSession.openedInText()
        let events = session.listen()
        for event in [
            "[:chsk/state [1 2]]", "[:sente-lite/batch []]", "[:sente-lite/compressed 1]", "[:any/thing]",
        ] {
            session.receive(event)
        }
        #expect(
            session.events(events).map(\.id)
                == ["chsk/state", "sente-lite/batch", "sente-lite/compressed", "any/thing"])
        #expect(session.undecodable.isEmpty)
    }

    @Test("One acknowledgement for subscribing and unsubscribing goes to the call that waits for it")
    func oneAcknowledgement() {
        var session = TestSession.openedInText()
        let (first, _) = session.subscribe("room")
        let ending = session.newCall()
        session.handle(.command(.unsubscribe(ending, channel: "room")))
        let (second, _) = session.subscribe("room")
        #expect(session.error(of: first)?.code == .cancelled)
        session.receive(Self.acknowledged("room"))
        #expect(session.isPending(ending) && session.isPending(second))
        session.receive(Self.acknowledged("room"))
        #expect(session.answer(to: ending) == .done && session.isPending(second))
        session.receive(Self.acknowledged("room"))
        #expect(session.answer(to: second) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        // Unasked for, it is the end of the subscription.
        session.receive(Self.acknowledged("room", "false"))
        #expect(session.engine.subscription("room")?.rejection?.code == .rejected)
    }

    @Test("An event is answered by callback id, by request-id, by its echo, or by what the app picks")
    func answersToEvents() throws {
        var session = TestSession.openedInText()
        let named = session.submit("my/named")
        let callback = try #require(try Vectors.edn(session.sentText[0])[1]?.stringValue)
        let marked = session.submit("my/marked", [.keyword("request-id"): 7])
        let echoed = session.submit("my/echoed", 1)
        let picked = session.submit(.event(Event(id: "my/picked")), awaits: .settlement)
        #expect(session.sentText == ["[:my/picked]"])
        session.receive("[:my/done {:request-id 7, :ok true}]")
        session.receive("[:sente-lite/echo {:original-event-id :my/echoed, :original-data 1}]")
        session.receive("[5 \"\(callback)\"]")
        session.handle(.command(.settle(picked, 9)))
        #expect(session.value(of: named) == 5)
        #expect(session.value(of: marked)?[Keyword("ok")] == true)
        #expect(session.value(of: echoed)?[Keyword("original-data")] == 1)
        #expect(session.value(of: picked) == 9)
    }

    @Test("A server of another family is left, or waited for no longer than the limit")
    func otherFamily() {
        var other = TestSession.connectingInText(DialectDetector(dialect: .senteLiteVectors))
        other.greet(text: #"{"type":"welcome","conn-id":"conn-1"}"#)
        #expect(other.state == .failed)
        #expect(other.status.lastError?.code == .protocolMismatch)
        #expect(other.status.lastError?.message.contains("senteLiteMaps") == true)

        var silent = TestSession.connectingInText { $0.times.connect = .seconds(5) }
        silent.greet(text: "[:chsk/ws-ping]")
        #expect(silent.state == .connecting && silent.sentText.isEmpty)
        silent.advance(by: .seconds(5))
        #expect(silent.state == .reconnecting)
        #expect(silent.status.lastError?.message.contains("did not greet") == true)
    }

    @Test(
        "Both dialects: open after the handshake and not before; identity is new with each; frames are bare text"
    )
    func both() {
        var session = TestSession.connectingInText()
        session.receive("[:my/early 1]")
        #expect(session.state == .connecting)
        session.receive(TestSession.handshake)
        #expect(session.state == .open && session.status.dialect == .senteLiteVectors)
        #expect(session.status.identity?.csrfToken == "tok")
        session.receive(#"[:chsk/handshake ["conn-9" "new"]]"#)
        #expect(
            session.status.identity == Identity(connectionID: "conn-9", uid: "conn-9", csrfToken: "new"))
        _ = session.send("my/ev", 1)
        #expect(session.sentMessages == [.text("[:my/ev 1]")])
    }
}
