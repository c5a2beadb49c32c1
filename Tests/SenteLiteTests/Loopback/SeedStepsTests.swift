// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension Loopback {
    /// The project's own test of its channel system, step by step, through clients.
    @Suite("The fourteen steps of sente-lite's channel integration, over real sockets")
    struct SeedStepsTests {
        private func page(_ target: String, _ port: Int) async throws -> Value {
            let url = try #require(URL(string: "http://127.0.0.1:\(port)\(target)"))
            let (data, answer) = try await URLSession.shared.data(from: url)
            #expect((answer as? HTTPURLResponse)?.statusCode == 200)
            return try WireFormat.json.decode(Array(data))
        }

        @Test("They pass one after the other")
        func steps() async throws {
            // 1. Server start-up with the channel system.
            try await withServer({ $0.createsChannels = false }) { server, port in
                #expect(await server.stats.isRunning)

                // 2. Manual channel creation.
                let settings = ChannelConfiguration(maximumSubscribers: 2, retention: 5)
                await server.createChannel("test-channel", settings)
                await server.createChannel("broadcast-channel")

                // 3. Three connections subscribe, all with success.
                let clients = try (0..<4).map { _ in try client(port) }
                for client in clients { try await client.connect() }
                let (one, two, three, four) = (clients[0], clients[1], clients[2], clients[3])
                let first = try await one.subscribe("test-channel")
                let second = try await two.subscribe("test-channel")
                let third = try await three.subscribe("broadcast-channel")
                #expect([first, second, third].map(\.isConfirmed) == [true, true, true])

                // 4. Publishing: delivered to two and to one.
                let receipt = try await one.publish(["text": "hi"], to: "test-channel")
                #expect(receipt.outcome == .acknowledged)
                #expect(receipt.deliveredTo == 2)
                #expect(try await four.publish(["text": "ho"], to: "broadcast-channel").deliveredTo == 1)
                for handle in [first, second] {
                    let message = try #require(try await handle.take(1).first)
                    #expect(message.data == ["text": "hi"])
                    #expect(message.id == receipt.messageID)
                }
                #expect(try await third.take(1).map(\.data) == [["text": "ho"]])

                // 5. Request and response with full correlation.
                let service = try await three.respond(on: "broadcast-channel") { data in
                    .map([
                        "answer": .integer((data["n"]?.integerValue ?? 0) * 2), "for": data["id"] ?? .null,
                    ])
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<50 as Range<Int64> {
                        group.addTask {
                            let asked: Value = ["n": .integer(number), "id": .string("q\(number)")]
                            // At most 16 are served at once; more are told so.
                            var answer: Value?
                            while answer == nil {
                                do throws(SenteError) {
                                    answer = try await four.request(asked, on: "broadcast-channel")
                                } catch {
                                    guard error.code == .busy else { throw error }
                                }
                            }
                            #expect(answer?["answer"] == .integer(number * 2))
                            #expect(answer?["for"] == .string("q\(number)"))
                        }
                    }
                    try await group.waitForAll()
                }

                // 6. Comprehensive statistics.
                let statistics = await server.stats
                #expect(statistics.connections.count == 4)
                #expect(statistics.subscriptions == 3)
                #expect(statistics.pendingRequests == 0)
                #expect(statistics.isHealthy)

                // 7. The HTTP pages are there.
                let health = try await page("/health", port)
                #expect(health["status"] == "healthy")
                #expect(health["connections"] == 4)
                #expect(try await page("/stats", port)["active-connections"] == 4)
                let channels = try await page("/channels", port)
                #expect(channels["channels"]?["test-channel"]?["subscriber-count"] == 2)

                // 8. Listing channels, with what is known of each.
                let listed = try await four.listChannels()
                #expect(Set(listed.map(\.name)) == ["test-channel", "broadcast-channel"])
                let info = try #require(listed.first { $0.name == "test-channel" })
                #expect(info.messageCount == 1)
                #expect(info.subscriberCount == 2)
                #expect(info.maximumSubscribers == 2)
                #expect(info.messageRetention == 5)

                // 9. Managing subscriptions.
                try await two.unsubscribe("test-channel")
                #expect(two.subscriptions.isEmpty)
                #expect(try await two.confirmedSubscriptions().isEmpty)
                let late = try await four.subscribe("test-channel")
                let retained = try #require(try await late.take(1).first)
                #expect(retained.isRetained)
                #expect(retained.data == ["text": "hi"])
                #expect(retained.id == receipt.messageID)
                try await four.unsubscribe("test-channel")
                // A new handle begins with what the server keeps.
                let again = try await two.subscribe("test-channel")
                #expect(try await again.take(1).first?.data == ["text": "hi"])

                // 10. A broadcast to a channel by the server itself, and one to everybody.
                let everybody = Collector<Event>()
                for client in clients { client.on("notice") { everybody.append($0) } }
                await server.publish(["text": "all"], to: "test-channel")
                for handle in [first, again] {
                    #expect(try await handle.take(1).map(\.data) == [["text": "all"]])
                }
                await server.broadcast(["type": "notice", "n": 1])
                let notices = try await everybody.wait("four notices") { $0.count == 4 }
                #expect(notices.allSatisfy { $0.data["broadcast"] == true })

                // 11. Clean-up when a connection goes.
                service.cancel()
                await one.disconnect()
                try await eventually("the server forgets it") { await server.stats.connections.count == 3 }
                #expect(await server.stats.channels.first?.subscriberCount == 1)

                // 12. Invalid operations.
                let unknown = await error { () throws(SenteError) in _ = try await four.subscribe("none") }
                #expect(unknown?.code == .rejected)
                #expect(unknown?.details?["reason"] == "channel-not-found")
                #expect(four.subscriptions.isEmpty)
                let lost = await error { () throws(SenteError) in try await four.publish([:], to: "none") }
                #expect(lost?.code == .rejected)
                let unserved = await error { () throws(SenteError) in
                    _ = try await four.request([:], on: "none")
                }
                #expect(unserved?.code == .rejected)
                _ = try await three.subscribe("test-channel")
                let full = await error { () throws(SenteError) in _ = try await four.subscribe("test-channel")
                }
                #expect(full?.code == .rejected)
                #expect(full?.details?["reason"] == "max-subscribers-reached")

                // 13. The counts: everything processed, nothing dropped.
                #expect(await server.stats.counters.unreadableMessages == 0)
                for client in clients {
                    #expect(client.metrics.missed == 0)
                    #expect(client.metrics.outbox.drops.isEmpty)
                    #expect(client.metrics.undecodable == 0)
                }

                // 14. Shutdown closes everyone.
                let journals = clients.dropFirst().map { $0.collectStatuses() }
                await server.stop()
                for statuses in journals {
                    let lost = try await statuses.first("the loss") { $0.state == .reconnecting }
                    #expect(lost.lastClose?.code == .goingAway)
                }
                #expect(await server.stats.subscriptions == 0)
                #expect(await !server.stats.isRunning)
                for client in clients { await client.disconnect() }
            }
        }
    }
}
