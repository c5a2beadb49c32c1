// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import Testing

@Suite("From a call to a file", .timeLimit(.minutes(5)))
struct TelemetryToFileTests {
    private let telemetry = Telemetry()
    private let log: SignalSource
    private let path = NSTemporaryDirectory() + "sente-telemetry-\(UUID().uuidString).log"

    init() {
        log = telemetry.source("my.app")
    }

    @Test("what two threads said stands in the file, each once and each thread's in its order")
    func twoThreads() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        telemetry.add(try FileHandler(path, rotation: .none), as: "file")
        await onThreads(2) { thread in
            for number in 0..<3_000 {
                log.info("said") {
                    $0["thread"] = thread
                    $0["n"] = number
                    $0["text"] = "line\n\(number)"
                }
            }
        }
        #expect(await telemetry.stop().isComplete)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        var next = [0, 0]
        for (index, line) in lines.enumerated() {
            let signal = try WireFormat.json.decode(Array(line.utf8))
            let thread = Int(try #require(signal["data"]?["thread"]?.integerValue))
            #expect(signal["id"] == "my.app/said")
            #expect(signal["seq"]?.integerValue == Int64(index + 1))
            #expect(signal["data"]?["n"]?.integerValue == Int64(next[thread]))
            #expect(signal["data"]?["text"] == .string("line\n\(next[thread])"))
            next[thread] += 1
        }
        #expect(next == [3_000, 3_000])
    }

    #if os(Linux)
    @Test("a full disk fails what it was given, and nobody else loses anything")
    func fullDisk() async throws {
        let memory = MemoryHandler(10_000)
        telemetry.add(try FileHandler("/dev/full", rotation: .none), as: "file")
        telemetry.add(memory, as: "memory")
        for number in 0..<2_000 { log.info("said") { $0["n"] = number } }
        _ = await telemetry.stop()
        let file = try #require(telemetry.statistics["file"])
        #expect(file.failed == file.seen && file.seen >= 2_000)
        #expect(memory.signals.filter { $0.id == "my.app/said" }.count == 2_000)
    }
    #endif
}
