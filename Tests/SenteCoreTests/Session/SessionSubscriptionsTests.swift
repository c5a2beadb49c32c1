// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: wishes, inboxes, requests")
struct SessionSubscriptionsTests {
    private static let confirmed = SubscriptionStatus(isConfirmed: true)
    private static let no = SenteError(.rejected, "No.")

    private static func message(_ id: String?, channel: String = "a", isRetained: Bool = false)
        -> ChannelMessage
    {
        ChannelMessage(channel: channel, data: .null, id: id, isRetained: isRetained)
    }

    private static func request(_ id: String, createdAt: Int64? = nil, limit: Int64? = nil) -> IncomingRequest
    {
        IncomingRequest(id: id, channel: "svc", data: .null, createdAt: createdAt, limit: limit)
    }

    // MARK: Wishes

    @Test("While open, subscribe returns with the server's word; elsewhere at once")
    func subscribing() {
        var session = TestSession.opened()
        let (call, _) = session.subscribe("a")
        #expect(session.sent == [.subscribe(channel: "a")])
        #expect(session.isPending(call))
        session.confirm("a")
        #expect(session.answer(to: call) == .subscribed(Self.confirmed))
        #expect(session.effects.contains(.subscription(channel: "a", Self.confirmed)))
        for scene in [TestSession(), .connecting(), .reconnecting(), .closing(), .failed()] {
            var scene = scene
            let (call, _) = scene.subscribe("a")
            #expect(scene.answer(to: call) == .subscribed(SubscriptionStatus()))
            #expect(scene.sent.isEmpty)
        }
    }

    @Test("Two subscribes to one channel are one wish and two inboxes")
    func twice() {
        var session = TestSession.opened()
        let first = session.subscribe("a")
        let second = session.subscribe("a")
        #expect(session.sent.isEmpty)
        session.confirm("a")
        #expect(session.answer(to: first.call) == .subscribed(Self.confirmed))
        #expect(session.answer(to: second.call) == .subscribed(Self.confirmed))
        session.receive(.delivery(Self.message("1")))
        #expect(session.take(first.inbox).count == 1)
        #expect(session.take(second.inbox).count == 1)
        let third = session.subscribe("a", history: .none)
        #expect(session.answer(to: third.call) == .subscribed(Self.confirmed))
    }

    @Test("Every link hears the wishes once, in order; what the old one answered is of no account")
    func restored() {
        var session = TestSession.opened()
        session.subscribe("b")
        session.subscribe("a")
        session.confirm("b")
        session.cut()
        #expect(session.effects.contains(.subscription(channel: "b", SubscriptionStatus())))
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent == [.subscribe(channel: "b"), .subscribe(channel: "a")])
        session.confirm("a")
        #expect(session.effects.contains(.subscription(channel: "a", Self.confirmed)))
    }

    @Test("A rejection goes to who waits, is not retried by a new link, and asked again by the app")
    func rejected() {
        var session = TestSession.opened()
        let (call, _) = session.subscribe("a")
        session.reply(.subscribe, "a", .refused(Self.no))
        #expect(session.error(of: call) == Self.no)
        #expect(session.effects.contains(.subscription(channel: "a", SubscriptionStatus(rejection: Self.no))))
        session.cut()
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent.isEmpty)
        session.subscribe("a")
        #expect(session.sent == [.subscribe(channel: "a")])
    }

    @Test("A channel that cannot be named counts as rejected")
    func unencodable() {
        var session = TestSession.opened()
        let error = SenteError(.invalidArgument, "No name.", outcome: .notSent)
        session.makeUnencodable { _ in error }
        let (call, _) = session.subscribe("\n")
        #expect(session.error(of: call) == error)
        #expect(session.effects.contains(.subscription(channel: "\n", SubscriptionStatus(rejection: error))))
    }

    @Test("Without an answer subscribe returns unconfirmed after the limit; who asks again is written again")
    func unanswered() {
        var session = TestSession.opened()
        let (call, _) = session.subscribe("a")
        session.advance(by: .seconds(10))
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus()))
        let stamp = session.pingStamp
        #expect(stamp != nil)
        session.subscribe("a")
        #expect(session.sent.isEmpty)
        session.receive(.pong(stamp: stamp))
        session.subscribe("a")
        #expect(session.sent == [.subscribe(channel: "a")])
        session.confirm("a")
        #expect(session.effects.contains(.subscription(channel: "a", Self.confirmed)))
    }

    @Test("The loss of the link ends the waiting, not the wish")
    func lostWhileWaiting() {
        var session = TestSession.opened()
        let (call, _) = session.subscribe("a")
        session.cut()
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus()))
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent == [.subscribe(channel: "a")])
    }

    // MARK: Ends of wishes

    @Test("unsubscribe drops the wish whoever made it, finishes its handles, and ends the waiting")
    func unsubscribing() {
        var session = TestSession.opened()
        let plain = session.subscribe("a")
        let scoped = session.subscribe("a", scoped: true)
        let listener = session.newInbox()
        session.handle(.command(.openInbox(listener)))
        session.handle(.command(.listen(listener, .channel("a"))))
        let call = session.newCall()
        session.handle(.command(.unsubscribe(call, channel: "a")))
        #expect(session.sent == [.unsubscribe(channel: "a")])
        #expect(session.error(of: plain.call)?.code == .cancelled)
        #expect(session.effects.contains(.finish(plain.inbox)))
        #expect(session.effects.contains(.finish(scoped.inbox)))
        #expect(!session.effects.contains(.finish(listener)))
        session.confirm("a")
        session.reply(.unsubscribe, "a", .unsubscribed)
        #expect(session.answer(to: call) == .done)
        session.cut()
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent.isEmpty)
    }

    @Test("Where no link is, unsubscribe is done at once; the loss of the link does it too")
    func unsubscribingElsewhere() {
        var session = TestSession.connecting()
        session.subscribe("a")
        let first = session.newCall()
        session.handle(.command(.unsubscribe(first, channel: "a")))
        #expect(session.answer(to: first) == .done)
        session.greet()
        #expect(session.sent.isEmpty)
        let second = session.newCall()
        session.handle(.command(.unsubscribe(second, channel: "a")))
        session.cut()
        #expect(session.answer(to: second) == .done)
    }

    @Test("The answer to an earlier wish for the same channel confirms nothing")
    func oldAnswer() {
        var session = TestSession.opened()
        session.subscribe("a")
        session.handle(.command(.unsubscribe(session.newCall(), channel: "a")))
        let (call, _) = session.subscribe("a")
        session.confirm("a")
        #expect(session.isPending(call))
        session.confirm("a")
        #expect(session.answer(to: call) == .subscribed(Self.confirmed))
    }

    @Test("The end of a scope drops only its own wish")
    func scopes() {
        var session = TestSession.opened()
        let plain = session.subscribe("a")
        let scoped = session.subscribe("a", scoped: true)
        session.confirm("a")
        session.handle(.command(.endScope(scoped.inbox)))
        #expect(session.effects.contains(.finish(scoped.inbox)))
        #expect(session.sent.isEmpty)
        session.receive(.delivery(Self.message("1")))
        #expect(session.take(plain.inbox).count == 1)
        let alone = session.subscribe("b", scoped: true)
        session.handle(.command(.closeInbox(alone.inbox)))
        #expect(session.sent.isEmpty)
        session.handle(.command(.endScope(alone.inbox)))
        #expect(session.sent == [.unsubscribe(channel: "b")])
    }

    @Test("A cancelled subscribe takes back its own hold and no other", arguments: [false, true])
    func cancelled(isScoped: Bool) {
        var session = TestSession.opened()
        session.subscribe("a")
        let other = session.subscribe("a", scoped: isScoped)
        session.cancel(other.call)
        #expect(session.error(of: other.call)?.code == .cancelled)
        #expect(session.effects.contains(.finish(other.inbox)))
        #expect(session.sent.isEmpty)
        session.handle(.command(.endScope(other.inbox)))
        #expect(session.effects.isEmpty)
        session.cut()
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent == [.subscribe(channel: "a")])
        let alone = session.subscribe("b", scoped: isScoped)
        session.cancel(alone.call)
        #expect(session.sent == [.unsubscribe(channel: "b")])
    }

    @Test("Who waits for a wish that its scope ends is told at once")
    func scopeEndsWaiting() {
        var session = TestSession.opened()
        let scoped = session.subscribe("a", scoped: true)
        session.handle(.command(.endScope(scoped.inbox)))
        #expect(session.error(of: scoped.call)?.code == .cancelled)
    }

    // MARK: Messages

    @Test("A retained message is delivered once by its id, live ones always")
    func retained() {
        var session = TestSession.opened()
        let (_, inbox) = session.subscribe("a")
        let kept = Self.message("1", isRetained: true)
        session.reply(
            .subscribe, "a", .subscribed(retained: [kept, kept, Self.message("2", isRetained: true)]))
        #expect(session.take(inbox).count == 2)
        session.receive(.delivery(Self.message("2")))
        session.receive(.delivery(Self.message("3")))
        session.cut()
        session.advanceToAttempt()
        session.greet()
        let three = Self.message("3", isRetained: true)
        session.reply(
            .subscribe, "a", .subscribed(retained: [kept, three, Self.message(nil, isRetained: true)]))
        #expect(session.take(inbox).count == 3)
    }

    @Test(
        "A later handle has the server asked once more, gets what it kept, and the first gets none of it again"
    )
    func history() {
        var session = TestSession.opened()
        let (_, first) = session.subscribe("a")
        let kept = [Self.message("1", isRetained: true), Self.message(nil, isRetained: true)]
        session.reply(.subscribe, "a", .subscribed(retained: kept))
        session.receive(.delivery(Self.message("2")))
        #expect(session.take(first).count == 3)
        let later = session.subscribe("a")
        #expect(session.sent == [.subscribe(channel: "a")])
        #expect(session.isPending(later.call))
        session.receive(.delivery(Self.message("3")))
        // Some servers give the id to what they keep alone.
        session.receive(.delivery(Self.message(nil)))
        let more = kept + ["2", "3", "4"].map { Self.message($0, isRetained: true) }
        session.reply(.subscribe, "a", .subscribed(retained: more))
        #expect(session.answer(to: later.call) == .subscribed(Self.confirmed))
        #expect(session.take(first) == [.message(Self.message("3")), .message(Self.message(nil))])
        #expect(
            session.take(later.inbox)
                == ([Self.message("3"), Self.message(nil), kept[0], kept[1], more[2], more[4]]).map(
                    InboxElement.message))
    }

    @Test("A refusal of what is confirmed already, and silence, end nothing")
    func historyRefused() {
        var session = TestSession.opened()
        session.subscribe("a")
        session.confirm("a")
        let refused = session.subscribe("a")
        session.reply(.subscribe, "a", .refused(Self.no))
        #expect(session.answer(to: refused.call) == .subscribed(Self.confirmed))
        let unanswered = session.subscribe("a")
        session.advance(by: .seconds(10))
        #expect(session.answer(to: unanswered.call) == .subscribed(Self.confirmed))
        #expect(session.engine.subscription("a") == Self.confirmed)
    }

    @Test("Nothing is asked for a handle that wants none, nor where servers keep nothing")
    func noHistory() {
        let cases: [(Dialect, ChannelHistory)] = [
            (.senteLiteMaps, .none), (.senteLiteMaps, .last(0)), (.senteLiteVectors, .all),
        ]
        for (dialect, history) in cases {
            var session = TestSession.opened(dialect)
            session.subscribe("a")
            session.confirm("a")
            let (call, _) = session.subscribe("a", history: history)
            #expect(session.sent.isEmpty)
            #expect(session.answer(to: call) == .subscribed(Self.confirmed))
        }
    }

    @Test("The gap is told before the confirmation, and comes with the handle's next message, once")
    func gap() {
        var session = TestSession.opened()
        let (_, inbox) = session.subscribe("a")
        session.confirm("a")
        session.receive(.delivery(Self.message("1")))
        _ = session.consume(inbox)
        session.advance(by: .seconds(3))
        let heardAt = session.now.instant.advanced(by: .seconds(-3))
        session.cut()
        session.advanceToAttempt()
        session.greet()
        session.advance(by: .seconds(1))
        session.confirm("a")
        let gap = ChannelGap(since: heardAt, duration: heardAt.duration(to: session.now.instant))
        let told = session.effects.firstIndex(of: .gap(channel: "a", gap))
        let confirmed = session.effects.firstIndex(of: .subscription(channel: "a", Self.confirmed))
        #expect(told.map { told in confirmed.map { told < $0 } } == true)
        let (_, later) = session.subscribe("a", history: .none)
        for id in ["2", "3"] { session.receive(.delivery(Self.message(id))) }
        var next = Self.message("2")
        next.gap = gap
        #expect(session.take(inbox) == [.message(next), .message(Self.message("3"))])
        #expect(session.take(later) == [.message(Self.message("2")), .message(Self.message("3"))])
    }

    @Test("The gap of a message that an inbox had to drop comes with the next one")
    func gapOfDropped() {
        var session = TestSession.opened { $0.inbox = InboxPolicy(maximumMessages: 1) }
        let (_, inbox) = session.subscribe("a")
        session.confirm("a")
        session.cut()
        session.advanceToAttempt()
        session.greet()
        session.confirm("a")
        for id in ["1", "2"] { session.receive(.delivery(Self.message(id))) }
        guard case .message(let last)? = session.take(inbox).last else {
            return _ = Issue.record("Nothing came.")
        }
        #expect(last.missed == 1)
        #expect(last.gap != nil)
    }

    @Test("A handle is told once, and of what was lost with the next message")
    func missed() {
        var session = TestSession.opened { $0.inbox = InboxPolicy(maximumMessages: 2) }
        let (_, inbox) = session.subscribe("a")
        session.receive(.delivery(Self.message("1")))
        #expect(session.effects.contains(.ready(inbox)))
        for id in ["2", "3", "4"] {
            session.receive(.delivery(Self.message(id)))
            #expect(!session.effects.contains(.ready(inbox)))
        }
        #expect(session.effects.contains(.record(.missed(1))))
        var third = Self.message("3")
        third.missed = 2
        #expect(session.take(inbox) == [.message(third), .message(Self.message("4"))])
        session.receive(.delivery(Self.message("5")))
        #expect(!session.effects.contains(.ready(inbox)))
        session.handle(.consumed(inbox, 2))
        #expect(session.effects.contains(.ready(inbox)))
    }

    @Test("Application events and server errors go to who listens to their id and who hears all")
    func events() {
        var session = TestSession.opened()
        let (one, all) = (session.newInbox(), session.newInbox())
        for inbox in [one, all] { session.handle(.command(.openInbox(inbox))) }
        session.handle(.command(.listen(one, .event("e"))))
        session.handle(.command(.listen(all, .allEvents)))
        session.receive(.event(Event(id: "e")))
        session.receive(.failure(SenteError(.serverError, "Oops."), Event(id: "error")))
        #expect(session.effects.contains(.record(.serverError("Oops."))))
        #expect(session.take(one) == [.event(Event(id: "e"), missed: 0)])
        #expect(session.take(all).count == 2)
        session.handle(.command(.unlisten(one, .event("e"))))
        session.receive(.event(Event(id: "e")))
        #expect(session.take(one).isEmpty)
    }

    // MARK: pauseReading

    @Test("With `.pauseReading` reading stops, pings are answered, and goes on when there is room")
    func pausing() {
        var session = TestSession.opened {
            $0.inbox = InboxPolicy(maximumMessages: 2, overflow: .pauseReading)
        }
        let (_, inbox) = session.subscribe("a")
        for id in ["1", "2", "3"] { session.receive(.delivery(Self.message(id))) }
        #expect(session.effects.contains(.pauseReading(session.link)))
        session.receive(.ping(stamp: 4))
        #expect(session.sent.contains(.pong(original: 4)))
        #expect(session.take(inbox).count == 3)
        session.handle(.consumed(inbox, 2))
        #expect(session.effects.contains(.resumeReading(session.link)))
    }

    @Test("A pause lasts at most 10 s, its silence does not count, and then the oldest goes")
    func pauseLimit() {
        var session = TestSession.opened {
            $0.inbox = InboxPolicy(maximumMessages: 2, overflow: .pauseReading)
            $0.heartbeat = Heartbeat(interval: .seconds(2), limit: .seconds(1))
        }
        let (_, inbox) = session.subscribe("a")
        session.confirm("a")
        for id in ["1", "2", "3"] { session.receive(.delivery(Self.message(id))) }
        session.advance(by: .milliseconds(9_999))
        #expect(session.effects.isEmpty)
        session.advance(by: .milliseconds(1))
        #expect(session.effects == [.record(.missed(1)), .resumeReading(session.link)])
        session.receive(.delivery(Self.message("4")))
        #expect(!session.effects.contains(.pauseReading(session.link)))
        #expect(session.take(inbox).count == 2)
        #expect(session.state == .open)
    }

    @Test("Closing what holds reading up lets it go on")
    func closeResumes() {
        var session = TestSession.opened {
            $0.inbox = InboxPolicy(maximumMessages: 1, overflow: .pauseReading)
        }
        let (_, inbox) = session.subscribe("a")
        for id in ["1", "2"] { session.receive(.delivery(Self.message(id))) }
        session.handle(.command(.closeInbox(inbox)))
        #expect(session.effects.contains(.resumeReading(session.link)))
        #expect(session.effects.contains(.finish(inbox)))
    }

    // MARK: Being the service

    @Test("A responder gets a request once by id, and its answer goes out")
    func responding() {
        var session = TestSession.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        #expect(session.sent == [.subscribe(channel: "svc")])
        for _ in 0..<2 { session.receive(.request(Self.request("r1"))) }
        #expect(session.take(inbox) == [.request(Self.request("r1"))])
        session.handle(.command(.answer(inbox, requestID: "r1", data: .bool(true), isError: false)))
        let answer = Outbound.answer(requestID: "r1", data: .bool(true), isError: false)
        #expect(session.sent == [answer])
        session.handle(.command(.endScope(inbox)))
        #expect(session.sent == [.unsubscribe(channel: "svc")])
        session.receive(.request(Self.request("r2")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
    }

    @Test("More than 16 requests at once are answered busy")
    func busy() {
        var session = TestSession.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        for number in 1...16 {
            session.receive(.request(Self.request("\(number)")))
            #expect(session.sent.isEmpty)
        }
        session.receive(.request(Self.request("17")))
        guard case .answer("17", let data, true)? = session.sent.first else {
            Issue.record("No busy answer was sent.")
            return
        }
        #expect(data.mapValue?["reason"] == "busy")
        session.handle(.command(.answer(inbox, requestID: "1", data: .null, isError: false)))
        session.receive(.request(Self.request("18")))
        #expect(session.sent.isEmpty)
    }

    @Test(
        "A request that has just come is answered, whatever any clock shows", arguments: [-40_000, 0, 40_000])
    func clocksMove(step: Int64) {
        for greets in [true, false] {
            var session = TestSession.connecting()
            session.greet(serverTime: greets ? session.now.wallMilliseconds : nil)
            let inbox = session.newInbox()
            session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
            // The server's clock, or ours, moves; its stamp and ours are now that far apart.
            let createdAt = session.now.wallMilliseconds + step
            session.receive(.request(Self.request("r", createdAt: createdAt, limit: 5_000)))
            #expect(session.take(inbox).count == 1)
            session.receive(.request(Self.request("s", createdAt: createdAt - 3_600_000)))
            session.handle(.consumed(inbox, 1))
            #expect(session.take(inbox).count == 1)
        }
    }

    @Test(
        "A request that waits here longer than its requester is dropped when it would be handed out, and counted"
    )
    func waitedTooLong() {
        var session = TestSession.opened()
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 2)))
        session.receive(.request(Self.request("now")))
        #expect(session.take(inbox).count == 1)
        session.receive(.request(Self.request("short", limit: 5_000)))
        session.advance(by: .seconds(5))
        session.handle(.consumed(inbox, 1))
        #expect(session.effects == [.record(.ignored(.overdueRequest))])
        #expect(session.take(inbox).isEmpty)
        // It does not count among those under way.
        session.receive(.request(Self.request("next", limit: 5_000)))
        #expect(session.sent.isEmpty)
        #expect(session.take(inbox).map { $0 } == [.request(Self.request("next", limit: 5_000))])
    }

    @Test("A request that nobody here serves, or that had come before, is counted")
    func countedRequests() {
        var session = TestSession.opened()
        session.receive(.request(Self.request("r")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        session.receive(.request(Self.request("r")))
        #expect(session.effects == [.record(.ignored(.repeated))])
    }

    @Test(
        "Of the requests that the server kept those are answered whose requesters still wait, by its clock alone",
        arguments: [
            (0, 31_000, nil, false), (0, 30_000, nil, true), (0, 6_000, 5_000, false),
            (0, 4_000, 5_000, true), (-3_600_000, 4_000, 5_000, true), (-3_600_000, 6_000, 5_000, false),
            (3_600_000, 4_000, 5_000, true), (0, Int64.min, nil, true), (0, 0, -1, false),
        ] as [(Int64, Int64, Int64?, Bool)])
    func keptRequests(clock: Int64, age: Int64, limit: Int64?, isTaken: Bool) {
        var session = TestSession.connecting()
        let serverTime = session.now.wallMilliseconds + clock
        session.greet(serverTime: serverTime)
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        session.advance(by: .seconds(2))
        let createdAt = age == .min ? serverTime + 3_600_000 : serverTime + 2_000 - age
        var request = Self.request("r", createdAt: createdAt, limit: limit)
        request.isRetained = true
        session.receive(.request(request))
        #expect(session.take(inbox).isEmpty == !isTaken)
        #expect(session.effects.contains(.record(.ignored(.overdueRequest))) == !isTaken)
    }

    @Test("A request that the server kept is not answered if its age cannot be told")
    func ageless() {
        for (createdAt, serverTime) in [(1, nil), (nil, 1), (nil, nil), (.min, .max)] as [(Int64?, Int64?)] {
            var session = TestSession.connecting()
            session.greet(serverTime: serverTime)
            let inbox = session.newInbox()
            session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
            var request = Self.request("r", createdAt: createdAt, limit: .max)
            request.isRetained = true
            session.receive(.request(request))
            #expect(session.take(inbox).isEmpty)
        }
    }

    @Test("Hostile times of a request do not trap", arguments: [Int64.min, -1, 0, .max])
    func hostileTimes(time: Int64) {
        var session = TestSession.connecting()
        session.greet(serverTime: time)
        let inbox = session.newInbox()
        session.handle(.command(.respond(channel: "svc", inbox, limit: 16)))
        session.receive(.request(Self.request("r", createdAt: .min, limit: time)))
        session.advance(by: .seconds(1))
        session.handle(.consumed(inbox, 1))
        #expect(session.state == .open)
    }

    @Test("A subscription that the server ends on its own rests until the app asks again")
    func lostSubscription() {
        var session = TestSession.opened(.senteLiteVectors)
        session.subscribe("a")
        session.confirm("a")
        let error = SenteError(.rejected, "The channel was closed.")
        session.receive(.subscriptionLost(channel: "a", error))
        #expect(session.effects.contains(.subscription(channel: "a", SubscriptionStatus(rejection: error))))
        session.cut()
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent.isEmpty)
        session.subscribe("a")
        #expect(session.sent.contains(.subscribe(channel: "a")))
        session.confirm("a")
        #expect(session.effects.contains(.subscription(channel: "a", SubscriptionStatus(isConfirmed: true))))
    }

    @Test("The end of a subscription that is not confirmed changes nothing, and is late")
    func lostNothing() {
        var session = TestSession.opened(.senteLiteVectors)
        session.subscribe("a")
        let error = SenteError(.rejected, "The channel was closed.")
        for channel in ["a", "b"] {
            session.receive(.subscriptionLost(channel: channel, error))
            #expect(session.effects == [.record(.ignored(.lateReply))])
        }
        session.confirm("a")
        #expect(session.effects.contains(.subscription(channel: "a", SubscriptionStatus(isConfirmed: true))))
    }

    // MARK: Names, and many of them

    /// One text for Unicode, two for every server.
    private static let composed = "caf\u{e9}"
    private static let decomposed = "cafe\u{301}"

    @Test("Channels whose names differ in their bytes are two channels from the wish to the delivery")
    func bytesOfNames() {
        var session = TestSession.opened()
        let (_, one) = session.subscribe(Self.composed)
        #expect(session.sent.map { $0.channel.map { Array($0.utf8) } } == [Array(Self.composed.utf8)])
        let (second, two) = session.subscribe(Self.decomposed)
        #expect(session.sent.map { $0.channel.map { Array($0.utf8) } } == [Array(Self.decomposed.utf8)])
        session.confirm(Self.composed)
        #expect(session.isPending(second))
        session.confirm(Self.decomposed)
        #expect(!session.isPending(second))
        session.receive(.delivery(ChannelMessage(channel: Self.decomposed, data: 1)))
        #expect(session.take(one).isEmpty && session.take(two).count == 1)
        let call = session.newCall()
        session.handle(.command(.unsubscribe(call, channel: Self.composed)))
        #expect(session.effects.contains(.finish(one)) && !session.effects.contains(.finish(two)))
        session.cut()
        session.advanceToAttempt()
        session.greet()
        #expect(session.sent.map { $0.channel.map { Array($0.utf8) } } == [Array(Self.decomposed.utf8)])
    }

    @Test("However many channels there are, one subscribe, its answer and its end tell of one")
    func oneOfMany() {
        var session = TestSession.opened()
        for number in 0..<2_000 {
            session.subscribe("c\(number)")
            session.confirm("c\(number)")
        }
        func told() -> [String] {
            session.effects.compactMap { if case .subscription(let name, _) = $0 { name } else { nil } }
        }
        session.subscribe("one")
        #expect(told() == ["one"])
        session.confirm("one")
        #expect(told() == ["one"])
        session.subscribe("one")
        #expect(told().isEmpty, "It is no news that a channel is wished for once more.")
        let call = session.newCall()
        session.handle(.command(.unsubscribe(call, channel: "one")))
        #expect(told() == ["one"])
    }
}
