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
