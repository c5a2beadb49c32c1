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
        var session = Play.opened()
        let (call, _) = session.subscribe("a")
        #expect(session.said == [.subscribe(channel: "a")])
        #expect(session.isPending(call))
        session.confirm("a")
        #expect(session.answer(to: call) == .subscribed(Self.confirmed))
        #expect(session.does(.subscription(channel: "a", Self.confirmed)))
        for scene in [Play(), .connecting(), .reconnecting(), .closing(), .failed()] {
            var scene = scene
            let (call, _) = scene.subscribe("a")
            #expect(scene.answer(to: call) == .subscribed(SubscriptionStatus()))
            #expect(scene.said.isEmpty)
        }
    }

    @Test("Two subscribes to one channel are one wish and two inboxes")
    func twice() {
        var session = Play.opened()
        let first = session.subscribe("a")
        let second = session.subscribe("a")
        #expect(session.said.isEmpty)
        session.confirm("a")
        #expect(session.answer(to: first.call) == .subscribed(Self.confirmed))
        #expect(session.answer(to: second.call) == .subscribed(Self.confirmed))
        session.hear(.delivery(Self.message("1")))
        #expect(session.take(first.inbox).count == 1)
        #expect(session.take(second.inbox).count == 1)
        let third = session.subscribe("a")
        #expect(session.answer(to: third.call) == .subscribed(Self.confirmed))
    }

    @Test("Every link hears the wishes once, in order; what the old one answered is of no account")
    func restored() {
        var session = Play.opened()
        session.subscribe("b")
        session.subscribe("a")
        session.confirm("b")
        session.lose()
        #expect(session.does(.subscription(channel: "b", SubscriptionStatus())))
        session.waitForAttempt()
        session.greet()
        #expect(session.said == [.subscribe(channel: "b"), .subscribe(channel: "a")])
        session.confirm("a")
        #expect(session.does(.subscription(channel: "a", Self.confirmed)))
    }

    @Test("A rejection goes to who waits, is not retried by a new link, and asked again by the app")
    func rejected() {
        var session = Play.opened()
        let (call, _) = session.subscribe("a")
        session.reply(.subscribe, "a", .refused(Self.no))
        #expect(session.error(of: call) == Self.no)
        #expect(session.does(.subscription(channel: "a", SubscriptionStatus(rejection: Self.no))))
        session.lose()
        session.waitForAttempt()
        session.greet()
        #expect(session.said.isEmpty)
        session.subscribe("a")
        #expect(session.said == [.subscribe(channel: "a")])
    }

    @Test("A channel that cannot be named counts as rejected")
    func unencodable() {
        var session = Play.opened()
        let error = SenteError(.invalidArgument, "No name.", outcome: .notSent)
        session.refuse { _ in error }
        let (call, _) = session.subscribe("\n")
        #expect(session.error(of: call) == error)
        #expect(session.does(.subscription(channel: "\n", SubscriptionStatus(rejection: error))))
    }

    @Test("Without an answer subscribe returns unconfirmed after the limit; who asks again is written again")
    func unanswered() {
        var session = Play.opened()
        let (call, _) = session.subscribe("a")
        session.wait(.seconds(10))
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus()))
        let stamp = session.stamp
        #expect(stamp != nil)
        session.subscribe("a")
        #expect(session.said.isEmpty)
        session.hear(.pong(stamp: stamp))
        session.subscribe("a")
        #expect(session.said == [.subscribe(channel: "a")])
        session.confirm("a")
        #expect(session.does(.subscription(channel: "a", Self.confirmed)))
    }

    @Test("The loss of the link ends the waiting, not the wish")
    func lostWhileWaiting() {
        var session = Play.opened()
        let (call, _) = session.subscribe("a")
        session.lose()
        #expect(session.answer(to: call) == .subscribed(SubscriptionStatus()))
        session.waitForAttempt()
        session.greet()
        #expect(session.said == [.subscribe(channel: "a")])
    }

    // MARK: Ends of wishes

    @Test("unsubscribe drops the wish whoever made it, finishes its handles, and ends the waiting")
    func unsubscribing() {
        var session = Play.opened()
        let plain = session.subscribe("a")
        let scoped = session.subscribe("a", scoped: true)
        let listener = session.inbox()
        session.tell(.command(.openInbox(listener)))
        session.tell(.command(.listen(listener, .channel("a"))))
        let call = session.call()
        session.tell(.command(.unsubscribe(call, channel: "a")))
        #expect(session.said == [.unsubscribe(channel: "a")])
        #expect(session.error(of: plain.call)?.code == .cancelled)
        #expect(session.does(.finish(plain.inbox)))
        #expect(session.does(.finish(scoped.inbox)))
        #expect(!session.does(.finish(listener)))
        session.confirm("a")
        session.reply(.unsubscribe, "a", .unsubscribed)
        #expect(session.answer(to: call) == .done)
        session.lose()
        session.waitForAttempt()
        session.greet()
        #expect(session.said.isEmpty)
    }

    @Test("Where no link is, unsubscribe is done at once; the loss of the link does it too")
    func unsubscribingElsewhere() {
        var session = Play.connecting()
        session.subscribe("a")
        let first = session.call()
        session.tell(.command(.unsubscribe(first, channel: "a")))
        #expect(session.answer(to: first) == .done)
        session.greet()
        #expect(session.said.isEmpty)
        let second = session.call()
        session.tell(.command(.unsubscribe(second, channel: "a")))
        session.lose()
        #expect(session.answer(to: second) == .done)
    }

    @Test("The answer to an earlier wish for the same channel confirms nothing")
    func oldAnswer() {
        var session = Play.opened()
        session.subscribe("a")
        session.tell(.command(.unsubscribe(session.call(), channel: "a")))
        let (call, _) = session.subscribe("a")
        session.confirm("a")
        #expect(session.isPending(call))
        session.confirm("a")
        #expect(session.answer(to: call) == .subscribed(Self.confirmed))
    }

    @Test("The end of a scope drops only its own wish")
    func scopes() {
        var session = Play.opened()
        let plain = session.subscribe("a")
        let scoped = session.subscribe("a", scoped: true)
        session.confirm("a")
        session.tell(.command(.endScope(scoped.inbox)))
        #expect(session.does(.finish(scoped.inbox)))
        #expect(session.said.isEmpty)
        session.hear(.delivery(Self.message("1")))
        #expect(session.take(plain.inbox).count == 1)
        let alone = session.subscribe("b", scoped: true)
        session.tell(.command(.closeInbox(alone.inbox)))
        #expect(session.said.isEmpty)
        session.tell(.command(.endScope(alone.inbox)))
        #expect(session.said == [.unsubscribe(channel: "b")])
    }

    @Test("A cancelled subscribe takes back its own hold and no other", arguments: [false, true])
    func cancelled(isScoped: Bool) {
        var session = Play.opened()
        session.subscribe("a")
        let other = session.subscribe("a", scoped: isScoped)
        session.cancel(other.call)
        #expect(session.error(of: other.call)?.code == .cancelled)
        #expect(session.does(.finish(other.inbox)))
        #expect(session.said.isEmpty)
        session.tell(.command(.endScope(other.inbox)))
        #expect(session.effects.isEmpty)
        session.lose()
        session.waitForAttempt()
        session.greet()
        #expect(session.said == [.subscribe(channel: "a")])
        let alone = session.subscribe("b", scoped: isScoped)
        session.cancel(alone.call)
        #expect(session.said == [.unsubscribe(channel: "b")])
    }

    @Test("Who waits for a wish that its scope ends is told at once")
    func scopeEndsWaiting() {
        var session = Play.opened()
        let scoped = session.subscribe("a", scoped: true)
        session.tell(.command(.endScope(scoped.inbox)))
        #expect(session.error(of: scoped.call)?.code == .cancelled)
    }

    // MARK: Messages

    @Test("A retained message is delivered once by its id, live ones always")
    func retained() {
        var session = Play.opened()
        let (_, inbox) = session.subscribe("a")
        let kept = Self.message("1", isRetained: true)
        session.reply(
            .subscribe, "a", .subscribed(retained: [kept, kept, Self.message("2", isRetained: true)]))
        #expect(session.take(inbox).count == 2)
        session.hear(.delivery(Self.message("2")))
        session.hear(.delivery(Self.message("3")))
        session.lose()
        session.waitForAttempt()
        session.greet()
        let three = Self.message("3", isRetained: true)
        session.reply(
            .subscribe, "a", .subscribed(retained: [kept, three, Self.message(nil, isRetained: true)]))
        #expect(session.take(inbox).count == 3)
    }

    @Test("A handle is told once, and of what was lost with the next message")
    func missed() {
        var session = Play.opened { $0.inbox = InboxPolicy(maximumMessages: 2) }
        let (_, inbox) = session.subscribe("a")
        session.hear(.delivery(Self.message("1")))
        #expect(session.does(.ready(inbox)))
        for id in ["2", "3", "4"] {
            session.hear(.delivery(Self.message(id)))
            #expect(!session.does(.ready(inbox)))
        }
        #expect(session.does(.record(.missed(1))))
        var third = Self.message("3")
        third.missed = 2
        #expect(session.take(inbox) == [.message(third), .message(Self.message("4"))])
        session.hear(.delivery(Self.message("5")))
        #expect(!session.does(.ready(inbox)))
        session.tell(.consumed(inbox, 2))
        #expect(session.does(.ready(inbox)))
    }

    @Test("Application events and server errors go to who listens to their id and who hears all")
    func events() {
        var session = Play.opened()
        let (one, all) = (session.inbox(), session.inbox())
        for inbox in [one, all] { session.tell(.command(.openInbox(inbox))) }
        session.tell(.command(.listen(one, .event("e"))))
        session.tell(.command(.listen(all, .allEvents)))
        session.hear(.event(Event(id: "e")))
        session.hear(.failure(SenteError(.serverError, "Oops."), Event(id: "error")))
        #expect(session.does(.record(.serverError("Oops."))))
        #expect(session.take(one) == [.event(Event(id: "e"), missed: 0)])
        #expect(session.take(all).count == 2)
        session.tell(.command(.unlisten(one, .event("e"))))
        session.hear(.event(Event(id: "e")))
        #expect(session.take(one).isEmpty)
    }

    // MARK: pauseReading

    @Test("With `.pauseReading` reading stops, pings are answered, and goes on when there is room")
    func pausing() {
        var session = Play.opened { $0.inbox = InboxPolicy(maximumMessages: 2, overflow: .pauseReading) }
        let (_, inbox) = session.subscribe("a")
        for id in ["1", "2", "3"] { session.hear(.delivery(Self.message(id))) }
        #expect(session.does(.pauseReading(session.link)))
        session.hear(.ping(stamp: 4))
        #expect(session.sends(.pong(original: 4)))
        #expect(session.take(inbox).count == 3)
        session.tell(.consumed(inbox, 2))
        #expect(session.does(.resumeReading(session.link)))
    }

    @Test("A pause lasts at most 10 s, its silence does not count, and then the oldest goes")
    func pauseLimit() {
        var session = Play.opened {
            $0.inbox = InboxPolicy(maximumMessages: 2, overflow: .pauseReading)
            $0.heartbeat = Heartbeat(interval: .seconds(2), limit: .seconds(1))
        }
        let (_, inbox) = session.subscribe("a")
        session.confirm("a")
        for id in ["1", "2", "3"] { session.hear(.delivery(Self.message(id))) }
        session.wait(.milliseconds(9_999))
        #expect(session.effects.isEmpty)
        session.wait(.milliseconds(1))
        #expect(session.effects == [.record(.missed(1)), .resumeReading(session.link)])
        session.hear(.delivery(Self.message("4")))
        #expect(!session.does(.pauseReading(session.link)))
        #expect(session.take(inbox).count == 2)
        #expect(session.state == .open)
    }

    @Test("Closing what holds reading up lets it go on")
    func closeResumes() {
        var session = Play.opened { $0.inbox = InboxPolicy(maximumMessages: 1, overflow: .pauseReading) }
        let (_, inbox) = session.subscribe("a")
        for id in ["1", "2"] { session.hear(.delivery(Self.message(id))) }
        session.tell(.command(.closeInbox(inbox)))
        #expect(session.does(.resumeReading(session.link)))
        #expect(session.does(.finish(inbox)))
    }

    // MARK: Being the service

    @Test("A responder gets a request once by id, and its answer goes out")
    func responding() {
        var session = Play.opened()
        let inbox = session.inbox()
        session.tell(.command(.respond(channel: "svc", inbox)))
        #expect(session.said == [.subscribe(channel: "svc")])
        for _ in 0..<2 { session.hear(.request(Self.request("r1"))) }
        #expect(session.take(inbox) == [.request(Self.request("r1"))])
        session.tell(.command(.answer(inbox, requestID: "r1", data: .bool(true), isError: false)))
        let answer = Outbound.answer(requestID: "r1", data: .bool(true), isError: false)
        #expect(session.said == [answer])
        session.tell(.command(.endScope(inbox)))
        #expect(session.said == [.unsubscribe(channel: "svc")])
        session.hear(.request(Self.request("r2")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
    }

    @Test("More than 16 requests at once are answered busy")
    func busy() {
        var session = Play.opened()
        let inbox = session.inbox()
        session.tell(.command(.respond(channel: "svc", inbox)))
        for number in 1...16 {
            session.hear(.request(Self.request("\(number)")))
            #expect(session.said.isEmpty)
        }
        session.hear(.request(Self.request("17")))
        guard case .answer("17", let data, true)? = session.said.first else {
            Issue.record("No busy answer was sent.")
            return
        }
        #expect(data.mapValue?["reason"] == "busy")
        session.tell(.command(.answer(inbox, requestID: "1", data: .null, isError: false)))
        session.hear(.request(Self.request("18")))
        #expect(session.said.isEmpty)
    }

    @Test(
        "A request that has just come is answered, whatever any clock shows", arguments: [-40_000, 0, 40_000])
    func clocksMove(step: Int64) {
        for greets in [true, false] {
            var session = Play.connecting()
            session.greet(serverTime: greets ? session.now.wallMilliseconds : nil)
            let inbox = session.inbox()
            session.tell(.command(.respond(channel: "svc", inbox)))
            // The server's clock, or ours, moves; its stamp and ours are now that far apart.
            let createdAt = session.now.wallMilliseconds + step
            session.hear(.request(Self.request("r", createdAt: createdAt, limit: 5_000)))
            #expect(session.take(inbox).count == 1)
            session.hear(.request(Self.request("s", createdAt: createdAt - 3_600_000)))
            session.tell(.consumed(inbox, 1))
            #expect(session.take(inbox).count == 1)
        }
    }

    @Test(
        "A request that waits here longer than its requester is dropped when it would be handed out, and counted"
    )
    func waitedTooLong() {
        var session = Play.opened { $0.concurrentAnswers = 2 }
        let inbox = session.inbox()
        session.tell(.command(.respond(channel: "svc", inbox)))
        session.hear(.request(Self.request("now")))
        #expect(session.take(inbox).count == 1)
        session.hear(.request(Self.request("short", limit: 5_000)))
        session.wait(.seconds(5))
        session.tell(.consumed(inbox, 1))
        #expect(session.effects == [.record(.ignored(.overdueRequest))])
        #expect(session.take(inbox).isEmpty)
        // It does not count among those under way.
        session.hear(.request(Self.request("next", limit: 5_000)))
        #expect(session.said.isEmpty)
        #expect(session.take(inbox).map { $0 } == [.request(Self.request("next", limit: 5_000))])
    }

    @Test("A request that nobody here serves, or that had come before, is counted")
    func countedRequests() {
        var session = Play.opened()
        session.hear(.request(Self.request("r")))
        #expect(session.effects == [.record(.ignored(.unservedRequest))])
        session.hear(.request(Self.request("r")))
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
        var session = Play.connecting()
        let serverTime = session.now.wallMilliseconds + clock
        session.greet(serverTime: serverTime)
        let inbox = session.inbox()
        session.tell(.command(.respond(channel: "svc", inbox)))
        session.wait(.seconds(2))
        let createdAt = age == .min ? serverTime + 3_600_000 : serverTime + 2_000 - age
        var request = Self.request("r", createdAt: createdAt, limit: limit)
        request.isRetained = true
        session.hear(.request(request))
        #expect(session.take(inbox).isEmpty == !isTaken)
        #expect(session.does(.record(.ignored(.overdueRequest))) == !isTaken)
    }

    @Test("A request that the server kept is not answered if its age cannot be told")
    func ageless() {
        for (createdAt, serverTime) in [(1, nil), (nil, 1), (nil, nil), (.min, .max)] as [(Int64?, Int64?)] {
            var session = Play.connecting()
            session.greet(serverTime: serverTime)
            let inbox = session.inbox()
            session.tell(.command(.respond(channel: "svc", inbox)))
            var request = Self.request("r", createdAt: createdAt, limit: .max)
            request.isRetained = true
            session.hear(.request(request))
            #expect(session.take(inbox).isEmpty)
        }
    }

    @Test("Hostile times of a request do not trap", arguments: [Int64.min, -1, 0, .max])
    func hostileTimes(time: Int64) {
        var session = Play.connecting()
        session.greet(serverTime: time)
        let inbox = session.inbox()
        session.tell(.command(.respond(channel: "svc", inbox)))
        session.hear(.request(Self.request("r", createdAt: .min, limit: time)))
        session.wait(.seconds(1))
        session.tell(.consumed(inbox, 1))
        #expect(session.state == .open)
    }

    @Test("A subscription that the server ends on its own rests until the app asks again")
    func lostSubscription() {
        var session = Play.opened(.senteLiteVectors)
        session.subscribe("a")
        session.confirm("a")
        let error = SenteError(.rejected, "The channel was closed.")
        session.hear(.subscriptionLost(channel: "a", error))
        #expect(session.does(.subscription(channel: "a", SubscriptionStatus(rejection: error))))
        session.lose()
        session.waitForAttempt()
        session.greet()
        #expect(session.said.isEmpty)
        session.subscribe("a")
        #expect(session.sends(.subscribe(channel: "a")))
        session.confirm("a")
        #expect(session.does(.subscription(channel: "a", SubscriptionStatus(isConfirmed: true))))
    }

    @Test("The end of a subscription that is not confirmed changes nothing, and is late")
    func lostNothing() {
        var session = Play.opened(.senteLiteVectors)
        session.subscribe("a")
        let error = SenteError(.rejected, "The channel was closed.")
        for channel in ["a", "b"] {
            session.hear(.subscriptionLost(channel: channel, error))
            #expect(session.effects == [.record(.ignored(.lateReply))])
        }
        session.confirm("a")
        #expect(session.does(.subscription(channel: "a", SubscriptionStatus(isConfirmed: true))))
    }

    // MARK: Names, and many of them

    /// One text for Unicode, two for every server.
    private static let composed = "caf\u{e9}"
    private static let decomposed = "cafe\u{301}"

    @Test("Channels whose names differ in their bytes are two channels from the wish to the delivery")
    func bytesOfNames() {
        var session = Play.opened()
        let (_, one) = session.subscribe(Self.composed)
        #expect(session.said.map { $0.channel.map { Array($0.utf8) } } == [Array(Self.composed.utf8)])
        let (second, two) = session.subscribe(Self.decomposed)
        #expect(session.said.map { $0.channel.map { Array($0.utf8) } } == [Array(Self.decomposed.utf8)])
        session.confirm(Self.composed)
        #expect(session.isPending(second))
        session.confirm(Self.decomposed)
        #expect(!session.isPending(second))
        session.hear(.delivery(ChannelMessage(channel: Self.decomposed, data: 1)))
        #expect(session.take(one).isEmpty && session.take(two).count == 1)
        let call = session.call()
        session.tell(.command(.unsubscribe(call, channel: Self.composed)))
        #expect(session.does(.finish(one)) && !session.does(.finish(two)))
        session.lose()
        session.waitForAttempt()
        session.greet()
        #expect(session.said.map { $0.channel.map { Array($0.utf8) } } == [Array(Self.decomposed.utf8)])
    }

    @Test("However many channels there are, one subscribe, its answer and its end tell of one")
    func oneOfMany() {
        var session = Play.opened()
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
        let call = session.call()
        session.tell(.command(.unsubscribe(call, channel: "one")))
        #expect(told() == ["one"])
    }
}
