// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    @Suite("Compression", .serialized)
    struct CompressionTests {
        /// What a client's first request says of extensions.
        private func offer(_ configure: (inout SenteClient.Configuration) -> Void) async throws -> String? {
            let heads = Collector<String>()
            let server = try RawServer { connection, _ in
                let head = connection.readHead()
                heads.append(head)
                connection.upgrade(head: head)
                connection.greet()
                _ = connection.readToEnd()
            }
            defer { server.stop() }
            let client = try client(server.port, configure)
            try await client.connect()
            await client.disconnect()
            let head = try await heads.wait("a request") { !$0.isEmpty }[0]
            let field = "Sec-WebSocket-Extensions: "
            return head.split(separator: "\r\n").first { $0.hasPrefix(field) }.map {
                String($0.dropFirst(field.count))
            }
        }

        @Test("permessage-deflate is offered by default, as the configuration says, or not at all")
        func offers() async throws {
            #expect(try await offer { _ in } == "permessage-deflate; client_max_window_bits")
            #expect(
                try await offer { $0.compression = CompressionPolicy(keepsOutgoingContext: false) }
                    == "permessage-deflate; client_no_context_takeover; client_max_window_bits")
            #expect(try await offer { $0.compression = nil } == nil)
        }

        @Test("long messages arrive, whichever sides compress", arguments: [true, false], [true, false])
        func arrives(client: Bool, server: Bool) async throws {
            try await withServer({ if !server { $0.compression = nil } }) { _, port in
                let alice = try Loopback.client(port) { if !client { $0.compression = nil } }
                try await alice.connect()
                var messages = try await alice.subscribe("news").makeAsyncIterator()
                for number in 0..<5 {
                    let data: Value = [
                        "number": .integer(Int64(number)),
                        "text": .string(String(repeating: "水 ", count: 5_000)),
                    ]
                    try await alice.publish(data, to: "news")
                    #expect(await messages.next()?.data == data)
                }
                await alice.disconnect()
            }
        }

        @Test("a server that does not agree to what the client insists on is not talked to")
        func insists() async throws {
            try await withServer({ $0.compression = nil }) { _, port in
                // Declining all of it is no answer, and fine.
                let client = try Loopback.client(port) { $0.compression?.keepsIncomingContext = false }
                try await client.connect()
                await client.disconnect()
            }
            let server = try RawServer { connection, _ in
                connection.upgrade(head: connection.readHead(), extensions: "permessage-deflate")
                _ = connection.readToEnd()
            }
            defer { server.stop() }
            let client = try client(server.port) { $0.compression?.keepsIncomingContext = false }
            let failure = await error { () throws(SenteError) in try await client.connect() }
            #expect(
                failure?.message.contains("server_no_context_takeover") == true,
                "\(String(describing: failure))")
            await client.disconnect()
        }

        @Test("a deflate bomb ends the link with 1009; the client goes on, and nothing in the outbox is lost")
        func bomb() async throws {
            let library = try ZlibLibrary.shared.get()
            var bomb: [UInt8] = []
            try [UInt8](repeating: 0x20, count: 16 << 20).withUnsafeBytes {
                try library.compress($0, .raw, into: &bomb)
            }
            let payload = bomb
            let told = Collector<UInt16?>()
            let server = try RawServer { connection, number in
                connection.upgrade(head: connection.readHead(), extensions: "permessage-deflate")
                connection.greet()
                if number == 0 {
                    connection.frame(0x41, payload)
                }
                told.append(connection.readToEnd())
            }
            defer { server.stop() }
            let client = try client(server.port)
            let statuses = client.collectStatuses()
            try await client.connect()
            let retry = try await statuses.first("a retry") { $0.state == .reconnecting }
            #expect(retry.lastError?.closeCode == .messageTooBig)
            let delivery = try client.enqueue(Event(id: "app/hello", data: ["n": 1]))
            #expect(await delivery.outcome == .written)
            #expect(client.state == .open)
            #expect(try await told.wait("the end of the bad connection") { !$0.isEmpty }[0] == 1009)
            await client.disconnect()
        }
    }
}
