// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteServer
import SenteWire
import Testing

/// What only the vector dialects know, against the reference server.
@Suite("Servers of vectors")
struct VectorScenarioTests {
    /// Every release and packer that Sente's servers have.
    static let senteSetups: [WireSetup] = {
        let texts: [WireFormat] = [.edn, .transitJSON, .transitJSONVerbose]
        let bytes: [WireFormat] = [
            .senteMessagePack, .gzip(over: .edn, compressor: WireSetup.store),
            .gzip(over: .transitJSON, compressor: WireSetup.store),
            .gzip(over: .senteMessagePack, compressor: WireSetup.store),
        ]
        return SenteSettings.Version.allCases.flatMap { version in
            texts.map { WireSetup(.sente, $0, version: version) }
        } + bytes.map { WireSetup(.sente, $0) }
    }()

    @Test(
        "Every release of Sente, with every packer, is greeted, asked, heard and left",
        arguments: senteSetups)
    func sente(_ wire: WireSetup) throws {
        let world = TestWorld(seed: 1, wire)
        let client = world.addOpenClient()
        #expect(client.state == .open)
        // A greeting without a map looks alike in both of Transit's JSONs, and every reader reads both.
        let format = wire.format == .transitJSONVerbose ? .transitJSON : wire.format
        #expect(client.status.dialect == .sente && client.status.format == format)
        #expect(client.status.identity?.uid == "u0")
        let asked = client.sendAwaitingReply()
        let talked = client.sendAwaitingEcho()
        let pinged = client.ping()
        world.advance(by: .seconds(1))
        #expect(client.answer(to: asked) == .value(["n": 0]))
        #expect(client.answer(to: talked) == .value(["n": 1]))
        // Up to 1.17 no ping is answered.
        #expect((client.answer(to: pinged) != nil) == wire.answersPings)
        client.pipe?.cut()
        #expect(world.run { client.state != .open } && world.run { client.state == .open })
        client.disconnect()
        world.advance(by: .seconds(12))
        #expect(client.state == .closed)
        expectRules(world)
    }

    @Test("A server that answers no ping stays connected for as long as its WebSocket lives, and no longer")
    func silentPings() {
        let world = TestWorld(seed: 1, WireSetup(.sente, version: .prefixed))
        let clients = [world.addOpenClient(), world.addOpenClient { $0.heartbeat = Heartbeat() }]
        world.advance(by: .seconds(600))
        #expect(clients.allSatisfy { $0.openedTargets.count == 1 && $0.state == .open })
        clients[1].pipe?.silence()
        world.advance(by: .seconds(30))
        #expect(clients[1].openedTargets.count > 1)
        expectRules(world)
    }

    @Test("What was pushed while a client of Sente was away comes when it is back, in whatever order")
    func heldPushes() {
        let world = TestWorld(seed: 1, WireSetup(.sente))
        let client = world.addOpenClient { $0.reconnect = .exponential(initial: .milliseconds(100)) }
        let eventInbox = client.eventInbox
        client.pipe?.cut()
        world.advance(by: .milliseconds(20))
        for number in 0..<3 {
            world.server.command(.push([.keyword("app/held"), Value(number)], uid: "u0", flushes: true))
        }
        world.advance(by: .seconds(5))
        #expect(client.state == .open)
        let numbers = client.elements(of: eventInbox).compactMap { element -> Int64? in
            guard case .event(let event, _) = element, event.id == "app/held" else { return nil }
            return event.data.integerValue
        }
        #expect(numbers.sorted() == [0, 1, 2])
        expectRules(world)
    }

    @Test("A reply that comes twice, and one that overtakes pushes, each find whom they are for")
    func duplicateReplies() {
        let world = TestWorld(seed: 1, WireSetup(.sente))
        let client = world.addOpenClient()
        world.server.setFaults {
            $0.replies = .twice
            $0.pushesLate = .seconds(1)
        }
        let talked = client.sendAwaitingEcho()
        let asked = (0..<3).map { _ in client.sendAwaitingReply() }
        world.advance(by: .milliseconds(500))
        for (number, call) in asked.enumerated() {
            #expect(client.answer(to: call) == .value(["n": Value(number + 1)]))
        }
        #expect(client.isOpen(talked))
        #expect(client.metrics.ignored.lateReplies == 3 && client.metrics.undecodable == 0)
        world.advance(by: .seconds(1))
        #expect(client.answer(to: talked) == .value(["n": 0]))
        expectRules(world)
    }

    static let liteSetups = [WireSetup(.senteLiteVectors), WireSetup(.senteLiteVectors, .transitJSON)]

    @Test(
        "sente-lite's vectors: channels, events, and all of it again after a restart", arguments: liteSetups)
    func lite(_ wire: WireSetup) {
        let world = TestWorld(seed: 1, wire)
        let (client, other) = (world.addOpenClient(), world.addOpenClient())
        #expect(client.status.dialect == .senteLiteVectors && client.status.format == wire.format)
        #expect(client.status.identity?.connectionID != nil && client.status.identity?.csrfToken != nil)
        let inboxes = ["news", "chat"].map { client.subscribe($0) }
        world.advance(by: .seconds(1))
        for (call, _) in inboxes {
            #expect(client.answer(to: call) == .subscribed(SubscriptionStatus(isConfirmed: true)))
        }
        for _ in 0..<2 {
            let call = other.publish(to: "news")
            let asked = client.sendAwaitingReply()
            world.advance(by: .seconds(1))
            #expect(other.answer(to: call) == .written)
            #expect(client.answer(to: asked) != nil)
            world.server.crash()
            world.server.start()
            #expect(world.run { client.state == .open && other.state == .open })
            world.advance(by: .seconds(2))
            #expect(world.server.subscriptions(of: client) == ["news", "chat"])
        }
        #expect(
            client.messageNumbers(in: inboxes[0].inbox).count == 2
                && client.messageNumbers(in: inboxes[1].inbox).isEmpty)
        expectRules(world)
    }

    @Test("The one acknowledgement of both: a hundred subscribes and unsubscribes leave what was wished last")
    func acknowledgements() {
        for seed in 0..<40 {
            let world = TestWorld(seed: UInt64(seed), WireSetup(.senteLiteVectors))
            let client = world.addOpenClient()
            world.network.latency = 0...200
            var wished: Set<String> = []
            for _ in 0..<100 {
                let channel = world.pick(["a", "b", "c"])
                if world.chance(0.5) {
                    client.subscribe(channel)
                    wished.insert(channel)
                } else {
                    client.unsubscribe(channel)
                    wished.remove(channel)
                }
                world.advance(by: world.milliseconds(0...60))
            }
            world.advance(by: .seconds(15))
            #expect(Set(world.server.subscriptions(of: client)) == wished)
            for channel in wished { #expect(client.isConfirmed(channel)) }
            expectRules(world)
        }
    }

    @Test("A call that gave up leaves a fence behind it, and the next one gets its own answer")
    func fences() {
        let world = TestWorld(seed: 1, WireSetup(.senteLiteVectors))
        let client = world.addOpenClient()
        world.server.setFaults { $0.replies = .never }
        let lost = client.sendAwaitingReply(limit: .seconds(1))
        world.advance(by: .seconds(2))
        #expect(client.error(of: lost)?.code == .timedOut)
        // The pong of its fence came, for pongs are never left out.
        world.server.setFaults(of: client) { $0.replies = .normal }
        for _ in 0..<5 {
            let call = client.sendAwaitingReply()
            world.advance(by: .seconds(1))
            #expect(client.answer(to: call) != nil)
        }
        expectRules(world)
    }

    @Test(
        "v1 in EDN and Transit: the same conversation as in JSON",
        arguments: [.edn, .transitJSON, .transitJSONVerbose] as [WireFormat])
    func maps(_ format: WireFormat) {
        let world = TestWorld(seed: 1, WireSetup(.senteLiteMaps, format))
        let client = world.addOpenClient()
        #expect(client.status.dialect == .senteLiteMaps && client.status.format == format)
        let (_, inbox) = client.subscribe("news")
        let service = world.addOpenClient()
        _ = service.respond(on: "service")
        world.advance(by: .seconds(1))
        let published = client.publish(to: "news")
        let asked = client.request(on: "service")
        let talked = client.sendAwaitingEcho()
        let listed = client.listSubscriptions()
        let pinged = client.ping()
        world.advance(by: .seconds(2))
        #expect(client.messageNumbers(in: inbox) == [0])
        if case .published(let receipt)? = client.answer(to: published) { #expect(receipt.deliveredTo == 1) }
        #expect(client.answer(to: asked) == .value(["answer": 1]))
        #expect(client.answer(to: talked) == .value(["n": 2]))
        #expect(client.answer(to: listed) == .names(["news"]))
        #expect(client.answer(to: pinged) != nil)
        expectRules(world)
    }
}
