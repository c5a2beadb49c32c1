// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire
import Testing

/// The original project's scenarios (`test/scripts/bb_client_tests`, 02–09), with what the originals left unasserted.
@Suite("The original's scenarios")
struct ScenarioTests {
    @Test("02: A connection is counted while it is open, and not after")
    func connection() {
        let world = TestWorld()
        let client = world.addOpenClient()
        #expect(world.server.statistics.connections.count == 1)
        client.disconnect()
        world.advance(by: .seconds(1))
        #expect(world.server.statistics.connections.isEmpty)
        expectRules(world)
    }

    @Test("03: An unknown type comes back as an echo with the original")
    func echo() {
        let world = TestWorld()
        let client = world.addOpenClient()
        let eventInbox = client.eventInbox
        client.send("greetings", data: ["text": "hello"])
        world.advance(by: .seconds(1))
        guard case .event(let event, _)? = client.elements(of: eventInbox).first else {
            Issue.record("No echo came.")
            return
        }
        #expect(event.id == "echo")
        #expect(event.data["original"] == ["type": "greetings", "text": "hello", "n": 0])
        expectRules(world)
    }

    @Test("04: Messages reach all subscribers of their channel, the publisher included, and nobody else")
    func publishAndSubscribe() {
        let world = TestWorld()
        let (first, second, third) = (world.addOpenClient(), world.addOpenClient(), world.addOpenClient())
        let announcements = [first, second].map { $0.subscribe("announcements").inbox }
        let alerts = third.subscribe("alerts").inbox
        world.advance(by: .seconds(1))
        let public_ = first.publish(to: "announcements")
        let alarm = second.publish(to: "alerts")
        world.advance(by: .seconds(1))
        #expect(first.messageNumbers(in: announcements[0]) == [0])
        #expect(second.messageNumbers(in: announcements[1]) == [0])
        #expect(third.messageNumbers(in: alerts) == [1])
        for (client, call, count) in [(first, public_, 2), (second, alarm, 1)] {
            guard case .published(let receipt)? = client.answer(to: call) else {
                Issue.record("No receipt came.")
                continue
            }
            #expect(receipt.deliveredTo == count)
        }
        expectRules(world)
    }

    @Test("04: The flat shape of older servers is the same message")
    func flatDelivery() {
        let world = TestWorld()
        world.server.configuration.faults.deliversFlat = true
        let client = world.addOpenClient()
        let (_, inbox) = client.subscribe("news")
        world.advance(by: .seconds(1))
        client.publish(to: "news")
        world.advance(by: .seconds(1))
        guard case .message(let message)? = client.elements(of: inbox).first else {
            Issue.record("No message came.")
            return
        }
        #expect(message.data == ["n": 0] && message.channel == "news" && message.time != nil)
        expectRules(world)
    }

    @Test("05: Who answers pings stays; who is silent is closed by the server")
    func heartbeat() {
        let world = TestWorld()
        world.server.configuration.heartbeatInterval = .seconds(2)
        world.server.configuration.heartbeatTimeout = .seconds(5)
        world.server.keepsReceived = true
        let responsive = world.addOpenClient()
        let silent = world.addOpenClient()
        silent.suspendApp(for: .seconds(60))
        world.advance(by: .seconds(10))
        #expect(responsive.state == .open && responsive.openedTargets.count == 1)
        #expect(world.server.received.count { $0.contains(#""type":"pong""#) } >= 3)
        #expect(world.server.session.counters.deadConnections == 1)
        #expect(world.server.connections(of: silent).isEmpty)
        expectRules(world)
    }

    @Test("A process that slept longer than every limit hears what came meanwhile before anything is late")
    func sleepBetweenQuestionAndAnswer() {
        let world = TestWorld()
        world.server.keepsReceived = true
        let client = world.addOpenClient {
            $0.heartbeat = Heartbeat(interval: .seconds(5), limit: .seconds(2))
        }
        client.subscribe("news")
        world.run { client.isConfirmed("news") }
        // The server has got the probe and the message, and the client sleeps through both answers.
        world.run { world.server.received.contains { $0.contains(#""type":"ping""#) } }
        let call = client.publish(to: "news", limit: .seconds(10))
        world.advance(by: .zero)
        client.suspendApp(for: .seconds(20))
        world.advance(by: .seconds(21))
        guard case .published? = client.answer(to: call) else {
            Issue.record("The publish ended in \(client.results[call] as Any).")
            return
        }
        #expect(client.state == .open && client.openedTargets.count == 1)
        expectRules(world)
    }

    @Test("06: closed, connecting, open, closing, closed: each is seen, and sending works while open")
    func states() {
        let world = TestWorld()
        let client = world.addClient()
        #expect(client.state == .closed)
        client.connect()
        world.advance(by: .seconds(1))
        let sent = client.send()
        world.advance(by: .seconds(1))
        #expect(client.answer(to: sent) == .written)
        client.disconnect()
        let refused = client.send()
        #expect(client.error(of: refused)?.code == .notConnected)
        world.advance(by: .seconds(1))
        #expect(client.states == [.connecting, .open, .closing, .closed])
        expectRules(world)
    }

    @Test("07: After a restart the client is open again, with another identity")
    func reconnection() {
        let world = TestWorld()
        let client = world.addOpenClient()
        let before = client.status.identity
        world.server.stop()
        world.run { client.state == .reconnecting }
        #expect(client.status.lastClose?.code == .goingAway)
        world.advance(by: .seconds(3))
        world.server.start()
        #expect(world.run { client.state == .open })
        #expect(client.status.identity != before && client.status.identity != nil)
        #expect(client.metrics.connection.reconnects == 1)
        expectRules(world)
    }

    @Test("07: With no server and three attempts the client fails, and says why")
    func attemptsUsedUp() {
        let world = TestWorld()
        world.server.crash()
        let client = world.addClient {
            $0.reconnect = .exponential(initial: .milliseconds(500), attempts: 3)
        }
        let call = client.connect()
        world.advance(by: .seconds(30))
        #expect(client.state == .failed)
        #expect(client.openedTargets.count == 4)
        #expect(client.error(of: call)?.code == .unreachable)
        world.server.start()
        client.connect()
        #expect(world.run { client.state == .open })
        expectRules(world)
    }

    @Test("08: Both subscriptions are restored, and messages come through them again")
    func restoration() {
        let world = TestWorld()
        world.server.keepsReceived = true
        let client = world.addOpenClient()
        let inboxes = ["one", "two"].map { client.subscribe($0).inbox }
        world.advance(by: .seconds(1))
        world.server.stop()
        world.run { client.state == .reconnecting }
        world.server.received = []
        world.server.start()
        world.run { client.state == .open }
        world.advance(by: .seconds(1))
        #expect(world.server.received.count { $0.contains(#""type":"subscribe""#) } == 2)
        #expect(world.server.subscriptions(of: client) == ["one", "two"])
        for channel in ["one", "two"] {
            #expect(client.engine.subscription(channel)?.isConfirmed == true)
            client.publish(to: channel)
        }
        world.advance(by: .seconds(1))
        #expect(inboxes.map { client.messageNumbers(in: $0) } == [[0], [1]])
        expectRules(world)
    }

    @Test("09: The twelve checks of the integration")
    func integration() {
        let world = TestWorld()
        world.server.configuration.heartbeatInterval = .seconds(2)
        world.server.configuration.heartbeatTimeout = .seconds(5)
        let client = world.addClient()
        // 1. The first connect.
        let call = client.connect()
        world.advance(by: .seconds(1))
        #expect(client.answer(to: call) == .done && client.state == .open)
        // 2. Two subscriptions are tracked.
        let inbox = client.subscribe("one").inbox
        client.subscribe("two")
        world.advance(by: .seconds(1))
        #expect(client.view.subscriptions == ["one", "two"])
        // 3. The heartbeat runs, both ways.
        world.advance(by: .seconds(60))
        #expect(client.openedTargets.count == 1 && world.server.session.counters.deadConnections == 0)
        // 4. The state of the subscriptions is kept.
        #expect(["one", "two"].allSatisfy { client.engine.subscription($0)?.isConfirmed == true })
        // 5. Reconnecting after the server stopped.
        world.server.stop()
        world.run { client.state != .open }
        #expect(client.state == .reconnecting)
        // 6. Open after its restart.
        world.server.start()
        #expect(world.run { client.state == .open })
        // 7. The subscriptions are restored.
        world.advance(by: .seconds(1))
        #expect(world.server.subscriptions(of: client) == ["one", "two"])
        // 8. Stable after a second.
        #expect(client.state == .open)
        // 9. State and subscriptions agree.
        #expect(client.view.subscriptions == ["one", "two"] && client.metrics.subscriptions.confirmed == 2)
        // 10. Two more cycles.
        for _ in 0..<2 {
            world.server.stop()
            world.run { client.state == .reconnecting }
            world.server.start()
            #expect(world.run { client.state == .open })
        }
        // 11. A second client of its own.
        let other = world.addOpenClient()
        other.subscribe("three")
        world.advance(by: .seconds(1))
        #expect(client.state == .open && other.state == .open)
        // 12. Their subscriptions are disjoint.
        #expect(world.server.subscriptions(of: client) == ["one", "two"])
        #expect(world.server.subscriptions(of: other) == ["three"])
        other.publish(to: "one")
        world.advance(by: .seconds(1))
        #expect(client.messageNumbers(in: inbox) == [0])
        expectRules(world)
    }

    @Test("Stress: twenty clients send twenty messages each, and none is lost")
    func stress() {
        let world = TestWorld(isRecording: false)
        let clients = (0..<20).map { _ in world.addClient() }
        for client in clients {
            client.connect()
            client.subscribe("all")
        }
        world.advance(by: .seconds(1))
        let inboxes = clients.map { $0.listen(to: "all") }
        for _ in 0..<20 {
            for client in clients { client.publish(to: "all") }
            world.advance(by: .seconds(1))
        }
        #expect(world.messages.allSatisfy { $0.reachedServer == 1 })
        for (client, inbox) in zip(clients, inboxes) {
            #expect(client.messageNumbers(in: inbox) == Array(0..<400))
            #expect(client.results.values.allSatisfy { if case .success = $0 { true } else { false } })
        }
        expectRules(world)
    }

    @Test("Seed 001: the fourteen steps of the channel integration, seen by clients")
    func channelIntegration() {
        // 1. The server starts. 2. Two channels are made by hand.
        let world = TestWorld()
        world.server.command(.started(port: 3_000))
        world.server.command(.createChannel("test-channel", ChannelConfiguration(maximumSubscribers: 3)))
        world.server.command(.createChannel("broadcast-channel", nil))
        #expect(world.server.statistics.isRunning)
        // 3. Three connections subscribe, all with success.
        let clients = (0..<3).map { _ in world.addOpenClient() }
        let inboxes = clients.map { $0.subscribe("test-channel").inbox }
        let broadcast = clients[0].subscribe("broadcast-channel").inbox
        world.advance(by: .seconds(1))
        #expect(clients.allSatisfy { $0.engine.subscription("test-channel")?.isConfirmed == true })
        // 4. Publishing: delivered to two, without the sender, and to one.
        let two = clients[0].publish(to: "test-channel", excludeSender: true)
        let one = clients[1].publish(to: "broadcast-channel")
        world.advance(by: .seconds(1))
        #expect(delivered(clients[0], two) == 2 && delivered(clients[1], one) == 1)
        #expect(inboxes.enumerated().map { clients[$0].messageNumbers(in: $1) } == [[], [0], [0]])
        #expect(clients[0].messageNumbers(in: broadcast) == [1])
        // 5. Request and response, correlated.
        clients[1].respond(on: "service")
        world.advance(by: .seconds(1))
        let requests = (0..<3).map { _ in clients[2].request(on: "service") }
        world.advance(by: .seconds(1))
        #expect(requests.map { clients[2].answer(to: $0) } == [2, 3, 4].map { .value(["answer": $0]) })
        // 6. Statistics.
        let statistics = world.server.statistics
        #expect(statistics.connections.count == 3 && statistics.subscriptions == 5)
        #expect(statistics.pendingRequests == 0)
        // 7. The HTTP pages: what is no upgrade gets a page, and a client that meets one says so.
        var session = world.server.session
        for page in ["/health", "/stats", "/channels"] {
            guard case .answer(let answer) = session.admit(target: page, wantsUpgrade: false, at: world.now)
            else {
                Issue.record("\(page) is no page.")
                continue
            }
            #expect(answer.status == 200)
        }
        // 8. Listing channels.
        let list = clients[0].listChannels()
        world.advance(by: .seconds(1))
        guard case .channels(let channels)? = clients[0].answer(to: list) else {
            Issue.record("No list came.")
            return
        }
        #expect(channels.map(\.name) == ["test-channel", "broadcast-channel", "service"])
        #expect(channels.first?.subscriberCount == 3 && channels.first?.maximumSubscribers == 3)
        // 9. Managing subscriptions.
        clients[2].unsubscribe("test-channel")
        let names = clients[2].listSubscriptions()
        world.advance(by: .seconds(1))
        #expect(clients[2].isFinished(inboxes[2]))
        #expect(clients[2].answer(to: names) == .names([]))
        // 10. A message to the channel by the server itself.
        world.server.command(.publish(["n": -1], channel: "test-channel"))
        world.advance(by: .seconds(1))
        #expect(clients[0].elements(of: inboxes[0]).count == 1)
        #expect(clients[2].elements(of: inboxes[2]).count == 1)
        // 11. Clean-up when a connection goes.
        clients[1].disconnect()
        world.advance(by: .seconds(1))
        #expect(world.server.statistics.subscriptions == 2)
        // 12. Invalid operations are refused, with the reason.
        let nowhere = clients[0].publish(to: "nowhere")
        let nobody = clients[0].request(on: "broadcast-channel")
        let unknown = clients[0].request(on: "nowhere")
        world.advance(by: .seconds(1))
        #expect(clients[0].error(of: nowhere)?.details?["reason"] == "channel-not-found")
        #expect(clients[0].error(of: nobody)?.code == .noSubscribers)
        #expect(clients[0].error(of: unknown)?.details?["reason"] == "channel-not-found")
        // 13. The counts: nothing was dropped.
        #expect(clients.allSatisfy { $0.drops.isEmpty })
        // 14. The server shuts down, and everyone hears of it.
        world.server.stop()
        world.advance(by: .milliseconds(10))
        #expect(clients[0].status.lastClose?.code == .goingAway)
        #expect(clients[0].state == .reconnecting)
        expectRules(world)
    }

    private func delivered(_ client: WorldClient, _ call: CallID) -> Int? {
        guard case .published(let receipt)? = client.answer(to: call) else { return nil }
        return receipt.deliveredTo
    }
}
