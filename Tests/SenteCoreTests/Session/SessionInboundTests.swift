// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: what the server says")
struct SessionInboundTests {
    @Test("A ping is answered at once, ahead of what waits")
    func ping() {
        var session = Play.opened { $0.writeWindow = 10 }
        session.send("first")
        session.send("second")
        session.hear(.ping(stamp: 5))
        #expect(session.sends(.pong(original: 5)))
        session.hear(.ping(stamp: nil))
        #expect(session.said == [.pong(original: nil)])
    }

    @Test("A server that reads none of its pongs gets no more than 1,024 of them, and again when it reads")
    func pongFlood() {
        var session = Play.opened()
        var pongs = 0
        for stamp in 0..<5_000 {
            session.hear(.ping(stamp: Int64(stamp)))
            pongs += session.said.count
        }
        #expect(pongs == 1_024)
        #expect(session.effects == [.record(.ignored(.surplusPing))])
        session.write()
        session.hear(.ping(stamp: 1))
        #expect(session.sends(.pong(original: 1)))
    }

    @Test("Nothing but a greeting counts before the greeting")
    func beforeTheGreeting() {
        var session = Play.connecting()
        let (_, inbox) = session.subscribe("a")
        session.tell(.opened(session.link))
        session.hear(.delivery(ChannelMessage(channel: "a", data: .null)))
        session.hear(.ping(stamp: 1))
        session.hear(.pong(stamp: 1))
        #expect(session.effects.isEmpty)
        session.hear(.failure(SenteError(.serverError, ""), Event(id: "error")))
        #expect(session.effects == [.record(.ignored(.unheard))])
        #expect(session.take(inbox).isEmpty)
        #expect(session.state == .connecting)
    }

    @Test("Nothing is delivered after disconnect()")
    func afterDisconnect() {
        var session = Play.opened()
        let (_, inbox) = session.subscribe("a")
        session.disconnect()
        session.hear(.delivery(ChannelMessage(channel: "a", data: .null)))
        session.hear(.ping(stamp: 1))
        #expect(session.effects.isEmpty)
        #expect(session.take(inbox).isEmpty)
    }

    @Test("A reply that nobody waits for goes to nobody", arguments: ReplyKind.allCases)
    func unasked(kind: ReplyKind) {
        var session = Play.opened()
        for reply in Self.replies {
            session.hear(.reply(.next(kind, channel: "a"), reply))
            #expect(session.effects == [.record(.ignored(.lateReply))])
            session.hear(.reply(.id(kind, "1"), reply))
            if case .event = kind {
                #expect(session.effects.count == 1 && session.complaint?.contains("“1”") == true)
            } else {
                #expect(session.effects == [.record(.ignored(.lateReply))])
            }
        }
    }

    @Test("The reply of a call that gave up is late, and one that nobody ever awaited is not")
    func lateReplies() {
        var session = Play.opened()
        let publish = Outbound.publish(channel: "a", data: [:], excludeSender: false)
        let receipt = Reply.published(PublishReceipt(outcome: .acknowledged))
        session.cancel(session.ask(publish))
        session.reply(.publish, "a", receipt)
        #expect(session.effects == [.record(.ignored(.lateReply))])

        session.tell(.command(.submit(session.call(), publish, limit: nil, awaits: .written)))
        session.reply(.publish, "a", receipt)
        #expect(session.effects.isEmpty)

        let scope = session.subscribe("b", scoped: true).inbox
        session.tell(.command(.endScope(scope)))
        session.confirm("b")
        #expect(session.effects == [.record(.ignored(.lateReply))], "Its wish is gone.")
        session.reply(.unsubscribe, "b", .unsubscribed)
        #expect(session.effects.isEmpty, "Nobody waits for it from the beginning.")
    }

    @Test(
        "A pong for which nobody waits is late, be it of a call that gave up, the second one, or unasked for")
    func latePongs() {
        var session = Play.opened()
        let call = session.call()
        session.tell(.command(.ping(call)))
        let stamp = session.stamp
        session.cancel(call)
        for stamp in [stamp, 5, nil] {
            session.hear(.pong(stamp: stamp))
            #expect(session.effects == [.record(.ignored(.lateReply))])
        }
    }

    @Test("What no handle listens to is counted, and so is what comes when nothing is handed out")
    func unheard() {
        let words: [Inbound] = [.delivery(ChannelMessage(channel: "a", data: 1)), .event(Event(id: "my/ev"))]
        for word in words {
            for scene in [Play.opened(), Play.connecting(), Play.closing()] {
                var session = scene
                session.hear(word)
                #expect(session.effects == [.record(.ignored(.unheard))])
            }
            var session = Play.opened()
            let inbox = session.inbox()
            session.tell(.command(.openInbox(inbox)))
            session.tell(.command(.listen(inbox, .allEvents)))
            session.tell(.command(.listen(inbox, .channel("a"))))
            session.hear(word)
            #expect(session.effects == [.ready(inbox)])
        }
        for scene in [Play.connecting(), Play.closing()] {
            var session = scene
            session.hear(.undecodable("why"))
            #expect(session.effects == [.record(.undecodable("why"))])
            session.hear(.noise)
            #expect(session.effects.isEmpty)
        }
    }

    @Test("A reply of another kind than was asked for traps nothing and leaves the wish as it was")
    func wrongKind() {
        for reply in Self.replies {
            var session = Play.opened()
            session.subscribe("a")
            session.reply(.subscribe, "a", reply)
            let call = session.ask(.listChannels)
            session.reply(.channels, nil, reply)
            session.wait(.seconds(10))
            #expect(!session.isPending(call))
            #expect(session.state == .open)
        }
    }

    @Test("What is not understood is counted, and noise is not")
    func undecodable() {
        var session = Play.opened()
        session.hear(.undecodable("why"))
        #expect(session.effects == [.record(.undecodable("why"))])
        session.hear(.noise)
        #expect(session.effects.isEmpty)
        #expect(session.state == .open)
    }

    @Test("An error of the server that names no call is an event, and no reason why a link failed")
    func serverError() {
        var session = Play.opened()
        session.hear(.failure(SenteError(.serverError, "Oops."), Event(id: "error")))
        #expect(session.effects == [.record(.serverError("Oops."))])
        #expect(session.session.status.lastError == nil)
    }

    @Test("A round trip is measured for pings and for replies")
    func roundTrips() {
        var session = Play.opened()
        session.ask(.listChannels)
        session.wait(.milliseconds(20))
        session.reply(.channels, nil, .channels([]))
        #expect(session.does(.record(.roundTrip(.milliseconds(20)))))
        session.wait(.seconds(20))
        let stamp = session.stamp
        session.wait(.milliseconds(7))
        session.hear(.pong(stamp: stamp))
        #expect(session.effects == [.record(.roundTrip(.milliseconds(7)))])
    }

    private static let replies: [Reply] = [
        .subscribed(retained: []), .unsubscribed, .published(PublishReceipt(outcome: .acknowledged)),
        .forwarded(requestID: "r", deliveredTo: 1), .forwarded(requestID: "r", deliveredTo: -1),
        .answered(.null), .channels([]), .subscriptions([]), .refused(SenteError(.rejected, "")),
    ]

    @Test("A server's ping is also told to who listens for pings, and to nobody else")
    func pingEvents() {
        var session = Play.opened(.sente)
        let (listener, events) = (session.inbox(), session.inbox())
        session.tell(.command(.openInbox(listener)))
        session.tell(.command(.listen(listener, .pings)))
        session.tell(.command(.openInbox(events)))
        session.tell(.command(.listen(events, .event("chsk/ws-ping"))))
        session.hear(.ping(stamp: nil))
        #expect(session.sends(.pong(original: nil)) && session.does(.ready(listener)))
        #expect(session.take(listener) == [.event(Event(id: "chsk/ws-ping"), missed: 0)])
        #expect(session.take(events).isEmpty)
        session.tell(.command(.unlisten(listener, .pings)))
        session.hear(.ping(stamp: nil))
        #expect(session.said == [.pong(original: nil)])
        #expect(session.take(listener).isEmpty)
    }

    @Test("A second handshake on a link says anew who we are, and changes nothing else")
    func secondGreeting() {
        var session = Play.opened(.sente)
        session.subscribe("a")
        session.hear(
            .greeting(Identity(uid: [1, 2], csrfToken: "tok", handshakeData: [.keyword("a"): 1])))
        #expect(session.session.status.identity?.uid == [1, 2])
        #expect(session.session.status.identity?.csrfToken == "tok")
        #expect(session.session.status.identity?.handshakeData == [.keyword("a"): 1])
        #expect(session.effects == [.publish(session.session.status)])
        #expect(session.state == .open)
    }

    @Test("What unfolds beyond the limit ends the link with 1009, and both places say so")
    func tooLarge() {
        for isOpen in [true, false] {
            var session = isOpen ? Play.opened() : Play.connecting()
            let link = session.link
            let call = session.ask(.listChannels)
            session.hear(.tooLarge("It is too large."))
            #expect(session.does(.closeLink(link, .messageTooBig, reason: "")))
            #expect(session.state == .reconnecting)
            #expect(session.session.status.lastError?.closeCode == .messageTooBig)
            #expect(session.session.status.lastClose?.code == .messageTooBig)
            #expect(session.isPending(call) == !isOpen)
            session.waitForAttempt()
            #expect(session.state == .connecting)
        }
    }

    @Test("What unfolds beyond the limit after disconnect() leaves the closing handshake alone")
    func tooLargeWhileClosing() {
        var session = Play.closing()
        session.hear(.tooLarge("It is too large."))
        #expect(session.effects.isEmpty && session.state == .closing)
    }
}
