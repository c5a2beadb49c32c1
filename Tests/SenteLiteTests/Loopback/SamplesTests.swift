// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// What people meet when they run the samples.
    @Suite("The samples")
    struct SamplesTests {
        @Test(
            "console serve tells of each client that comes, goes or is turned away, unless it is to be quiet")
        func accessLines() async throws {
            let (server, port) = try await ConsoleProcess.server(["--mode", "sente", "--csrf", "t"])
            let client = try ConsoleProcess(
                ["ws://127.0.0.1:\(port)/chsk", "--csrf", "t", "--param", "user=ann"])
            try await client.open()
            let came = try await server.first("the client comes") { $0["event"] == "came" }
            #expect(came["kind"] == "access" && came["path"] == "/chsk")
            #expect(came["peer"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
            client.write("event [:chat/say {:text \"hi\"}]")
            #expect(try await client.quit() == 0)
            let went = try await server.first("the client goes") { $0["event"] == "went" }
            #expect(went["connection"] == came["connection"])
            #expect(went["reason"]?.stringValue?.contains("1000") == true)
            #expect(went["messages"]?.integerValue ?? 0 > 0)
            let stranger = try ConsoleProcess(["ws://127.0.0.1:\(port)/chsk", "--csrf", "wrong"])
            let refused = try await server.first("the stranger is turned away") { $0["event"] == "refused" }
            #expect(refused["status"] == 403)
            #expect(try await stranger.quit() == 0)
            #expect(try await server.quit() == 0)
            #expect(server.lines.elements.last?["state"] == "stopped")

            let (quiet, other) = try await ConsoleProcess.server(["--quiet"])
            let guest = try ConsoleProcess(["ws://127.0.0.1:\(other)/"])
            try await guest.open()
            #expect(try await guest.quit() == 0)
            #expect(try await quiet.quit() == 0)
            #expect(!quiet.lines.elements.contains { $0["kind"] == "access" })
        }

        @Test(
            "chat says that it is connecting and why it is not connected, and leaves politely when it is told to end"
        )
        func chat() async throws {
            let server = try LoopbackServer(.sente)
            let port = try await server.start()
            await server.stop()
            let ann = try ConsoleProcess([server.url + "chsk", "--name", "Ann"], sample: "chat")
            try await ann.says("why there is no connection") {
                $0.contains("no connection: Connecting to 127.0.0.1:\(port) failed")
            }
            let left = Collector<Event>()
            server.answersEvents("chat/bye") { event in
                left.append(event)
                return nil
            }
            try await server.start()
            try await ann.says("Ann is connected") { $0.contains("connected as Ann") }
            await server.push(Event("chat/here", [.keyword("from"): "Bob", .keyword("new"): true]))
            try await ann.says("Bob joins") { $0 == "Bob joined" }
            await server.push(Event("chat/bye", [.keyword("from"): "Bob"]))
            try await ann.says("Bob leaves") { $0 == "Bob left" }
            #expect(try await ann.terminate() == 0)
            _ = try await left.first("that Ann leaves") { _ in true }
            #expect(ann.texts.elements.last?.contains("left") == true)
            await server.stop()
        }

        @Test("chat shows who says what, answers who is new, and says what the server answers")
        func chatWithScript() async throws {
            let server = try LoopbackServer(.sente)
            try await server.start()
            let said = Collector<Event>()
            server.answersEvents("chat/say") { event in
                said.append(event)
                return event.data[Keyword("text")] == "refuse me" ? .keyword("chsk/error") : .keyword("ok")
            }
            server.answersEvents("chat/here") { event in
                said.append(event)
                return nil
            }
            let ann = try ConsoleProcess([server.url + "chsk", "--name", "Ann"], sample: "chat")
            try await ann.says("Ann is connected") { $0.contains("connected as Ann") }
            _ = try await said.first("that Ann is new") { $0.data[Keyword("new")] == true }
            await server.push(Event("chat/here", [.keyword("from"): "Bob", .keyword("new"): true]))
            try await ann.says("Bob joins") { $0 == "Bob joined" }
            _ = try await said.first("Ann's answer to Bob") { $0.id == "chat/here" && $0.data.isNull }
            await server.push(Event("chat/say", [.keyword("from"): "Bob", .keyword("text"): "hi, Ann"]))
            try await ann.says("what Bob said") { $0 == "Bob hi, Ann" }
            ann.write("hello")
            _ = try await said.first("what Ann said") { $0.data[Keyword("text")] == "hello" }
            ann.write("refuse me")
            try await ann.says("what was not delivered") { $0.contains("not delivered: refuse me") }
            #expect(try await ann.quit() == 0)
            await server.stop()
        }

        @Test(
            "before a terminal they have colours, a prompt and a notice that counts down; NO_COLOR takes the colours"
        )
        func terminals() async throws {
            let server = try LoopbackServer(.senteLiteMaps)
            try await server.start()
            let options = [server.url, "--backoff-initial", "2", "--backoff-maximum", "2"]
            let console = try ConsoleProcess(
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
            #expect(!console.lines.elements.contains { $0["kind"] != nil }, "no JSON for people")

            let plain = try ConsoleProcess(
                options, environment: ["TERM": "xterm", "NO_COLOR": "1"], terminal: true)
            try await plain.says("why there is no connection") { $0.contains("failed") }
            plain.press(control: "C")
            #expect(try await plain.quit() == 0)
            #expect(!plain.texts.elements.contains { $0.contains("\u{1B}[3") || $0.contains("\u{1B}[2m") })
        }

        @Test("echo says what it tries, and each tenth of many messages")
        func echo() async throws {
            let server = try LoopbackServer(.senteLiteMaps)
            try await server.start()
            let echo = try ConsoleProcess([server.url, "--count", "40"], sample: "echo")
            try await echo.says("that it connects") { $0.contains("connecting") && $0.contains("attempt 1") }
            try await echo.says("how far it is") { $0.contains("message 20") && $0.contains("of 40") }
            #expect(try await echo.quit() == 0)
            await server.stop()
            let stranger = try ConsoleProcess([server.url, "--timeout", "1"], sample: "echo")
            try await stranger.says("why") { $0.contains("no connection") && $0.contains("failed") }
            #expect(try await stranger.quit() == 1)
        }

        @Test("pipeline keeps each signal once, though its collector is gone for a while")
        func pipeline() async throws {
            let demo = try ConsoleProcess(["--count", "100", "--rate", "100"], sample: "pipeline")
            for app in ["north", "south"] {
                try await demo.says("what became of \(app)'s") {
                    $0.hasPrefix("\(app): ") && $0.hasSuffix(" 0 missing, 0 twice.")
                }
            }
            #expect(try await demo.quit() == 0)
            let help = try ConsoleProcess(["--help"], sample: "pipeline")
            try await help.says("what there is") { $0.contains("swift run pipeline collect") }
            #expect(try await help.quit() == 0)
            #expect(try await ConsoleProcess(["frob"], sample: "pipeline").quit() == 2)
        }

        @Test(
            "console shows each message on standard error where it or its environment is told to",
            arguments: [(["--trace"], [:]), ([], ["SENTE_TRACE": "1"])] as [([String], [String: String])])
        func trace(options: [String], environment: [String: String]) async throws {
            let server = try LoopbackServer()
            let port = try await server.start()
            let client = try ConsoleProcess(
                ["ws://127.0.0.1:\(port)/"] + options, environment: environment, withErrors: true)
            client.write(#"publish room {"text": "hi"}"#)
            for mark in ["= ", "< ", "> "] {
                try await client.says("a line with \(mark)") { $0.hasPrefix(mark) }
            }
            try await client.says("what left") { $0.hasPrefix("> ") && $0.contains("room") }
            #expect(try await client.quit() == 0)
            await server.stop()
        }

        @Test("transfer sends a file and gets it back, over connections that are cut")
        func transfer() async throws {
            let demo = try ConsoleProcess(["--size", "400000", "--cuts", "1"], sample: "transfer")
            try await demo.says("what arrived") { $0.contains("400.0 kB arrived in ") }
            try await demo.says("what came back") { $0.hasPrefix("The same bytes came back, over ") }
            #expect(try await demo.quit() == 0)
            let help = try ConsoleProcess(["--help"], sample: "transfer")
            try await help.says("what there is") { $0.contains("swift run transfer send FILE [URL]") }
            #expect(try await help.quit() == 0)
            #expect(try await ConsoleProcess(["send"], sample: "transfer").quit() == 2)
            #expect(try await ConsoleProcess(["frob", "it"], sample: "transfer").quit() == 2)
        }

        @Test("bench explains itself, and refuses what it does not know")
        func bench() async throws {
            let help = try ConsoleProcess(["--help"], sample: "bench")
            try await help.says("what there is") { $0.contains("bench instructions [FILE]") }
            #expect(try await help.quit() == 0)
            for arguments in [
                ["frob"], ["client", "1"], ["ws://127.0.0.1:1/", "frob"], ["formats", "/nowhere"],
            ] {
                #expect(try await ConsoleProcess(arguments, sample: "bench").quit() == 2, "\(arguments)")
            }
            let server = try LoopbackServer(.senteLiteMaps)
            let port = try await server.start()
            let bench = try ConsoleProcess(["client", "\(port)", "publish", "5", "--json"], sample: "bench")
            try await bench.first("figures") { $0["mode"] == "pingpong" && $0["p50_us"] != nil }
            #expect(try await bench.quit() == 0)
            await server.stop()
        }
    }
}
