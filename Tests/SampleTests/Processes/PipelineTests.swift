// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    /// Apps, a collector, and what becomes of signals between them.
    @Suite("pipeline")
    struct PipelineTests {
        @Test("pipeline keeps each signal once, though its collector is gone for a while")
        func pipeline() async throws {
            let demo = try SampleProcess(["--count", "100", "--rate", "100"], sample: "pipeline")
            for app in ["north", "south"] {
                try await demo.says("what became of \(app)'s") {
                    $0.hasPrefix("\(app): ") && $0.hasSuffix(" 0 missing, 0 twice.")
                }
            }
            #expect(try await demo.quit() == 0)
            let help = try SampleProcess(["--help"], sample: "pipeline")
            try await help.says("what there is") { $0.contains("swift run pipeline collect") }
            #expect(try await help.quit() == 0)
        }

        @Test("its table has each app's counts, rate, levels and latencies, and its files each signal once")
        func table() async throws {
            let folder = try Folder()
            defer { folder.remove() }
            let collector = try SampleProcess(
                ["collect", "--folder", folder.collected.path], sample: "pipeline")
            let port = try await Self.port(of: collector)
            let app = try Self.app("north", port, folder, "--rate", "100", "--count", "113")
            let end = try await app.first("how it ended") { $0["app"] != nil }
            #expect(end == ["app": "north", "raised": 113, "drained": true])
            #expect(try await app.quit() == 0)

            let full = try await collector.first("the whole table") { Self.row($0)?["signals"] == 113 }
            let row = try #require(Self.row(full))
            #expect(row["app"] == "north")
            #expect(row["levels"] == ["info": 101, "warn": 10, "error": 2])
            // Checkouts take from 5 to 94 ms.
            #expect((30...70).contains(row["p50-ms"]?.doubleValue ?? 0))
            #expect((80...100).contains(row["p99-ms"]?.doubleValue ?? 0))
            try await collector.first("all of it within ten seconds") {
                Self.row($0)?["per-second"]?.doubleValue == 11.3
            }
            #expect(try await collector.terminate() == 0)
            #expect(try folder.collectedNumbers(of: "north").sorted() == Array(1...113))
            #expect(try folder.localNumbers(of: "north").isEmpty)
        }

        @Test("An app keeps what its collector took and never said to have written")
        func unanswered() async throws {
            let folder = try Folder()
            defer { folder.remove() }
            let collector = try LoopbackServer(.sente)
            collector.answersEvents("tel/batch") { _ in nil }
            let port = try await collector.start()
            let app = try Self.app("north", port, folder, "--rate", "100", "--count", "3")
            try await collector.expectEvent("tel/batch")
            await collector.cut()
            let end = try await app.first("how it ended") { $0["app"] != nil }
            #expect(end == ["app": "north", "raised": 3, "drained": true])
            #expect(try await app.quit() == 0)
            #expect(try folder.localNumbers(of: "north").sorted() == [1, 2, 3])
            await collector.stop()
        }

        @Test(
            "A command line that does not fit is told so, and nothing begins",
            arguments: [
                (["frob"], "“frob” is neither app nor collect."),
                (["app"], "An app needs the collector's URL, such as ws://127.0.0.1:4000/chsk."),
                (["collect", "more"], "“more” is one argument too many."),
                (["collect", "--port", "65536"], "write a whole number from 0 to 65535."),
                (["collect", "--port", "-1"], "write a whole number from 0 to 65535."),
                (["app", "ws://127.0.0.1:1/", "--rate", "0.05"], "write a number from 0.1 to 100000.0."),
                (["app", "ws://127.0.0.1:1/", "--rate", "100001"], "write a number from 0.1 to 100000.0."),
                (["app", "ws://127.0.0.1:1/", "--count", "-1"], "write a whole number from 0 to"),
                (["app", "http://127.0.0.1:1/"], "ws"),
            ])
        func commandLine(arguments: [String], says: String) async throws {
            let sample = try SampleProcess(arguments, sample: "pipeline", withErrors: true)
            try await sample.says("what is wrong") { $0.contains(says) }
            #expect(try await sample.quit() == 2)
        }

        private static func app(
            _ name: String, _ port: Int, _ folder: Folder, _ options: String...
        ) throws -> SampleProcess {
            try SampleProcess(
                ["app", "ws://127.0.0.1:\(port)/chsk", "--name", name, "--folder", folder.local.path]
                    + options,
                sample: "pipeline")
        }

        private static func port(of collector: SampleProcess) async throws -> Int {
            let line = try await collector.first("its port") { $0["listening"] != nil }
            return Int(try #require(line["listening"]?.integerValue))
        }

        /// The table's row, where it has one.
        private static func row(_ line: Value) -> Value? { line["table"]?[0] }

        /// Where the collector and the app write.
        private struct Folder {
            let whole = FileManager.default.temporaryDirectory
                .appendingPathComponent("pipeline-\(UUID().uuidString)")
            var collected: URL { whole.appendingPathComponent("collected") }
            var local: URL { whole.appendingPathComponent("local") }

            init() throws {
                for folder in [collected, local] {
                    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                }
            }

            func remove() { try? FileManager.default.removeItem(at: whole) }

            func collectedNumbers(of app: String) throws -> [Int] { try numbers(of: app, in: collected) }

            func localNumbers(of app: String) throws -> [Int] { try numbers(of: app, in: local) }

            private func numbers(of app: String, in folder: URL) throws -> [Int] {
                try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                    .flatMap { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
                    .map { try WireFormat.json.decode(Array($0.utf8)) }
                    .filter { $0["ctx"]?["app"]?.stringValue == app }
                    .compactMap { $0["data"]?["n"]?.integerValue.map { Int($0) } }
            }
        }
    }
}
