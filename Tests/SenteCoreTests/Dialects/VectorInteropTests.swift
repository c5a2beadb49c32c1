// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// The suites that sente-lite's own project has for its vectors, asked of this client.
@Suite("sente-lite's own suites")
struct VectorInteropTests {
    // MARK: Interop

    @Test("buffered events: three, one and none", arguments: [3, 1, 0])
    func buffered(_ count: Int) {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let batch = (0..<count).map { "[:my/ev {:n \($0)}]" }.joined(separator: " ")
        stage.hear("[\(batch)]")
        #expect(
            stage.events(events)
                == (0..<count).map { Event(id: "my/ev", data: [.keyword("n"): Value(Int64($0))]) })
        #expect(stage.complaints.isEmpty)
    }

    @Test("the callback envelope goes out as [[id data] callback], and its reply comes back")
    func callbacks() throws {
        var stage = VectorStage.opened()
        let call = stage.ask("my/ev", [.keyword("a"): 1])
        let frame = try Vectors.edn(try #require(stage.said.first))
        #expect(frame[0] == [.keyword("my/ev"), [.keyword("a"): 1]])
        let callback = try #require(frame[1]?.stringValue)
        stage.hear("[{:ok true} \"\(callback)\"]")
        #expect(stage.value(call) == [.keyword("ok"): true])
    }

    @Test("a reply wrapped in :chsk/recv finds its call")
    func wrappedReply() throws {
        var stage = VectorStage.opened()
        let call = stage.ask("my/ev")
        let callback = try #require(try Vectors.edn(stage.said[0])[1]?.stringValue)
        stage.hear("[:chsk/recv [\"\(callback)\" {:ok true}]]")
        #expect(stage.value(call) == [.keyword("ok"): true])
        stage.hear("[:chsk/recv [\"\(callback)\" {:ok false}]]")
        #expect(stage.complaints.isEmpty && stage.ignored == [.lateReply])
    }

    @Test("a reply that looks like an event is a late reply once its call gave up, and no event")
    func lateReplyLikeAnEvent() throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let call = stage.ask("my/ev")
        let callback = try #require(try Vectors.edn(stage.said[0])[1]?.stringValue)
        stage.tell(.command(.cancel(call)))
        stage.hear("[:my/done \"\(callback)\"]")
        #expect(stage.ignored == [.lateReply] && stage.events(events).isEmpty)
        stage.hear("[:my/done \"somebody\"]")
        #expect(stage.events(events) == [Event(id: "my/done", data: "somebody")])
    }

    @Test("an echo that answers a call is heard, although nobody listens for it")
    func unheardEcho() throws {
        var stage = VectorStage.opened()
        for isAwaited in [true, false] {
            let call = stage.submit(.event(Event(id: "my/ev")), awaits: isAwaited ? .reply : .written)
            try stage.serve(VectorStage.echo)
            #expect(stage.results[call] != nil)
            #expect(stage.ignored == (isAwaited ? [] : [.unheard]))
        }
    }

    @Test("ping and pong are these very texts")
    func pingPong() {
        var stage = VectorStage.opened()
        stage.hear("[:chsk/ws-ping]")
        #expect(stage.said == ["[:chsk/ws-pong]"])
        let call = stage.call()
        stage.tell(.command(.ping(call)))
        #expect(stage.said == ["[:chsk/ws-ping]"])
        stage.hear("[:chsk/ws-pong]")
        #expect(stage.answer(call) == .roundTrip(.zero))
    }

    @Test("the five system events: handshake, state, recv, ping, pong")
    func systemEvents() {
        var stage = VectorStage.opened()
        let events = stage.listen()
        stage.hear(#"[:chsk/handshake ["conn-2" nil]]"#)
        #expect(stage.engine.status.identity?.uid == "conn-2")
        stage.hear("[:chsk/state [{:open? false} {:open? true}]]")
        stage.hear("[:chsk/recv [:my/ev 1]]")
        stage.hear("[:chsk/ws-ping]")
        #expect(stage.said == ["[:chsk/ws-pong]"])
        stage.hear("[:chsk/ws-pong]")
        #expect(stage.events(events).map(\.id) == ["chsk/state", "my/ev"])
        #expect(stage.complaints.isEmpty)
    }

    @Test(
        "values come and go as they are",
        arguments: [
            "nil", "#{1 2 3}", "{:a {:b [{:c #{:d}}]}}", ":ns/kw", #""a \"quote\"\n\\ tab\t é ✓ 😀""#, "[]",
            "{}",
            "(1 2)", "1.5", "22/7", "10N", "1.50M", #"\a"#, "sym/bol", "##Inf",
            #"#uuid "550e8400-e29b-41d4-a716-446655440000""#, #"#inst "2026-01-02T03:04:05.678-00:00""#,
        ])
    func fidelity(_ text: String) throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let value = try Vectors.edn(text)
        _ = stage.send("my/ev", value)
        try stage.serve { $0 }
        #expect(stage.events(events) == [Event(id: "my/ev", data: value)])
    }

    @Test("a payload of 1,000 characters")
    func longPayload() throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let value = Value.string(String(repeating: "é", count: 1_000))
        _ = stage.send("my/ev", value)
        try stage.serve { $0 }
        #expect(stage.events(events).first?.data == value)
    }

    @Test(
        "what is malformed, no vector, or has no id is skipped and told, and the link goes on",
        arguments: [
            "[:broken", "", "   ", "42", "{:a 1}", "\"text\"", "[nil {}]", "[\"id\" 1]", "[:plain 1]",
        ])
    func malformed(_ text: String) {
        var stage = VectorStage.opened()
        let events = stage.listen()
        stage.hear(text)
        #expect(!stage.complaints.isEmpty)
        stage.hear("[:my/ev]")
        #expect(stage.events(events) == [Event(id: "my/ev")] && stage.state == .open)
    }

    // MARK: A client and a server

    @Test("handshake with uid, echo, subscribed, channel message, pong")
    func conversation() throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        #expect(stage.engine.status.identity?.uid == "conn-1")
        _ = stage.send("my/hello", [.keyword("n"): 1])
        try stage.serve(VectorStage.echo)
        let echo = try #require(stage.events(events).first)
        #expect(echo.id == "sente-lite/echo")
        #expect(echo.data[Keyword("original-event-id")] == .keyword("my/hello"))
        let (call, inbox) = stage.subscribe("room")
        stage.hear(#"[:sente-lite/subscribed {:channel-id "room", :success true}]"#)
        #expect(stage.answer(call) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        stage.hear(#"[:sente-lite/channel-msg {:channel-id "room", :data {:n 1}, :from nil}]"#)
        stage.hear(#"[:sente-lite/channel-msg {:channel-id "other", :data {:n 2}, :from nil}]"#)
        #expect(stage.take(inbox) == [.message(ChannelMessage(channel: "room", data: [.keyword("n"): 1]))])
    }

    // MARK: What the server's function returns

    @Test(
        "the event that the server's function returns arrives, also as the answer when it repeats the request-id"
    )
    func functionAnswers() throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let call = stage.ask("my/sum", [.keyword("request-id"): "r1", .keyword("n"): 2])
        try stage.serve { event in
            Event(id: "my/sum-is", data: [.keyword("request-id"): "r1", .keyword("n"): 3])
        }
        #expect(stage.value(call)?[Keyword("n")] == 3)
        #expect(stage.events(events).map(\.id) == ["my/sum-is"])
    }

    @Test("when the function returns nothing nothing comes, and a call that waits ends by its own limit")
    func functionIsSilent() throws {
        var stage = VectorStage.opened()
        let events = stage.listen()
        let call = stage.ask("my/ev", limit: .seconds(2))
        try stage.serve { _ in nil }
        #expect(stage.results[call] == nil)
        stage.wait(.seconds(2))
        #expect(stage.error(call)?.code == .timedOut && stage.error(call)?.outcome == .unknown)
        #expect(stage.events(events).isEmpty)
    }

    @Test("without a function the echo is the answer")
    func noFunction() throws {
        var stage = VectorStage.opened()
        let call = stage.ask("my/ev", 7)
        try stage.serve(VectorStage.echo)
        #expect(stage.value(call)?[Keyword("original-data")] == 7)
    }

    @Test("a function that answers some events only: the others time out, and no answer goes astray")
    func selectiveFunction() throws {
        var stage = VectorStage.opened()
        let silent = stage.ask("my/ev", 1, limit: .seconds(1))
        stage.wait(.seconds(1))
        #expect(stage.error(silent)?.code == .timedOut)
        // The call that gave up has a fence behind it; its pong says that no echo of it is coming.
        #expect(stage.said == ["[:chsk/ws-ping]"])
        stage.hear("[:chsk/ws-pong]")
        for _ in 0..<3 {
            let call = stage.ask("my/ev", 1)
            try stage.serve(VectorStage.echo)
            #expect(stage.value(call) != nil)
        }
    }
}
