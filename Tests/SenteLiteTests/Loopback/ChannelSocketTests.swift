// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    /// The Sente shape over real sockets, against the reference server in each of its families.
    @Suite("The channel socket")
    struct ChannelSocketTests {
        struct Pair: Sendable, CustomTestStringConvertible {
            var dialect: ServerConfiguration.Dialect
            var format: WireFormat

            var testDescription: String { "\(dialect.rawValue) in \(format)" }
        }

        /// What real servers of each family can be set to, and a client can answer in.
        static let pairs: [Pair] =
            [.json, .edn, .transitJSON].map { Pair(dialect: .maps, format: $0) }
            + [.edn, .transitJSON].map { Pair(dialect: .vectors, format: $0) }
            + [
                .edn, .transitJSON, .transitJSONVerbose, .transitMessagePack, .senteMessagePack,
                .gzip(over: .edn),
                .gzip(over: .transitJSON), .gzip(over: .transitJSONVerbose),
                .gzip(over: .transitMessagePack), .gzip(over: .senteMessagePack),
            ].map { Pair(dialect: .sente, format: $0) }

        private func client(
            _ port: Int, _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
        ) throws(SenteError) -> ChannelSocketClient {
            var configuration = SenteClient.Configuration()
            configuration.reconnect = .exponential(
                initial: .milliseconds(20), maximum: .milliseconds(100), attempts: nil)
            configure(&configuration)
            return try makeChannelSocketClient(
                "ws://127.0.0.1:\(port)/chsk", configuration: configuration)
        }

        @Test(
            "In every dialect and format it opens, sends, hears, is answered, and comes back",
            arguments: pairs)
        func conversation(_ pair: Pair) async throws {
            var configuration = ServerConfiguration(pair.dialect)
            configuration.format = pair.format
            configuration.port = 0
            let server = try ReferenceServer(configuration)
            let port = try await server.start()
            let client = try client(port) {
                // A greeting without a map is the same in both kinds of Transit JSON.
                if pair.format.name.hasSuffix("verbose") { $0.format = pair.format }
            }
            let heard = Collector<EventMessage>()
            let router = startRouter(client.chRecv) { heard.append($0) }

            let handshake = try await heard.first("the handshake") { $0.id == "chsk/handshake" }
            #expect(handshake.data[3] == true)
            #expect(client.state.value.isOpen)
            #expect(client.chsk.client.status.format == pair.format)
            #expect(client.chsk.client.status.dialect == dialect(pair))
            if pair.dialect == .sente { #expect(client.state.value.uid == nil, "The server has no users.") }

            for round in 1...2 {
                // Long enough to be compressed.
                let data: Value = [
                    "n": Value(round), "text": Value(String(repeating: "Grüße 🌍 ", count: 200)),
                    "list": [1, 2.5, nil, true],
                ]
                try client.sendFn(Event("test/hello", data))
                _ = try await heard.first("what comes back of \(round)") { message in
                    switch pair.dialect {
                    case .maps: message.id == "echo" && Self.original(message)["n"] == Value(round)
                    case .vectors:
                        message.id == "sente-lite/echo" && message.data[Keyword("original-data")] == data
                    case .sente: message.event == Event("test/hello", data)
                    }
                }
                try await isAnswered(client, data, pair.dialect)
                guard round == 1 else { break }
                client.chsk.reconnect()
                _ = try await heard.first("the second handshake") {
                    $0.id == "chsk/handshake" && $0.data[3] == false
                }
            }
            #expect(client.errors.recent.isEmpty)
            router.stop()
            await client.chsk.client.disconnect()
            #expect(client.state.value.lastClose?.reason == .requestedDisconnect)
            await server.stop()
        }

        private func dialect(_ pair: Pair) -> Dialect {
            switch pair.dialect {
            case .maps: .senteLiteMaps
            case .vectors: .senteLiteVectors
            case .sente: .sente
            }
        }

        /// The fields that the server of maps echoes; its keys are text or keywords, as the format has it.
        private static func original(_ message: EventMessage) -> Value {
            message.data["original"] ?? message.data[Keyword("original")] ?? .null
        }

        private func isAnswered(
            _ client: ChannelSocketClient, _ data: Value, _ dialect: ServerConfiguration.Dialect
        ) async throws {
            do throws(SenteError) {
                let reply = try await client.sendFn(Event("test/ask", data), timeout: .seconds(30))
                switch dialect {
                case .maps: Issue.record("A server of maps answered an event.")
                case .vectors: #expect(reply.value?[Keyword("original-data")] == data)
                case .sente: #expect(reply == .value(data))
                }
            } catch {
                #expect(dialect == .maps && error.code == .unsupported)
            }
        }

        @Test(
            "A server in the same shape pushes, broadcasts and replies; a user is known by who it says it is")
        func bothEnds() async throws {
            var configuration = ServerConfiguration(.sente)
            configuration.port = 0
            var service = ServerService()
            service.userID = { .string($0.parameter("user") ?? "") }
            let server = try makeChannelSocketServer(configuration, service: service)
            startRouter(server.chRecv) { message in
                switch message.id {
                case "chat/who": message.reply?([.keyword("uid"): message.uid])
                case "chat/silent": break
                case "chat/fail": message.reply?(.keyword("chsk/error"))
                case "chat/say": try server.broadcast([.keyword("chat/said"), message.data])
                default: break
                }
            }
            let port = try await server.server.start()
            let ann = try client(port) { $0.parameters = ["user": "ann"] }
            let bob = try client(port) { $0.parameters = ["user": "bob"] }
            let said = Collector<Value>()
            for one in [ann, bob] {
                one.chRecv.on("chat/said") { said.append([$0.uid ?? .null, $0.data]) }
                try await one.chsk.client.reaches(.open)
            }
            #expect(
                try await ann.sendFn(Event("chat/who"), timeout: .seconds(30))
                    == .value([.keyword("uid"): "ann"]))
            #expect(try await bob.sendFn(Event("chat/silent"), timeout: .milliseconds(50)) == .timeout)
            #expect(try await bob.sendFn(Event("chat/fail"), timeout: .seconds(30)).isError)
            try bob.sendFn(Event("chat/say", "hi"))
            try await said.wait("both hear it") { Set($0) == [["ann", "hi"], ["bob", "hi"]] }
            for one in [ann, bob] { await one.chsk.client.disconnect() }
            await server.server.stop()
        }

        @Test(
            "A stale CSRF token is asked for once more; without a good one the server's words are in the state"
        )
        func csrf() async throws {
            var configuration = ServerConfiguration(.sente)
            configuration.port = 0
            configuration.csrfToken = "good"
            let server = try ReferenceServer(configuration)
            let port = try await server.start()
            let asked = Locked(0)
            let client = try client(port) {
                $0.csrfToken = {
                    asked.withLock {
                        $0 += 1
                        return $0 == 1 ? "stale" : "good"
                    }
                }
            }
            try await client.chsk.client.reaches(.open)
            #expect(asked.withLock { $0 } == 2)
            #expect(client.state.value.csrfToken == "good")
            #expect(client.state.value.lastWSError?.error.httpStatus == 403)

            let stranger = try self.client(port)
            try await stranger.chsk.client.reaches(.failed)
            let error = try #require(stranger.state.value.lastWSError?.error)
            #expect(error.code == .unauthorized)
            #expect(String(decoding: error.body, as: UTF8.self).contains("CSRF"))
            await client.chsk.client.disconnect()
            await server.stop()
        }
    }
}
