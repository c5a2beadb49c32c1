// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire
import Testing

@Suite("The twelve rules")
struct RuleTests {
    // MARK: 1

    @Test(
        "1: Every end but our own reconnects, a clean close included",
        arguments: [.normal, .goingAway, .policyViolation, .internalError, .serviceRestart] as [CloseCode])
    func otherEndsReconnect(code: CloseCode) {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.server.command(.close(nil, code, reason: "because"))
        world.run { client.state != .open }
        #expect(client.state == .reconnecting)
        #expect(client.status.lastClose == ConnectionStatus.Close(code: code, reason: "because"))
        #expect(world.run { client.state == .open })
        expectRules(world)
    }

    @Test(
        "1: A link that breaks with no word reconnects, and disconnect() does not",
        arguments: Dialect.detected
    )
    func ownEndIsGraceful(_ dialect: Dialect) {
        let world = TestWorld(seed: 1, WireSetup(dialect))
        let client = world.addOpenClient()
        client.pipe?.cut()
        world.run(within: .seconds(1)) { client.state != .open }
        #expect(client.state == .reconnecting)
        world.run { client.state == .open }
        client.disconnect()
        world.advance(by: .seconds(300))
        #expect(client.state == .closed)
        expectRules(world)
    }

    // MARK: 2

    @Test(
        "2: After disconnect() neither a retry nor an attempt nor a question nor a late callback comes back",
        arguments: Dialect.detected)
    func nothingComesBack(_ dialect: Dialect) {
        for moment in 0..<60 {
            let world = TestWorld(seed: UInt64(moment), WireSetup(dialect))
            let client = world.addClient {
                $0.asksToken = true
                $0.times.connect = .seconds(2)
            }
            client.behavior.provides = 100...100
            client.behavior.providesTooLate = true
            world.network.reportDelay = 0...400
            world.network.dialing = moment % 2 == 0 ? .accepted : .unanswered
            client.connect()
            world.advance(by: .milliseconds(moment * 60))
            if moment % 3 == 0 { world.server.crash() }
            client.disconnect()
            let links = client.openedTargets.count
            world.advance(by: .seconds(400))
            #expect(client.state == .closed)
            #expect(client.openedTargets.count == links)
            #expect(client.view.deadline == nil)
            expectRules(world)
        }
    }

    @Test("2: disconnect() cancels a pending retry", arguments: Dialect.detected)
    func cancelsRetry(_ dialect: Dialect) {
        let world = TestWorld(seed: 1, WireSetup(dialect))
        let client = world.addOpenClient()
        world.server.crash()
        #expect(world.run { client.state == .reconnecting })
        let links = client.openedTargets.count
        client.disconnect()
        world.server.start()
        world.advance(by: .seconds(300))
        #expect(client.state == .closed && client.openedTargets.count == links)
        expectRules(world)
    }

    // MARK: 3

    @Test("3: What an old link says changes nothing", arguments: Dialect.detected)
    func oldLinks(_ dialect: Dialect) throws {
        let world = TestWorld(seed: 1, WireSetup(dialect))
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        let old = client.rules.link
        client.reconnect()
        world.run { client.state == .open }
        world.advance(by: .seconds(1))
        let before = client.view
        if let old {
            client.handle(
                [
                    .received([try #require(world.wire.staleGreeting)]), .wrote([SendID(.max)]),
                    .closed(.closed(code: .normal, reason: "late")),
                ], of: old)
        }
        #expect(client.view == before)
        #expect(client.status.identity?.connectionID != "stale" && client.status.identity?.uid != "stale")
        expectRules(world)
    }

    @Test("3: connect() while connecting or open joins what is under way")
    func connectJoins() {
        let world = TestWorld()
        let client = world.addClient()
        let calls = [client.connect(), client.connect()]
        world.advance(by: .seconds(1))
        let third = client.connect()
        #expect((calls + [third]).allSatisfy { client.answer(to: $0) == .done })
        #expect(client.openedTargets.count == 1)
        expectRules(world)
    }

    // MARK: 4

    @Test("4: Each call ends once: acknowledged, written, not sent or unknown, and it is true")
    func outcomes() {
        let world = TestWorld()
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        let acknowledged = client.publish(to: "news")
        let written = client.send()
        world.advance(by: .seconds(1))
        client.pipe?.silence()
        let unknown = client.publish(to: "news")
        world.server.crash()
        client.pipe?.endSilence()
        world.run { client.state == .reconnecting }
        let cancelled = client.publish(to: "news")
        let expired = client.publish(to: "news", limit: .seconds(2))
        client.cancel(cancelled)
        world.advance(by: .seconds(5))
        let kept = client.publish(to: "news")
        world.server.start()
        world.advance(by: .seconds(60))
        #expect(client.answer(to: acknowledged) != nil)
        #expect(client.answer(to: written) == .written)
        #expect(client.error(of: unknown)?.outcome == .unknown)
        #expect(client.error(of: cancelled)?.outcome == .notSent)
        #expect(
            client.error(of: expired).map { ($0.code == .timedOut, $0.outcome == .notSent) } ?? (false, false)
                == (true, true))
        #expect(client.answer(to: kept) != nil || client.error(of: kept)?.outcome == .notSent)
        #expect(world.messages.map(\.reachedServer).prefix(5) == [1, 1, 0, 0, 0])
        #expect(client.calls.isEmpty)
        expectRules(world)
    }

    @Test("4: A time limit runs from the call, queueing included")
    func limitCountsQueueing() {
        let world = TestWorld()
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        world.server.setFaults { $0.replies = .never }
        client.pipe?.stall(.client, for: .seconds(4))
        let call = client.publish(to: "news", limit: .seconds(6))
        world.advance(by: .milliseconds(5_999))
        #expect(client.isOpen(call))
        world.advance(by: .milliseconds(1))
        #expect(client.error(of: call)?.outcome == .unknown)
        expectRules(world)
    }

    // MARK: 5

    @Test("5: While 64 KiB are unwritten the rest stays in the outbox, in order, and can still be cancelled")
    func writeWindow() {
        let world = TestWorld()
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        client.pipe?.stall(.client, for: .seconds(8))
        let calls = (0..<100).map { _ in client.publish(to: "news", size: 2_000) }
        #expect((60...80).contains(client.view.outboxCount), "\(client.view.outboxCount)")
        client.cancel(calls[99])
        world.advance(by: .seconds(9))
        #expect(client.error(of: calls[99])?.outcome == .notSent)
        #expect(calls.prefix(99).allSatisfy { client.answer(to: $0) != nil })
        #expect(
            world.messages.prefix(99).compactMap(\.arrival) == world.messages.compactMap(\.arrival).sorted())
        #expect(world.messages[99].reachedServer == 0)
        expectRules(world)
    }

    @Test(
        "5: The outbox keeps its bounds and its time to live, by each policy",
        arguments: OutboxPolicy.Overflow.allCases)
    func outboxBounds(overflow: OutboxPolicy.Overflow) {
        let world = TestWorld()
        let client = world.addClient {
            $0.outbox = OutboxPolicy(
                maximumMessages: 3, maximumBytes: 10_000, timeToLive: .seconds(7), overflow: overflow)
        }
        world.server.crash()
        client.connect()
        let calls = (0..<5).map { client.publish(to: "news \($0 % 2)", limit: nil) }
        let codes = calls.map { client.error(of: $0)?.code }
        switch overflow {
        case .rejectNewest: #expect(codes == [nil, nil, nil, .outboxFull, .outboxFull])
        case .dropOldest: #expect(codes == [.dropped, .dropped, nil, nil, nil])
        case .dropNewest: #expect(codes == [nil, nil, nil, .dropped, .dropped])
        case .coalesce: #expect(codes == [.superseded, .superseded, .superseded, nil, nil])
        case .wait: #expect(codes == [nil, nil, nil, nil, nil])
        }
        world.advance(by: .seconds(8))
        #expect(calls.allSatisfy { client.error(of: $0)?.outcome == .notSent })
        #expect(client.drops[.expired] == (overflow == .coalesce ? 2 : overflow == .wait ? 5 : 3))
        expectRules(world)
    }

    @Test("5: What cannot be spelled holds nobody back")
    func unencodableFreesTheWindow() {
        let world = TestWorld()
        let client = world.addClient { $0.writeWindow = 100 }
        client.connect()
        let heavy: Value = ["nan": .double(.nan), "text": .string(String(repeating: "x", count: 200))]
        let unencodable = client.send(data: heavy)
        let next = client.send()
        world.advance(by: .seconds(1))
        #expect(client.error(of: unencodable)?.code == .unencodable)
        #expect(client.answer(to: next) == .written)
        expectRules(world)
    }

    // MARK: 6

    @Test("6: Wishes are written once per link, in the order of wishing, before what waits in the outbox")
    func wishesFirst() {
        let world = TestWorld()
        world.server.keepsReceived = true
        let client = world.addClient()
        client.connect()
        client.publish(to: "c")
        for channel in ["c", "a", "b", "a"] { client.subscribe(channel) }
        world.advance(by: .seconds(1))
        let first = world.server.received
        #expect(
            first.prefix(3) == ["c", "a", "b"].map { #"{"type":"subscribe","channel-id":"\#($0)"}"# }[...])
        #expect(first.count { $0.contains("subscribe") } == 3)
        #expect(first[3].contains("publish"))
        world.server.received = []
        client.pipe?.cut()
        world.run { client.state == .reconnecting }
        client.publish(to: "c")
        world.run { client.state == .open }
        world.advance(by: .seconds(1))
        #expect(world.server.received.prefix(4) == first.prefix(3) + [world.server.received[3]])
        #expect(world.server.received[3].contains("publish"))
        #expect(world.server.subscriptions(of: client) == ["c", "a", "b"])
        expectRules(world)
    }

    @Test("6: A rejected wish is reported and rests until it is asked for again")
    func rejectionRests() {
        let world = TestWorld()
        world.server.keepsReceived = true
        world.server.configuration.channels = [.init("full", ChannelConfiguration(maximumSubscribers: 1))]
        let first = world.addOpenClient()
        first.subscribe("full")
        let second = world.addOpenClient()
        let (call, _) = second.subscribe("full")
        world.advance(by: .seconds(1))
        #expect(second.error(of: call)?.code == .rejected)
        #expect(second.error(of: call)?.details?["current"] == 1)
        #expect(second.engine.subscription("full")?.rejection?.code == .rejected)
        world.server.received = []
        second.reconnect()
        world.advance(by: .seconds(2))
        #expect(second.state == .open && world.server.received.isEmpty)
        first.disconnect()
        world.advance(by: .seconds(1))
        let (again, _) = second.subscribe("full")
        world.advance(by: .seconds(1))
        #expect(second.answer(to: again) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        expectRules(world)
    }

    @Test("6: A reply to an older link's subscribe confirms nothing")
    func oldReply() {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.network.reportDelay = 5_000...5_000
        client.subscribe("news")
        world.advance(by: .seconds(1))
        let old = client.rules.link
        client.reconnect()
        world.network.reportDelay = 0...0
        world.run { client.state == .open }
        world.server.setFaults { $0.replies = .never }
        if let old {
            client.handle(
                [.received([.text(#"{"type":"subscription-result","channel-id":"news","success":true}"#)])],
                of: old)
        }
        #expect(client.engine.subscription("news")?.isConfirmed == false)
        world.advance(by: .seconds(10))
        #expect(client.engine.subscription("news")?.isConfirmed == false)
        expectRules(world)
    }

    @Test("6: A retained message comes once, however often it is handed over")
    func retainedOnce() {
        let world = TestWorld()
        world.server.configuration.channelDefaults.retention = 3
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("kept")
        world.advance(by: .seconds(1))
        for _ in 0..<2 { client.publish(to: "kept") }
        world.advance(by: .seconds(1))
        for _ in 0..<3 {
            client.pipe?.cut()
            world.run { client.state == .reconnecting }
            world.run { client.state == .open }
            world.advance(by: .seconds(1))
        }
        #expect(client.messageNumbers(in: inbox) == [0, 1])
        let late = world.addOpenClient()
        let (_, other) = late.subscribe("kept")
        world.advance(by: .seconds(1))
        #expect(late.messageNumbers(in: other) == [0, 1])
        expectRules(world)
    }

    @Test("6: A handle made later begins with what the server kept, and the others hear none of it again")
    func historyOfEachHandle() {
        let world = TestWorld()
        world.server.configuration.channelDefaults.retention = 3
        let client = world.addOpenClient()
        let (_, first) = client.subscribe("kept")
        world.advance(by: .seconds(1))
        for _ in 0..<3 { client.publish(to: "kept") }
        world.advance(by: .seconds(1))
        let (_, all) = client.subscribe("kept")
        let (_, last) = client.subscribe("kept", history: .last(2))
        let (_, none) = client.subscribe("kept", history: .none)
        world.advance(by: .seconds(1))
        client.pipe?.cut()
        world.run { client.state == .reconnecting }
        let (_, offline) = client.subscribe("kept")
        let sender = world.addOpenClient()
        sender.publish(to: "kept")
        world.run { client.state == .open }
        world.advance(by: .seconds(1))
        #expect(client.messageNumbers(in: first) == [0, 1, 2, 3])
        #expect(client.messageNumbers(in: all) == [0, 1, 2, 3])
        #expect(client.messageNumbers(in: last) == [1, 2, 3])
        #expect(client.messageNumbers(in: none) == [3])
        #expect(client.messageNumbers(in: offline) == [0, 1, 2, 3])
        let gaps = [first, all, last, none, offline].map { inbox in
            client.handles[inbox]?.elements.compactMap {
                if case .message(let message) = $0 { message.gap?.filling } else { nil }
            }
        }
        #expect(gaps == [[.all], [.all], [.all], [.all], []])
        expectRules(world)
    }

    @Test("6: Where the server keeps nothing, the next live message shows the gap and that nothing filled it")
    func gapWithoutRetention() {
        let world = TestWorld()
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("news")
        world.advance(by: .seconds(30))
        client.pipe?.cut()
        world.run { client.state == .reconnecting }
        world.run { client.state == .open }
        world.advance(by: .seconds(1))
        for _ in 0..<2 { client.publish(to: "news") }
        world.advance(by: .seconds(1))
        let gaps = client.handles[inbox]?.elements.compactMap {
            if case .message(let message) = $0 { message.gap } else { nil }
        }
        #expect(gaps?.map(\.filling) == [.nothing])
        expectRules(world)
    }

    // MARK: 7

    @Test("7: Silence beyond the limit ends the link, and the reason says so", arguments: Dialect.detected)
    func silence(_ dialect: Dialect) {
        let world = TestWorld(seed: 1, WireSetup(dialect))
        let client = world.addOpenClient()
        client.pipe?.silence()
        world.advance(by: .milliseconds(23_990))
        #expect(client.state == .open)
        world.advance(by: .seconds(3))
        #expect(client.states.contains(.reconnecting))
        #expect(client.statuses.contains { $0.lastError?.code == .silent })
        expectRules(world)
    }

    @Test("7: Any bytes count as life, half a message too")
    func anyBytesAreLife() {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.server.setFaults { $0.isSilent = true }
        // The head of a frame of 100,000 bytes, and then one byte of it every 15 s.
        client.pipe?.inject([0x81, 127, 0, 0, 0, 0, 0, 1, 0x86, 0xA0], to: .client)
        for _ in 0..<20 {
            client.pipe?.inject([0x20], to: .client)
            world.advance(by: .seconds(15))
            #expect(client.state == .open)
        }
        world.advance(by: .seconds(26))
        #expect(client.states.contains(.reconnecting))
        expectRules(world)
    }

    // MARK: 8

    @Test("8: A greeting alone does not reset the backoff: it takes a stable time too")
    func backoffNeedsStableTime() {
        let world = TestWorld()
        world.server.setFaults {
            $0.ending = .drop
            $0.endingAfter = 1
        }
        let client = world.addClient()
        client.subscribe("news")
        client.connect()
        #expect(world.run(within: .seconds(400)) { client.status.attempt == 6 })
        #expect(client.states.count { $0 == .open } >= 4, "It was greeted each time.")
        world.server.setFaults { $0 = Faults() }
        world.run { client.state == .open }
        world.advance(by: .seconds(6))
        client.pipe?.cut()
        world.run { client.state == .reconnecting }
        #expect(client.status.attempt == 2)
        expectRules(world)
    }

    @Test(
        "8: No wait exceeds the cap, after jitter",
        arguments: [
            ReconnectPolicy.default, .fleet, .exponential(jitter: 1, maximum: .seconds(30), attempts: nil),
        ])
    func capHolds(policy: ReconnectPolicy) {
        for seed in 1...20 as ClosedRange<UInt64> {
            let world = TestWorld(seed: seed, isRecording: false)
            let client = world.addClient { $0.reconnect = policy }
            world.server.crash()
            client.connect()
            world.advance(by: .seconds(600))
            let attempts = client.openedTargets.map(\.deadline)
            let waits = zip(attempts, attempts.dropFirst()).map { $0.duration(to: $1) }
            #expect(waits.allSatisfy { $0 <= .seconds(30) + .milliseconds(10) })
            #expect(waits.contains { $0 > .seconds(14) })
            expectRules(world)
        }
    }

    // MARK: 9

    @Test("9: Whatever is due together is done together, also after a sleep of minutes")
    func deadlines() {
        let world = TestWorld()
        let client = world.addClient()
        world.server.crash()
        client.connect()
        for limit in [1, 1, 2, 3, 40] { client.publish(to: "news", limit: .seconds(limit)) }
        client.suspendApp(for: .seconds(120))
        world.advance(by: .seconds(119))
        #expect(client.calls.count == 6)
        world.advance(by: .seconds(1))
        #expect(client.calls.count == 1, "Only connect() without a limit is still open.")
        expectRules(world)
    }

    // MARK: 10

    @Test(
        "10: Garbage ends the link with the right code, and the client goes on", arguments: Dialect.detected)
    func garbage(_ dialect: Dialect) {
        for seed in 1...200 as ClosedRange<UInt64> {
            let world = TestWorld(seed: seed, WireSetup(dialect))
            let client = world.addOpenClient()
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &world.random) }
            client.pipe?.inject(bytes, to: .client)
            world.advance(by: .seconds(100))
            #expect(client.state == .open)
            expectRules(world)
        }
    }

    @Test("10: A message beyond the limit ends the link with 1009")
    func tooBig() {
        let world = TestWorld()
        let client = world.addOpenClient()
        client.pipe?.inject([0x81, 127, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], to: .client)
        world.run { client.state == .reconnecting }
        #expect(client.status.lastError?.code == .protocolViolation)
        #expect(client.status.lastError?.closeCode == .messageTooBig)
        expectRules(world)
    }

    @Test("10: What nobody consumes is bounded, and what is lost is counted")
    func inboxIsBounded() {
        let world = TestWorld()
        world.server.configuration.allowsFlood = true
        let client = world.addClient { $0.inbox = InboxPolicy(maximumMessages: 100) }
        client.connect()
        client.behavior.consumes = nil
        let (_, inbox) = client.subscribe("flood")
        world.advance(by: .seconds(1))
        client.send("flood", data: ["channel-id": "flood", "count": 5_000, "data": [:]])
        world.advance(by: .seconds(2))
        client.behavior.consumes = 0...0
        client.takeEverything()
        #expect(client.elements(of: inbox).count == 100)
        #expect(client.missed(in: inbox) == 4_900)
        #expect(client.metrics.missed == 4_900)
        expectRules(world)
    }

    // MARK: 11

    @Test(
        "11: Whatever the app does not consume, pings are answered and replies come",
        arguments: InboxPolicy.Overflow.allCases)
    func slowConsumer(overflow: InboxPolicy.Overflow) {
        let world = TestWorld()
        world.server.configuration.heartbeatInterval = .seconds(5)
        world.server.configuration.heartbeatTimeout = .seconds(20)
        let client = world.addClient { $0.inbox = InboxPolicy(maximumMessages: 2, overflow: overflow) }
        client.connect()
        client.behavior.consumes = nil
        client.subscribe("news")
        world.advance(by: .seconds(1))
        let other = world.addOpenClient()
        for _ in 0..<100 {
            other.publish(to: "news")
            world.advance(by: .seconds(1))
        }
        let calls = [client.publish(to: "news", limit: .seconds(11)), client.ping()]
        world.advance(by: .seconds(11))
        #expect(calls.allSatisfy { client.answer(to: $0) != nil })
        #expect(client.openedTargets.count == 1, "No link died of it.")
        #expect(world.server.session.counters.deadConnections == 0)
        if overflow == .pauseReading { #expect(world.coverage.of("effect", "resumeReading") > 0) }
        expectRules(world)
    }

    // MARK: 12

    @Test("12: A late reply goes to the call that caused it, which is gone: not to the next")
    func lateReply() {
        let world = TestWorld()
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        world.server.setFaults { $0.replies = .late(.seconds(3)) }
        let impatient = client.publish(to: "news", limit: .seconds(1))
        world.advance(by: .seconds(2))
        let patient = client.publish(to: "news", limit: .seconds(10))
        world.advance(by: .seconds(10))
        #expect(client.error(of: impatient)?.outcome == .unknown)
        let receipt = PublishReceipt(outcome: .acknowledged, messageID: "msg-2", deliveredTo: 1)
        #expect(client.answer(to: patient) == .published(receipt))
        expectRules(world)
    }

    @Test(
        "12: A late answer to an event goes to the call that caused it, which is gone: not to the next",
        arguments: [Dialect.senteLiteVectors, .sente])
    func lateAnswer(_ dialect: Dialect) {
        let world = TestWorld(seed: 1, WireSetup(dialect))
        let client = world.addOpenClient()
        world.server.setFaults { $0.replies = .late(.seconds(3)) }
        let impatient = client.sendAwaitingReply(limit: .seconds(1))
        world.advance(by: .seconds(2))
        let patient = client.sendAwaitingReply(limit: .seconds(10))
        world.advance(by: .seconds(10))
        #expect(client.error(of: impatient)?.outcome == .unknown)
        guard case .value(let answer)? = client.answer(to: patient) else {
            Issue.record("\(client.error(of: patient) as Any)")
            return
        }
        #expect(world.wire.answered(by: answer) == 1)
        expectRules(world)
    }

    @Test("12: A fence clears the slot of a reply that never comes")
    func fence() {
        let world = TestWorld()
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        world.server.setFaults(of: client) { $0.replies = .never }
        let lost = client.publish(to: "news", limit: .seconds(20))
        let impatient = client.publish(to: "news", limit: .seconds(1))
        world.advance(by: .seconds(2))
        #expect(client.error(of: impatient)?.code == .timedOut)
        #expect(client.error(of: lost)?.code == .noReply, "The pong came, its reply did not: it never will.")
        #expect(client.error(of: lost)?.outcome == .unknown)
        world.server.setFaults(of: client) { $0 = Faults() }
        let next = client.publish(to: "news")
        world.advance(by: .seconds(1))
        #expect(
            client.answer(to: next)
                == .published(PublishReceipt(outcome: .acknowledged, messageID: "msg-3", deliveredTo: 1)))
        expectRules(world)
    }

    @Test(
        "12: Answers out of order find their requests",
        arguments: [Faults.Replies.outOfOrder, .twice, .normal])
    func answersOutOfOrder(replies: Faults.Replies) {
        let world = TestWorld()
        let service = world.addOpenClient()
        service.respond(on: "service")
        service.behavior.answers = 0...900
        let client = world.addOpenClient()
        world.advance(by: .seconds(1))
        world.server.setFaults { $0.replies = replies }
        let first = world.messages.count
        let calls = (0..<10).map { _ in client.request(on: "service") }
        world.advance(by: .seconds(5))
        for (offset, call) in calls.enumerated() {
            #expect(client.answer(to: call) == .value(["answer": Value(first + offset)]))
        }
        expectRules(world)
    }
}

/// No rule was broken in this world.
func expectRules(_ world: TestWorld, sourceLocation: SourceLocation = #_sourceLocation) {
    for violation in world.violations.prefix(1) {
        Issue.record("\(violation)", sourceLocation: sourceLocation)
    }
}
