// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    /// Worth running with `--sanitize=thread`.
    @Suite("Everything at once")
    struct StressTests {
        private static let workers = 24
        private static let rounds = 120

        @Test(
            "thousands of calls from many tasks, with restarts between: each ends once, and nothing is left over"
        )
        func stress() async throws {
            try await withServer { server, port in
                let one = try client(port) { $0.timeouts.request = .seconds(3) }
                let two = try client(port) {
                    $0.timeouts.request = .seconds(3)
                    $0.inbox = InboxPolicy(maximumMessages: 32)
                }
                for client in [one, two] { try await client.connect() }
                try await one.respond(on: "echo") { $0 }
                let heard = Locked(0)
                two.onMessage(in: "c1") { _ in heard.withLock { $0 += 1 } }
                let changes = one.collectStatuses()
                let ends = Locked([String: Int]())
                await withTaskGroup(of: Void.self) { group in
                    for worker in 0..<Self.workers {
                        group.addTask {
                            for round in 0..<Self.rounds {
                                let end = await Self.act(worker % 2 == 0 ? one : two, worker &+ round &* 7)
                                ends.withLock { $0[end, default: 0] += 1 }
                            }
                        }
                    }
                    // One that does nothing but listen, and one that reads what any thread may read.
                    let listener = Task {
                        for await status in two.states where status.state == .failed { return }
                    }
                    let reader = Task {
                        while !Task.isCancelled {
                            _ = (one.metrics, one.status, one.subscriptions, two.metrics)
                            await Task.yield()
                        }
                    }
                    group.addTask {
                        for number in 0..<8 {
                            if number % 2 == 0 { await server.drop() } else { await server.stop() }
                            _ = try? await server.start(port: port)
                            try? await one.reaches(.open)
                            // Some calls have to come through in between.
                            for _ in 0..<10 { _ = try? await one.ping() }
                        }
                    }
                    await group.waitForAll()
                    listener.cancel()
                    reader.cancel()
                }
                let counts = ends.withLock { $0 }
                print("Loopback stress, how calls ended:", counts.sorted { $0.value > $1.value })
                #expect(counts.values.reduce(0, +) == Self.workers * Self.rounds)
                #expect((counts["done"] ?? 0) > Self.workers * Self.rounds / 4)
                for code in ["notConnected", "protocolMismatch", "protocolViolation", "invalidArgument"] {
                    #expect(counts[code] == nil)
                }
                #expect(changes.elements.count { $0.state == .reconnecting } > 0)
                for client in [one, two] {
                    try await client.reaches(.open)
                    #expect(try await client.ping() > .zero)
                    let metrics = client.metrics
                    #expect(metrics.pendingRequests == 0)
                    #expect(metrics.outbox.messages == 0)
                    #expect(metrics.outbox.bytes == 0)
                    await client.disconnect()
                }
                try await eventually("the server is empty") { await server.stats.connections.isEmpty }
            }
        }

        /// One call of some kind; how it ended.
        private static func act(_ client: SenteClient, _ number: Int) async -> String {
            let channel = "c\(number % 3)"
            let failure = await error { () throws(SenteError) in
                switch number % 11 {
                case 0, 1: try await client.publish(["n": .integer(Int64(number))], to: channel)
                case 2:
                    let subscription = try await client.subscribe(channel)
                    // Takes what comes within one round trip, then leaves the loop.
                    let consumer = Task { for await _ in subscription {} }
                    _ = await error { () throws(SenteError) in _ = try await client.ping() }
                    consumer.cancel()
                    await consumer.value
                case 3: _ = try await client.request(["n": 1], on: "echo")
                case 4: try await client.send(Event(id: "app", data: ["n": 1]))
                case 5: _ = await (try client.enqueue(Event(id: "app"))).outcome
                case 6:
                    let task = Task {
                        await error { () throws(SenteError) in
                            _ = try await client.request(["n": 2], on: "echo", timeout: .seconds(1))
                        }
                    }
                    await Task.yield()
                    task.cancel()
                    if let failure = await task.value { throw failure }
                case 7:
                    let delivery = try client.enqueue(Event(id: "app"))
                    delivery.cancel()
                    _ = await delivery.outcome
                case 8: try await client.unsubscribe(channel)
                case 9:
                    let registration = client.on("echo") { _ in }
                    _ = try await client.send(
                        Event(id: "ask", data: ["id": .integer(Int64(number))]), timeout: .seconds(3)
                    ) {
                        $0.data["original"]?["id"] == .integer(Int64(number))
                    }
                    registration.cancel()
                default: _ = try await client.confirmedSubscriptions()
                }
            }
            return failure?.code.rawValue ?? "done"
        }

        @Test("a hundred clients come and go on one loop of their own, which is left with nothing")
        func comingAndGoing() async throws {
            try await withServer { server, port in
                let loop = try EventLoop()
                defer { loop.shutDown() }
                var configuration = SenteClient.Configuration()
                configuration.reconnect = .exponential(initial: .milliseconds(20), attempts: nil)
                let settings = configuration
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            do {
                                let client = try SenteClient(
                                    "ws://127.0.0.1:\(port)/", configuration: settings, host: loop,
                                    transport: SocketTransport())
                                async let opening: Void = client.connect()
                                switch number % 4 {
                                case 0:
                                    try await opening
                                    _ = try await client.subscribe("c")
                                    try await client.publish(["n": 1], to: "c")
                                    await client.disconnect()
                                case 1:
                                    // Before it is open.
                                    await client.disconnect()
                                    _ = try? await opening
                                case 2:
                                    try await opening
                                    client.reconnect()
                                    try await client.reaches(.open)
                                default: try await opening  // released while open
                                }
                            } catch {
                                Issue.record(error)
                            }
                        }
                    }
                }
                try await eventually("the server is empty") { await server.stats.connections.isEmpty }
                try await eventually("the loop is empty") {
                    await withCheckedContinuation { continuation in
                        loop.post {
                            continuation.resume(returning: loop.descriptorCount == 0 && loop.timerCount == 0)
                        }
                    }
                }
            }
        }
    }
}
