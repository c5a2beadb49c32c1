// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    @Suite("console")
    struct ConsoleProcessTests {
        @Test(
            "before a terminal they have colours, a prompt and a notice that counts down; NO_COLOR takes the colours"
        )
        func terminals() async throws {
            let server = try LoopbackServer(.senteLiteMaps)
            try await server.start()
            let options = [server.url, "--backoff-initial", "2", "--backoff-maximum", "2"]
            let console = try SampleProcess(
                options, environment: ["TERM": "xterm", "NO_COLOR": ""], terminal: true)
            try await console.says("that it is connected") {
                $0.contains("\u{1B}[") && $0.contains("connected")
            }
            console.write("subscribe news")
            try await console.says("the prompt, and what came of the command") {
                $0.contains("›") && $0.contains("subscribe")
            }
            await server.stop()
            try await console.says("when it tries again") { $0.contains("retrying in") || $0.contains("try") }
            console.press(control: "C")
            #expect(try await console.quit() == 0)
            #expect(!console.lines.contains { $0["kind"] != nil }, "no JSON for people")

            let plain = try SampleProcess(
                options, environment: ["TERM": "xterm", "NO_COLOR": "1"], terminal: true)
            try await plain.says("why there is no connection") { $0.contains("failed") }
            plain.press(control: "C")
            #expect(try await plain.quit() == 0)
            #expect(!plain.texts.contains { $0.contains("\u{1B}[3") || $0.contains("\u{1B}[2m") })
        }

        @Test(
            "console shows each message on standard error where it or its environment is told to",
            arguments: [(["--trace"], [:]), ([], ["SENTE_TRACE": "1"])] as [([String], [String: String])])
        func trace(options: [String], environment: [String: String]) async throws {
            let server = try LoopbackServer()
            let port = try await server.start()
            let client = try SampleProcess(
                ["ws://127.0.0.1:\(port)/"] + options, environment: environment, withErrors: true)
            client.write(#"publish room {"text": "hi"}"#)
            for mark in ["= ", "< ", "> "] {
                try await client.says("a line with \(mark)") { $0.hasPrefix(mark) }
            }
            try await client.says("what left") { $0.hasPrefix("> ") && $0.contains("room") }
            #expect(try await client.quit() == 0)
            await server.stop()
        }

        @Test(
            "events in EDN, with and without a reply, on each family",
            arguments: [
                ("v1", "json", Dialect.senteLiteMaps, WireFormat.json),
                ("sente-lite", "edn", .senteLiteVectors, .edn),
                ("sente", "gzip-transit", .sente, .gzip(over: .transitJSON)),
            ])
        func events(mode: String, formatName: String, dialect: Dialect, format: WireFormat) async throws {
            let server = try LoopbackServer(dialect, format: format)
            if dialect == .sente { server.greets(as: "ann") }
            server.answersEvents("chat/x") { _ in nil }
            try await server.start()
            let client = try SampleProcess([
                server.url + "chsk", "--dialect", mode, "--format", formatName, "--client-id", "c9",
                "--csrf", "t", "--param", "user=ann", "--header", "X-Test=1",
            ])
            try await client.open()
            let status = try await client.ask("status")
            #expect(status["format"] == .string(format.name))
            if dialect == .sente { #expect(status["uid"] == "ann") }
            let sent = try await client.ask("event [:chat/x {:a 1}]")
            #expect(sent["kind"] == "outcome" && sent["outcome"] == "written")
            let arrived = try await server.expectEvent("chat/x")
            #expect(arrived.data == (dialect == .senteLiteMaps ? ["a": 1] : [.keyword("a"): 1]))
            await server.push(Event(id: "chat/y", data: [.keyword("b"): 2]))
            try await client.first("an event of the server") { $0["kind"] == "event" && $0["id"] == "chat/y" }
            let reply = try await client.ask("event [:test/x {:a 2}] 30")
            switch dialect {
            case .senteLiteMaps, .nats: #expect(reply["code"] == "unsupported")
            case .senteLiteVectors: #expect(reply["data"]?["original-data"] == ["a": 2])
            case .sente:
                #expect(reply["kind"] == "reply" && reply["data"] == ["a": 2] && reply["id"] == "test/x")
            }
            for command in ["event", "event [:x 1]", "event {:a", "event [:a/b 1] soon", "event [1 2 3]"] {
                #expect(try await client.ask(command)["code"] == "usage", "\(command)")
            }
            #expect(try await client.quit() == 0)
            await server.stop()
        }

        @Test("with --stay it goes on when its input ends, until `quit` or a signal")
        func stay() async throws {
            let server = try LoopbackServer()
            let port = try await server.start()
            let staying = try SampleProcess.client(port, "--stay")
            let quitting = try SampleProcess.client(port, "--stay")
            let speaker = try SampleProcess.client(port)
            for client in [staying, quitting] {
                try await client.open()
                #expect(try await client.ask("subscribe room")["confirmed"] == true)
            }
            staying.endInput()
            try await speaker.open()
            for number in 0..<3 {
                let outcome = try await speaker.ask(#"publish room {"n": \#(number)}"#)
                #expect(outcome["outcome"] == "acknowledged")
            }
            #expect(try await staying.messages(3).map { $0["n"] } == [0, 1, 2])
            #expect(staying.lines.last { $0["kind"] == "state" }?["state"] == "open")
            #expect(try await staying.terminate() == 0)
            quitting.write("quit")
            for client in [quitting, speaker] {
                #expect(try await client.quit() == 0)
                #expect(!client.lines.contains { $0["kind"] == "error" })
            }
            await server.stop()
        }

        @Test("a dialect or format that nobody speaks is a misuse", arguments: ["--dialect", "--format"])
        func misuse(option: String) async throws {
            let process = try SampleProcess(["ws://127.0.0.1:9/", option, "xml"])
            let line = try await process.first("the error") { $0["kind"] == "error" }
            #expect(line["message"]?.stringValue?.contains("auto") == true)
            #expect(try await process.quit() == 2)
        }
    }
}
