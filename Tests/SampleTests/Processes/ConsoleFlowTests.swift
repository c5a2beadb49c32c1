// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    /// What goes beyond plain messages, by the console's commands.
    @Suite("The console's flow")
    struct ConsoleFlowTests {
        @Test(
            "its status says what holds, and that the session went on over a cut, unless it is to use nothing"
        )
        func status() async throws {
            let server = try LoopbackServer()
            await server.keepsSessions()
            let port = try await server.start()
            let client = try SampleProcess.client(port)
            try await client.open()
            var status = try await client.ask("status")
            while status["features"] == nil { status = try await client.ask("status") }
            #expect(status["features"] == ["resume"])
            #expect(status["recovery"] == nil)
            await server.cut()
            try await client.open(2)
            let after = try await client.ask("status")
            #expect(after["recovery"] == ["resumed": true, "missed": 0])
            #expect(after["features"] == ["resume"])

            let plain = try SampleProcess.client(port, "--no-flow")
            try await plain.open()
            _ = try await plain.ask("request nobody {} 0.1")
            #expect(try await plain.ask("status")["features"] == nil)
            for process in [client, plain] { #expect(try await process.quit() == 0) }
            await server.stop()
        }

        @Test("each way to say something durable keeps it, and tells what came of it")
        func durable() async throws {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("sente-console-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let server = try LoopbackServer()
            await server.answersRequests(on: "service") { _ in 42 }
            let port = try await server.start()
            let options = ["--outbox", folder.path, "--client-id", "till-7"]
            let client = try SampleProcess(["ws://127.0.0.1:\(port)/"] + options)
            try await client.open()
            #expect(try await client.ask("subscribe room")["confirmed"] == true)
            let commands: [(String, key: String, word: Value, outcome: Value, fails: Bool)] = [
                ("publish --durable room {}", "publish", "room", "acknowledged", false),
                ("request --durable service {}", "request", "service", "acknowledged", false),
                (#"send --durable {"type":"x/y"}"#, "event", "x/y", "written", false),
                // Nobody answers there, as the server says.
                ("request --durable nobody {}", "request", "nobody", "acknowledged", true),
            ]
            for (command, key, word, outcome, fails) in commands {
                let answer = try await client.ask(command)
                let told = try await client.first("what came of \(command)") {
                    $0["command"] == "outbox" && $0["message"]?[key] == word
                }
                #expect(told["outcome"] == outcome, "\(command)")
                #expect((told["error"] != nil) == fails, "\(command)")
                #expect((answer["kind"] == "error") == fails, "\(command)")
            }

            let second = try SampleProcess(["ws://127.0.0.1:\(port)/"] + options)
            try await second.first("that the folder is taken") {
                $0["kind"] == "error" && $0["code"] == "inUse"
            }
            #expect(try await second.quit() == 1)
            #expect(try await client.quit() == 0)

            let placeless = try SampleProcess(["ws://127.0.0.1:\(port)/"])
            try await placeless.open()
            let refused = try await placeless.ask("publish --durable room {}")
            #expect(refused["message"]?.stringValue?.contains("--outbox DIRECTORY") == true)
            #expect(try await placeless.quit() == 0)
            await server.stop()
        }
    }
}
