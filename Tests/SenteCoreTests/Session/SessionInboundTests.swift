// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: what the server says")
struct SessionInboundTests {
    @Test("A ping is answered at once, ahead of what waits")
    func ping() {
        var session = TestSession.opened { $0.writeWindow = 10 }
        session.send("first")
        session.send("second")
        session.receive(.ping(stamp: 5))
        #expect(session.sent.contains(.pong(original: 5)))
        session.receive(.ping(stamp: nil))
        #expect(session.sent == [.pong(original: nil)])
    }

    @Test("A server that reads none of its pongs gets no more than 1,024 of them, and again when it reads")
    func pongFlood() {
        var session = TestSession.opened()
        var pongs = 0
        for stamp in 0..<5_000 {
            session.receive(.ping(stamp: Int64(stamp)))
            pongs += session.sent.count
        }
        #expect(pongs == 1_024)
        #expect(session.effects == [.record(.ignored(.surplusPing))])
        session.flush()
        session.receive(.ping(stamp: 1))
        #expect(session.sent.contains(.pong(original: 1)))
    }

    @Test("Nothing but a greeting counts before the greeting")
    func beforeTheGreeting() {
        var session = TestSession.connecting()
        let (_, inbox) = session.subscribe("a")
        session.handle(.opened(session.link))
        session.receive(.delivery(ChannelMessage(channel: "a", data: .null)))
        session.receive(.ping(stamp: 1))
        session.receive(.pong(stamp: 1))
        #expect(session.effects.isEmpty)
        session.receive(.failure(SenteError(.serverError, ""), Event(id: "error")))
        #expect(session.effects == [.record(.ignored(.unheard))])
        #expect(session.take(inbox).isEmpty)
        #expect(session.state == .connecting)
    }

    @Test("Nothing is delivered after disconnect()")
    func afterDisconnect() {
        var session = TestSession.opened()
        let (_, inbox) = session.subscribe("a")
        session.disconnect()
        session.receive(.delivery(ChannelMessage(channel: "a", data: .null)))
        session.receive(.ping(stamp: 1))
        #expect(session.effects.isEmpty)
        #expect(session.take(inbox).isEmpty)
    }

    @Test("A reply that nobody waits for goes to nobody", arguments: ReplyKind.allCases)
    func unasked(kind: ReplyKind) {
        var session = TestSession.opened()
        for reply in Self.replies {
            session.receive(.reply(.next(kind, channel: "a"), reply))
            #expect(session.effects == [.record(.ignored(.lateReply))])
            session.receive(.reply(.id(kind, "1"), reply))
            if case .event = kind {
                #expect(session.effects.count == 1 && session.undecodable.last?.contains("“1”") == true)
            } else {
                #expect(session.effects == [.record(.ignored(.lateReply))])
            }
        }
    }

    @Test("The reply of a call that gave up is late, and one that nobody ever awaited is not")
    func lateReplies() {
        var session = TestSession.opened()
        let publish = Outbound.publish(channel: "a", data: [:], excludeSender: false)
        let receipt = Reply.published(PublishReceipt(outcome: .acknowledged))
        session.cancel(session.submit(publish))
        session.reply(.publish, "a", receipt)
        #expect(session.effects == [.record(.ignored(.lateReply))])

        session.handle(
            .command(.submit(session.newCall(), Submission(publish, limit: nil, awaits: .written))))
        session.reply(.publish, "a", receipt)
        #expect(session.effects.isEmpty)

        let scope = session.subscribe("b", scoped: true).inbox
        session.handle(.command(.endScope(scope)))
        session.confirm("b")
        #expect(session.effects == [.record(.ignored(.lateReply))], "Its wish is gone.")
        session.reply(.unsubscribe, "b", .unsubscribed)
        #expect(session.effects.isEmpty, "Nobody waits for it from the beginning.")
    }

    @Test(
        "A pong for which nobody waits is late, be it of a call that gave up, the second one, or unasked for")
    func latePongs() {
        var session = TestSession.opened()
        let call = session.newCall()
        session.handle(.command(.ping(call)))
        let stamp = session.pingStamp
        session.cancel(call)
        for stamp in [stamp, 5, nil] {
            session.receive(.pong(stamp: stamp))
            #expect(session.effects == [.record(.ignored(.lateReply))])
        }
    }

    @Test("What no handle listens to is counted, and so is what comes when nothing is handed out")
    func unheard() {
        let words: [Inbound] = [.delivery(ChannelMessage(channel: "a", data: 1)), .event(Event(id: "my/ev"))]
        for word in words {
            for scene in [TestSession.opened(), TestSession.connecting(), TestSession.closing()] {
                var session = scene
                session.receive(word)
                #expect(session.effects == [.record(.ignored(.unheard))])
            }
            var session = TestSession.opened()
            let inbox = session.newInbox()
            session.handle(.command(.openInbox(inbox)))
            session.handle(.command(.listen(inbox, .allEvents)))
            session.handle(.command(.listen(inbox, .channel("a"))))
            session.receive(word)
            #expect(session.effects == [.ready(inbox)])
        }
        for scene in [TestSession.connecting(), TestSession.closing()] {
            var session = scene
            session.receive(.undecodable("why"))
            #expect(session.effects == [.record(.undecodable("why"))])
            session.receive(.noise)
            #expect(session.effects.isEmpty)
        }
    }

    @Test("A reply of another kind than was asked for traps nothing and leaves the wish as it was")
    func wrongKind() {
        for reply in Self.replies {
            var session = TestSession.opened()
            session.subscribe("a")
            session.reply(.subscribe, "a", reply)
            let call = session.submit(.listChannels)
            session.reply(.channels, nil, reply)
            session.advance(by: .seconds(10))
            #expect(!session.isPending(call))
            #expect(session.state == .open)
        }
    }

    @Test("What is not understood is counted, and noise is not")
    func undecodable() {
        var session = TestSession.opened()
        session.receive(.undecodable("why"))
        #expect(session.effects == [.record(.undecodable("why"))])
        session.receive(.noise)
        #expect(session.effects.isEmpty)
        #expect(session.state == .open)
    }

    @Test("An error of the server that names no call is an event, and no reason why a link failed")
    func serverError() {
        var session = TestSession.opened()
        session.receive(.failure(SenteError(.serverError, "Oops."), Event(id: "error")))
        #expect(session.effects == [.record(.serverError("Oops."))])
        #expect(session.status.lastError == nil)
    }

    @Test("A round trip is measured for pings and for replies")
    func roundTrips() {
        var session = TestSession.opened()
        session.submit(.listChannels)
        session.advance(by: .milliseconds(20))
        session.reply(.channels, nil, .channels([]))
        #expect(session.effects.contains(.record(.roundTrip(.milliseconds(20)))))
        session.advance(by: .seconds(20))
        let stamp = session.pingStamp
        session.advance(by: .milliseconds(7))
        session.receive(.pong(stamp: stamp))
        #expect(session.effects == [.record(.roundTrip(.milliseconds(7)))])
    }

    private static let replies: [Reply] = [
        .subscribed(retained: []), .unsubscribed, .published(PublishReceipt(outcome: .acknowledged)),
        .forwarded(requestID: "r", deliveredTo: 1), .forwarded(requestID: "r", deliveredTo: -1),
        .answered(.null), .channels([]), .subscriptions([]), .refused(SenteError(.rejected, "")),
    ]

    @Test("A server's ping is also told to who listens for pings, and to nobody else")
    func pingEvents() {
        var session = TestSession.opened(.sente)
        let (listener, events) = (session.newInbox(), session.newInbox())
        session.handle(.command(.openInbox(listener)))
        session.handle(.command(.listen(listener, .pings)))
        session.handle(.command(.openInbox(events)))
        session.handle(.command(.listen(events, .event("chsk/ws-ping"))))
        session.receive(.ping(stamp: nil))
        #expect(session.sent.contains(.pong(original: nil)) && session.effects.contains(.ready(listener)))
        #expect(session.take(listener) == [.event(Event(id: "chsk/ws-ping"), missed: 0)])
        #expect(session.take(events).isEmpty)
        session.handle(.command(.unlisten(listener, .pings)))
        session.receive(.ping(stamp: nil))
        #expect(session.sent == [.pong(original: nil)])
        #expect(session.take(listener).isEmpty)
    }

    @Test("A second handshake on a link says anew who we are, and changes nothing else")
    func secondGreeting() {
        var session = TestSession.opened(.sente)
        session.subscribe("a")
        session.receive(
            .greeting(Identity(uid: [1, 2], csrfToken: "tok", handshakeData: [.keyword("a"): 1])))
        #expect(session.status.identity?.uid == [1, 2])
        #expect(session.status.identity?.csrfToken == "tok")
        #expect(session.status.identity?.handshakeData == [.keyword("a"): 1])
        #expect(session.effects == [.publish(session.status)])
        #expect(session.state == .open)
    }

    @Test("What unfolds beyond the limit ends the link with 1009, and both places say so")
    func tooLarge() {
        for isOpen in [true, false] {
            var session = isOpen ? TestSession.opened() : TestSession.connecting()
            let link = session.link
            let call = session.submit(.listChannels)
            session.receive(.tooLarge("It is too large."))
            #expect(session.effects.contains(.closeLink(link, .messageTooBig, reason: "")))
            #expect(session.state == .reconnecting)
            #expect(session.status.lastError?.closeCode == .messageTooBig)
            #expect(session.status.lastClose?.code == .messageTooBig)
            #expect(session.isPending(call) == !isOpen)
            session.advanceToAttempt()
            #expect(session.state == .connecting)
        }
    }

    @Test("What unfolds beyond the limit after disconnect() leaves the closing handshake alone")
    func tooLargeWhileClosing() {
        var session = TestSession.closing()
        session.receive(.tooLarge("It is too large."))
        #expect(session.effects.isEmpty && session.state == .closing)
    }
}
