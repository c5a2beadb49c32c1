// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    /// Those that show one thing each.
    @Suite("echo, transfer and bench")
    struct SamplesTests {
        @Test("echo says what it tries, and each tenth of many messages")
        func echo() async throws {
            let server = try LoopbackServer(.senteLiteMaps)
            try await server.start()
            let echo = try SampleProcess([server.url, "--count", "40"], sample: "echo")
            try await echo.says("that it connects") { $0.contains("connecting") && $0.contains("attempt 1") }
            try await echo.says("how far it is") { $0.contains("message 20") && $0.contains("of 40") }
            #expect(try await echo.quit() == 0)
            await server.stop()
            let stranger = try SampleProcess([server.url, "--timeout", "1"], sample: "echo")
            try await stranger.says("why") { $0.contains("no connection") && $0.contains("failed") }
            #expect(try await stranger.quit() == 1)
        }

        @Test(
            "echo alone shows a session that goes on over a cut, with what was in flight acknowledged and answered"
        )
        func resumes() async throws {
            let echo = try SampleProcess([], sample: "echo")
            for label in ["cut", "resumed", "acknowledged", "answered", "back", "delivered", "disconnected"] {
                try await echo.says("the step “\(label)”") { $0.contains("✓ \(label) ") }
            }
            #expect(try await echo.quit() == 0)
            #expect(echo.texts.contains { $0.contains("resumed") && $0.contains("0 messages missed") })
            #expect(echo.texts.contains { $0.contains("metrics") && $0.contains(" 0 dropped") })
        }

        @Test(
            "echo refuses what it does not know, and takes what is said of flow",
            arguments: [
                (["--count", "2"], "Options belong to a server's URL, which is missing."),
                (["ws://127.0.0.1:1/", "more"], "“more” is one argument too many."),
                (["ws://127.0.0.1:1/", "--flow", "all"], "--flow: “all” is none of "),
            ])
        func misuse(arguments: [String], sentence: String) async throws {
            let echo = try SampleProcess(arguments, sample: "echo", withErrors: true)
            try await echo.says("why") { $0.contains(sentence) && $0.contains("swift run echo --help") }
            #expect(try await echo.quit() == 2)
        }

        @Test("transfer sends a file and gets it back, over connections that are cut")
        func transfer() async throws {
            let demo = try SampleProcess(["--size", "400000", "--cuts", "1"], sample: "transfer")
            try await demo.says("what arrived") { $0.contains("400.0 kB arrived in ") }
            try await demo.says("what came back") { $0.hasPrefix("The same bytes came back, over ") }
            #expect(try await demo.quit() == 0)
            let help = try SampleProcess(["--help"], sample: "transfer")
            try await help.says("what there is") { $0.contains("swift run transfer send FILE [URL]") }
            #expect(try await help.quit() == 0)
            #expect(try await SampleProcess(["send"], sample: "transfer").quit() == 2)
            #expect(try await SampleProcess(["frob", "it"], sample: "transfer").quit() == 2)
        }

        @Test("bench explains itself, and refuses what it does not know")
        func bench() async throws {
            let help = try SampleProcess(["--help"], sample: "bench")
            try await help.says("what there is") { $0.contains("bench instructions [FILE]") }
            #expect(try await help.quit() == 0)
            for arguments in [
                ["frob"], ["client", "1"], ["ws://127.0.0.1:1/", "frob"], ["formats", "/nowhere"],
            ] {
                #expect(try await SampleProcess(arguments, sample: "bench").quit() == 2, "\(arguments)")
            }
            let server = try LoopbackServer(.senteLiteMaps)
            let port = try await server.start()
            let bench = try SampleProcess(["client", "\(port)", "publish", "5", "--json"], sample: "bench")
            try await bench.first("figures") { $0["mode"] == "pingpong" && $0["p50_us"] != nil }
            #expect(try await bench.quit() == 0)
            await server.stop()
        }
    }
}
