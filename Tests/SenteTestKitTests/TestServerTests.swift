// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("A server in memory", .timeLimit(.minutes(5)))
struct TestServerTests {
    private func error(_ body: () async throws(SenteError) -> Void) async -> SenteError? {
        do throws(SenteError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    // MARK: What it does

    @Test(
        "delivers in each dialect that has channels, and keeps what is to be kept",
        arguments: Dialect.allCases.filter { $0 != .nats })
    func delivers(dialect: Dialect) async throws {
        guard dialect != .sente else { return }
        let world = TestWorld(dialect)
        let client = try world.client()
        world.server.makeChannel("news", retention: 2)
        try await client.connect()
        for n in 1...3 { world.server.deliver(["n": Value(n)], to: "news") }
        await world.settle()
        var messages = try await client.subscribe("news").makeAsyncIterator()
        if dialect == .senteLiteMaps {
            let kept = [await messages.next(), await messages.next()]
            #expect(kept.map(\.?.isRetained) == [true, true])
            #expect(kept.map(\.?.data["n"]) == [2, 3])
        }
        world.server.deliver(["n": 4], to: "news")
        #expect(await messages.next()?.data == ["n": 4])
    }

    @Test("pushes events in each dialect", arguments: Dialect.allCases.filter { $0 != .nats })
    func pushes(dialect: Dialect) async throws {
        let world = TestWorld(dialect)
        let client = try world.client("ws://server.test/?client-id=1")
        let heard = Noted<Event>()
        client.on("app/news") { heard.append($0) }
        try await client.connect()
        world.server.push(Event(id: "app/news", data: ["n": 1]))
        await world.advance(by: .seconds(1))
        #expect(heard.all == [Event(id: "app/news", data: ["n": 1])])
    }

    @Test("speaks the format it is told", arguments: [WireFormat.json, .edn, .transitJSON])
    func formats(format: WireFormat) async throws {
        let world = TestWorld(.senteLiteMaps, format: format)
        let client = try world.client()
        world.server.makeChannel("news")
        try await client.connect()
        try await client.publish(["n": 1], to: "news")
        #expect(client.status.format == format)
        #expect(world.server.format == format)
        #expect(world.server.published(to: "news") == [["n": 1]])
    }

    @Test("closes with a code, and cuts with none")
    func closes() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        world.server.close(.serviceRestart, reason: "bye")
        try await world.run(until: "the close") { client.state == .reconnecting }
        #expect(client.status.lastClose == ConnectionStatus.Close(code: .serviceRestart, reason: "bye"))
        try await world.server.expectConnections()
        world.server.cut()
        try await world.run(until: "the cut") { client.state == .reconnecting }
        #expect(client.status.lastClose?.code == .abnormal)
    }

    @Test("stops, refuses connections meanwhile, and starts anew without a memory")
    func stopsAndStarts() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        _ = try await client.subscribe("news")
        world.server.stop()
        await world.settle()
        #expect(!world.server.isRunning)
        #expect(world.server.subscriberCount(of: "news") == 0)
        await world.advance(by: .seconds(10))
        #expect(client.status.lastError?.code == .unreachable)
        world.server.start()
        try await world.server.expectSubscribers(of: "news")
        #expect(world.server.isRunning)
    }

    // MARK: Scripts

    @Test("answers requests as it is told, and with what is thrown")
    func answersRequests() async throws {
        let world = TestWorld()
        let client = try world.client()
        world.server.answersRequests(on: "sum") { data in
            guard let a = data["a"]?.integerValue, let b = data["b"]?.integerValue else {
                throw SenteError(code: .invalidArgument, message: "Give a and b.")
            }
            return ["sum": Value(a + b)]
        }
        world.server.answersRequests(on: "slow") { _ in
            try await world.clock.sleep(for: .seconds(3))
            return ["late": true]
        }
        try await world.run {
            try await client.connect()
            #expect(try await client.request(["a": 1, "b": 2], on: "sum") == ["sum": 3])
            let failure = await error { () throws(SenteError) in _ = try await client.request([:], on: "sum")
            }
            #expect(failure?.code == .remoteError)
            #expect(failure?.details?["message"] == "Give a and b.")
            #expect(try await client.request([:], on: "slow") == ["late": true])
            world.server.restarts(after: .seconds(1))
            try await world.run(until: "the loss") { client.state == .reconnecting }
            #expect(try await client.request(["a": 1, "b": 3], on: "sum") == ["sum": 4])
        }
        #expect(world.server.requests(on: "sum").count == 3)
    }

    @Test("a request nobody answers goes to the channel's subscribers, as with the real one")
    func forwardsRequests() async throws {
        let world = TestWorld()
        let asking = try world.client()
        let serving = try world.client()
        try await world.run {
            try await asking.connect()
            try await serving.connect()
            try await serving.respond(on: "echo") { ["you said": $0] }
            #expect(try await asking.request(["n": 1], on: "echo") == ["you said": ["n": 1]])
        }
    }

    @Test("answers events in each dialect", arguments: Dialect.allCases.filter { $0 != .nats })
    func answersEvents(dialect: Dialect) async throws {
        let world = TestWorld(dialect)
        let client = try world.client("ws://server.test/?client-id=1")
        world.server.answersEvents("app/who") { event in
            ["asked": event.data[Keyword("n")] ?? event.data["n"] ?? .null]
        }
        try await client.connect()
        let question: Value =
            switch dialect {
            case .senteLiteMaps: ["n": 1]
            case .senteLiteVectors: [.keyword("n"): 1, .keyword("request-id"): "r1"]
            case .sente, .nats: [.keyword("n"): 1]
            }
        let event = Event(id: "app/who", data: question)
        let answer =
            switch dialect {
            case .senteLiteMaps: try await client.send(event, timeout: .seconds(5)) { $0.id == "app/who" }
            default: try await client.send(event, timeout: .seconds(5))
            }
        #expect(answer["asked"] == 1)
        #expect(world.server.events.count == 1)
    }

    @Test("greets as a user, with data")
    func greets() async throws {
        let world = TestWorld(.sente)
        world.server.greets(as: "ann", handshakeData: ["theme": "dark"])
        let client = try world.client("ws://server.test/?client-id=1")
        try await client.connect()
        #expect(client.status.identity?.uid == "ann")
        #expect(client.status.identity?.handshakeData == ["theme": "dark"])
    }

    @Test("refuses, until it recovers")
    func refuses() async throws {
        let world = TestWorld()
        world.server.refuses(.unauthorized)
        let client = try world.client()
        let refusal = await error { () throws(SenteError) in try await client.connect() }
        #expect(refusal?.code == .unauthorized)
        #expect(refusal?.httpStatus == 401)
        #expect(client.state == .failed)

        world.server.refuses(.unavailable(retryAfter: 7))
        try await world.run {
            let waiting = Task { try await client.connect() }
            try await world.run(until: "the refusal") { client.status.lastError?.code == .serverUnavailable }
            world.server.recovers()
            let start = world.now
            try await waiting.value
            #expect(start.duration(to: world.now) >= .seconds(7))
        }
        world.server.refuses(.status(403, body: "no"))
        client.reconnect()
        try await world.run(until: "the second refusal") { client.status.lastError?.httpStatus == 403 }
        #expect(client.status.lastError?.body == Array("no".utf8))
    }

    @Test("tells what clients asked to connect with")
    func attempts() async throws {
        let world = TestWorld()
        var configuration = SenteClient.Configuration()
        configuration.headers["X-App"] = "shop"
        let client = try world.client("ws://server.test/path?a=1", configuration: configuration)
        try await client.connect()
        #expect(world.server.attempts.count == 1)
        #expect(world.server.attempts[0].url.hasPrefix("ws://server.test/path?a=1"))
        #expect(world.server.attempts[0].headers.contains { $0.name == "X-App" && $0.value == "shop" })
    }

    @Test("disconnects after so many messages, once, and after a time")
    func disconnects() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await world.run {
            try await client.connect()
            world.server.makeChannel("orders")
            world.server.disconnects(after: .messages(3))
            for n in 1...3 { try client.enqueue(publish: ["n": Value(n)], to: "orders") }
            try await world.run(until: "the end") { client.state == .reconnecting }
            #expect(world.server.published(to: "orders").count == 3)
            try await world.server.expectConnections()
            for n in 4...9 { try await client.publish(["n": Value(n)], to: "orders") }
            #expect(client.state == .open, "It was for once.")

            let start = world.now
            world.server.disconnects(after: .seconds(10), code: .tryAgainLater)
            try await world.run(until: "the second end") { client.state != .open }
            #expect(start.duration(to: world.now) == .seconds(10))
            #expect(client.status.lastClose?.code == .tryAgainLater)
        }
    }

    @Test("restarts after a time, elsewhere")
    func restarts() async throws {
        let world = TestWorld()
        var configuration = SenteClient.Configuration()
        configuration.endpoints = ["ws://server.test/", "ws://server.test:81/"]
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            world.server.restarts(after: .seconds(5), at: "ws://server.test:81/")
            await world.settle()
            #expect(client.status.lastClose?.code == .goingAway)
            let start = world.now
            try await world.server.expectConnections()
            #expect(start.duration(to: world.now) >= .seconds(5))
        }
        #expect(world.server.url == "ws://server.test:81/")
    }

    @Test("delays what it says")
    func delays() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        world.server.delays(.milliseconds(700))
        try await world.run {
            let slow = try await client.ping()
            world.server.recovers()
            let quick = try await client.ping()
            #expect([slow, quick] == [.milliseconds(700), .zero])
        }
    }

    @Test("loses replies, so that what was sent is unknown")
    func losesReplies() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        world.server.losesReplies()
        try await world.run {
            let failure = await error { () throws(SenteError) in
                try await client.publish(["n": 1], to: "orders")
            }
            #expect(failure?.outcome == .unknown)
        }
        #expect(world.server.published(to: "orders") == [["n": 1]])
        #expect(client.state == .open)
    }

    @Test("falls silent, which the heartbeat finds out")
    func fallsSilent() async throws {
        let world = TestWorld()
        let client = try world.client()
        try await client.connect()
        world.server.fallsSilent()
        let start = world.now
        try await world.run(until: "the loss") { client.state == .reconnecting }
        #expect(start.duration(to: world.now) == .seconds(25))
        #expect(client.status.lastError?.code == .silent)
        world.server.recovers()
        try await world.run(until: "the return") { client.state == .open }
    }

    @Test("withholds its greeting, and connecting runs out of time")
    func withholdsGreeting() async throws {
        let world = TestWorld()
        world.server.withholdsGreeting()
        let client = try world.client()
        try await world.run {
            let failure = await error { () throws(SenteError) in
                try await client.connect(timeout: .seconds(9))
            }
            #expect(failure?.code == .timedOut)
            try await world.run(until: "the next attempt") { client.state == .reconnecting }
        }
    }

    // MARK: Expecting

    @Test("waits for what it is to see, in virtual time")
    func expects() async throws {
        let world = TestWorld(network: NetworkConditions(latency: .milliseconds(250)))
        let client = try world.client()
        let server = world.server
        try await world.run {
            async let connecting: Void = client.connect()
            try await server.expectConnections()
            try await connecting
            async let subscribing = client.subscribe("news")
            try await server.expectSubscribers(of: "news")
            _ = try await subscribing
            try client.enqueue(publish: ["n": 1], to: "news")
            #expect(try await server.expectPublished(to: "news") == [["n": 1]])
            try client.enqueue(Event(id: "app/hello", data: ["n": 2]))
            #expect(try await server.expectEvent("app/hello").data == ["n": 2])
            let frame = try await server.expectReceived("the hello") { $0["n"] == 2 }
            #expect(frame["type"] == "app/hello")
            #expect(server.received.count >= 3)
        }
    }
}
