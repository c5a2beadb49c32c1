// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry

/// How often a call allocates memory, counted by valgrind: in two processes, with fewer and with more calls, so that what the
/// process needs besides cancels out.
///
/// What the dispatcher allocates for its rounds is counted too, so that the figure is a little more than a call's own.
enum TelemetryAllocations {
    static let word = "--allocations"
    private static let fewer = 20_000
    private static let more = 220_000

    /// Makes so many calls, for the counter: on the calling thread, for valgrind 3.19 survives none of Dispatch's.
    static func raise(_ count: Int) {
        let telemetry = Telemetry()
        telemetry.add(Sink(), as: "sink", HandlerOptions(threads: 0))
        let signals = TelemetryBench.ThreeFields(on: telemetry.source("bench"))
        for number in 0..<count { signals.raise(number) }
    }

    /// A call's.
    static func each() throws -> Double {
        let few = try count(fewer)
        return Double(try count(more) - few) / Double(more - fewer)
    }

    /// Those of a whole process.
    private static func count(_ calls: Int) throws -> Int {
        let valgrind = try InstructionBench.findValgrind()
        let child = BenchServerProcess.another(["telemetry", word, "\(calls)"])
        child.arguments =
            ["--tool=memcheck", "--undef-value-errors=no", child.executableURL?.path ?? ""]
            + (child.arguments ?? [])
        child.executableURL = valgrind
        let said = Pipe()
        child.standardError = said
        try child.run()
        let text = String(decoding: try said.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        child.waitUntilExit()
        // ==1== total heap usage: 12,345 allocs, 12,340 frees, 1,234,567 bytes allocated
        let line = text.split(separator: "\n").first { $0.contains("total heap usage:") }
        let words = line?.split(separator: " ") ?? []
        guard child.terminationStatus == 0, let place = words.firstIndex(where: { $0.hasPrefix("allocs") }),
            place > 0, let number = Int(words[place - 1].filter(\.isNumber))
        else { throw BenchFailure(message: "valgrind failed: \(text)") }
        return number
    }
}

/// Takes signals and does nothing with them.
private struct Sink: TelemetryHandler {
    func handle(_ batch: SignalBatch) {}
}
