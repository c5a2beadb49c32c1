// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    @Suite("Large values between a client and a server that take everything, with default limits")
    struct LargeValuesTests {
        /// A text of so many bytes that compression makes no tenth of.
        private static func text(_ count: Int) -> Value {
            var state: UInt64 = 1
            let bytes = (0..<count).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return 0x23 + UInt8(state >> 58)
            }
            return .string(String(decoding: bytes, as: UTF8.self))
        }

        private func withServer(
            _ dialect: ServerConfiguration.Dialect, _ body: (Int) async throws -> Void
        ) async throws {
            try await Loopback.withServer({
                $0 = ServerConfiguration(dialect)
                $0.port = 0
                $0.flow = .all
            }) { _, port in try await body(port) }
        }

        @Test(
            "5 MB are published and delivered whole, in both families of sente-lite",
            arguments: [ServerConfiguration.Dialect.maps, .vectors])
        func published(_ dialect: ServerConfiguration.Dialect) async throws {
            try await withServer(dialect) { port in
                let (sender, listener) = (try client(port), try client(port))
                for client in [sender, listener] { try await client.connect() }
                let handle = try await listener.subscribe("bulk")
                _ = try await listener.subscribe("other")
                try await eventually("parts are agreed on") { sender.status.features?.chunking == true }
                let data: Value = ["text": Self.text(5_000_000), "n": 1]
                async let receipt = sender.publish(data, to: "bulk")
                // One large message leaves the others their room.
                for number in 0..<50 {
                    try await sender.publish(["n": Value(number), "text": Self.text(10_000)], to: "other")
                }
                // The later family says nothing of a publish.
                #expect(try await receipt.deliveredTo == (dialect == .maps ? 1 : nil))
                let messages = try await handle.take(1)
                let key: Value = dialect == .maps ? "text" : .keyword("text")
                let text = messages[0].data.mapValue?[key] ?? messages[0].data["text"]
                #expect(text == data["text"])
                #expect(sender.metrics.chunking.messages == 1)
                #expect(sender.metrics.outbox.messages == 0)
                for client in [sender, listener] {
                    #expect(client.metrics.connection.attempts == 1)
                    await client.disconnect()
                }
            }
        }

        @Test("5 MB go to a Sente server and come back in its reply")
        func replied() async throws {
            try await withServer(.sente) { port in
                let client = try client(port)
                try await client.connect()
                try await eventually("parts are agreed on") { client.status.features?.chunking == true }
                let data: Value = [.keyword("text"): Self.text(5_000_000)]
                let reply = try await client.send(
                    Event(id: "large/echo", data: data), timeout: .seconds(30))
                #expect(reply == data)
                #expect(client.metrics.connection.attempts == 1)
                await client.disconnect()
            }
        }

        @Test("60 MiB go where both sides allow it, and pings are answered meanwhile")
        func sixty() async throws {
            try await withServer(.maps) { port in
                let client = try client(port) { $0.timeouts.request = .seconds(60) }
                try await client.connect()
                try await eventually("parts are agreed on") { client.status.features?.chunking == true }
                let size = 60 << 20
                let text = Value.string(String(repeating: "0123456789abcdef", count: size / 16))
                let isDone = Locked(false)
                _ = try await client.subscribe("bulk")
                async let receipt = {
                    defer { isDone.withLock { $0 = true } }
                    return try await client.publish(["text": text], to: "bulk", excludeSender: true)
                }()
                var pings = 0
                while !isDone.withLock({ $0 }) {
                    _ = try await client.ping()
                    pings += 1
                }
                #expect(try await receipt.deliveredTo == 0)
                #expect(pings > 1)
                #expect(client.metrics.connection.attempts == 1)
                await client.disconnect()
            }
        }
    }
}
