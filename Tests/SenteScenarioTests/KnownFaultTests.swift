// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire
import Testing

/// Faults that were documented by, or found in, the clients before this one (`sente-lite.md` §8): each must not be ours.
@Suite("Faults of earlier clients")
struct KnownFaultTests {
    @Test("Message flow issue: after a frame that cannot be decoded the next one is still heard")
    func messageFlow() {
        let world = TestWorld()
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("news")
        world.advance(by: .seconds(1))
        for text in ["{broken", "[1,2]", "null", #"{"type":{"a":1}}"#] { client.pipe?.send(.text(text)) }
        client.pipe?.send(.binary([0xFF, 0]))
        client.publish(to: "news")
        world.advance(by: .seconds(1))
        #expect(client.messageNumbers(in: inbox) == [0])
        #expect(client.openedTargets.count == 1)
        #expect(client.metrics.undecodable >= 2)
        expectRules(world)
    }

    @Test("Start race: a server that does not listen yet is an ordinary failed attempt, soon tried again")
    func startRace() {
        let world = TestWorld()
        world.server.crash()
        let client = world.addClient()
        let call = client.connect(limit: .seconds(30))
        world.after(.milliseconds(20)) { $0.server.start() }
        world.advance(by: .seconds(3))
        #expect(client.state == .open && client.answer(to: call) == .done)
        expectRules(world)
    }

    @Test("Publish counted but not broadcast: an acknowledged message really arrived")
    func countedNotBroadcast() {
        let world = TestWorld()
        let (publisher, reader) = (world.addOpenClient(), world.addOpenClient())
        let (_, inbox) = reader.subscribe("news")
        world.advance(by: .seconds(1))
        let call = publisher.publish(to: "news")
        world.advance(by: .seconds(1))
        #expect(publisher.answer(to: call) != nil)
        #expect(reader.messageNumbers(in: inbox) == [0])
        expectRules(world)
    }

    @Test(
        "Flat delivery without a type: a publisher's `type` forges nothing",
        arguments: [
            #"{"type":"ping","timestamp":1,"channel-id":"news","broadcast-time":1}"#,
            #"{"type":"welcome","conn-id":"forged","channel-id":"news","broadcast-time":1}"#,
            #"{"type":"publish-result","success":true,"message-id":"forged","channel-id":"news","broadcast-time":1}"#,
        ])
    func forgedTypes(text: String) {
        let world = TestWorld()
        world.server.keepsReceived = true
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("news")
        world.advance(by: .seconds(1))
        world.server.received = []
        let identity = client.status.identity
        world.server.setFaults { $0.replies = .never }
        let call = client.publish(to: "news", limit: .seconds(3))
        client.pipe?.send(.text(text))
        world.advance(by: .seconds(1))
        #expect(client.isOpen(call))
        #expect(client.elements(of: inbox).count == 2)
        #expect(client.status.identity == identity)
        #expect(!world.server.received.contains { $0.contains("pong") })
    }

    @Test("Reconnect count from a captured closure: each attempt counts")
    func attemptsCount() {
        let world = TestWorld()
        world.server.crash()
        let client = world.addClient()
        client.connect()
        world.advance(by: .seconds(100))
        let attempts = client.statuses.filter { $0.state == .connecting }.map(\.attempt)
        #expect(attempts == Array(1...attempts.count) && attempts.count > 5)
        expectRules(world)
    }

    @Test("Queue counted failed sends as sent: what did not leave is not sent, and never counted as such")
    func failedSends() {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.server.crash()
        world.run { client.state == .reconnecting }
        let before = client.metrics.sent.messages
        let calls = (0..<5).map { _ in client.send(limit: .seconds(1)) }
        client.disconnect()
        #expect(calls.allSatisfy { client.error(of: $0)?.outcome == .notSent })
        #expect(client.metrics.sent.messages == before)
        #expect(client.drops[.disconnected] == 5)
        expectRules(world)
    }

    @Test("Handlers registered per connection accumulate: a message comes once after many reconnects")
    func handlersDoNotAccumulate() {
        let world = TestWorld()
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("news")
        for _ in 0..<10 {
            client.pipe?.cut()
            world.run { client.state == .reconnecting }
            world.run { client.state == .open }
            world.advance(by: .seconds(6))
        }
        client.publish(to: "news")
        world.advance(by: .seconds(1))
        #expect(client.messageNumbers(in: inbox) == [0])
        expectRules(world)
    }

    @Test(
        "Another dialect is rejected silently: the client says what it met",
        arguments: [
            "[:chsk/handshake [1 2 3 4 5]]", #"["chsk/handshake",["uid",null]]"#, "hello",
        ])
    func otherDialect(first: String) {
        let world = TestWorld()
        world.server.configuration.faults.neverGreets = true
        let client = world.addClient()
        let call = client.connect()
        world.run { client.pipe?.isOpen ?? false }
        world.advance(by: .milliseconds(20))
        client.pipe?.send(.text(first))
        world.advance(by: .seconds(1))
        #expect(client.state == .failed)
        #expect(client.error(of: call)?.code == .protocolMismatch)
        expectRules(world)
    }

    @Test("Graceful disconnect resurrects: the late close event of our own disconnect() starts nothing")
    func resurrection() {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.network.reportDelay = 6_000...6_000
        client.disconnect()
        world.advance(by: .seconds(300))
        #expect(client.states.suffix(2) == [.closing, .closed])
        #expect(client.openedTargets.count == 1)
        expectRules(world)
    }

    @Test("disconnect() cannot cancel: it ends an attempt in progress and a retry that waits")
    func disconnectCancels() {
        for dialing in NetworkConditions.Dialing.allCases {
            let world = TestWorld()
            world.network.dialing = dialing
            world.network.latency = 1_000...1_000
            let client = world.addClient()
            client.connect()
            world.advance(by: .milliseconds(1_500))
            client.disconnect()
            let links = client.openedTargets.count
            world.network.dialing = .accepted
            world.advance(by: .seconds(100))
            #expect(client.state == .closed && client.openedTargets.count == links)
            #expect(world.server.statistics.connections.isEmpty)
            expectRules(world)
        }
    }

    @Test("connect() twice leaks a socket: the server never sees two")
    func connectTwice() {
        let world = TestWorld()
        let client = world.addClient()
        for _ in 0..<5 {
            client.connect()
            world.advance(by: .milliseconds(3))
        }
        world.advance(by: .seconds(1))
        client.connect()
        client.reconnect()
        client.connect()
        world.advance(by: .seconds(1))
        #expect(world.server.connections(of: client).count == 1)
        expectRules(world)
    }

    @Test("A stale socket's events change the new connection's state: they do not")
    func staleEvents() {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.network.reportDelay = 3_000...3_000
        client.pipe?.cut()
        world.advance(by: .milliseconds(10))
        client.reconnect()
        world.network.reportDelay = 0...0
        // The old link's end is told when the new one has been open for two seconds.
        world.advance(by: .seconds(10))
        #expect(client.state == .open)
        #expect(client.states.filter { $0 == .reconnecting }.count == 1)
        expectRules(world)
    }

    @Test("Mixed-up state under races: each change is seen once, in order, and only allowed ones")
    func mixedUpState() {
        for seed in 1...40 as ClosedRange<UInt64> {
            let world = TestWorld(seed: seed)
            world.network.latency = 0...300
            world.network.reportDelay = 0...300
            let client = world.addClient()
            for _ in 0..<40 {
                switch Int.random(in: 0..<4, using: &world.random) {
                case 0: client.connect()
                case 1: client.disconnect()
                case 2: client.reconnect()
                default: client.pipe?.cut()
                }
                world.advance(by: world.milliseconds(0...200))
            }
            client.connect()
            world.advance(by: .seconds(60))
            #expect(client.state == .open)
            expectRules(world)
        }
    }

    @Test("Sleeps on the receive callback during restoration: pings are answered while wishes are restored")
    func pongsDuringRestoration() {
        let world = TestWorld()
        let client = world.addOpenClient()
        for number in 0..<200 { client.subscribe("channel \(number)") }
        world.advance(by: .seconds(1))
        client.pipe?.cut()
        world.run { client.state == .reconnecting }
        world.server.keepsReceived = true
        world.server.received = []
        world.run { client.state == .open }
        client.pipe?.send(.text(#"{"type":"ping","timestamp":77}"#))
        world.advance(by: .milliseconds(20))
        #expect(world.server.received.count { $0.contains("subscribe") } == 200)
        #expect(world.server.received.contains { $0.contains(#""original-timestamp":77"#) })
        expectRules(world)
    }

    @Test("A browser client answers pings on the old socket: ours answers on the one they came by")
    func pongsOnTheRightLink() {
        let world = TestWorld()
        world.server.configuration.heartbeatInterval = .seconds(2)
        world.server.configuration.heartbeatTimeout = .seconds(5)
        let client = world.addOpenClient()
        client.reconnect()
        world.advance(by: .seconds(60))
        #expect(client.openedTargets.count == 2)
        #expect(world.server.session.counters.deadConnections == 0)
        expectRules(world)
    }

    @Test("The backoff compounds and never resets: after a stable time the first retry is short again")
    func backoffResets() {
        let world = TestWorld()
        let client = world.addOpenClient()
        for _ in 0..<10 {
            world.server.crash()
            world.advance(by: .seconds(60))
            world.server.start()
            #expect(world.run { client.state == .open })
            world.advance(by: .seconds(6))
            client.pipe?.cut()
            world.run { client.state == .reconnecting }
            #expect(world.run(within: .seconds(5)) { client.state == .open })
            world.advance(by: .seconds(6))
        }
        expectRules(world)
    }

    @Test("close! forgets those who wait: every pending call is told, exactly once")
    func everyoneIsTold() {
        let world = TestWorld()
        let client = world.addOpenClient()
        world.server.setFaults { $0.isSilent = true }
        let calls = [
            client.publish(to: "news"), client.request(on: "service"), client.sendAwaitingEcho(),
            client.listChannels(),
            client.ping(), client.subscribe("news").call, client.unsubscribe("chat"),
        ]
        world.advance(by: .seconds(1))
        #expect(calls.allSatisfy { client.isOpen($0) })
        client.disconnect()
        #expect(calls.allSatisfy { client.results[$0] != nil })
        #expect(client.error(of: calls[0])?.outcome == .unknown)
        world.advance(by: .seconds(30))
        expectRules(world)
    }

    @Test("Waiters lose their order once one was removed: what is left goes out in order")
    func orderAfterCancel() {
        let world = TestWorld()
        world.server.keepsReceived = true
        world.server.crash()
        let client = world.addClient()
        client.connect()
        let calls = (0..<12).map { _ in client.send(limit: nil) }
        for index in [0, 4, 5, 11] { client.cancel(calls[index]) }
        client.send(limit: nil)
        world.server.start()
        world.advance(by: .seconds(5))
        let sent = world.messages.indices.filter { world.messages[$0].reachedServer == 1 }
        #expect(sent == [1, 2, 3, 6, 7, 8, 9, 10, 12])
        #expect(world.messages.compactMap(\.arrival) == world.messages.compactMap(\.arrival).sorted())
        expectRules(world)
    }

    @Test("No watchdog: a half-open connection does not stay open for ever")
    func halfOpen() {
        let world = TestWorld()
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("news")
        world.advance(by: .seconds(1))
        client.pipe?.silence()
        world.advance(by: .seconds(40))
        #expect(client.state == .open && client.openedTargets.count == 2)
        client.publish(to: "news")
        world.advance(by: .seconds(1))
        #expect(client.messageNumbers(in: inbox) == [0])
        expectRules(world)
    }

    @Test("Subscribe results ignored: a rejected channel is not subscribed, and not retried for ever")
    func rejectedChannel() {
        let world = TestWorld()
        world.server.configuration.createsChannels = false
        world.server.keepsReceived = true
        let client = world.addOpenClient()
        let (call, _) = client.subscribe("nowhere")
        world.advance(by: .seconds(1))
        #expect(client.error(of: call)?.code == .rejected && client.view.subscriptions.isEmpty)
        for _ in 0..<3 {
            client.reconnect()
            world.advance(by: .seconds(1))
        }
        #expect(world.server.received.count { $0.contains("subscribe") } == 1)
        expectRules(world)
    }

    @Test("Ids of servers are not unique: after a restart new messages with old ids are delivered")
    func reusedIDs() {
        let world = TestWorld()
        world.server.configuration.channelDefaults.retention = 2
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("kept")
        world.advance(by: .seconds(1))
        client.publish(to: "kept")
        world.advance(by: .seconds(1))
        world.server.crash()
        world.advance(by: .seconds(10))
        world.server.start()
        world.run { client.state == .open }
        let other = world.addOpenClient()
        client.pipe?.cut()
        world.run { client.state == .reconnecting }
        other.subscribe("kept")
        other.publish(to: "kept")
        world.run { client.state == .open }
        world.advance(by: .seconds(2))
        #expect(client.messageNumbers(in: inbox) == [0, 1], "Both are msg-1, and the second was retained.")
        expectRules(world)
    }

    @Test("A publish without reply: the call ends by its limit, and the next one gets its own reply")
    func publishWithoutReply() {
        let world = TestWorld()
        world.server.configuration.faults.ignoresUnfitData = true
        let client = world.addOpenClient()
        client.subscribe("news")
        world.advance(by: .seconds(1))
        let unfit = client.publishUnfit(to: "news")
        let next = client.publish(to: "news")
        world.advance(by: .seconds(11))
        #expect(client.error(of: unfit)?.outcome == .notSent, "Such data is refused before it is written.")
        #expect(client.answer(to: next) != nil)
        expectRules(world)
    }

    @Test("Requests that a server counts and never forwards end by their limit")
    func neverForwarded() {
        let world = TestWorld()
        world.server.configuration.faults.forwardsNoRequests = true
        let service = world.addOpenClient()
        service.respond(on: "service")
        let client = world.addOpenClient()
        let call = client.request(on: "service", limit: .seconds(3))
        world.advance(by: .seconds(4))
        #expect(client.error(of: call)?.code == .timedOut && client.error(of: call)?.outcome == .unknown)
        expectRules(world)
    }

    @Test("TCP left open after the close frame: the client acts on the frame")
    func tcpLeftOpen() {
        let world = TestWorld()
        world.server.configuration.faults.leavesTCPOpen = true
        let client = world.addOpenClient()
        world.server.command(.close(nil, .goingAway, reason: ""))
        world.run(within: .seconds(1)) { client.state == .reconnecting }
        #expect(client.state == .reconnecting)
        #expect(world.run(within: .seconds(5)) { client.state == .open })
        expectRules(world)
    }

    @Test("401 without a token provider fails at once; 503 waits as long as the server asks")
    func refusals() {
        let world = TestWorld()
        world.server.configuration.faults.refusing = .answer(Refusal(status: 401))
        let client = world.addClient()
        let call = client.connect()
        world.advance(by: .seconds(1))
        #expect(client.state == .failed && client.error(of: call)?.code == .unauthorized)
        world.server.setFaults {
            $0.refusing = .answer(Refusal(status: 503, headers: [.init("Retry-After", "40")]))
        }
        client.connect()
        world.advance(by: .seconds(39))
        #expect(client.state == .reconnecting && client.openedTargets.count == 2)
        world.server.setFaults { $0 = Faults() }
        #expect(world.run(within: .seconds(5)) { client.state == .open })
        expectRules(world)
    }

    @Test("401 with a token provider: one more attempt with a fresh token, then failed")
    func freshToken() {
        let world = TestWorld()
        world.server.configuration.faults.refusing = .answer(Refusal(status: 401))
        let client = world.addClient { $0.asksToken = true }
        client.connect()
        world.advance(by: .seconds(30))
        #expect(client.state == .failed)
        #expect(client.openedTargets.map(\.token) == ["token 1", "token 2"])
        expectRules(world)
    }
}
