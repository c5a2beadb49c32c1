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
        var session = TestSession.openedInText()
        let events = session.listen()
        let batch = (0..<count).map { "[:my/ev {:n \($0)}]" }.joined(separator: " ")
        session.receive("[\(batch)]")
        #expect(
            session.events(events)
                == (0..<count).map { Event(id: "my/ev", data: [.keyword("n"): Value(Int64($0))]) })
        #expect(session.undecodable.isEmpty)
    }

    @Test("the callback envelope goes out as [[id data] callback], and its reply comes back")
    func callbacks() throws {
        var session = TestSession.openedInText()
        let call = session.submit("my/ev", [.keyword("a"): 1])
        let frame = try Vectors.edn(try #require(session.sentText.first))
        #expect(frame[0] == [.keyword("my/ev"), [.keyword("a"): 1]])
        let callback = try #require(frame[1]?.stringValue)
        session.receive("[{:ok true} \"\(callback)\"]")
        #expect(session.value(of: call) == [.keyword("ok"): true])
    }

    @Test("a reply wrapped in :chsk/recv finds its call")
    func wrappedReply() throws {
        var session = TestSession.openedInText()
        let call = session.submit("my/ev")
        let callback = try #require(try Vectors.edn(session.sentText[0])[1]?.stringValue)
        session.receive("[:chsk/recv [\"\(callback)\" {:ok true}]]")
        #expect(session.value(of: call) == [.keyword("ok"): true])
        session.receive("[:chsk/recv [\"\(callback)\" {:ok false}]]")
        #expect(session.undecodable.isEmpty && session.ignored == [.lateReply])
    }

    @Test("a reply that looks like an event is a late reply once its call gave up, and no event")
    func lateReplyLikeAnEvent() throws {
        var session = TestSession.openedInText()
        let events = session.listen()
        let call = session.submit("my/ev")
        let callback = try #require(try Vectors.edn(session.sentText[0])[1]?.stringValue)
        session.handle(.command(.cancel(call)))
        session.receive("[:my/done \"\(callback)\"]")
        #expect(session.ignored == [.lateReply] && session.events(events).isEmpty)
        session.receive("[:my/done \"somebody\"]")
        #expect(session.events(events) == [Event(id: "my/done", data: "somebody")])
    }

    @Test("an echo that answers a call is heard, although nobody listens for it")
    func unheardEcho() throws {
        var session = TestSession.openedInText()
        for isAwaited in [true, false] {
            let call = session.submit(.event(Event(id: "my/ev")), awaits: isAwaited ? .reply : .written)
            try session.answerSent(TestSession.echo)
            #expect(!session.isPending(call))
            #expect(session.ignored == (isAwaited ? [] : [.unheard]))
        }
    }

    @Test("ping and pong are these very texts")
    func pingPong() {
        var session = TestSession.openedInText()
        session.receive("[:chsk/ws-ping]")
        #expect(session.sentText == ["[:chsk/ws-pong]"])
        let call = session.newCall()
        session.handle(.command(.ping(call)))
        #expect(session.sentText == ["[:chsk/ws-ping]"])
        session.receive("[:chsk/ws-pong]")
        #expect(session.answer(to: call) == .roundTrip(.zero))
    }

    @Test("the five system events: handshake, state, recv, ping, pong")
    func systemEvents() {
        var session = TestSession.openedInText()
        let events = session.listen()
        session.receive(#"[:chsk/handshake ["conn-2" nil]]"#)
        #expect(session.status.identity?.uid == "conn-2")
        session.receive("[:chsk/state [{:open? false} {:open? true}]]")
        session.receive("[:chsk/recv [:my/ev 1]]")
        session.receive("[:chsk/ws-ping]")
        #expect(session.sentText == ["[:chsk/ws-pong]"])
        session.receive("[:chsk/ws-pong]")
        #expect(session.events(events).map(\.id) == ["chsk/state", "my/ev"])
        #expect(session.undecodable.isEmpty)
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
        var session = TestSession.openedInText()
        let events = session.listen()
        let value = try Vectors.edn(text)
        _ = session.send("my/ev", value)
        try session.answerSent { $0 }
        #expect(session.events(events) == [Event(id: "my/ev", data: value)])
    }

    @Test("a payload of 1,000 characters")
    func longPayload() throws {
        var session = TestSession.openedInText()
        let events = session.listen()
        let value = Value.string(String(repeating: "é", count: 1_000))
        _ = session.send("my/ev", value)
        try session.answerSent { $0 }
        #expect(session.events(events).first?.data == value)
    }

    @Test(
        "what is malformed, no vector, or has no id is skipped and told, and the link goes on",
        arguments: [
            "[:broken", "", "   ", "42", "{:a 1}", "\"text\"", "[nil {}]", "[\"id\" 1]", "[:plain 1]",
        ])
    func malformed(_ text: String) {
        var session = TestSession.openedInText()
        let events = session.listen()
        session.receive(text)
        #expect(!session.undecodable.isEmpty)
        session.receive("[:my/ev]")
        #expect(session.events(events) == [Event(id: "my/ev")] && session.state == .open)
    }

    // MARK: A client and a server

    @Test("handshake with uid, echo, subscribed, channel message, pong")
    func conversation() throws {
        var session = TestSession.openedInText()
        let events = session.listen()
        #expect(session.status.identity?.uid == "conn-1")
        _ = session.send("my/hello", [.keyword("n"): 1])
        try session.answerSent(TestSession.echo)
        let echo = try #require(session.events(events).first)
        #expect(echo.id == "sente-lite/echo")
        #expect(echo.data[Keyword("original-event-id")] == .keyword("my/hello"))
        let (call, inbox) = session.subscribe("room")
        session.receive(#"[:sente-lite/subscribed {:channel-id "room", :success true}]"#)
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        session.receive(#"[:sente-lite/channel-msg {:channel-id "room", :data {:n 1}, :from nil}]"#)
        session.receive(#"[:sente-lite/channel-msg {:channel-id "other", :data {:n 2}, :from nil}]"#)
        #expect(
            session.consume(inbox) == [.message(ChannelMessage(channel: "room", data: [.keyword("n"): 1]))])
    }

    // MARK: What the server's function returns

    @Test(
        "the event that the server's function returns arrives, also as the answer when it repeats the request-id"
    )
    func functionAnswers() throws {
        var session = TestSession.openedInText()
        let events = session.listen()
        let call = session.submit("my/sum", [.keyword("request-id"): "r1", .keyword("n"): 2])
        try session.answerSent { event in
            Event(id: "my/sum-is", data: [.keyword("request-id"): "r1", .keyword("n"): 3])
        }
        #expect(session.value(of: call)?[Keyword("n")] == 3)
        #expect(session.events(events).map(\.id) == ["my/sum-is"])
    }

    @Test("when the function returns nothing nothing comes, and a call that waits ends by its own limit")
    func functionIsSilent() throws {
        var session = TestSession.openedInText()
        let events = session.listen()
        let call = session.submit("my/ev", limit: .seconds(2))
        try session.answerSent { _ in nil }
        #expect(session.isPending(call))
        session.advance(by: .seconds(2))
        #expect(session.error(of: call)?.code == .timedOut && session.error(of: call)?.outcome == .unknown)
        #expect(session.events(events).isEmpty)
    }

    @Test("without a function the echo is the answer")
    func noFunction() throws {
        var session = TestSession.openedInText()
        let call = session.submit("my/ev", 7)
        try session.answerSent(TestSession.echo)
        #expect(session.value(of: call)?[Keyword("original-data")] == 7)
    }

    @Test("a function that answers some events only: the others time out, and no answer goes astray")
    func selectiveFunction() throws {
        var session = TestSession.openedInText()
        let silent = session.submit("my/ev", 1, limit: .seconds(1))
        session.advance(by: .seconds(1))
        #expect(session.error(of: silent)?.code == .timedOut)
        // The call that gave up has a fence behind it; its pong says that no echo of it is coming.
        #expect(session.sentText == ["[:chsk/ws-ping]"])
        session.receive("[:chsk/ws-pong]")
        for _ in 0..<3 {
            let call = session.submit("my/ev", 1)
            try session.answerSent(TestSession.echo)
            #expect(session.value(of: call) != nil)
        }
    }
}
