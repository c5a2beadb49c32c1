// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("The same seed gives the same run", .timeLimit(.minutes(5)))
struct RepeatabilityTests {
    /// Several tasks of an app, an actor among them, over a bad network and a server that restarts.
    private func run(_ seed: UInt64) async throws -> [String] {
        let world = TestWorld(
            seed: seed, network: NetworkConditions(latency: .milliseconds(3)...(.milliseconds(80)), loss: 0.1)
        )
        let log = Noted<String>()
        @Sendable func note(_ text: String) { log.append("\(world.now.description(since: world)) \(text)") }
        let clients = try (0..<3).map { _ in try world.client() }
        for (number, client) in clients.enumerated() {
            client.onStateChange { _, new in note("\(number) is \(new.state)") }
        }
        world.server.restarts(after: .seconds(2))
        try await world.run {
            world.server.makeChannel("room")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, client) in clients.enumerated() {
                    group.addTask {
                        try? await client.connect()
                        let counter = Counter()
                        for await message in try await client.subscribe("room") {
                            let count = await counter.next()
                            note("\(number) got \(message.data), \(count)")
                            if count == 12 { return }
                        }
                    }
                    group.addTask {
                        for n in 0..<10 {
                            try await world.clock.sleep(for: .milliseconds(700))
                            let data: Value = ["from": Value(number), "n": Value(n)]
                            do {
                                note("\(number) sent \(try await client.publish(data, to: "room"))")
                            } catch {
                                note("\(number) failed with \(error)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        return log.all + world.server.received.map(\.description) + world.server.attempts.map(\.url)
    }

    /// A screen and tasks that it starts, all on the main actor.
    @MainActor
    private final class Screen {
        private let client: any RealtimeClient
        private let world: TestWorld
        private(set) var log: [String] = []
        private var tasks: [Task<Void, any Error>] = []

        init(_ client: any RealtimeClient, _ world: TestWorld) {
            self.client = client
            self.world = world
        }

        private func note(_ text: String) { log.append("\(world.now.description(since: world)) \(text)") }

        func appear() {
            tasks.append(Task { for await status in client.states { note("is \(status.state)") } })
            for channel in ["a", "b", "c"] {
                tasks.append(
                    Task {
                        try await client.connect()
                        for await message in try await client.subscribe(channel) {
                            note("\(channel) got \(message.data)")
                            // Not on the main actor, and as long as the machine likes.
                            let text = await Task.detached {
                                let end = ContinuousClock.now + .microseconds(Int.random(in: 0...300))
                                while ContinuousClock.now < end {}
                                return "\(message.data)"
                            }.value
                            note("\(channel) has \(text)")
                        }
                    })
            }
        }

        func send(_ n: Int) {
            for channel in ["a", "b", "c"] {
                tasks.append(
                    Task {
                        do {
                            note("sent \(n) \(try await client.publish(Value(n), to: channel))")
                        } catch {
                            note("failed \(n)")
                        }
                    })
            }
        }

        func disappear() {
            for task in tasks { task.cancel() }
        }
    }

    @MainActor
    private func runScreens(_ seed: UInt64) async throws -> [String] {
        // Without latency much happens at one instant.
        let world = TestWorld(seed: seed, network: NetworkConditions(loss: 0.1))
        let screens = try (0..<3).map { _ in Screen(try world.client(), world) }
        await world.settle()
        for screen in screens { screen.appear() }
        for n in 0..<10 {
            if n == 5 { world.server.restarts(after: .seconds(2)) }
            await world.advance(by: .milliseconds(700))
            for screen in screens { screen.send(n) }
        }
        await world.advance(by: .seconds(60))
        for screen in screens { screen.disappear() }
        return screens.flatMap(\.log) + world.server.received.map(\.description)
    }

    @Test("for code that runs on the main actor, and for its tasks", arguments: [1, 2, 3] as [UInt64])
    func onMainActor(seed: UInt64) async throws {
        let first = try await runScreens(seed)
        #expect(first.count > 100)
        for _ in 0..<5 {
            let again = try await runScreens(seed)
            let difference = zip(first, again).first { $0 != $1 }
            #expect(difference == nil, "\(difference as Any)")
            #expect(first.count == again.count)
        }
        #expect(try await runScreens(seed + 10) != first)
    }

    private actor Counter {
        private var count = 0

        func next() -> Int {
            count += 1
            return count
        }
    }

    @Test("for code that runs on the world's executor", arguments: [1, 2, 3] as [UInt64])
    func onExecutor(seed: UInt64) async throws {
        let first = try await run(seed)
        #expect(first.count > 100)
        for _ in 0..<5 {
            let again = try await run(seed)
            let difference = zip(first, again).first { $0 != $1 }
            #expect(difference == nil, "\(difference as Any)")
            #expect(first.count == again.count)
        }
        #expect(try await run(seed + 10) != first)
    }
}

extension Instant {
    fileprivate func description(since world: TestWorld) -> String {
        "\(Instant(nanoseconds: 0).duration(to: self))"
    }
}
