// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteServer
import Testing

extension ServeProcesses {
    /// What people read of flow before they set it.
    @Suite("The help about flow")
    struct FlowHelpTests {
        /// The lines of a help about some options.
        private static func lines(_ names: [String], of arguments: [String]) async throws -> [String] {
            let process = try SampleProcess(arguments + ["--help"])
            for name in names { try await process.says("--\(name)") { $0.hasPrefix("  --\(name) ") } }
            #expect(try await process.quit() == 0)
            return names.map { name in process.texts.first { $0.hasPrefix("  --\(name) ") } ?? "" }
        }

        @Test("console serve names each option, with the default that holds")
        func server() async throws {
            let flow = ServerConfiguration.Flow.all
            let resumption = try #require(flow.resumption)
            let chunking = try #require(flow.chunking)
            let defaults: KeyValuePairs<String, String> = [
                "flow": "all", "resume-window": "\(resumption.window.components.seconds)",
                "buffer-messages": "\(resumption.messages)", "buffer-bytes": "\(resumption.bytes)",
                "parked-sessions": "\(resumption.sessions)",
                "linger": "\(try #require(flow.batching).linger.components.seconds)",
                "chunk-size": "\(chunking.size)", "max-chunked": "\(chunking.maximumMessageBytes)",
            ]
            let lines = try await Self.lines(defaults.map(\.key), of: ["serve"])
            for (line, (_, value)) in zip(lines, defaults) { #expect(line.hasSuffix("(\(value))")) }
            #expect(try await Self.lines(["no-flow"], of: ["serve"])[0].hasSuffix("plain messages"))
        }

        @Test("console and echo name each option, with the default that holds")
        func clients() async throws {
            let flow = FlowPolicy()
            let defaults: KeyValuePairs<String, String> = [
                "flow": "all", "linger": "\(try #require(flow.batching).linger.components.seconds)",
                "chunk-size": "\(try #require(flow.chunking).size)",
            ]
            let lines = try await Self.lines(defaults.map(\.key), of: [])
            for (line, (_, value)) in zip(lines, defaults) { #expect(line.hasSuffix("(\(value))")) }
            for name in ["no-flow", "compress-twice"] {
                #expect(try await Self.lines([name], of: [])[0].hasPrefix("  --\(name) "))
            }
        }
    }
}
