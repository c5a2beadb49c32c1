// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    /// What the public calls do over real sockets.
    @Suite("A client and the reference server", .serialized)
    struct ClientTests {
        @Test("two clients talk through a channel, ask each other, and list what the server has")
        func talks() async throws {
            try await Loopback.withServer { _, port in
                let alice = try Loopback.client(port)
                let bob = try Loopback.client(port)
                try await alice.connect()
                try await bob.connect()
                let news = try await alice.subscribe("news")
                #expect(news.isConfirmed)
                let receipt = try await bob.publish(["text": "hello"], to: "news")
                #expect(receipt.deliveredTo == 1)
                var messages = news.makeAsyncIterator()
                #expect(await messages.next()?.data["text"] == "hello")

                try await alice.respond(on: "sum") { data in
                    ["sum": .integer((data["a"]?.integerValue ?? 0) + (data["b"]?.integerValue ?? 0))]
                }
                #expect(try await bob.request(["a": 2, "b": 3], on: "sum")["sum"] == 5)
                #expect(try await bob.listChannels().map(\.name).sorted() == ["news", "sum"])
                #expect(try await alice.confirmedSubscriptions().sorted() == ["news", "sum"])
                #expect(try await bob.ping() > .zero)
                let failure = await error { () throws(SenteError) in
                    _ = try await bob.request(["a": 1], on: "nobody")
                }
                #expect(failure != nil)
                await alice.disconnect()
                await bob.disconnect()
                #expect(alice.state == .closed)
            }
        }

        @Test(
            "a server that comes back on another port is found through its port file, and wishes are restored"
        )
        func restarts() async throws {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent(
                "port-\(UUID().uuidString)"
            )
            .path
            defer { try? FileManager.default.removeItem(atPath: path) }
            try await Loopback.withServer({ $0.portFile = path }) { server, port in
                let client = try client(1) { $0.endpointProvider = .portFile(path) }
                try await client.connect()
                let news = try await client.subscribe("news")
                var messages = news.makeAsyncIterator()
                await server.stop()
                try await client.reaches(.reconnecting)
                // The old port stays taken for a while in any case: 0 takes another.
                try await server.start(port: 0)
                try await client.reaches(.open)
                // A confirmation follows the restored wish.
                while !news.isConfirmed { _ = try await client.ping() }
                await server.publish(["n": 1], to: "news")
                #expect(await messages.next()?.data["n"] == 1)
                #expect(client.metrics.connection.reconnects >= 1)
                await client.disconnect()
            }
        }

        @Test("what is queued while the server is away leaves when it is back, once and in order")
        func queues() async throws {
            try await Loopback.withServer { server, port in
                let client = try Loopback.client(port)
                try await client.connect()
                await server.stop()
                try await client.reaches(.reconnecting)
                let deliveries = try (0..<50).map {
                    try client.enqueue(Event(id: "app", data: ["n": .integer(Int64($0))]))
                }
                var echoes = client.events.makeAsyncIterator()
                try await server.start(port: port)
                for delivery in deliveries { #expect(await delivery.outcome == .written) }
                for number in 0..<50 {
                    #expect(await echoes.next()?.data["original"]?["n"] == .integer(Int64(number)))
                }
                await client.disconnect()
            }
        }

        @Test("disconnect() ends in closed from every state, and no link is left")
        func disconnects() async throws {
            try await Loopback.withServer { server, port in
                let client = try Loopback.client(port)
                await client.disconnect()
                client.reconnect()
                await client.disconnect()
                #expect(client.state == .closed)
                try await client.connect()
                async let first: Void = client.disconnect()
                async let second: Void = client.disconnect()
                _ = await (first, second)
                #expect(client.state == .closed)
                try await client.connect()
                await server.stop()
                try await client.reaches(.reconnecting)
                await client.disconnect()
                #expect(client.state == .closed)
                try await server.start(port: port)
            }
        }

        @Test("a client of a loop of its own releases both")
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        func ownLoop() async throws {
            try await Loopback.withServer { _, port in
                weak var seen: ClientLoop?
                do {
                    let client = try Loopback.client(port) { configuration in
                        do { configuration.loop = try ClientLoop() } catch { Issue.record(error) }
                    }
                    seen = client.configuration.loop
                    try await client.connect()
                    if let executor = client.configuration.loop.executor {
                        let data = try await withTaskExecutorPreference(executor) {
                            try await client.ping()
                        }
                        #expect(data > .zero)
                    }
                    await client.disconnect()
                }
                while seen != nil { await Task.yield() }
            }
        }

        @Test("many tasks publish, subscribe, ask and cancel while the server restarts")
        func stress() async throws {
            try await Loopback.withServer { server, port in
                let client = try Loopback.client(port) { $0.timeouts.request = .seconds(5) }
                try await client.connect()
                try await client.respond(on: "echo") { $0 }
                client.onMessage(in: "c0") { _ in }
                client.onStateChange { _, _ in }
                let counts = Locked([SenteError.Code?: Int]())
                await withTaskGroup(of: Void.self) { group in
                    for worker in 0..<32 {
                        group.addTask {
                            for round in 0..<40 {
                                let code = await Self.act(client, worker, round)
                                counts.withLock { $0[code, default: 0] += 1 }
                            }
                        }
                    }
                    group.addTask {
                        for _ in 0..<5 {
                            await server.stop()
                            _ = try? await server.start(port: port)
                            await #expect(throws: Never.self) { try await client.reaches(.open) }
                        }
                    }
                }
                #expect(counts.withLock { $0.values.reduce(0, +) } == 32 * 40)
                #expect(counts.withLock { $0[nil] ?? 0 } > 0)
                await client.disconnect()
                #expect(client.metrics.pendingRequests == 0)
            }
        }

        /// One call of some kind; its error's code.
        private static func act(_ client: SenteClient, _ worker: Int, _ round: Int) async -> SenteError.Code?
        {
            await error { () throws(SenteError) in
                switch (worker + round) % 6 {
                case 0: try await client.publish(["n": 1], to: "c\(worker % 4)")
                case 1: _ = try await client.subscribe("c\(round % 4)")
                case 2: _ = try await client.request(["n": 1], on: "echo", timeout: .seconds(2))
                case 3:
                    let task = Task {
                        await error { () throws(SenteError) in _ = try await client.subscribe("x") }
                    }
                    task.cancel()
                    if let failure = await task.value { throw failure }
                case 4: _ = await (try client.enqueue(Event(id: "app"))).outcome
                default: try await client.unsubscribe("c\(round % 4)")
                }
            }?.code
        }
    }
}
