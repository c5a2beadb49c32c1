// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteWire
import Testing

@Suite("The way from the app's threads to the loop", .timeLimit(.minutes(5)))
struct SubmissionQueueTests {
    private let hello = Event(id: "hello")

    /// What each call threw.
    private func codes(_ calls: [() throws -> Void]) -> [SenteError.Code] {
        calls.compactMap { call in
            do { try call() } catch { return (error as? SenteError)?.code }
            return nil
        }
    }

    // MARK: Refusals

    @Test(
        "each refusal on the caller's thread counts in the metrics, and a message that found no room as a drop"
    )
    func countsRefusals() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") {
            $0.dialect = .senteLiteMaps
            $0.outbox.maximumMessages = 2
            $0.limits.outgoingMessage = 1_000
        }
        client.reconnect()
        try await client.reaches(.connecting)
        let large = Event(id: "hello", data: ["x": Value(String(repeating: "x", count: 2_000))])
        var calls: [() throws -> Void] = (0..<5).map { _ in { try client.enqueue(hello) } }
        calls.append { try client.enqueue(Event(id: "")) }
        calls.append { try client.enqueue(large) }
        #expect(codes(calls) == [.outboxFull, .outboxFull, .outboxFull, .invalidArgument, .messageTooLarge])
        let failure = await error { () throws(SenteError) in
            _ = try await client.send(hello, timeout: .seconds(1))
        }
        #expect(failure?.code == .unsupported)
        stage.waitUntilIdle()
        let expected: [SenteError.Code: Int] = [
            .outboxFull: 3, .invalidArgument: 1, .messageTooLarge: 1, .unsupported: 1,
        ]
        #expect(client.metrics.errors == expected)
        #expect(client.metrics.outbox.drops == [.outboxFull: 3])
    }

    @Test("what is refused while nothing else goes on counts at once, too")
    func countsRefusalsOfIdleClient() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        #expect(await error { () throws(SenteError) in try await client.send(hello) }?.code == .notConnected)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await error { () throws(SenteError) in try await client.connect() }
        }
        #expect(await task.value?.code == .cancelled)
        stage.waitUntilIdle()
        #expect(client.metrics.errors == [.notConnected: 1, .cancelled: 1])
        #expect(client.metrics.outbox.drops.isEmpty)
    }

    @Test(
        "what a policy drops on the caller's thread counts",
        arguments: [OutboxPolicy.Overflow.dropOldest, .dropNewest])
    func countsDrops(_ overflow: OutboxPolicy.Overflow) async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") {
            $0.outbox.maximumMessages = 3
            $0.outbox.overflow = overflow
        }
        client.reconnect()
        try await client.reaches(.connecting)
        // The host stands still: the session sees none of those that are dropped.
        try stage.host.run { for _ in 0..<5 { try client.enqueue(hello) } }
        stage.waitUntilIdle()
        #expect(client.metrics.outbox.drops == [.dropped: 2])
        #expect(client.metrics.errors == [.dropped: 2])
    }

    @Test("of thousands of concurrent calls on an open client, every refusal is counted")
    func countsRefusalsOfManyThreads() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.outbox.maximumMessages = 50 }
        let refused = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<2_000 {
                group.addTask {
                    await error { () throws(SenteError) in try await client.publish(["x": 1], to: "news") }?
                        .code
                        == .outboxFull
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        stage.waitUntilIdle()
        #expect(client.metrics.errors[.outboxFull, default: 0] == refused)
        #expect(client.metrics.outbox.drops[.outboxFull, default: 0] == refused)
    }

    @Test("an argument that a channel socket refuses counts")
    func countsRefusalsOfChannelSocket() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        let thrown = codes([
            { try client.sendFn(Event(id: "bare")) },
            { try client.chRecv.put(Event(id: "bare")) },
            { _ = try client.chRecv.take("a/b", timeout: .zero) },
        ])
        #expect(thrown == [.invalidArgument, .invalidArgument, .invalidArgument])
        stage.waitUntilIdle()
        #expect(client.chsk.client.metrics.errors == [.invalidArgument: 3])
    }

    // MARK: Wake-ups

    @Test("a consumer that keeps up wakes the loop for nothing")
    func consumesSilently() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        var news = try await client.subscribe("news").makeAsyncIterator()
        stage.waitUntilIdle()
        let before = stage.host.posts
        for number in 0..<100 {
            stage.server.deliver(["n": Value(number)], to: "news")
            #expect(await news.next()?.data == ["n": Value(number)])
        }
        #expect(stage.host.posts == before + 100, "The link's own, one a message.")
        #expect(client.metrics.missed == 0)
    }

    @Test("what was held back for a slow consumer comes as soon as it has consumed")
    func consumesLate() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        var news = try await client.subscribe("news").makeAsyncIterator()
        for round in 0..<50 {
            for number in 0..<3 { stage.server.deliver(["n": Value(round * 3 + number)], to: "news") }
            for number in 0..<3 {
                #expect(await news.next()?.data == ["n": Value(round * 3 + number)])
            }
        }
        #expect(client.metrics.missed == 0)
    }

    @Test("what was consumed without a word makes room before more comes")
    func consumedMakesRoom() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.inbox.maximumMessages = 4 }
        var news = try await client.subscribe("news").makeAsyncIterator()
        for round in 0..<20 {
            stage.server.deliver((0..<4).map { ["n": Value(round * 4 + $0)] }, to: "news")
            for number in 0..<4 {
                #expect(await news.next()?.data == ["n": Value(round * 4 + number)])
            }
        }
        #expect(client.metrics.missed == 0)
    }

    @Test("a consumer that stopped the reading lets it go on")
    func consumedResumesReading() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient {
            $0.inbox.maximumMessages = 4
            $0.inbox.overflow = .pauseReading
        }
        var news = try await client.subscribe("news").makeAsyncIterator()
        stage.server.deliver((0..<10).map { ["n": Value($0)] }, to: "news")
        for number in 0..<10 { #expect(await news.next()?.data == ["n": Value(number)]) }
        stage.server.deliver(["n": 10], to: "news")
        #expect(await news.next()?.data == ["n": 10])
        #expect(client.metrics.missed == 0)
    }
}
