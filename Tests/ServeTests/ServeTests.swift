// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteBase
import SenteLite
import SenteSignals
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension ServeProcesses {
    /// It is heard by a client that knows no dialect.
    @Suite("What it says in each mode")
    struct ServeTests {
        private static let formats: [String: WireFormat] = [
            "json": .json, "edn": .edn, "transit": .transitJSON, "transit-verbose": .transitJSONVerbose,
            "transit-msgpack": .transitMessagePack, "msgpack": .senteMessagePack,
            "gzip-edn": .gzip(over: .edn),
            "gzip-transit": .gzip(over: .transitJSON),
            "gzip-transit-verbose": .gzip(over: .transitJSONVerbose),
            "gzip-transit-msgpack": .gzip(over: .transitMessagePack),
            "gzip-msgpack": .gzip(over: .senteMessagePack),
        ]

        private func greeting(_ client: WireClient) async throws -> Value {
            try await client.messages.first("a greeting") { _ in true }
        }

        @Test(
            "In every mode and format it greets in that format",
            arguments: [
                ("v1", ["json", "edn", "transit"]), ("sente-lite", ["json", "edn", "transit"]),
                ("sente", Self.formats.keys.sorted().filter { $0 != "json" }),
            ])
        func greets(_ mode: String, _ names: [String]) async throws {
            let loop = try EventLoop.shared()
            for name in names {
                let (server, port) = try await SampleProcess.serve([
                    "--mode", mode, "--format", name, "--no-flow",
                ])
                let format = try #require(Self.formats[name])
                #expect(server.lines.first?["format"] == .string(format.name))
                #expect(server.lines.first?["mode"] == .string(mode))
                let client = WireClient(port: port, "/chsk?client-id=c", format, on: loop)
                let greeting = try await greeting(client)
                switch mode {
                case "v1": #expect((greeting["type"] ?? greeting[Keyword("type")]) != nil)
                case "sente-lite": #expect(greeting[1]?[3] == true)
                default: #expect(greeting == [[.keyword("chsk/handshake"), ["c", nil, nil]], nil])
                }
                client.abandon()
                #expect(try await server.quit() == 0)
            }
        }

        @Test("In the mode sente chat goes to everybody with its sender, and who wants an answer gets one")
        func relay() async throws {
            let loop = try EventLoop.shared()
            let (server, port) = try await SampleProcess.serve(["--mode", "sente"])
            #expect(server.lines.first?["url"] == "ws://127.0.0.1:\(port)/chsk")
            let ann = WireClient(port: port, "/chsk?client-id=a&user=ann", .edn, on: loop)
            let bob = WireClient(port: port, "/chsk?client-id=bob", .edn, on: loop)
            for client in [ann, bob] { _ = try await greeting(client) }
            try bob.send([[.keyword("chat/say"), [.keyword("text"): "hi"]], "cb1"])
            let said: Value = [
                [[.keyword("chat/say"), [.keyword("text"): "hi", .keyword("from"): "bob"]]], nil,
            ]
            for client in [ann, bob] { _ = try await client.messages.first("the chat") { $0 == said } }
            _ = try await bob.messages.first("the answer") { $0 == [.keyword("ok"), "cb1"] }
            try ann.send([[.keyword("chat/wave")], nil])
            try ann.send([[.keyword("chat/say"), "plain"], nil])
            _ = try await bob.messages.first("chat that is no map") {
                guard case .vector(let events)? = $0[0] else { return false }
                return events.contains([
                    .keyword("chat/say"), [.keyword("data"): "plain", .keyword("from"): "ann"],
                ])
            }
            try ann.send([[.keyword("test/x"), [1, 2]], "cb2"])
            _ = try await ann.messages.first("its own data") { $0 == [[1, 2], "cb2"] }
            for client in [ann, bob] { client.abandon() }
            #expect(try await server.quit() == 0)
        }

        @Test("Tokens, paths, releases and wrapping are settings")
        func settings() async throws {
            let loop = try EventLoop.shared()
            let (strict, port) = try await SampleProcess.serve(
                [
                    "--csrf", "t", "--path", "/chsk", "--sente-version", "1.17", "--mode", "sente",
                    "--no-flow",
                ])
            for (target, status) in [("/chsk?client-id=c", 403), ("/x?client-id=c&csrf-token=t", 404)] {
                let refused = WireClient(port: port, target, .edn, on: loop)
                let end = try await refused.ends.first("the refusal") { _ in true }
                guard case .refused(let refusal) = end else {
                    Issue.record("\(end)")
                    continue
                }
                #expect(refusal.status == status)
            }
            let client = WireClient(port: port, "/chsk?client-id=c&csrf-token=t", .edn, on: loop)
            #expect(try await greeting(client) == #"+[[:chsk/handshake ["c" nil]]]"#)
            #expect(try await strict.quit() == 0)

            let (wrapping, other) = try await SampleProcess.serve([
                "--wrap", "--mode", "sente-lite", "--csrf", "t",
            ])
            let subscriber = WireClient(port: other, "/", .edn, on: loop)
            #expect(try await greeting(subscriber)[1]?[1] == "t")
            try subscriber.send([.keyword("sente-lite/subscribe"), [.keyword("channel-id"): "a"]])
            try subscriber.send([
                .keyword("sente-lite/publish"), [.keyword("channel-id"): "a", .keyword("data"): [:]],
            ])
            _ = try await subscriber.messages.first("a wrapped delivery") { $0[0] == .keyword("chsk/recv") }
            #expect(try await wrapping.quit() == 0)
        }

        @Test(
            "Telemetry of clients is written into one file a session where the server was told to, and else is an event",
            arguments: ["sente", "v1"])
        func signals(mode: String) async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let (server, port) = try await SampleProcess.serve([
                "--mode", mode, "--takes-signals", folder.path,
            ])
            var configuration = SenteClient.Configuration()
            configuration.clientID = "phone-1"
            let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
            try await client.connect()
            let signal = Signal(
                time: 1, level: .error, namespace: "cart", id: "cart/failed", data: [.keyword("items"): 3])
            let event =
                mode == "v1"
                ? Event(id: "tel/batch", data: ["signals": [signal.value]])
                : Event(id: "tel/signal", data: signal.value)
            try await client.send(event)
            // What was sent before is handled before.
            _ = try await client.ping()
            await client.disconnect()
            #expect(try await server.quit() == 0)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(files.count == 1)
            let text = try String(
                contentsOf: folder.appendingPathComponent(try #require(files.first)), encoding: .utf8)
            #expect(text.split(separator: "\n").count == 1)
            #expect(text.contains("cart/failed") && text.contains("\"items\":3"))
        }

        @Test(
            "What no server of the family speaks is a misuse that says what would be right",
            arguments: [
                (["--mode", "v1", "--format", "msgpack"], "json, edn, transit"),
                (["--format", "gzip-edn", "--mode", "sente-lite"], "json, edn, transit"),
                (["--mode", "sente", "--format", "json"], "edn, transit, msgpack"),
                (["--mode", "v2"], "v1, sente-lite, sente"),
                (["--sente-version", "1.19"], "1.17, 1.20, 1.22"),
                (["--format", "xml"], "transit-verbose"), (["--keep-alive", "x"], "seconds"),
            ])
        func misuse(_ arguments: [String], _ advice: String) async throws {
            let process = try SampleProcess(["serve"] + arguments)
            let line = try await process.first("the error") { $0["kind"] == "error" }
            #expect(line["message"]?.stringValue?.contains(advice) == true)
            #expect(try await process.quit() == 2)
        }
    }
}
