// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

@Suite("SenteClient: channels", .timeLimit(.minutes(5)))
struct ChannelsTests {
    @Test("subscribe() returns on the server's word, and the handle yields what comes, in order")
    func subscribes() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let news = try await client.subscribe("news")
        #expect(news.channel == "news")
        #expect(news.isConfirmed)
        #expect(news.rejection == nil)
        #expect(client.subscriptions == ["news"])
        stage.server.deliver((0..<100).map { ["n": Value(Int64($0))] }, to: "news")
        var seen: [Int64] = []
        for await message in news {
            seen.append(message.data["n"]?.integerValue ?? -1)
            if seen.count == 100 { break }
        }
        #expect(seen == Array(0..<100))
    }

    @Test("subscribe() before connect() only wishes; the wish is written at each greeting")
    func wishes() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let news = try await client.subscribe("news")
        #expect(!news.isConfirmed)
        #expect(client.subscriptions == ["news"])
        try await client.connect()
        await client.replacesLink()
        stage.waitUntilIdle()
        #expect(stage.server.received("subscribe").count == 2)
        #expect(news.isConfirmed)
        #expect(client.metrics.subscriptions.confirmed == 1)
    }

    @Test("a rejection throws to who waits, and a later wish asks again")
    func isRejected() async throws {
        let stage = DriverStage()
        stage.server.rejects("secret")
        let client = try stage.client()
        let early = try await client.subscribe("secret")
        try await client.connect()
        stage.waitUntilIdle()
        #expect(early.rejection?.code == .rejected)
        #expect(client.subscriptions.isEmpty)
        let failure = await error { () throws(SenteError) in _ = try await client.subscribe("secret") }
        #expect(failure?.code == .rejected)
        #expect(stage.server.received("subscribe").count == 2)
    }

    @Test("two handles of one channel get every message, by one wish; the second asks what was kept")
    func twoHandles() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let first = try await client.subscribe("news")
        let second = try await client.subscribe("news")
        #expect(stage.server.received("subscribe").count == 2)
        let third = try await client.subscribe("news", history: .none)
        #expect(stage.server.received("subscribe").count == 2)
        third.cancel()
        stage.server.deliver(["n": 1], to: "news")
        var a = first.makeAsyncIterator()
        var b = second.makeAsyncIterator()
        #expect(await a.next()?.data == ["n": 1])
        #expect(await b.next()?.data == ["n": 1])
        #expect(client.subscriptions == ["news"])
    }

    @Test("leaving a loop and entering another loses nothing")
    func leavesLoop() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let news = try await client.subscribe("news")
        stage.server.deliver((0..<5).map { ["n": Value(Int64($0))] }, to: "news")
        var seen: [Int64] = []
        for _ in 0..<5 {
            for await message in news {
                seen.append(message.data["n"]?.integerValue ?? -1)
                break
            }
        }
        #expect(seen == [0, 1, 2, 3, 4])
        stage.server.deliver(["n": 5], to: "news")
        var iterator = news.makeAsyncIterator()
        #expect(await iterator.next()?.data == ["n": 5])
    }

    @Test("a handle that does not keep up loses the oldest, and is told how many")
    func missed() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.inbox.maximumMessages = 10 }
        let news = try await client.subscribe("news")
        for number in 0..<30 {
            stage.server.deliver(["n": Value(Int64(number))], to: "news")
            stage.waitUntilIdle()
        }
        var iterator = news.makeAsyncIterator()
        var seen = 0
        var missed = 0
        while let message = await iterator.next() {
            seen += 1
            missed += message.missed
            if message.data == ["n": 29] { break }
        }
        #expect(seen + missed == 30)
        #expect(missed > 0)
        #expect(client.metrics.missed == missed)
    }

    @Test("unsubscribe() finishes the sequences of every handle, and cancel() only its own")
    func unsubscribes() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let first = try await client.subscribe("news")
        let second = try await client.subscribe("news")
        let third = try await client.subscribe("news")
        let loops = [first, second].map { handle in Task { for await _ in handle {} } }
        third.cancel()
        for await _ in third {}
        #expect(client.subscriptions == ["news"])
        try await client.unsubscribe("news")
        for loop in loops { await loop.value }
        #expect(client.subscriptions.isEmpty)
        #expect(stage.server.received("unsubscribe").count == 1)
    }

    @Test("a loop ends when its task is cancelled, and the handle goes on")
    func loopIsCancelled() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let news = try await client.subscribe("news")
        let loop = Task { for await _ in news {} }
        loop.cancel()
        await loop.value
        stage.server.deliver(["n": 1], to: "news")
        var iterator = news.makeAsyncIterator()
        #expect(await iterator.next()?.data == ["n": 1])
    }

    @Test("withSubscription drops the wish it made, also when its body throws")
    func scoped() async throws {
        struct Stop: Error {}
        let stage = DriverStage()
        let client = try await stage.openClient()
        let result = try await client.withSubscription("news") { news in
            stage.server.deliver(["n": 1], to: "news")
            for await message in news { return message.data }
            return .null
        }
        #expect(result == ["n": 1])
        await #expect(throws: Stop.self) { try await client.withSubscription("news") { _ in throw Stop() } }
        stage.waitUntilIdle()
        #expect(client.subscriptions.isEmpty)
        #expect(stage.server.received("unsubscribe").count == 2)
    }

    @Test("withSubscription leaves the wish of another handle, also when cancelled while waiting")
    func scopedBesideAnother() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        stage.server.answersNothing()
        let plain = Task { try await client.subscribe("news") }
        while stage.server.received("subscribe").isEmpty { await Task.yield() }
        let scoped = Task { try await client.withSubscription("news") { _ in } }
        while client.subscriptions != ["news"] { await Task.yield() }
        scoped.cancel()
        await #expect(throws: SenteError.self) { try await scoped.value }
        stage.waitUntilIdle()
        #expect(client.subscriptions == ["news"])
        plain.cancel()
        _ = await plain.result
        stage.waitUntilIdle()
        #expect(client.subscriptions.isEmpty)
    }

    @Test("onMessage hears a channel in order, records no wish, and stops when cancelled")
    func onMessage() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let seen = Collector<Value>()
        let registration = client.onMessage(in: "news") { seen.append($0.data) }
        let main = Collector<Bool>()
        client.onMessage(in: "news", mainActor: { _ in main.append(isOnMainActor()) })
        #expect(client.subscriptions.isEmpty)
        stage.server.deliver((0..<50).map { ["n": Value(Int64($0))] }, to: "news")
        #expect(await seen.first(50) == (0..<50).map { ["n": Value(Int64($0))] })
        #expect(await main.first(50).count == 50)
        registration.cancel()
        registration.cancel()
        stage.server.deliver(["n": 50], to: "news")
        _ = await main.first(51)
        #expect(seen.elements.count == 50)
    }

    @Test("closures of one client never run at the same time")
    func closuresAreSerial() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let running = Locked(0)
        let overlaps = Locked(0)
        let done = Collector<Int>()
        for number in 0..<4 {
            client.onMessage(in: "news") { _ in
                running.withLock { $0 += 1 }
                if running.withLock({ $0 }) > 1 { overlaps.withLock { $0 += 1 } }
                running.withLock { $0 -= 1 }
                done.append(number)
            }
        }
        for _ in 0..<25 { stage.server.deliver(.null, to: "news") }
        let order = await done.first(100)
        #expect(overlaps.withLock { $0 } == 0)
        #expect(order == (0..<25).flatMap { _ in [0, 1, 2, 3] })
    }

    @Test("a change of the status is told after the messages that came before it")
    func closuresKeepOrder() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.reconnect = .never }
        let seen = Collector<String>()
        client.onMessage(in: "news") { _ in seen.append("message") }
        client.onStateChange { _, new in seen.append(new.state.rawValue) }
        stage.waitUntilIdle()
        stage.server.deliver(.null, to: "news")
        stage.server.close()
        #expect(await seen.first(2) == ["message", "closed"])
    }

    @Test("publish() returns the server's receipt")
    func publishes() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let receipt = try await client.publish(["n": 1], to: "news", excludeSender: true)
        #expect(receipt.outcome == .acknowledged)
        #expect(receipt.deliveredTo == 1)
        let heard = try #require(stage.server.received("publish").first)
        #expect(heard["data"] == ["n": 1])
        #expect(heard["exclude-sender"] == true)
    }

    @Test("what a server would choke on is refused at the call")
    func wrongArguments() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.limits.outgoingMessage = 1_000 }
        func code(_ body: () async throws(SenteError) -> Void) async -> SenteError.Code? {
            await error(body)?.code
        }
        #expect(
            await code { () throws(SenteError) in try await client.publish("text", to: "news") }
                == .invalidArgument)
        #expect(
            await code { () throws(SenteError) in _ = try await client.subscribe("") } == .invalidArgument)
        #expect(
            await code { () throws(SenteError) in try await client.unsubscribe("\n") } == .invalidArgument)
        #expect(
            await code { () throws(SenteError) in try await client.respond(on: "") { $0 } }
                == .invalidArgument)
        let large = Value(String(repeating: "x", count: 2_000))
        #expect(
            await code { () throws(SenteError) in try await client.publish(["x": large], to: "news") }
                == .messageTooLarge)
        #expect(stage.server.received.isEmpty)
    }

    @Test("what the configured dialect cannot do is refused at the call, before there is a connection")
    func unsupported() async throws {
        let stage = DriverStage()
        let lite = try stage.client { $0.dialect = .senteLiteVectors }
        let sente = try stage.client { $0.dialect = .sente }
        func code(_ body: () async throws(SenteError) -> Void) async -> SenteError.Code? {
            await error(body)?.code
        }
        for client in [lite, sente] {
            #expect(
                await code { () throws(SenteError) in try await client.respond(on: "a") { $0 } }
                    == .unsupported)
            #expect(
                await code { () throws(SenteError) in _ = try await client.request([:], on: "a") }
                    == .unsupported)
            #expect(
                await code { () throws(SenteError) in _ = try await client.listChannels() } == .unsupported)
        }
        #expect(await code { () throws(SenteError) in _ = try await sente.subscribe("a") } == .unsupported)
        #expect(
            await code { () throws(SenteError) in try await sente.publish([:], to: "a") } == .unsupported)
        #expect(sente.subscriptions.isEmpty && stage.server.requests.isEmpty)
    }

    @Test("request() returns the answer")
    func requests() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        #expect(try await client.request(["a": 1], on: "service") == ["a": 1])
        #expect(stage.server.received("rpc-request").first?["timeout-ms"] == 10_000)
    }

    @Test("request() ends at its time limit; what became of it is unknown")
    func requestTimesOut() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        stage.server.answersNothing()
        async let failure = error { () throws(SenteError) in
            _ = try await client.request(["a": 1], on: "service", timeout: .seconds(2))
        }
        while stage.server.received("rpc-request").isEmpty { await Task.yield() }
        stage.advance(by: .seconds(2))
        #expect(await failure?.code == .timedOut)
        #expect(await failure?.outcome == .unknown)
    }

    @Test("a lost link ends a request: unknown when it had left, not sent when it never did")
    func requestIsLost() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        stage.server.answersNothing()
        async let sent = error { () throws(SenteError) in
            _ = try await client.request(["a": 1], on: "service")
        }
        while stage.server.received("rpc-request").isEmpty { await Task.yield() }
        stage.server.neverAnswersUpgrades()
        stage.server.cut()
        #expect(await sent?.code == .connectionLost)
        #expect(await sent?.outcome == .unknown)
        async let queued = error { () throws(SenteError) in
            _ = try await client.request(["a": 1], on: "service")
        }
        while client.metrics.outbox.messages == 0 { await Task.yield() }
        await client.disconnect()
        #expect(await queued?.code == .disconnected)
        #expect(await queued?.outcome == .notSent)
    }

    @Test("what is published in an outage of 20 seconds arrives in order, unless it was given less time")
    func publishesOffline() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        stage.server.cut()
        try await client.reaches(.reconnecting)
        let deliveries = try (0..<5).map { try client.enqueue(publish: ["n": Value($0)], to: "news") }
        async let hasty = error { () throws(SenteError) in
            _ = try await client.publish(["n": 5], to: "news", timeout: .seconds(3))
        }
        while client.metrics.outbox.messages < 6 { await Task.yield() }
        stage.advance(by: .seconds(20))
        #expect(await hasty?.code == .timedOut)
        #expect(await hasty?.outcome == .notSent)
        stage.server.accepts()
        client.reconnect()
        for delivery in deliveries { #expect(await delivery.outcome == .acknowledged) }
        #expect(stage.server.received("publish").map { $0["data"]?["n"] } == (0..<5).map { Value($0) })
    }

    @Test("listChannels() and confirmedSubscriptions() say what the server says")
    func lists() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        _ = try await client.subscribe("b")
        _ = try await client.subscribe("a")
        let channels = try await client.listChannels()
        #expect(channels.map(\.name) == ["news"])
        #expect(channels.first?.subscriberCount == 3)
        #expect(try await client.confirmedSubscriptions() == ["a", "b"])
    }

    @Test("values of one's own types go out encoded and come in decoded")
    func codable() async throws {
        struct Reading: Codable, Equatable {
            var sensor: String
            var value: Double
        }
        let stage = DriverStage()
        let client = try await stage.openClient()
        let news = try await client.subscribe("news")
        let reading = Reading(sensor: "a", value: 1.5)
        try await client.publish(encoding: reading, to: "news")
        var iterator = news.makeAsyncIterator()
        let message = try #require(await iterator.next())
        #expect(try message.decode(Reading.self) == reading)
        let answer: Reading = try await client.request(encoding: reading, on: "service")
        #expect(answer == reading)
        #expect(
            await error { () throws(SenteError) in _ = try message.decode([Int].self) }?.code
                == .decodingFailed)
    }

    @Test("20,000 cancelled calls each end once")
    func cancellationStorm() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.outbox.maximumMessages = 100_000 }
        stage.server.answersNothing()
        let ended = Locked(0)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<20_000 {
                group.addTask {
                    let failure = await error { () throws(SenteError) in
                        if number.isMultiple(of: 2) {
                            _ = try await client.request(["n": 1], on: "service")
                        } else {
                            _ = try await client.subscribe("news")
                        }
                    }
                    if failure?.code == .cancelled { ended.withLock { $0 += 1 } }
                }
            }
            group.cancelAll()
        }
        #expect(ended.withLock { $0 } == 20_000)
        stage.waitUntilIdle()
        #expect(client.metrics.pendingRequests == 0)
        #expect(client.subscriptions.isEmpty)
    }
}
