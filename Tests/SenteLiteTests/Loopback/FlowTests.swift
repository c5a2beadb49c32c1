// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    @Suite("More than one side takes at once")
    struct FlowTests {
        private func flood(_ client: SenteClient, _ count: Int) async throws {
            try await client.send(
                Event(
                    id: "flood",
                    data: ["channel-id": "flood", "count": Value(count), "data": ["text": "drop"]]))
        }

        @Test("what a handle's inbox cannot hold is counted on the next message, and the connection stays")
        func dropOldest() async throws {
            try await withServer({ $0.allowsFlood = true }) { server, port in
                let client = try client(port) { $0.inbox = InboxPolicy(maximumMessages: 100) }
                try await client.connect()
                let handle = try await client.subscribe("flood")
                try await flood(client, 20_000)
                // Its answer comes behind the flood.
                let receipt = try await client.publish(["text": "end"], to: "flood")
                #expect(receipt.deliveredTo == 1)
                try await eventually("the flood is over") { client.metrics.received.messages >= 20_002 }
                await server.publish(["text": "last"], to: "flood")
                var count = 0
                var missed = 0
                for await message in handle {
                    count += 1
                    missed += message.missed
                    if message.data["text"] == "last" { break }
                }
                #expect(count + missed == 20_002)
                #expect(missed > 0)
                #expect(client.metrics.missed == missed)
                #expect(client.metrics.connection.attempts == 1)
                await client.disconnect()
            }
        }

        @Test("with .pauseReading nothing is lost on a consumer that starts late")
        func pauseReading() async throws {
            try await withServer({ $0.allowsFlood = true }) { _, port in
                let client = try client(port) {
                    $0.inbox = InboxPolicy(maximumMessages: 200, overflow: .pauseReading)
                }
                try await client.connect()
                let handle = try await client.subscribe("flood")
                try await flood(client, 20_000)
                try await eventually("reading pauses") { client.metrics.received.messages >= 200 }
                let messages = try await handle.take(20_000)
                #expect(messages.allSatisfy { $0.missed == 0 })
                #expect(Set(messages.compactMap(\.id)).count == 20_000)
                #expect(client.metrics.missed == 0)
                #expect(try await client.ping() > .zero)
                #expect(client.metrics.connection.attempts == 1)
                await client.disconnect()
            }
        }

        @Test(
            "to a server that reads nothing, what fits waits, the rest is refused, and each learns its outcome"
        )
        func nothingRead() async throws {
            let release = Collector<Void>()
            let server = try RawServer { connection, _ in
                connection.upgrade()
                connection.greet()
                // Held open, and not read, until the test is through.
                while release.elements.isEmpty, connection.isOpen {}
            }
            defer { server.stop() }
            let client = try client(server.port) {
                $0.timeouts.close = .milliseconds(300)
                $0.outbox.maximumBytes = 512 << 10
            }
            try await client.connect()
            let data: Value = ["text": .string(String(repeating: "x", count: 16 << 10))]
            var deliveries: [Delivery] = []
            var refusal: SenteError?
            // The system's buffers take some of it, at most some MiB.
            while refusal == nil, deliveries.count < 10_000 {
                do throws(SenteError) {
                    deliveries.append(try client.enqueue(Event(id: "bulk", data: data)))
                } catch {
                    refusal = error
                    // What was posted before may have left meanwhile.
                    if client.metrics.outbox.bytes < 400 << 10 { refusal = nil }
                    await Task.yield()
                }
            }
            #expect(refusal?.code == .outboxFull)
            #expect(refusal?.outcome == .notSent)
            #expect(client.metrics.outbox.bytes <= 512 << 10)
            #expect(client.state == .open)
            await client.disconnect()
            #expect(client.state == .closed)
            var outcomes: [Outcome: Int] = [:]
            for delivery in deliveries { outcomes[await delivery.outcome, default: 0] += 1 }
            #expect((outcomes[.written] ?? 0) > 0)
            #expect((outcomes[.notSent] ?? 0) > 0)
            #expect(outcomes[.acknowledged] == nil)
            #expect(client.metrics.outbox.messages == 0)
            release.append(())
        }

        @Test(
            "messages up to the limit go both ways whole, and a byte more is refused",
            arguments: [1 << 16, 1 << 20])
        func large(limit: Int) async throws {
            try await withServer({
                // The envelope around it counts for the client, not for the text.
                $0.maximumMessageBytes = limit * 2
            }) { _, port in
                let client = try client(port) {
                    $0.limits = SizeLimits(incomingMessage: limit * 2, outgoingMessage: limit)
                }
                try await client.connect()
                let handle = try await client.subscribe("bulk")
                let text = String(repeating: "é👋\"\\\n", count: limit / 24)
                for number in 0..<8 {
                    try await client.publish(["n": Value(number), "text": .string(text)], to: "bulk")
                }
                let messages = try await handle.take(8)
                #expect(messages.map { $0.data["n"] } == (0..<8).map { Value($0) })
                #expect(messages.allSatisfy { $0.data["text"]?.stringValue == text })
                let more: Value = ["text": .string(String(repeating: "x", count: limit + 1))]
                let failure = await error { () throws(SenteError) in
                    try await client.publish(more, to: "bulk")
                }
                #expect(failure?.code == .messageTooLarge)
                #expect(failure?.outcome == .notSent)
                #expect(client.metrics.connection.attempts == 1)
                await client.disconnect()
            }
        }

        @Test("requests that a restart cuts are told unknown or answered by the new server, each once")
        func requestsOverRestarts() async throws {
            try await withServer { server, port in
                let service = try client(port)
                let asker = try client(port) { $0.timeouts.request = .seconds(60) }
                for client in [service, asker] { try await client.connect() }
                let served = Locked([Int64: Int]())
                try await service.respond(on: "double") { data in
                    let number = data["n"]?.integerValue ?? -1
                    served.withLock { $0[number, default: 0] += 1 }
                    return ["n": .integer(number * 2)]
                }
                let ends = Locked([String: Int]())
                await withTaskGroup(of: Void.self) { group in
                    for worker in 0..<8 {
                        group.addTask {
                            for round in 0..<100 {
                                let number = Int64(worker * 1_000 + round)
                                do throws(SenteError) {
                                    let answer = try await asker.request(
                                        ["n": .integer(number)], on: "double")
                                    #expect(answer["n"] == .integer(number * 2))
                                    ends.withLock { $0["answered", default: 0] += 1 }
                                } catch {
                                    ends.withLock { $0[error.code.rawValue, default: 0] += 1 }
                                }
                            }
                        }
                    }
                    group.addTask {
                        for _ in 0..<3 {
                            await server.drop()
                            await server.stop()
                            _ = try? await server.start(port: port)
                            try? await service.reaches(.open)
                            try? await asker.reaches(.open)
                        }
                    }
                }
                let counts = ends.withLock { $0 }
                print("Loopback requests over restarts, how they ended:", counts)
                #expect(counts.values.reduce(0, +) == 800)
                #expect((counts["answered"] ?? 0) > 100)
                // Nothing is asked twice by itself.
                #expect(served.withLock { $0.values.allSatisfy { $0 == 1 } })
                for client in [service, asker] { await client.disconnect() }
            }
        }
    }
}
