// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("A session that follows streams")
struct SessionFollowingTests {
    private static func connecting(
        _ nats: NATSSettings = NATSSettings(), _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        TestSession.connectingInText(DialectDetector(dialect: .nats, nats: nats)) {
            $0.dialect = .nats
            configure(&$0)
        }
    }

    private static func greet(_ session: inout TestSession) {
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
    }

    private static func follow(
        _ channel: String = "a", from start: ChannelStart = .sequence(1), in session: inout TestSession
    ) -> (call: CallID, inbox: InboxID) {
        let (call, inbox) = (session.newCall(), session.newInbox())
        session.handle(.command(.follow(call, channel: channel, inbox, from: start)))
        return (call, inbox)
    }

    /// What stands in the lines that the last step sent, without what is of this link alone.
    private static func said(_ session: TestSession) -> [String] {
        session.sentText.joined().split(separator: "\r\n").map {
            String($0).replacing("\(inbox(of: session)).", with: "")
        }
    }

    private static func inbox(of session: TestSession) -> String {
        (session.engine.coder as? NATSCoder)?.inbox ?? ""
    }

    private static func answer(_ text: String, _ place: String, of session: inout TestSession) {
        session.receive("MSG \(inbox(of: session)).\(place) 2 \(text.utf8.count)\r\n\(text)\r\nPONG\r\n")
    }

    private static let api = "io.nats.jetstream.api.v1."
    private static let names = "{\"type\":\"\(api)stream_names_response\",\"streams\":[\"X\"]}"

    private static func consumer(_ delivered: Int) -> String {
        "{\"type\":\"\(api)consumer_create_response\",\"delivered\":{\"stream_seq\":\(delivered)},\"num_pending\":5}"
    }

    private static func info(_ last: Int) -> String {
        "{\"type\":\"\(api)stream_info_response\",\"created\":\"t\",\"state\":{\"last_seq\":\(last)},\"config\":{\"subjects\":[\"a\"]}}"
    }

    /// The first try of the first follower.
    private static let first = ChannelFollower.number(of: 1, try: 1)

    /// Follows, up to where the stream is confirmed.
    private static func following(
        _ session: inout TestSession, last: Int = 3
    ) -> (call: CallID, inbox: InboxID) {
        let handle = follow(in: &session)
        answer(names, "a\(first)", of: &session)
        answer(consumer(0), "a\(first)", of: &session)
        answer(info(last), "a\(first)", of: &session)
        return handle
    }

    private static func hand(_ sequence: Int, sid: Int = 1, _ session: inout TestSession) {
        session.receive("MSG a \(sid) $JS.ACK.X.c.1.\(sequence).\(sequence).5000000.0 1\r\n7\r\n")
    }

    private static func positions(_ inbox: InboxID, of session: inout TestSession) -> [UInt64] {
        session.consume(inbox).compactMap {
            if case .message(let message) = $0 { message.position } else { nil }
        }
    }

    @Test("asks in its own inbox, confirms when the stream was checked, and hands over with a place")
    func follows() {
        var session = Self.connecting()
        Self.greet(&session)
        let (call, inbox) = Self.follow(in: &session)
        #expect(
            Self.said(session) == [
                "SUB f.\(Self.first) 1", "SUB * 2", "PUB $JS.API.STREAM.NAMES a\(Self.first) 15",
                "{\"subject\":\"a\"}",
                "PING",
            ])
        Self.answer(Self.names, "a\(Self.first)", of: &session)
        let asked = Self.said(session)
        #expect(asked.count == 3 && asked[0].hasPrefix("PUB $JS.API.CONSUMER.CREATE.X a\(Self.first) "))
        for part in [
            "\"opt_start_seq\":1", "\"deliver_policy\":\"by_start_sequence\"", "\"filter_subject\":\"a\"",
            "\"flow_control\":true", "\"idle_heartbeat\":1000000000", "f.\(Self.first)",
        ] { #expect(asked[1].contains(part), "\(part)") }
        Self.answer(Self.consumer(0), "a\(Self.first)", of: &session)
        #expect(Self.said(session) == ["PUB $JS.API.STREAM.INFO.X a\(Self.first) 0", "PING"])
        #expect(session.isPending(call))
        Self.answer(Self.info(1), "a\(Self.first)", of: &session)
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        let wish = Followers.wish("a", inbox)
        #expect(session.engine.subscription(wish)?.isConfirmed == true)
        Self.hand(1, &session)
        Self.hand(2, &session)
        let messages = session.consume(inbox)
        guard case .message(let message)? = messages.last else { return #expect(Bool(false), "nothing came") }
        #expect(messages.count == 2 && message.channel == "a" && message.id == "X:2" && message.time == 5)
        #expect(message.cursor == ChannelCursor(stream: "X", created: "t", sequence: 2))
        session.handle(.command(.endScope(inbox)))
        #expect(Self.said(session) == ["UNSUB 1"] && session.engine.subscription(wish) == nil)
    }

    @Test("the streams of a domain are asked under its name, and its messages say it in their places")
    func domain() {
        var session = Self.connecting(NATSSettings(domain: "hub"))
        Self.greet(&session)
        let (call, inbox) = Self.follow(in: &session)
        #expect(Self.said(session).contains("PUB $JS.hub.API.STREAM.NAMES a\(Self.first) 15"))
        Self.answer(Self.names, "a\(Self.first)", of: &session)
        #expect(Self.said(session).contains { $0.hasPrefix("PUB $JS.hub.API.CONSUMER.CREATE.X ") })
        Self.answer(Self.consumer(0), "a\(Self.first)", of: &session)
        #expect(Self.said(session).contains { $0.hasPrefix("PUB $JS.hub.API.STREAM.INFO.X ") })
        Self.answer(Self.info(3), "a\(Self.first)", of: &session)
        #expect(session.answer(to: call) != nil)
        session.receive("MSG a 1 $JS.ACK.hub.account.X.c.1.1.1.5000000.0 1\r\n7\r\n")
        session.receive("MSG a 1 $JS.ACK.hub.account.X.c.1.2.2.5000000.0.token.more 1\r\n7\r\n")
        #expect(Self.positions(inbox, of: &session) == [1, 2])
    }

    @Test("each link follows behind the wishes, from behind what came over the last one")
    func links() {
        var session = Self.connecting()
        let (call, inbox) = Self.follow(in: &session)
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus()))
        Self.greet(&session)
        #expect(Self.said(session).first == "SUB f.\(Self.first) 1")
        Self.answer(Self.names, "a\(Self.first)", of: &session)
        Self.answer(Self.consumer(0), "a\(Self.first)", of: &session)
        Self.answer(Self.info(3), "a\(Self.first)", of: &session)
        Self.hand(1, &session)
        Self.hand(2, &session)
        session.subscribe("b")
        session.cut()
        #expect(session.engine.subscription(Followers.wish("a", inbox))?.isConfirmed == false)
        session.advanceToAttempt()
        Self.greet(&session)
        let said = Self.said(session)
        #expect(said.prefix(2) == ["SUB b 1", "PING"] && said[2].hasPrefix("SUB f."))
        #expect(said.contains { $0.contains("\"opt_start_seq\":3") })
        #expect(Self.positions(inbox, of: &session) == [1, 2])
    }

    @Test("nothing wakes a session for its followers once it is closed")
    func closed() {
        var session = Self.connecting()
        Self.greet(&session)
        _ = Self.following(&session)
        session.disconnect()
        session.endLink(.closed(code: .normal, reason: ""))
        #expect(session.state == .closed && session.deadline == nil)
    }

    @Test("a full inbox withholds the answer to flow control until half of it is consumed")
    func flow() {
        var session = Self.connecting { $0.inbox = InboxPolicy(maximumMessages: 4) }
        Self.greet(&session)
        let (_, inbox) = Self.following(&session)
        let head = "NATS/1.0 100 FlowControl Request\r\n\r\n"
        func askFlow(_ subject: String) {
            session.receive("HMSG x 1 \(subject) \(head.utf8.count) \(head.utf8.count)\r\n\(head)\r\n")
        }
        askFlow("$JS.FC.X.c.1")
        #expect(Self.said(session) == ["PUB $JS.FC.X.c.1 0"])
        for sequence in 1...3 { Self.hand(sequence, &session) }
        askFlow("$JS.FC.X.c.2")
        #expect(session.sentText == [])
        Self.hand(4, &session)
        Self.hand(5, &session)
        // The fifth has no room and is held.
        #expect(session.sentText == [])
        #expect(Self.positions(inbox, of: &session) == [1, 2, 3, 4])
        #expect(Self.said(session) == ["PUB $JS.FC.X.c.2 0"])
        #expect(Self.positions(inbox, of: &session) == [5])
        #expect(session.metrics.missed == 0)
    }

    @Test("no other subject than a consumer's is ever answered, and a place that is none is told of")
    func hostile() {
        var session = Self.connecting()
        Self.greet(&session)
        let (_, inbox) = Self.following(&session)
        for subject in ["orders.delete", "$JS.API.STREAM.DELETE.X", "$JS.FC"] {
            let head = "NATS/1.0 100 FlowControl Request\r\nNats-Consumer-Stalled: \(subject)\r\n\r\n"
            session.receive("HMSG x 1 \(subject) \(head.utf8.count) \(head.utf8.count)\r\n\(head)\r\n")
            #expect(session.sentText == [])
        }
        let places = [
            "$JS.ACK.X.c.1.1", "$JS.ACK.X.c.1.1.1.5", "$JS.ACK.D.A.X.c.1.1.1.5", "$JS.ACK.X.c.1.-1.1.5.0",
            "$JS.ACK.X.c.1.99999999999999999999.1.5.0", "$JS.ACK..c.1.1.1.5.0", "reply",
            "$JS.ACK.X.c.1.0.1.5.0",
        ]
        for place in places { session.receive("MSG a 1 \(place) 1\r\n7\r\n") }
        session.receive("MSG a 1 1\r\n7\r\n")
        #expect(session.undecodable.count == places.count + 1)
        #expect(Self.positions(inbox, of: &session) == [])
        // With domain and account, and with more behind.
        session.receive(
            "MSG a 1 $JS.ACK.D.acc.X.c.1.1.1.5.0 1\r\n7\r\nMSG a 1 $JS.ACK.D.acc.X.c.1.2.2.5.0.t 1\r\n7\r\n")
        #expect(Self.positions(inbox, of: &session) == [1, 2])
        // The consumer is gone.
        session.receive("HMSG x 1 28 28\r\nNATS/1.0 409 Consumer Gone\r\n\r\n\r\n")
        #expect(Self.said(session) == ["UNSUB 1"])
    }

    @Test("a user who may not ask is refused at the call, and a channel without a stream is, too")
    func rejected() {
        var session = Self.connecting()
        Self.greet(&session)
        let forbidden = Self.follow(in: &session)
        session.receive(
            "-ERR 'Permissions Violation for Publish to \"$JS.API.STREAM.NAMES\"'\r\nPONG\r\n")
        #expect(session.error(of: forbidden.call)?.code == .rejected)
        #expect(
            session.engine.subscription(Followers.wish("a", forbidden.inbox))?.rejection?.code == .rejected)
        let nowhere = Self.follow(in: &session)
        Self.answer(
            "{\"type\":\"\(Self.api)stream_names_response\",\"streams\":null}",
            "a\(ChannelFollower.number(of: 2, try: 1))", of: &session)
        #expect(session.error(of: nowhere.call)?.message.contains("No stream keeps") == true)
        #expect(session.effects.contains { if case .finish(nowhere.inbox) = $0 { true } else { false } })
    }

    @Test("answers that are none, and names that would be other operations, are asked for again")
    func unreadable() {
        let texts = [
            "", "7", "{}", "{\"type\":\"x\"}", String(repeating: "[", count: 5_000),
            "{\"type\":\"\(Self.api)stream_names_response\",\"streams\":[7]}",
            "{\"type\":\"\(Self.api)stream_names_response\",\"streams\":[\"X\\r\\nPUB b 0\\r\\n\"]}",
            "{\"type\":\"\(Self.api)stream_names_response\",\"streams\":[\"a.b\"]}",
            "{\"type\":\"\(Self.api)stream_names_response\",\"streams\":[\"\"]}",
        ]
        for text in texts {
            var session = Self.connecting()
            Self.greet(&session)
            let (call, _) = Self.follow(in: &session)
            Self.answer(text, "a\(Self.first)", of: &session)
            #expect(Self.said(session) == ["UNSUB 1"], "\(text)")
            session.advance(by: .seconds(2))
            #expect(Self.said(session).contains { $0.hasPrefix("PUB $JS.API.STREAM.NAMES") })
            #expect(session.isPending(call))
        }
    }

    @Test("a call that is cancelled, or whose channel is unsubscribed, ends what it began")
    func ends() {
        var session = Self.connecting()
        Self.greet(&session)
        let cancelled = Self.follow(in: &session)
        session.cancel(cancelled.call)
        #expect(session.error(of: cancelled.call)?.code == .cancelled && Self.said(session) == ["UNSUB 1"])
        let waiting = Self.follow(in: &session)
        session.advance(by: .seconds(10))
        #expect(session.answer(to: waiting.call) == .subscribed(SubscriptionStatus()))
        session.handle(.command(.unsubscribe(session.newCall(), channel: "a")))
        #expect(session.effects.contains { if case .finish(waiting.inbox) = $0 { true } else { false } })
        session.disconnect()
        #expect(session.state == .closing)
    }
}
