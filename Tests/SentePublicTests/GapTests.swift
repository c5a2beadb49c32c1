// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("What an app sees of a gap, and of what the server kept", .timeLimit(.minutes(5)))
struct GapTests {
    /// The next messages of a handle, that many.
    private func take(_ count: Int, of handle: Subscription) async -> [ChannelMessage] {
        var iterator = handle.makeAsyncIterator()
        var messages: [ChannelMessage] = []
        while messages.count < count, let message = await iterator.next() { messages.append(message) }
        return messages
    }

    @Test("A screen that is opened again is not empty, and nobody hears a message twice")
    func history() async throws {
        let world = TestWorld()
        world.server.makeChannel("room", retention: 3)
        let client = try world.client()
        try await world.run {
            try await client.connect()
            let first = try await client.subscribe("room")
            for n in 1...4 { try await client.publish(["n": Value(n)], to: "room") }
            let again = try await client.subscribe("room")
            let last = try await client.subscribe("room", history: .last(1))
            let none = try await client.subscribe("room", history: .none)
            world.server.deliver(["n": 5], to: "room")
            #expect(await take(5, of: first).map(\.data["n"]) == [1, 2, 3, 4, 5])
            #expect(await take(4, of: again).map(\.data["n"]) == [2, 3, 4, 5])
            #expect(await take(2, of: last).map(\.data["n"]) == [4, 5])
            #expect(await take(1, of: none).map(\.data["n"]) == [5])
            try await client.unsubscribe("room")
            let anew = try await client.subscribe("room")
            #expect(await take(3, of: anew).map(\.data["n"]) == [3, 4, 5])
        }
    }

    @Test("After an outage the next message says how long the channel was out of reach and what came of it")
    func gap() async throws {
        let world = TestWorld()
        world.server.makeChannel("room", retention: 2)
        let client = try world.client()
        try await world.run {
            try await client.connect()
            let room = try await client.subscribe("room")
            var states = room.states.makeAsyncIterator()
            #expect(await states.next() == .subscribed)
            try await client.publish(["n": 1], to: "room")
            #expect(await take(1, of: room).first?.gap == nil)
            world.goOffline()
            world.cut()
            try await world.clock.sleep(for: .seconds(15))
            world.server.deliver(["n": 2], to: "room")
            world.goOnline()
            #expect(await states.next() == .subscribing)
            guard case .gap(let gap)? = await states.next() else {
                return _ = Issue.record("No gap was told.")
            }
            #expect(gap.filling == .all && gap.duration >= .seconds(15) && gap.duration < .seconds(60))
            #expect(await states.next() == .subscribed)
            let messages = await take(1, of: room)
            #expect(messages.map(\.data) == [["n": 2]])
            #expect(messages.first?.gap == gap)
            try await client.unsubscribe("room")
            #expect(await states.next() == .ended)
        }
    }

    @Test(
        "With the policy .wait a hundred tasks publish through a small outbox while the server is away, in order"
    )
    func waits() async throws {
        let world = TestWorld()
        var configuration = SenteClient.Configuration()
        configuration.outbox = OutboxPolicy(maximumMessages: 3, overflow: .wait)
        world.server.makeChannel("room")
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            world.server.restarts(after: .seconds(5))
            try await world.run(until: "the loss") { client.state == .reconnecting }
            await withTaskGroup(of: Outcome?.self) { group in
                for n in 0..<100 {
                    group.addTask {
                        try? await client.publish(["n": Value(n)], to: "room").outcome
                    }
                }
                for await outcome in group { #expect(outcome == .acknowledged) }
            }
        }
        #expect(world.server.published(to: "room").count == 100)
    }
}
