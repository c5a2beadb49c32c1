// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// Where sente-lite's documents and its code disagree, row by row: what a client of its vectors does.
@Suite("sente-lite's documents and its code disagree; on vectors")
struct VectorRowTests {
    private static func acknowledged(_ channel: String, _ success: String = "true") -> String {
        #"[:sente-lite/subscribed {:channel-id "\#(channel)", :success \#(success)}]"#
    }

    @Test("row 1: a message has one form, and a peer's data cannot pass for a word of the server")
    func row1() {
        var stage = VectorStage.opened()
        let (_, inbox) = stage.subscribe("room")
        stage.hear(Self.acknowledged("room"))
        stage.hear(
            #"[:sente-lite/channel-msg {:channel-id "room", :data {:type :welcome, :channel-id "x"}, :from "conn-2"}]"#
        )
        let data: Value = [.keyword("type"): .keyword("welcome"), .keyword("channel-id"): "x"]
        #expect(
            stage.take(inbox) == [.message(ChannelMessage(channel: "room", data: data, sender: "conn-2"))])
        // The shapes of v1 are nobody's here.
        stage.hear(#"{:type :channel-message, :channel-id "room", :data {}, :broadcast-time 5}"#)
        #expect(stage.take(inbox).isEmpty && stage.complaints.count == 1)
    }

    @Test("row 2: the sender is left out by the name the code reads; its own messages come back with its uid")
    func row2() {
        var stage = VectorStage.opened()
        let (_, inbox) = stage.subscribe("room")
        stage.hear(Self.acknowledged("room"))
        _ = stage.submit(.publish(channel: "room", data: [:], excludeSender: true))
        #expect(
            stage.said == [#"[:sente-lite/publish {:channel-id "room", :data {}, :exclude-sender? true}]"#])
        stage.hear(#"[:sente-lite/channel-msg {:channel-id "room", :data {}, :from "conn-1"}]"#)
        guard case .message(let message)? = stage.take(inbox).first else {
            Issue.record("The message is missing.")
            return
        }
        #expect(message.sender == stage.engine.status.identity?.connectionID)
    }

    @Test("row 3: there is no answer to a request to spell, so none is")
    func row3() {
        #expect(throws: SenteError.self) {
            try Dialect.senteLiteVectors.check(
                .answer(requestID: "r", data: ["error": true], isError: true), limit: SizeLimits())
        }
    }

    @Test(
        "row 4: requests are refused at the call; one that slipped in from before the greeting was not sent")
    func row4() {
        #expect(throws: SenteError.self) {
            try Dialect.senteLiteVectors.check(
                .request(channel: "svc", data: [:], limit: 5), limit: SizeLimits())
        }
        var stage = VectorStage()
        let call = stage.submit(.request(channel: "svc", data: [:], limit: 5))
        stage.greet()
        #expect(stage.error(call)?.code == .unsupported && stage.error(call)?.outcome == .notSent)
        #expect(stage.said.isEmpty)
    }

    @Test("row 5: silence ends each call at its limit, and a reason is told where there is one")
    func row5() {
        var stage = VectorStage.opened()
        let (subscribing, _) = stage.subscribe("room")
        let asking = stage.ask("my/ev")
        let ending = stage.call()
        stage.tell(.command(.unsubscribe(ending, channel: "other")))
        let pinging = stage.call()
        stage.tell(.command(.ping(pinging)))
        stage.wait(.seconds(11))
        #expect(stage.answer(subscribing) == .subscribed(SubscriptionStatus()))
        #expect(stage.error(asking)?.code == .timedOut)
        #expect(stage.error(ending)?.code == .timedOut && stage.error(pinging)?.code == .timedOut)

        var other = VectorStage.opened()
        let (refused, _) = other.subscribe("room")
        other.hear(
            #"[:sente-lite/subscribed {:channel-id "room", :success false, :error :max-subscribers-reached}]"#
        )
        #expect(other.error(refused)?.code == .rejected)
        #expect(other.error(refused)?.message.contains("max-subscribers-reached") == true)
    }

    @Test("row 6: null for success is no success, and ends an unsubscribe all the same")
    func row6() {
        var stage = VectorStage.opened()
        let (call, _) = stage.subscribe("room")
        stage.hear(Self.acknowledged("room", "nil"))
        #expect(stage.error(call)?.code == .rejected)
        let ending = stage.call()
        stage.tell(.command(.unsubscribe(ending, channel: "room")))
        stage.hear(Self.acknowledged("room", "nil"))
        #expect(stage.answer(ending) == .done)
    }

    @Test("row 7: servers do not tell their channels, and are not asked")
    func row7() {
        for outbound in [Outbound.listChannels, .listSubscriptions] {
            let error = #expect(throws: SenteError.self) {
                try Dialect.senteLiteVectors.check(outbound, limit: SizeLimits())
            }
            #expect(error?.code == .unsupported)
        }
    }

    @Test(
        "row 8: only a map or nothing is published; events carry anything",
        arguments: [1, "s", [1]] as [Value])
    func row8(_ data: Value) {
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
        "row 9: a lost link comes back through connecting, within the cap, and starts over once it was stable"
    )
    func row9() {
        var stage = VectorStage.opened { $0.reconnect = .senteLite }
        for _ in 0..<3 {
            stage.wait(.seconds(10))
            stage.lose()
            let now = stage.now.instant
            let delay = stage.engine.status.retryAt.map { now.duration(to: $0) } ?? .zero
            // 1 s ± 25 %, and never more than the retry that follows a stable link.
            #expect(delay >= .milliseconds(750) && delay <= .milliseconds(1_250), "\(delay)")
            stage.wait(delay)
            stage.greet()
        }
        let cycle: [ConnectionState] = [.reconnecting, .connecting, .open]
        #expect(stage.states.suffix(9) == (cycle + cycle + cycle)[...])
    }

    @Test("row 10: what is sent before the handshake waits for it; with the outbox off it is refused")
    func row10() {
        var stage = VectorStage()
        let call = stage.send("my/ev", 1)
        #expect(stage.said.isEmpty && stage.results[call] == nil)
        stage.greet()
        #expect(stage.said == ["[:my/ev 1]"])
        #expect(stage.answer(call) == .written)
        var strict = VectorStage(DialectDetector()) { $0.outbox = .off }
        let refused = strict.send("my/ev", 1)
        #expect(strict.error(refused)?.code == .notConnected)
    }

    @Test("row 11: wishes come back in their order, once each, before anything else; a rejected one rests")
    func row11() {
        var stage = VectorStage()
        for channel in ["b", "a", "c", "a"] { stage.subscribe(channel) }
        _ = stage.send("my/ev")
        stage.greet()
        func wish(_ channel: String) -> String { #"[:sente-lite/subscribe {:channel-id "\#(channel)"}]"# }
        #expect(stage.said == [wish("b"), wish("a"), wish("c"), "[:my/ev]"])
        stage.hear(Self.acknowledged("b"))
        stage.hear(Self.acknowledged("a", "false"))
        #expect(stage.engine.subscription("b")?.isConfirmed == true)
        #expect(stage.engine.subscription("a")?.rejection?.code == .rejected)
        stage.lose()
        stage.wait(.seconds(3))
        stage.greet()
        #expect(stage.said == [wish("b"), wish("c")])
    }

    @Test("row 12: a ping is answered at once, ahead of any queue, and is no event; nor is a pong")
    func row12() {
        var stage = VectorStage.opened { $0.writeWindow = 1 }
        let events = stage.listen()
        stage.hear("[:chsk/ws-ping]")
        #expect(stage.said == ["[:chsk/ws-pong]"])
        stage.hear("[:chsk/ws-pong]")
        #expect(stage.said.isEmpty && stage.events(events).isEmpty && stage.complaints.isEmpty)
    }

    @Test("row 13: keys are opaque: they come as they were sent")
    func row13() throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let data = try Vectors.edn(#"{:my-server 1, ":my-server" 2, "my-server" 3}"#)
        stage.hear(#"[:my/stats {:my-server 1, ":my-server" 2, "my-server" 3}]"#)
        #expect(stage.events(events) == [Event(id: "my/stats", data: data)])
    }

    @Test("row 14: the client tells its own states, and adds nothing to the URL by itself")
    func row14() {
        var stage = VectorStage()
        guard case .openLink(_, let target)? = stage.effects.last else {
            Issue.record("\(stage.effects)")
            return
        }
        #expect(target.parameters == NamedValues())
        stage.greet()
        #expect(stage.states == [.connecting, .open])
        // `first?` is true at each handshake; who we are is new each time.
        stage.lose()
        stage.wait(.seconds(3))
        stage.greet(#"[:chsk/handshake ["conn-2" "tok" {} true]]"#)
        #expect(stage.engine.status.identity?.uid == "conn-2")
    }

    @Test("row 15: a ping that comes back as an echo is as good as its pong")
    func row15() {
        var stage = VectorStage.opened()
        let call = stage.call()
        stage.tell(.command(.ping(call)))
        #expect(stage.said == ["[:chsk/ws-ping]"])
        stage.hear("[:sente-lite/echo {:original-event-id :chsk/ws-ping, :original-data nil}]")
        #expect(stage.answer(call) == .roundTrip(.zero))
    }

    @Test("row 16: connecting asks for a WebSocket and for nothing else")
    func row16() {
        let stage = VectorStage()
        let actions = stage.effects.filter {
            switch $0 {
            case .publish, .record: false
            default: true
            }
        }
        #expect(actions.count == 1 && stage.written.isEmpty)
    }

    @Test("row 17: events that nobody here knows go to whoever listens to all")
    func row17() {
        var stage = VectorStage.opened()
        let events = stage.listen()
        for event in [
            "[:chsk/state [1 2]]", "[:sente-lite/batch []]", "[:sente-lite/compressed 1]", "[:any/thing]",
        ] {
            stage.hear(event)
        }
        #expect(
            stage.events(events).map(\.id)
                == ["chsk/state", "sente-lite/batch", "sente-lite/compressed", "any/thing"])
        #expect(stage.complaints.isEmpty)
    }

    @Test("row 18: one acknowledgement for subscribing and unsubscribing goes to the call that waits for it")
    func row18() {
        var stage = VectorStage.opened()
        let (first, _) = stage.subscribe("room")
        let ending = stage.call()
        stage.tell(.command(.unsubscribe(ending, channel: "room")))
        let (second, _) = stage.subscribe("room")
        #expect(stage.error(first)?.code == .cancelled)
        stage.hear(Self.acknowledged("room"))
        #expect(stage.results[ending] == nil && stage.results[second] == nil)
        stage.hear(Self.acknowledged("room"))
        #expect(stage.answer(ending) == .done && stage.results[second] == nil)
        stage.hear(Self.acknowledged("room"))
        #expect(stage.answer(second) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        // Unasked for, it is the end of the subscription.
        stage.hear(Self.acknowledged("room", "false"))
        #expect(stage.engine.subscription("room")?.rejection?.code == .rejected)
    }

    @Test("row 19: an event is answered by callback id, by request-id, by its echo, or by what the app picks")
    func row19() throws {
        var stage = VectorStage.opened()
        let named = stage.ask("my/named")
        let callback = try #require(try Vectors.edn(stage.said[0])[1]?.stringValue)
        let marked = stage.ask("my/marked", [.keyword("request-id"): 7])
        let echoed = stage.ask("my/echoed", 1)
        let picked = stage.submit(.event(Event(id: "my/picked")), awaits: .settlement)
        #expect(stage.said == ["[:my/picked]"])
        stage.hear("[:my/done {:request-id 7, :ok true}]")
        stage.hear("[:sente-lite/echo {:original-event-id :my/echoed, :original-data 1}]")
        stage.hear("[5 \"\(callback)\"]")
        stage.tell(.command(.settle(picked, 9)))
        #expect(stage.value(named) == 5)
        #expect(stage.value(marked)?[Keyword("ok")] == true)
        #expect(stage.value(echoed)?[Keyword("original-data")] == 1)
        #expect(stage.value(picked) == 9)
    }

    @Test("row 20: a server of another family is left, or waited for no longer than the limit")
    func row20() {
        var other = VectorStage(DialectDetector(dialect: .senteLiteVectors))
        other.greet(#"{"type":"welcome","conn-id":"conn-1"}"#)
        #expect(other.state == .failed)
        #expect(other.engine.status.lastError?.code == .protocolMismatch)
        #expect(other.engine.status.lastError?.message.contains("senteLiteMaps") == true)

        var silent = VectorStage(DialectDetector()) { $0.times.connect = .seconds(5) }
        silent.greet("[:chsk/ws-ping]")
        #expect(silent.state == .connecting && silent.written.isEmpty)
        silent.wait(.seconds(5))
        #expect(silent.state == .reconnecting)
        #expect(silent.engine.status.lastError?.message.contains("did not greet") == true)
    }

    @Test(
        "both dialects: open after the handshake and not before; identity is new with each; frames are bare text"
    )
    func both() {
        var stage = VectorStage()
        stage.hear("[:my/early 1]")
        #expect(stage.state == .connecting)
        stage.hear(VectorStage.handshake)
        #expect(stage.state == .open && stage.engine.status.dialect == .senteLiteVectors)
        #expect(stage.engine.status.identity?.csrfToken == "tok")
        stage.hear(#"[:chsk/handshake ["conn-9" "new"]]"#)
        #expect(
            stage.engine.status.identity == Identity(connectionID: "conn-9", uid: "conn-9", csrfToken: "new"))
        _ = stage.send("my/ev", 1)
        #expect(stage.written == [.text("[:my/ev 1]")])
    }
}
