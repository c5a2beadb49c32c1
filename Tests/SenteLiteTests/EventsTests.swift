// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

@Suite("SenteClient: events", .timeLimit(.minutes(5)))
struct EventsTests {
    @Test("send() returns when the event is written")
    func sends() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        try await client.send(Event(id: "hello", data: ["n": 1]))
        stage.waitUntilIdle()
        #expect(stage.server.received("hello") == [["type": "hello", "n": 1]])
        try await client.send(encoding: ["n": 2], as: "hello")
    }

    @Test("sends throw at once where nothing can be queued", arguments: [ConnectionState.closed, .failed])
    func sendsNothing(in state: ConnectionState) async throws {
        let stage = DriverStage()
        stage.server.refuses(Refusal(status: 403))
        let client = try stage.client()
        if state == .failed { _ = await error { () throws(SenteError) in try await client.connect() } }
        #expect(client.state == state)
        let failure = await error { () throws(SenteError) in try await client.send(Event(id: "hello")) }
        #expect(failure?.code == .notConnected)
        #expect(failure?.outcome == .notSent)
        #expect(
            await error { () throws(SenteError) in try client.enqueue(Event(id: "hello")) }?.code
                == .notConnected)
    }

    @Test("with the outbox off nothing waits for a connection")
    func outboxOff() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") { $0.outbox = .off }
        client.reconnect()
        try await client.reaches(.connecting)
        let failure = await error { () throws(SenteError) in try await client.send(Event(id: "hello")) }
        #expect(failure?.code == .notConnected)
    }

    @Test("what is enqueued while connecting leaves in the order of the calls")
    func enqueues() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        client.reconnect()
        // The client stands closed until the loop's next turn; what is wished before counts already.
        let deliveries = try (0..<100).map {
            try client.enqueue(Event(id: "hello", data: ["n": Value(Int64($0))]))
        }
        for delivery in deliveries {
            #expect(await delivery.outcome == .written)
            #expect(delivery.error == nil)
        }
        stage.waitUntilIdle()
        #expect(stage.server.received("hello").map { $0["n"]?.integerValue } == (0..<100).map { $0 })
    }

    @Test("a full outbox refuses on the caller's thread, posted messages included")
    func outboxIsFull() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") { $0.outbox.maximumMessages = 5 }
        client.reconnect()
        // The host stands still: all of them are posted, and none is handled.
        let codes = stage.host.run {
            (0..<7).map { _ in
                do throws(SenteError) {
                    try client.enqueue(Event(id: "hello"))
                    return nil as SenteError.Code?
                } catch {
                    return error.code
                }
            }
        }
        #expect(codes == [nil, nil, nil, nil, nil, .outboxFull, .outboxFull])
        stage.waitUntilIdle()
        #expect(
            await error { () throws(SenteError) in try client.enqueue(Event(id: "hello")) }?.code
                == .outboxFull)
        #expect(
            await error { () throws(SenteError) in try await client.send(Event(id: "a")) }?.code
                == .outboxFull)
        #expect(client.metrics.outbox.messages == 5)
    }

    @Test("a full outbox counts bytes too")
    func outboxIsFullOfBytes() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") { $0.outbox.maximumBytes = 1_000 }
        client.reconnect()
        try await client.reaches(.connecting)
        let text = Value(String(repeating: "x", count: 600))
        try client.enqueue(Event(id: "hello", data: ["x": text]))
        let failure = await error { () throws(SenteError) in
            try client.enqueue(Event(id: "hello", data: ["x": text]))
        }
        #expect(failure?.code == .outboxFull)
    }

    @Test(
        "the other policies make room as they say, before and after the loop has seen the messages",
        arguments: [OutboxPolicy.Overflow.dropOldest, .dropNewest], [true, false])
    func policies(_ overflow: OutboxPolicy.Overflow, standsStill: Bool) async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") { configuration in
            configuration.outbox.maximumMessages = 3
            configuration.outbox.overflow = overflow
        }
        client.reconnect()
        try await client.reaches(.connecting)
        var deliveries: [Delivery] = []
        if standsStill {
            deliveries = try stage.host.run {
                try (0..<5).map { try client.enqueue(Event(id: "hello", data: ["n": Value(Int64($0))])) }
            }
        } else {
            for number in 0..<5 {
                deliveries.append(try client.enqueue(Event(id: "hello", data: ["n": Value(Int64(number))])))
                stage.waitUntilIdle()
            }
        }
        let dropped = overflow == .dropOldest ? deliveries.prefix(2) : deliveries.suffix(2)
        for delivery in dropped {
            #expect(await delivery.outcome == .notSent)
            #expect(delivery.error?.code == .dropped)
        }
        stage.waitUntilIdle()
        #expect(client.metrics.outbox.messages == 3)
    }

    @Test("a delivery can be taken back while it waits, and expires")
    func takesBack() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client("ws://server.test/") { $0.timeouts.connect = .seconds(100) }
        client.reconnect()
        try await client.reaches(.connecting)
        let first = try client.enqueue(Event(id: "hello"))
        let second = try client.enqueue(Event(id: "hello"))
        first.cancel()
        #expect(await first.outcome == .notSent)
        #expect(first.error?.code == .cancelled)
        #expect(second.error == nil)
        stage.advance(by: .seconds(31))
        #expect(await second.outcome == .notSent)
        #expect(second.error?.code == .expired)
    }

    @Test("send(_:timeout:) is refused where the dialect has no replies to events")
    func sendWithReply() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let failure = await error { () throws(SenteError) in
            _ = try await client.send(Event(id: "hello"), timeout: .seconds(1))
        }
        #expect(failure?.code == .unsupported)
        #expect(stage.server.received.isEmpty)
    }

    @Test("send(_:timeout:reply:) returns the event that the app picks")
    func sendAndPick() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let value = try await client.send(Event(id: "hello", data: ["n": 1]), timeout: .seconds(1)) { event in
            event.id == "echo" && event.data["original"]?["n"] == 1
        }
        #expect(value["original"]?["type"] == "hello")
        async let failure = error { () throws(SenteError) in
            _ = try await client.send(Event(id: "hello"), timeout: .seconds(1)) { _ in false }
        }
        while stage.server.received("hello").count < 2 { await Task.yield() }
        stage.advance(by: .seconds(1))
        #expect(await failure?.code == .timedOut)
        #expect(await failure?.outcome == .unknown)
    }

    @Test("on() hears one id, and events hears all, each consumer all of it")
    func listens() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let seen = Collector<Event>()
        let registration = client.on("a") { seen.append($0) }
        let main = Collector<Bool>()
        client.on("a", mainActor: { _ in main.append(isOnMainActor()) })
        var first = client.events.makeAsyncIterator()
        var second = client.events.makeAsyncIterator()
        stage.waitUntilIdle()
        stage.server.send([["type": "a", "n": 1], ["type": "b"], ["type": "a", "n": 2]])
        #expect(await seen.first(2) == [Event(id: "a", data: ["n": 1]), Event(id: "a", data: ["n": 2])])
        _ = await main.first(2)
        var ids: [Keyword?] = []
        for _ in 0..<3 {
            ids.append(await first.next()?.id)
            ids.append(await second.next()?.id)
        }
        #expect(ids == ["a", "a", "b", "b", "a", "a"])
        registration.cancel()
        stage.server.send([["type": "a", "n": 3]])
        _ = await main.first(3)
        #expect(seen.elements.count == 2)
    }
}
