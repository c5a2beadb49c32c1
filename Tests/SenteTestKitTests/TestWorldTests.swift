// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("A world for the tests of an app", .timeLimit(.minutes(5)))
struct TestWorldTests {
    @Test(
        "an outage with a queue: offline for 20 s, five publishes, another port, all of it in order, in 50 ms"
    )
    func outage() async throws {
        let world = TestWorld(seed: 1)
        let server = world.server
        server.makeChannel("orders")
        var configuration = SenteClient.Configuration()
        configuration.endpointProvider = server.endpoint
        configuration.outbox.timeToLive = .seconds(60)
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            server.restarts(after: .seconds(20), at: "ws://server.test:4000/")
            try await world.run(until: "the outage") { client.state == .reconnecting }
            let deliveries = try (1...5).map { try client.enqueue(publish: ["n": Value($0)], to: "orders") }
            let orders = try await server.expectPublished(5, to: "orders")
            #expect(orders == (1...5).map { ["n": Value($0)] })
            for delivery in deliveries { #expect(await delivery.outcome == .acknowledged) }
            #expect(deliveries.allSatisfy { $0.error == nil })
        }
        #expect(server.attempts.last?.url.hasPrefix("ws://server.test:4000/") == true)
    }

    /// The best of several, for the machine may be busy.
    private func best(_ body: () async throws -> Void) async rethrows -> Duration {
        var best = Duration.seconds(1_000)
        for _ in 0..<5 { best = min(best, try await ContinuousClock().measure(body)) }
        return best
    }

    @Test("an outage takes less than 50 ms of real time, and 10,000 s of one client less than 100 ms")
    func takesNoTime() async throws {
        let outage = try await best { try await self.outage() }
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        let hours = await best { await world.advance(by: .seconds(10_000)) }
        // Among hundreds of other tests, and in a debug build, it says nothing.
        #if !DEBUG
        #expect(outage < .milliseconds(50))
        #expect(hours < .milliseconds(100))
        #endif
        #expect(client.state == .open)
        #expect(client.metrics.connection.reconnects == 0)
        #expect(world.server.received.count > 1_500)
        print("best of five: an outage \(outage), 10,000 s \(hours)")
    }

    @Test("without latency everything happens at one instant, and nothing has to be moved")
    func needsNoTime() async throws {
        let world = TestWorld()
        let client = try world.client()
        let start = world.now
        try await client.connect()
        let subscription = try await client.subscribe("news")
        try await client.publish(["n": 1], to: "news")
        world.server.deliver(["n": 2], to: "news")
        var received: [Value] = []
        for await message in subscription {
            received.append(message.data)
            if received.count == 2 { break }
        }
        #expect(received == [["n": 1], ["n": 2]])
        #expect(world.now == start)
        #expect(world.server.subscriberCount(of: "news") == 1)
        await client.disconnect()
        #expect(world.server.connectionCount == 0)
    }

    @Test("with latency, what takes time is run or advanced")
    func latency() async throws {
        let world = TestWorld(network: NetworkConditions(latency: .milliseconds(50)))
        let client = try world.client()
        let start = world.now
        try await world.run { try await client.connect() }
        #expect(start.duration(to: world.now) == .milliseconds(100))
        try await world.run {
            async let ping = client.ping()
            await world.advance(by: .milliseconds(99))
            #expect(client.metrics.roundTrip == nil)
            await world.advance(by: .milliseconds(1))
            let time = try await ping
            #expect(time == .milliseconds(100))
        }
    }

    @Test("what is lost comes later, and in order")
    func loss() async throws {
        let conditions = NetworkConditions(latency: .milliseconds(5)...(.milliseconds(90)), loss: 0.3)
        let world = TestWorld(seed: 4, network: conditions)
        let client = try world.client()
        try await world.run {
            try await client.connect()
            for n in 1...40 { try client.enqueue(publish: ["n": Value(n)], to: "orders") }
            let orders = try await world.server.expectPublished(40, to: "orders")
            #expect(orders.compactMap { $0["n"]?.integerValue } == Array(1...40))
        }
        #expect(world.now > Instant(nanoseconds: 0).advanced(by: .seconds(1.2)))
    }

    @Test("a connection that is cut comes back by itself")
    func cut() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await world.run {
            try await client.connect()
            world.cut()
            try await world.run(until: "the loss") { client.state == .reconnecting }
            #expect(world.server.connectionCount == 0)
            try await world.server.expectConnections(1)
        }
        #expect(client.metrics.connection.reconnects == 1)
    }

    @Test("with no way out nothing arrives, and the way back is noticed at once")
    func offline() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await world.run {
            try await client.connect()
            world.goOffline()
            let publish = Task { try await client.publish(["n": 1], to: "orders") }
            await world.advance(by: .seconds(5))
            #expect(world.server.published(to: "orders").isEmpty)
            await world.advance(by: .seconds(60))
            #expect(client.state == .reconnecting)
            await #expect(throws: SenteError.self) { try await publish.value }
            let back = world.now
            world.goOnline()
            try await client.connect()
            #expect(back.duration(to: world.now) < .seconds(2))
        }
    }

    @Test("an app that is suspended for long finds its connection gone, and makes another")
    func suspends() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await world.run {
            try await client.connect()
            let subscription = try await client.subscribe("news")
            await world.suspendApp(for: .seconds(30))
            #expect(client.state == .open)
            await world.suspendApp(for: .seconds(200))
            #expect(world.server.connectionCount == 0, "The server heard no pong.")
            try await world.run(until: "the client's return") { world.server.connectionCount == 1 }
            try await world.server.expectSubscribers(of: "news")
            world.server.deliver(["n": 1], to: "news")
            var messages = subscription.makeAsyncIterator()
            #expect(await messages.next()?.data == ["n": 1])
        }
    }

    @Test("while the app is suspended no timer of its fires, and messages wait on the device")
    func suspendedAppDoesNothing() async throws {
        let world = TestWorld()
        let client = try world.client()
        let noted = Noted<Instant>()
        try await client.connect()
        _ = try await client.subscribe("news")
        client.onMessage(in: "news") { _ in noted.append(world.now) }
        let ticking = Task {
            try await world.clock.sleep(for: .seconds(5))
            noted.append(world.now)
        }
        await world.settle()
        let start = world.now
        world.conditions = NetworkConditions(latency: .seconds(1))
        world.server.deliver(["n": 1], to: "news")
        await world.suspendApp(for: .seconds(20))
        try await ticking.value
        await world.settle()
        #expect(noted.all.map { start.duration(to: $0) } == [.seconds(20), .seconds(20)])
    }

    @Test("any number of clients, and several servers")
    func manyClients() async throws {
        let world = TestWorld(seed: 9)
        let other = world.makeServer(at: "ws://other.test:81/", .senteLiteVectors)
        let clients = try (0..<20).map { _ in try world.client() }
        let stranger = try world.client("ws://other.test:81/x")
        try await world.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in clients { group.addTask { try await client.connect() } }
                group.addTask { try await stranger.connect() }
                try await group.waitForAll()
            }
            _ = try await clients[0].subscribe("room")
            let receipt = try await clients[1].publish(["hi": true], to: "room")
            #expect(receipt.deliveredTo == 1)
        }
        #expect(world.server.connectionCount == 20)
        #expect(other.connectionCount == 1)
        #expect(stranger.status.dialect == .senteLiteVectors)
        let nowhere = try world.client("ws://nowhere.test/")
        do throws(SenteError) {
            try await nowhere.connect(timeout: .zero)
        } catch {}
        await world.settle()
        #expect(nowhere.status.lastError?.code == .unreachable)
    }

    @Test("a channel socket lives in it too, with its handlers")
    func channelSocket() async throws {
        let world = TestWorld(.sente)
        let server = world.server
        server.greets(as: "ann", handshakeData: ["theme": "dark"])
        server.answersEvents("chat/who") { _ in ["Ann", "Bob"] }
        let client = try world.channelSocketClient()
        let heard = Noted<Value>()
        startRouter(client.chRecv) { message in
            if message.id == "chat/said" { heard.append(message.data) }
        }
        try await world.run {
            try await server.expectConnections()
            await world.settle()
            #expect(client.state.value.isOpen)
            #expect(client.state.value.uid == "ann")
            let reply = try await client.sendFn(Event("chat/who"), timeout: .seconds(5))
            #expect(reply.value == ["Ann", "Bob"])
            try client.sendFn(Event("chat/hello", [1]))
            #expect(try await server.expectEvent("chat/hello").data == [1])
            server.push(Event("chat/said", ["text": "hi"]))
            await world.advance(by: .seconds(1))
        }
        #expect(heard.all == [["text": "hi"]])
    }

    // MARK: Failures

    @Test("what does not happen is thrown, as a sentence")
    func failures() async throws {
        let world = TestWorld()
        let client = try world.client()
        let server = world.server
        do throws(TestFailure) {
            try await server.expectConnections(1)
            Issue.record("Nobody connected.")
        } catch {
            #expect(error.kind == .nothingLeft)
            #expect(
                error.description.hasSuffix("Expected: 1 connections at ws://server.test/. There are 0."))
        }
        try await client.connect()
        do throws(TestFailure) {
            try await server.expectPublished(to: "orders", within: .seconds(90))
            Issue.record("Nothing was published.")
        } catch {
            #expect(error.kind == .timedOut)
            #expect("\(error)".contains("90.0 seconds"))
        }
        await #expect(throws: TestFailure.self) {
            try await world.run(within: .seconds(100)) {
                var messages = try await client.subscribe("silence").makeAsyncIterator()
                _ = await messages.next()
            }
        }
    }

    @Test("what the body throws is thrown, and what it returns returned")
    func bodies() async throws {
        let world = TestWorld()
        #expect(try await world.run { 7 } == 7)
        await #expect(throws: CancellationError.self) { try await world.run { throw CancellationError() } }
    }

    @Test("a cancelled wait ends at once")
    func cancels() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        let waiting = Task { try await world.run(until: "never", within: .seconds(1_000_000)) { false } }
        waiting.cancel()
        await #expect(throws: TestFailure.self) { try await waiting.value }
        let sleeping = Task { try await world.clock.sleep(for: .seconds(5)) }
        sleeping.cancel()
        await #expect(throws: CancellationError.self) { try await sleeping.value }
    }
}
