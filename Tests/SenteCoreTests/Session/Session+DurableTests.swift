// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: durable messages")
struct SessionDurableTests {
    private static let receipt = PublishReceipt(deliveredTo: 1)

    @Test(
        "What a link had when it ended goes again with the next, first and in order, until it is acknowledged"
    )
    func sentAgain() {
        var session = TestSession.opened { $0.writeWindow = 1 }
        let first = session.publishDurable("a", id: "1")
        session.flush()
        let second = session.publishDurable("b", id: "2")
        let third = session.publishDurable("c", id: "3")
        session.cut()
        #expect([first, second, third].allSatisfy(session.isPending))
        session.advanceToAttempt()
        session.greet()
        var order = session.sent.compactMap(\.channel)
        while !session.unwritten.isEmpty {
            session.flush()
            order += session.sent.compactMap(\.channel)
        }
        #expect(order == ["a", "b", "c"])
        for channel in order { session.reply(.publish, channel, .published(Self.receipt)) }
        #expect(session.answer(to: first) == .published(Self.receipt))
        #expect(session.answer(to: third) == .published(Self.receipt))
        #expect(session.settled.keys.sorted() == ["1", "2", "3"])
    }

    private static let features = ServerFeatures(
        text: ServerFeatures.sessions.text + #","deduplication":true"#)

    private static func agreed() -> TestSession {
        var session = TestSession.connectingInText { $0.keepsMessages = true }
        session.greet(text: features.welcome)
        session.receive(features.ack(#""resumed":false,"received":0"#))
        return session
    }

    private static func comeBack(_ session: inout TestSession) {
        session.cut()
        session.advanceToAttempt()
        session.greet(text: features.welcome)
    }

    @Test(
        "One whose call gave up goes again with the session that goes on, as itself, and a late answer settles it"
    )
    func goesOn() {
        var session = Self.agreed()
        let call = session.publishDurable("a", id: "1", answerLimit: .seconds(1))
        session.advance(by: .seconds(2))
        #expect(session.error(of: call)?.outcome == .unknown)
        Self.comeBack(&session)
        session.receive(Self.features.ack(#""resumed":true,"received":0,"sent":0,"missed":0"#))
        #expect(session.sentText.contains { $0.contains("publish") && $0.contains(#""message-id":"1""#) })
        #expect(session.engine.flowLoad.kept.messages == 1)
        session.receive(#"{"type":"flow-ack","received":1}"#)
        #expect(session.engine.flowLoad.kept.messages == 0 && session.settled.isEmpty)
        session.receive(
            ServerText.published("a"))
        #expect((try? session.settled["1"]?.get()) != nil)
    }

    @Test(
        "When the session is lost, it goes again in the next with its id, ahead of what waits, and is settled once"
    )
    func sessionLost() {
        var session = Self.agreed()
        let call = session.publishDurable("a", id: "1")
        session.cut()
        let later = session.submit(.publish(channel: "a", data: ["n": 2], excludeSender: false))
        session.advanceToAttempt()
        session.greet(text: Self.features.welcome)
        session.receive(Self.features.ack(#""resumed":false,"received":0"#))
        let published = session.sentText.filter { $0.contains("publish") }
        #expect(published.count == 2 && published[0].contains(#""message-id":"1""#))
        #expect(session.isPending(call) && session.isPending(later) && session.settled.isEmpty)
        for _ in 0..<2 {
            session.receive(
                ServerText.published("a")
            )
        }
        #expect(session.answer(to: call) != nil && session.answer(to: later) != nil)
        #expect(session.settled.keys.sorted() == ["1"])
    }

    @Test(
        "A durable event is done when the server has it, where the server says what it has; else when it is written"
    )
    func event() {
        for isCounted in [true, false] {
            var session =
                isCounted
                ? Self.agreed()
                : TestSession.openedInText { $0.keepsMessages = true }
            let call = session.newCall()
            session.handle(
                .command(
                    .submit(
                        call,
                        Submission(
                            .event(Event(id: "note", data: ["n": 1])), options: SendOptions(durable: true),
                            limit: .seconds(10), awaits: .written, id: "1"))))
            #expect(session.settled.isEmpty == isCounted)
            #expect(session.isPending(call) == isCounted)
            guard isCounted else { continue }
            Self.comeBack(&session)
            session.receive(Self.features.ack(#""resumed":false,"received":0"#))
            #expect(session.sentText.contains { $0.contains("note") })
            session.receive(#"{"type":"flow-ack","received":1}"#)
            #expect(session.settled.keys.sorted() == ["1"])
            #expect(session.answer(to: call) == .written)
        }
    }

    @Test("The time of a call whose caller was told leaves none behind of a call that is gone")
    func toldTime() {
        var calls = Calls()
        let now = Instant(nanoseconds: 0)
        for number in 1...2 as ClosedRange<UInt64> {
            calls.add(
                CallID(number),
                Call(
                    purpose: .submit(.reply), phase: .queued,
                    deadline: now.advanced(by: .seconds(Int(number)))))
        }
        calls.outlive(CallID(1), as: "1")
        calls.remove(CallID(2))
        calls.tell(CallID(1))
        #expect(calls.deadline == nil)
    }

    @Test("A durable event is done when written where the server keeps no session after all")
    func eventWithoutSession() {
        var session = TestSession.connectingInText { $0.keepsMessages = true }
        session.greet(text: Self.features.welcome)
        let call = session.newCall()
        session.handle(
            .command(
                .submit(
                    call,
                    Submission(
                        .event(Event(id: "note", data: ["n": 1])), options: SendOptions(durable: true),
                        limit: .seconds(10), awaits: .written, id: "1"))))
        // The server may yet say that it counts.
        #expect(session.settled.isEmpty && session.isPending(call))
        session.receive(#"{"type":"flow-handshake-ack","features":{"deduplication":true}}"#)
        #expect(session.answer(to: call) == .written && session.settled.keys.sorted() == ["1"])
    }

    @Test("It waits longer than the outbox's time to live")
    func outlivesTimeToLive() {
        var session = TestSession.connecting { $0.outbox.timeToLive = .seconds(1) }
        let call = session.publishDurable("a", id: "1")
        session.advance(by: .seconds(5))
        #expect(session.isPending(call))
    }

    @Test("A call that ends before its message has left takes it back")
    func takenBack() {
        var session = TestSession.connecting()
        let timed = session.publishDurable("a", id: "1", limit: .seconds(1))
        let cancelled = session.publishDurable("b", id: "2")
        session.cancel(cancelled)
        session.advance(by: .seconds(2))
        #expect(session.error(of: timed)?.outcome == .notSent)
        #expect(session.error(of: cancelled)?.outcome == .notSent)
        #expect(session.settled.count == 2)
        session.advance(by: .seconds(60))
        #expect(session.settled.count == 2)
    }

    @Test("A call that ends after its message has left leaves it to be sent again; a late answer settles it")
    func outlivesItsCall() {
        var session = TestSession.opened()
        let call = session.publishDurable("a", id: "1", answerLimit: .seconds(1))
        session.advance(by: .seconds(2))
        #expect(session.error(of: call)?.outcome == .unknown)
        #expect(session.error(of: call)?.code == .timedOut)
        #expect(session.settled.isEmpty)
        session.cut()
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent.compactMap(\.channel) == ["a"])
        session.reply(.publish, "a", .published(Self.receipt))
        #expect((try? session.settled["1"]?.get()) == .published(Self.receipt))
    }

    @Test("disconnect() tells who waits, and the next connection sends it")
    func outlivesDisconnecting() {
        var session = TestSession.opened { $0.writeWindow = 1 }
        let sent = session.publishDurable("a", id: "1")
        let waiting = session.publishDurable("b", id: "2")
        session.disconnect()
        #expect(session.error(of: sent)?.outcome == .unknown)
        #expect(session.error(of: waiting)?.outcome == .unknown)
        #expect(session.error(of: waiting)?.code == .disconnected)
        #expect(session.settled.isEmpty)
        session.endLink(.closed(code: .normal, reason: ""))
        session.connect()
        session.greet()
        session.flush()
        session.reply(.publish, "a", .published(Self.receipt))
        session.reply(.publish, "b", .published(Self.receipt))
        #expect(session.settled.count == 2)
    }

    @Test("What an earlier life left is sent as soon as the client is open, whatever the bounds are")
    func restored() {
        var session = TestSession { $0.outbox.maximumMessages = 1 }
        for number in 1...3 {
            session.handle(
                .command(
                    .restore(
                        session.newCall(),
                        Submission(
                            .publish(channel: "c\(number)", data: ["n": 1], excludeSender: false),
                            options: SendOptions(durable: true), awaits: .reply, id: "\(number)"))))
        }
        #expect(session.results.isEmpty)
        session.connect()
        session.greet()
        #expect(session.sent.compactMap(\.channel) == ["c1", "c2", "c3"])
        session.reply(.publish, "c1", .published(Self.receipt))
        #expect(session.settled.keys.sorted() == ["1"])
    }

    @Test("A server's no is its answer: the message is done")
    func rejected() {
        var session = TestSession.opened()
        let call = session.publishDurable("a", id: "1")
        session.reply(.publish, "a", .refused(SenteError(.rejected, "No.", outcome: .acknowledged)))
        #expect(session.error(of: call)?.code == .rejected)
        #expect(session.settled.count == 1)
    }

    @Test("The id goes with a message to a server that announces deduplication, at once, and to no other")
    func identified() {
        for (announcement, isKept) in [
            (#","capabilities":{"deduplication":true}"#, true), ("", true), ("", false),
        ] {
            var session = TestSession.connectingInText { $0.keepsMessages = isKept }
            session.greet(text: #"{"type":"welcome","conn-id":"c1"\#(announcement)}"#)
            session.publishDurable("a", id: "m1")
            #expect(session.sentText.last?.contains(#""type":"publish""#) == true)
            #expect(session.sentText.last?.contains(#""message-id":"m1""#) == !announcement.isEmpty)
        }
    }
}
