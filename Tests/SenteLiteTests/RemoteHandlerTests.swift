// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteSignals
import SenteTelemetry
import SenteTestKit
import SenteTransport
import SenteWire
import Testing

@Suite("Signals sent to the server", .timeLimit(.minutes(5)))
struct RemoteHandlerTests {
    /// What the local handler got.
    private final class Kept: TelemetryHandler {
        private let signals = LockedValue<[Signal]>([])
        private let calls = LockedValue<[String]>([])

        func flush() { calls.withLock { $0.append("flush") } }
        func stop() { calls.withLock { $0.append("stop") } }
        var ends: [String] { calls.withLock { $0 } }
        func handle(_ batch: SignalBatch) { signals.withLock { $0.append(contentsOf: batch) } }
        var numbers: [Int64] { signals.withLock { $0.compactMap { $0.data[.keyword("n")]?.integerValue } } }
    }

    private static func failure(_ n: Int) -> Signal {
        Signal(
            time: 0, level: .error, kind: .error, namespace: "app", id: "app/failed",
            data: [.keyword("n"): Value(n)])
    }

    /// The numbers of what came to a server, in order.
    private static func numbers(_ events: [Event]) -> [Int64] {
        events.filter { $0.id == "tel/batch" }
            .flatMap { $0.data.arrayValue ?? $0.data["signals"]?.arrayValue ?? [] }
            .compactMap { $0.mapValue?.value(named: "data")?.mapValue?.value(named: "n")?.integerValue }
    }

    @Test(
        "ten go at once, fewer after a second; in each dialect",
        arguments: [Dialect.senteLiteMaps, .senteLiteVectors, .sente])
    func batches(dialect: Dialect) async throws {
        let world = TestWorld(seed: 1, dialect)
        let client = try world.client()
        let handler = RemoteHandler(client, local: Kept(), clock: world.clock)
        try await world.run {
            try await client.connect()
            try handler.handle(SignalBatch((0..<13).map(Self.failure)))
            let start = world.now
            try await world.run(until: "the first batch") { Self.numbers(world.server.events).count >= 10 }
            #expect(start.duration(to: world.now) < .milliseconds(500))
            try await world.run(until: "the rest") { Self.numbers(world.server.events).count == 13 }
            #expect(start.duration(to: world.now) >= .seconds(1))
        }
        #expect(Self.numbers(world.server.events) == (0..<13).map { $0 })
    }

    @Test(
        "what is raised without a connection arrives with the next, once, in order; the oldest beyond the bound stay here"
    )
    func outage() async throws {
        let world = TestWorld(seed: 2)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        settings.maximumCount = 30
        let kept = Kept()
        let handler = RemoteHandler(client, settings, local: kept, clock: world.clock)
        try await world.run {
            try await client.connect()
            world.server.restarts(after: .seconds(20))
            try await world.run(until: "the outage") { client.state == .reconnecting }
            for n in 0..<40 { try handler.handle(SignalBatch([Self.failure(n)])) }
            #expect(handler.waiting == 30)
            try await world.run(until: "everything") { Self.numbers(world.server.events).count == 30 }
            await world.advance(by: .seconds(60))
        }
        #expect(Self.numbers(world.server.events) == (10..<40).map { $0 })
        #expect(kept.numbers == (0..<10).map { $0 })
        #expect(handler.waiting == 0)
    }

    @Test(
        "each arrives once at most over a bad network, and once when it holds",
        arguments: 1...12 as ClosedRange<UInt64>)
    func worlds(seed: UInt64) async throws {
        let world = TestWorld(
            seed: seed, seed % 2 == 0 ? .senteLiteVectors : .senteLiteMaps,
            network: NetworkConditions(latency: .milliseconds(1)...(.milliseconds(200)), loss: 0.05))
        let client = try world.client()
        let handler = RemoteHandler(client, local: Kept(), clock: world.clock)
        try await world.run {
            try await client.connect()
            for n in 0..<200 {
                try handler.handle(SignalBatch([Self.failure(n)]))
                await world.advance(by: .milliseconds(150))
                if n == 60 { world.cut() }
                if n == 100 { world.server.restarts(after: .seconds(3)) }
            }
            try await world.run(until: "nothing is left") { handler.waiting == 0 }
            await world.advance(by: .seconds(30))
        }
        let came = Self.numbers(world.server.events)
        #expect(came == came.sorted() && Set(came).count == came.count)
        #expect(came.count >= 170, "\(came.count) of 200")
        #expect(came.contains(0) && came.contains(199))
    }

    @Test("a batch that the server was to answer and did not is kept here too, and not sent again")
    func unanswered() async throws {
        let world = TestWorld(seed: 6, .sente)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        settings.answerLimit = .seconds(5)
        let kept = Kept()
        let handler = RemoteHandler(client, settings, local: kept, clock: world.clock)
        try await world.run {
            try await client.connect()
            try handler.handle(SignalBatch((0..<10).map(Self.failure)))
            try await world.run(until: "the first is answered") { handler.waiting == 0 }
            world.server.losesReplies()
            try handler.handle(SignalBatch((10..<20).map(Self.failure)))
            await world.advance(by: .seconds(60))
        }
        #expect(Self.numbers(world.server.events) == (0..<20).map { $0 })
        #expect(kept.numbers == (10..<20).map { $0 })
    }

    @Test("a batch that is on its way when all ends is kept here")
    func ending() async throws {
        let world = TestWorld(seed: 7, .sente)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        settings.answerLimit = .seconds(30)
        let kept = Kept()
        let handler = RemoteHandler(client, settings, local: kept, clock: world.clock)
        try await world.run {
            try await client.connect()
            world.server.losesReplies()
            try handler.handle(SignalBatch((0..<13).map(Self.failure)))
            try await world.run(until: "the batch") { Self.numbers(world.server.events).count == 10 }
            handler.stop()
            await world.advance(by: .seconds(60))
        }
        #expect(kept.numbers == (0..<13).map { $0 })
        #expect(handler.waiting == 0)
    }

    @Test("secrets stay here; and what this package says of itself, but for warnings, too")
    func content() async throws {
        let world = TestWorld(seed: 3, .senteLiteVectors)
        let client = try world.client()
        let handler = RemoteHandler(client, local: Kept(), clock: world.clock)
        let signals = [
            Signal(
                time: 0, level: .warn, namespace: "app", id: "app/login",
                data: [.keyword("auth-token"): "s3cret"],
                context: [.keyword("session"): "s3cret"]),
            Signal(time: 0, level: .info, namespace: "sente-lite.client", id: "sente-lite.client/opened"),
            Signal(
                time: 0, level: .error, namespace: "sente-lite.telemetry",
                id: "sente-lite.telemetry/signals-dropped"),
            Signal(time: 0, level: .warn, namespace: "sente-lite.client", id: "sente-lite.client/gap"),
            Signal(time: 0, level: .info, namespace: "user", id: "user/login"),
            Signal(
                time: 0, level: .info, kind: .span, namespace: "app", id: "app/load", duration: .seconds(1)),
            Signal(time: 0, level: .info, namespace: "app", id: "app/other"),
        ]
        try await world.run {
            try await client.connect()
            try handler.handle(SignalBatch(signals))
            try handler.flush()
            await world.advance(by: .milliseconds(1))
        }
        let came = world.server.events.filter { $0.id == "tel/batch" }.flatMap { $0.data.arrayValue ?? [] }
        let ids = came.compactMap { $0.mapValue?.value(named: "id")?.stringValue }
        #expect(ids == ["app/login", "sente-lite.client/gap", "user/login", "app/load"])
        #expect(!came.description.contains("s3cret"))
    }

    @Test("local keeps all here, hybrid does both, and what waits at the end is not lost")
    func modes() async throws {
        let world = TestWorld(seed: 4)
        let client = try world.client()
        for (mode, here, waiting) in [
            (RemoteHandler.Mode.local, [1, 2] as [Int64], 0), (.remote, [], 2), (.hybrid, [1, 2], 2),
        ] {
            var settings = RemoteHandler.Settings()
            settings.mode = mode
            let kept = Kept()
            let handler = RemoteHandler(client, settings, local: kept, clock: world.clock)
            try handler.handle(SignalBatch([1, 2].map(Self.failure)))
            #expect(kept.numbers == here)
            #expect(handler.waiting == waiting)
            handler.stop()
            #expect(kept.numbers == [1, 2], "\(mode)")
        }
    }

    @Test("as many go at once, after as long, and of the kinds that the settings say")
    func settings() async throws {
        let world = TestWorld(seed: 8)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        (settings.batch, settings.interval, settings.include) = (3, .seconds(5), .others)
        let handler = RemoteHandler(client, settings, local: Kept(), clock: world.clock)
        let signals = (0..<4).map { n in
            Signal(time: 0, level: .info, namespace: "app", id: "app/n", data: [.keyword("n"): Value(n)])
        }
        try await world.run {
            try await client.connect()
            try handler.handle(SignalBatch([Self.failure(9)] + signals))
            let start = world.now
            try await world.run(until: "the first batch") { Self.numbers(world.server.events).count >= 3 }
            #expect(start.duration(to: world.now) < .milliseconds(500))
            try await world.run(until: "the rest") { Self.numbers(world.server.events).count == 4 }
            #expect(start.duration(to: world.now) >= .seconds(5))
        }
        #expect(Self.numbers(world.server.events) == [0, 1, 2, 3])
    }

    @Test("what weighs more than the settings allow does not wait, but is kept here")
    func weight() throws {
        let world = TestWorld(seed: 9)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        settings.maximumBytes = 1
        let kept = Kept()
        let handler = RemoteHandler(client, settings, local: kept, clock: world.clock)
        try handler.handle(SignalBatch([Self.failure(1)]))
        #expect(handler.waiting == 0)
        #expect(kept.numbers == [1])
    }

    @Test("what is hidden is what the settings say")
    func redaction() async throws {
        let world = TestWorld(seed: 10)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        settings.redaction = Redaction(words: ["plate"])
        let handler = RemoteHandler(client, settings, local: Kept(), clock: world.clock)
        let signal = Signal(
            time: 0, level: .warn, namespace: "app", id: "app/parked",
            data: [.keyword("number-plate"): "B-XY 1", .keyword("parking-token"): "shown"])
        try await world.run {
            try await client.connect()
            try handler.handle(SignalBatch([signal]))
            try handler.flush()
            await world.advance(by: .milliseconds(500))
        }
        let came = world.server.events.filter { $0.id == "tel/batch" }.map(\.data.description).joined()
        #expect(came.contains("shown") && !came.contains("B-XY"))
    }

    @Test("a drain sends what waits for company, and says within its limit whether all is gone")
    func drain() async throws {
        let world = TestWorld(seed: 11)
        let client = try world.client()
        let handler = RemoteHandler(client, local: Kept(), clock: world.clock)
        try await world.run {
            try handler.handle(SignalBatch((0..<3).map(Self.failure)))
            let start = world.now
            #expect(await !handler.drain(within: .seconds(2)))
            #expect(start.duration(to: world.now) >= .seconds(2))
            #expect(start.duration(to: world.now) < .seconds(3))
            try await client.connect()
            try handler.handle(SignalBatch((3..<6).map(Self.failure)))
            let open = world.now
            #expect(await handler.drain())
            #expect(open.duration(to: world.now) < .milliseconds(500))
            await world.advance(by: .milliseconds(500))
        }
        #expect(Self.numbers(world.server.events) == (0..<6).map { $0 })
    }

    @Test("what the client says while a batch is under way is not sent, for it may be about the batch")
    func ownSending() async throws {
        let world = TestWorld(seed: 12, .sente)
        let client = try world.client()
        var settings = RemoteHandler.Settings()
        settings.answerLimit = .seconds(30)
        let handler = RemoteHandler(client, settings, local: Kept(), clock: world.clock)
        try await world.run {
            try await client.connect()
            world.server.losesReplies()
            try handler.handle(SignalBatch((0..<10).map(Self.failure)))
            try await world.run(until: "the batch") { Self.numbers(world.server.events).count == 10 }
            let about = Signal(
                time: Telemetry.now, level: .warn, namespace: "sente-lite.client",
                id: "sente-lite.client/call-failed")
            try handler.handle(SignalBatch([about]))
            #expect(handler.waiting == 10)
            var other = about
            (other.namespace, other.id) = ("app", "app/late")
            try handler.handle(SignalBatch([other]))
            #expect(handler.waiting == 11)
        }
    }

    @Test("the local handler is flushed and stopped with it")
    func local() throws {
        let world = TestWorld(seed: 13)
        let kept = Kept()
        let handler = RemoteHandler(try world.client(), local: kept, clock: world.clock)
        try handler.flush()
        handler.stop()
        #expect(kept.ends == ["flush", "stop"])
    }

    @Test("it does not keep the client")
    func release() throws {
        let world = TestWorld(seed: 5)
        var client: SenteClient? = try world.client()
        weak let watched = client
        let handler = RemoteHandler(try #require(client), local: Kept(), clock: world.clock)
        client = nil
        #expect(watched == nil)
        #expect(handler.waiting == 0)
    }
}
