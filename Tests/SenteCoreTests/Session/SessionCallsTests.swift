// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: the outbox, the replies, and what became of each call")
struct SessionCallsTests {
    private static func publish(_ channel: String, bytes: Int = 0) -> Outbound {
        .publish(
            channel: channel, data: .string(String(repeating: "x", count: bytes)), excludeSender: false)
    }

    private static let receipt = PublishReceipt(outcome: .acknowledged, messageID: "m1")
    private static func value(_ number: Int64) -> Reply { .answered(.integer(number)) }

    // MARK: Outcomes

    @Test("A call is written when the link says so, and acknowledged when the server does")
    func outcomes() {
        var session = TestSession.opened()
        let sent = session.send("e")
        let published = session.submit(Self.publish("a"))
        #expect(session.isPending(sent))
        session.flush()
        #expect(session.answer(to: sent) == .written)
        #expect(session.isPending(published))
        session.reply(.publish, "a", .published(Self.receipt))
        #expect(session.answer(to: published) == .published(Self.receipt))
    }

    @Test("What the server refuses fails with its reason, not retried")
    func refused() {
        var session = TestSession.opened()
        let call = session.submit(Self.publish("a"))
        session.reply(.publish, "a", .refused(SenteError(.rejected, "Too loud.")))
        #expect(session.error(of: call)?.message == "Too loud.")
    }

    @Test("Lists come back to who asked")
    func lists() {
        var session = TestSession.opened()
        let channels = session.submit(.listChannels)
        let names = session.submit(.listSubscriptions)
        session.reply(.subscriptions, nil, .subscriptions(["a"]))
        session.reply(.channels, nil, .channels([]))
        #expect(session.answer(to: channels) == .channels([]))
        #expect(session.answer(to: names) == .names(["a"]))
    }

    @Test("At the end of a link what it had is unknown; what waits stays and goes out on the next, once")
    func lostLink() {
        var session = TestSession.opened { $0.writeWindow = 100 }
        let sent = session.submit(Self.publish("a", bytes: 100))
        let waiting = session.submit(Self.publish("b"))
        #expect(session.sent.isEmpty)
        session.cut()
        #expect(session.error(of: sent)?.outcome == .unknown)
        #expect(session.error(of: sent)?.code == .connectionLost)
        #expect(session.isPending(waiting))
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent == [Self.publish("b")])
        session.flush()
        session.reply(.publish, "b", .published(Self.receipt))
        #expect(session.answer(to: waiting) == .published(Self.receipt))
    }

    @Test("When a call hears of an end, the app sees it already", arguments: 0..<3)
    func stateFirst(way: Int) {
        var session = TestSession.opened { if way == 1 { $0.reconnect = .never } }
        let call = session.submit(Self.publish("a"))
        if way == 2 { session.disconnect() } else { session.cut() }
        let told = session.effects.firstIndex { if case .publish = $0 { true } else { false } }
        let heard = session.effects.firstIndex { if case .resolve(call, _) = $0 { true } else { false } }
        #expect(told ?? .max < heard ?? -1)
    }

    @Test("After disconnect() what waited was not sent and what was under way is unknown")
    func disconnected() {
        var session = TestSession.opened { $0.writeWindow = 100 }
        let sent = session.submit(Self.publish("a", bytes: 100))
        let waiting = session.submit(Self.publish("b"))
        session.disconnect()
        #expect(session.error(of: sent) == session.error(of: waiting)?.with(outcome: .unknown))
        #expect(session.error(of: waiting)?.code == .disconnected)
        #expect(session.error(of: waiting)?.outcome == .notSent)
    }

    @Test("Where nothing will be sent, sending is refused at once", arguments: [0, 1, 2])
    func refusedAtOnce(scene: Int) {
        var session = [TestSession(), .closing(), .failed()][scene]
        let call = session.send("e")
        #expect(session.error(of: call)?.code == .notConnected)
        #expect(session.error(of: call)?.outcome == .notSent)
        #expect(session.error(of: call)?.message.contains("connect()") == true)
    }

    @Test("With the outbox off nothing waits for a connection, not even what a lost link left behind")
    func off() {
        var connecting = TestSession.connecting { $0.outbox = .off }
        let refused = connecting.send("e")
        #expect(connecting.error(of: refused)?.code == .notConnected)
        var open = TestSession.opened {
            $0.outbox = .off
            $0.writeWindow = 10
        }
        open.send("first")
        let waiting = open.send("second")
        open.cut()
        #expect(open.error(of: waiting)?.outcome == .notSent)
    }

    // MARK: The write window

    @Test("While more than the window is unwritten the rest waits, in order, and new ones join the tail")
    func window() {
        var session = TestSession.opened { $0.writeWindow = 1_000 }
        for channel in ["a", "b", "c"] { session.submit(Self.publish(channel, bytes: 600)) }
        #expect(session.sent.isEmpty)
        session.submit(Self.publish("d"))
        #expect(session.sent.isEmpty)
        session.flush()
        #expect(session.sent.map(\.channel) == ["c", "d"])
    }

    @Test("Among those that wait the urgent go first, answers too, and each has its turn")
    func priorities() {
        var session = TestSession.opened { $0.writeWindow = 100 }
        session.submit(Self.publish("first", bytes: 500))
        let inbox = session.newInbox()
        for (channel, priority) in [("c", SendOptions.Priority.bulk), ("b", .normal), ("a", .urgent)] {
            session.submit(Self.publish(channel, bytes: 500), SendOptions(priority: priority))
        }
        let urgent = SendOptions(priority: .urgent)
        session.handle(
            .command(.answer(inbox, requestID: "r", data: .null, isError: false, options: urgent)))
        var order: [Outbound] = []
        while session.unwritten.count > 0 {
            session.flush()
            order += session.sent
        }
        let answer = Outbound.answer(requestID: "r", data: .null, isError: false)
        #expect(order.map(\.channel) == ["a", nil, "b", "c"])
        #expect(order[1] == answer)
    }

    @Test("What passes at once needs no room in the outbox")
    func passes() {
        var session = TestSession.opened {
            $0.outbox = OutboxPolicy(maximumMessages: 0)
            $0.writeWindow = 100
        }
        let large = session.submit(Self.publish("a", bytes: 5_000))
        #expect(session.sent.map(\.channel) == ["a"])
        let refused = session.submit(Self.publish("b"))
        #expect(session.isPending(large))
        #expect(session.error(of: refused)?.code == .outboxFull)
    }

    @Test("What cannot be said takes no room, and what waits behind it goes")
    func unencodable() {
        var session = TestSession.opened { $0.writeWindow = 100 }
        session.submit(Self.publish("first", bytes: 500))
        let bad = session.submit(Self.publish("a", bytes: 500))
        let good = session.submit(Self.publish("b"))
        session.makeUnencodable { $0.channel == "a" ? SenteError(.unencodable, "No word for it.") : nil }
        session.flush()
        #expect(session.error(of: bad)?.outcome == .notSent)
        #expect(session.error(of: bad)?.code == .unencodable)
        #expect(session.sent.map(\.channel) == ["b"])
        session.reply(.publish, "a", .published(Self.receipt))
        session.reply(.publish, "b", .published(Self.receipt))
        #expect(session.answer(to: good) == .published(Self.receipt))
    }

    // MARK: Time and cancellation

    @Test("A message waits for its time to live, not longer")
    func timeToLive() {
        var session = TestSession.connecting { $0.times.connect = .seconds(100) }
        let call = session.send("e")
        session.advance(by: .seconds(29))
        #expect(session.isPending(call))
        session.advance(by: .seconds(1))
        #expect(session.error(of: call)?.code == .expired)
        #expect(session.error(of: call)?.outcome == .notSent)
        session.greet()
        #expect(session.sent.isEmpty)
    }

    @Test("A limit runs from the call, queueing included")
    func limits() {
        var session = TestSession.connecting()
        let queued = session.submit(Self.publish("a"), limit: .seconds(2))
        let sent = session.submit(Self.publish("a"), limit: .seconds(4))
        session.advance(by: .seconds(3))
        #expect(session.error(of: queued)?.outcome == .notSent)
        #expect(session.error(of: queued)?.code == .timedOut)
        session.greet()
        #expect(session.sent.count == 1)
        session.advance(by: .seconds(1))
        #expect(session.error(of: sent)?.outcome == .unknown)
        #expect(session.error(of: sent)?.code == .timedOut)
    }

    @Test("The limit of an answer runs from when its message left, which the outbox's time to live bounds")
    func answerLimits() {
        var session = TestSession.connecting { $0.outbox.timeToLive = .seconds(7) }
        func publish() -> CallID {
            let call = session.newCall()
            session.handle(
                .command(
                    .submit(
                        call,
                        Submission(Self.publish("a"), limit: nil, answerLimit: .seconds(2), awaits: .reply))))
            return call
        }
        let early = publish()
        session.advance(by: .seconds(5))
        let late = publish()
        session.advance(by: .seconds(2))
        #expect(session.error(of: early)?.code == .expired)
        #expect(session.error(of: early)?.outcome == .notSent)
        session.greet()
        #expect(session.sent.count == 1)
        session.advance(by: .milliseconds(1_999))
        #expect(session.isPending(late))
        session.advance(by: .milliseconds(1))
        #expect(session.error(of: late)?.code == .timedOut)
        #expect(session.error(of: late)?.outcome == .unknown)
        let answered = publish()
        session.advance(by: .milliseconds(1_999))
        #expect(session.isPending(answered))
    }

    @Test("A cancelled call that still waits is not sent; one that left is unknown")
    func cancellation() {
        var session = TestSession.connecting()
        let waiting = session.send("e")
        session.cancel(waiting)
        #expect(session.error(of: waiting)?.outcome == .notSent)
        #expect(session.error(of: waiting)?.code == .cancelled)
        session.greet()
        #expect(session.sent.isEmpty)
        let sent = session.send("e")
        session.cancel(sent)
        #expect(session.error(of: sent)?.outcome == .unknown)
        session.flush()
        session.cancel(sent)
        #expect(session.effects.isEmpty)
    }

    // MARK: Whose reply it is

    @Test("The reply to a cancelled call goes to nobody")
    func cancelledSlot() {
        var session = TestSession.opened()
        let first = session.submit(Self.publish("a"))
        let second = session.submit(Self.publish("a"))
        session.cancel(first)
        #expect(session.pingStamp != nil)
        session.reply(.publish, "a", .published(Self.receipt))
        #expect(session.isPending(second))
        session.reply(.publish, "a", .published(Self.receipt))
        #expect(session.answer(to: second) == .published(Self.receipt))
    }

    @Test("A fence's pong clears what was written before it, and nothing after")
    func fence() {
        var session = TestSession.opened()
        let first = session.submit(Self.publish("a"))
        let second = session.submit(Self.publish("a"))
        session.cancel(first)
        let stamp = session.pingStamp
        let third = session.submit(Self.publish("a"))
        session.receive(.pong(stamp: stamp))
        #expect(session.error(of: second)?.code == .noReply)
        #expect(session.error(of: second)?.outcome == .unknown)
        #expect(session.isPending(third))
        session.reply(.publish, "a", .published(Self.receipt))
        #expect(session.answer(to: third) == .published(Self.receipt))
    }

    @Test("One fence is enough for all that was sent before it")
    func oneFence() {
        var session = TestSession.opened()
        let calls = (0..<10).map { _ in session.submit(Self.publish("a")) }
        session.cancel(calls[0])
        #expect(session.pingStamp != nil)
        for call in calls.dropFirst() {
            session.cancel(call)
            #expect(session.pingStamp == nil)
        }
    }

    @Test("A publish that nobody awaits has its slot too: its reply goes to no later call")
    func unawaited() {
        var session = TestSession.opened()
        let call = session.newCall()
        session.handle(.command(.submit(call, Submission(Self.publish("a"), limit: nil, awaits: .written))))
        let second = session.submit(Self.publish("a"))
        session.reply(.publish, "a", .published(Self.receipt))
        #expect(session.isPending(second))
    }

    @Test("A server that answers nothing at all is left before its slots fill the memory, paused or not")
    func deaf() {
        var session = TestSession.opened {
            $0.inbox = InboxPolicy(maximumMessages: 1, overflow: .pauseReading)
        }
        _ = session.subscribe("b")
        for _ in 0..<2 { session.receive(.delivery(ChannelMessage(channel: "b", data: .null))) }
        #expect(session.effects.contains(.pauseReading(session.link)))
        let link = session.link
        for _ in 0...PendingReplies.maximumAbandoned {
            #expect(session.state == .open)
            let call = session.submit(Self.publish("a"))
            session.flush()
            session.cancel(call)
        }
        session.send("e")
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.code == .silent)
        // What reads nothing would not see the peer's close frame.
        #expect(session.effects.prefix(2) == [.resumeReading(link), .closeLink(link, .normal, reason: "")])
    }

    // MARK: Requests

    @Test("A request is answered by the id that the server gave it")
    func request() {
        var session = TestSession.opened()
        let first = session.submit(.request(channel: "s", data: .null, limit: 10))
        let second = session.submit(.request(channel: "s", data: .null, limit: 10))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 1))
        session.reply(.request, "s", .forwarded(requestID: "r2", deliveredTo: nil))
        session.receive(.reply(.id(.answer, "r2"), Self.value(2)))
        session.receive(.reply(.id(.answer, "r1"), Self.value(1)))
        session.receive(.reply(.id(.answer, "r1"), Self.value(3)))
        #expect(session.answer(to: first) == .value(.integer(1)))
        #expect(session.answer(to: second) == .value(.integer(2)))
    }

    @Test("An answer may overtake the word that names its request")
    func earlyAnswer() {
        var session = TestSession.opened()
        let call = session.submit(.request(channel: "s", data: .null, limit: 10))
        session.receive(.reply(.id(.answer, "r1"), Self.value(1)))
        #expect(session.isPending(call))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 1))
        #expect(session.answer(to: call) == .value(.integer(1)))
    }

    @Test("A request that went to nobody fails at once")
    func noSubscribers() {
        var session = TestSession.opened()
        let call = session.submit(.request(channel: "s", data: .null, limit: 10))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 0))
        #expect(session.error(of: call)?.code == .noSubscribers)
        #expect(session.error(of: call)?.outcome == .acknowledged)
    }

    @Test("The late answer to a request that was given up goes to nobody")
    func lateAnswer() {
        var session = TestSession.opened()
        let call = session.submit(.request(channel: "s", data: .null, limit: 10), limit: .seconds(1))
        session.reply(.request, "s", .forwarded(requestID: "r1", deliveredTo: 1))
        session.advance(by: .seconds(1))
        #expect(session.error(of: call)?.code == .timedOut)
        session.receive(.reply(.id(.answer, "r1"), Self.value(1)))
        #expect(session.effects == [.record(.ignored(.lateReply))])
    }

    @Test("An event's answer counts once its question has left")
    func settlement() {
        var session = TestSession.connecting()
        let call = session.newCall()
        let question = Outbound.event(Event(id: "q"))
        session.handle(.command(.submit(call, Submission(question, limit: .seconds(9), awaits: .settlement))))
        session.handle(.command(.settle(call, .integer(1))))
        #expect(session.isPending(call))
        session.greet()
        #expect(session.sent == [question])
        session.handle(.command(.settle(call, .integer(2))))
        #expect(session.answer(to: call) == .value(.integer(2)))
        session.handle(.command(.settle(call, .integer(3))))
        #expect(session.effects.isEmpty)
    }

    // MARK: Pings

    @Test("A ping is answered by the pong with its stamp, and no two stamps are alike")
    func ping() {
        var session = TestSession.opened()
        let (first, second) = (session.newCall(), session.newCall())
        session.handle(.command(.ping(first)))
        let stamp = session.pingStamp
        session.handle(.command(.ping(second)))
        #expect(session.pingStamp != stamp)
        session.advance(by: .milliseconds(30))
        session.receive(.pong(stamp: 1))
        session.receive(.pong(stamp: nil))
        #expect(session.isPending(first))
        session.receive(.pong(stamp: stamp))
        #expect(session.answer(to: first) == .roundTrip(.milliseconds(30)))
        #expect(session.isPending(second))
        session.advance(by: .seconds(10))
        #expect(session.error(of: second)?.code == .timedOut)
    }

    @Test("Only an open connection can be pinged, and its loss ends the ping")
    func pingElsewhere() {
        var session = TestSession.connecting()
        let early = session.newCall()
        session.handle(.command(.ping(early)))
        #expect(session.error(of: early)?.code == .notConnected)
        session.greet()
        let late = session.newCall()
        session.handle(.command(.ping(late)))
        session.cut()
        #expect(session.error(of: late)?.code == .connectionLost)
        #expect(session.error(of: late)?.outcome == nil)
    }

    // MARK: Overflow

    @Test(
        "A full outbox does what its policy says",
        arguments: [
            (OutboxPolicy.Overflow.rejectNewest, [nil, nil, .outboxFull]),
            (.dropNewest, [nil, nil, .dropped]),
            (.dropOldest, [.dropped, nil, nil]), (.coalesce, [.superseded, nil, nil]),
            (.wait, [nil, nil, nil]),
        ] as [(OutboxPolicy.Overflow, [SenteError.Code?])])
    func overflow(policy: OutboxPolicy.Overflow, codes: [SenteError.Code?]) {
        var session = TestSession.connecting {
            $0.outbox = OutboxPolicy(maximumMessages: 2, overflow: policy)
        }
        let calls = ["a", "b", "a"].map { session.submit(Self.publish($0)) }
        #expect(calls.map { session.error(of: $0)?.code } == codes)
        session.greet()
        #expect(session.sent.count == (policy == .wait ? 3 : 2))
    }

    @Test("What had no time left while the process slept does not leave when the greeting is heard first")
    func sleepsPastLimits() {
        var session = TestSession.connectingInText(DialectDetector()) { $0.outbox.timeToLive = .seconds(3) }
        let short = session.submit(Self.publish("a"), limit: .milliseconds(200))
        let old = session.submit(Self.publish("b"), limit: .seconds(60))
        session.moveClock(to: session.now.instant.advanced(by: .seconds(2)))
        let young = session.submit(Self.publish("c"), limit: .milliseconds(1_500))
        session.moveClock(to: session.now.instant.advanced(by: .seconds(2)))
        session.report([.opened(LinkOpening()), .received([.text(TestSession.handshake)])])
        #expect(session.error(of: short)?.outcome == .notSent)
        #expect(session.error(of: old)?.code == .expired)
        #expect(session.error(of: young)?.code == .timedOut)
        #expect(session.error(of: young)?.outcome == .notSent)
        #expect(session.engine.outboxCount == 0)
    }

    // MARK: Events that are answered

    private static let question = Outbound.event(Event(id: "my/ev", data: 1))

    /// The callback id of the event said last.
    private static func callback(_ session: TestSession) -> String? {
        for case .event(_, let callback) in session.sent.reversed() { return callback }
        return nil
    }

    @Test("An event whose answer is awaited gets a callback id of its own, and the answer finds it")
    func callbacks() throws {
        var session = TestSession.opened(.sente)
        let first = session.submit(Self.question)
        let one = try #require(Self.callback(session))
        let second = session.submit(Self.question)
        let two = try #require(Self.callback(session))
        #expect(one != two && one.count == 16 && two.count == 16)
        session.receive(.reply(.id(.event, WireName(two)), .answered(2)))
        session.receive(.reply(.id(.event, WireName(one)), .answered(.null)))
        #expect(session.answer(to: first) == .value(.null))
        #expect(session.answer(to: second) == .value(2))
        // A second answer, and one to an id that nobody made.
        session.receive(.reply(.id(.event, WireName(one)), .answered(3)))
        #expect(session.effects == [.record(.ignored(.lateReply))])
        let names = ["nobody", String(one.dropLast()), one + "0", one.uppercased() + "!", ""]
        for name in names {
            session.receive(.reply(.id(.event, WireName(name)), .answered(3)))
            #expect(session.undecodable.last?.contains("which this client never asked") == true)
        }
        #expect(session.undecodable.count == names.count)
    }

    @Test("An event whose answer nobody awaits carries no callback id")
    func noCallback() {
        var session = TestSession.opened(.sente)
        session.send("my/ev")
        #expect(Self.callback(session) == nil)
        let call = session.newCall()
        session.handle(.command(.submit(call, Submission(Self.question, limit: nil, awaits: .settlement))))
        #expect(session.sent == [Self.question])
        session.handle(.command(.settle(call, 7)))
        #expect(session.answer(to: call) == .value(7))
    }

    @Test("An event that waited for a link asks on that link, and again nowhere")
    func queuedCallback() throws {
        var session = TestSession.reconnecting()
        let call = session.submit(Self.question, limit: .seconds(60))
        session.advanceToAttempt()
        session.greet()
        let callback = try #require(Self.callback(session))
        session.cut()
        #expect(session.error(of: call)?.outcome == .unknown)
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent.isEmpty)
        session.receive(.reply(.id(.event, WireName(callback)), .answered(1)))
        #expect(session.effects == [.record(.ignored(.lateReply))])
    }

    @Test(
        "A call that gives up on its event finds nobody later; where answers come in order, a fence goes out",
        arguments: [Dialect.sente, .senteLiteVectors], [false, true])
    func givenUpEvents(_ dialect: Dialect, _ isCancelled: Bool) throws {
        var session = TestSession.opened(dialect)
        let call = session.submit(Self.question, limit: .seconds(1))
        let callback = try #require(Self.callback(session))
        let other = session.submit(Self.question, limit: .seconds(1))
        if isCancelled { session.cancel(call) } else { session.advance(by: .seconds(2)) }
        #expect(session.error(of: call)?.code == (isCancelled ? .cancelled : .timedOut))
        #expect(session.error(of: call)?.outcome == .unknown)
        // One fence serves all that was sent before it.
        let fences = session.sent.count { if case .ping = $0 { true } else { false } }
        #expect(fences == (dialect == .senteLiteVectors ? 1 : 0))
        if isCancelled {
            #expect(session.isPending(other))
            session.cancel(other)
            #expect(session.sent.isEmpty)
        }
        session.receive(.reply(.id(.event, WireName(callback)), .answered(1)))
        #expect(session.effects == [.record(.ignored(.lateReply))])
    }

    @Test(
        "A publish that no server of the dialect answers is done when it is written",
        arguments: [Dialect.sente, .senteLiteVectors])
    func writtenPublish(_ dialect: Dialect) {
        var session = TestSession.opened(dialect)
        let call = session.submit(Self.publish("a"))
        #expect(session.isPending(call))
        session.flush()
        #expect(session.answer(to: call) == .written)
        // One that waited for the server to be known is no other.
        var early = TestSession.connecting()
        let queued = early.submit(Self.publish("a"))
        early.handle(.opened(early.link))
        early.detect(dialect)
        early.receive(.greeting(Identity(uid: "u")))
        early.flush()
        #expect(early.answer(to: queued) == .written)
    }

    @Test("A publish that is written and not yet reported is unknown when the link dies")
    func lostPublish() {
        var session = TestSession.opened(.senteLiteVectors)
        let call = session.submit(Self.publish("a"))
        session.cut()
        #expect(session.error(of: call)?.outcome == .unknown)
    }

    @Test("What the dialect has no word for is not sent, and its slot is gone with it")
    func unencodableInDialect() throws {
        var session = TestSession.opened(.sente)
        let error = SenteError(.unsupported, "Sente has no channels.")
        session.makeUnencodable { $0.channel == nil ? nil : error }
        let call = session.submit(.request(channel: "a", data: .null, limit: 1))
        #expect(session.error(of: call)?.code == .unsupported)
        #expect(session.error(of: call)?.outcome == .notSent)
        let (wish, _) = session.subscribe("a")
        #expect(session.error(of: wish)?.code == .unsupported)
        session.reply(.subscribe, "a", .subscribed(retained: []))
        #expect(session.effects == [.record(.ignored(.lateReply))])
    }
}
