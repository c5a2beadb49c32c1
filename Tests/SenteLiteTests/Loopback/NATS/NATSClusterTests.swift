// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension Loopback {
    /// Two nodes that know one another.
    @Suite("A client and a cluster of NATS", .needs(.natsServer))
    struct NATSClusterTests {
        /// Runs two nodes for the time that `body` runs.
        private func withNodes(_ body: (_ one: Intermediary, _ two: Intermediary) async throws -> Void)
            async throws
        {
            let free = Locked(0)
            try await Loopback.withServer { _, port in free.withLock { $0 = port } }
            let meeting = free.withLock { $0 }
            // A node that is told to stop waits for a second, and closes its connections over two.
            let patience = "lame_duck_grace_period: \"8s\", lame_duck_duration: \"30s\""
            let first = "cluster { name: rig, host: 127.0.0.1, port: \(meeting) }, \(patience)"
            let second =
                "cluster { name: rig, host: 127.0.0.1, port: -1, routes: [\"nats://127.0.0.1:\(meeting)\"] }"
            try await Intermediary.withNATS(first) { one in
                try await Intermediary.with({
                    .nats($0, second, name: "two")
                }) { two in
                    try await eventually("the nodes know one another") {
                        guard let client = try? await one.connected() else { return false }
                        defer { Task { await client.disconnect() } }
                        return client.status.identity?.handshakeData?["connect_urls"]?.arrayValue?.count == 2
                    }
                    try await body(one, two)
                }
            }
        }

        private func node(of client: SenteClient) -> String? {
            client.status.identity?.handshakeData?["server_name"]?.stringValue
        }

        @Test(
            "a node that is killed is followed by the other, which the client learned of, at once and with every wish"
        )
        func killed() async throws {
            try await withNodes { one, two in
                let client = try await one.connected { $0.reconnect = .default }
                let other = try await two.connected()
                let news = try await client.subscribe("news")
                #expect(node(of: client) == "one")
                let statuses = client.collectStatuses()
                try await one.stop()
                _ = try await statuses.first("the loss") { $0.state == .reconnecting }
                _ = try await statuses.first("the other node") { $0.state == .open }
                #expect(node(of: client) == "two" && client.metrics.connection.attempts == 2)
                try await client.publish(1, to: "other")
                try await other.publish("still here", to: "news")
                #expect(try await news.take(1).first?.data == "still here")
                await client.disconnect()
                await other.disconnect()
            }
        }

        @Test("a node that is about to stop is left for the other, and no publish fails for it")
        func lameDuck() async throws {
            try await withNodes { one, _ in
                let client = try await one.connected()
                let news = try await client.subscribe("news")
                let statuses = client.collectStatuses()
                one.signal(SIGUSR2)
                var count = 0
                while node(of: client) != "two" {
                    let receipt = try await client.publish(Value(count), to: "news")
                    #expect(receipt.outcome == .acknowledged)
                    count += 1
                }
                // The status is there before whoever collects it is told.
                _ = try await statuses.first("the other node") { $0.state == .open }
                #expect(statuses.elements.map(\.state) == [.reconnecting, .connecting, .open])
                #expect(
                    try await news.take(count).compactMap(\.data.integerValue)
                        == (0..<count).map { Int64($0) })
                await client.disconnect()
            }
        }
    }
}
