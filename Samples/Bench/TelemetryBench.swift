// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry

/// What a signal costs its caller, and how many reach a file.
enum TelemetryBench {
    private static let bursts = 400
    private static let burst = 1_000
    private static let toFile = 2_000_000

    static func run() async throws {
        let floor = shown("an empty call", 0, 1, await callers(1) { Nothing.call($0) })
        let filtered = shown("filtered out", 3, 1, await callers(1, filteredCalls()))
        output.show(sentence: "filtered out: \(rounded(filtered - floor)) ns more than an empty call")
        var calls: [Int: Double] = [:]
        for threads in [1, 2] {
            _ = shown("no fields", 0, threads, try await raising(threads) { log, _ in log.info("joined") })
            calls[threads] = shown("three fields", 3, threads, try await raising(threads, threeFields))
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for threads in [1, 2] {
            output.progress("\(toFile) signals into a file, \(threads) threads")
            try await intoFile(folder.appendingPathComponent("\(threads).json").path, threads)
            let own = shown(
                "a line by write(2)", 3, threads,
                try await OwnLogger.nanoseconds(folder.appendingPathComponent("own").path, threads))
            guard let call = calls[threads] else { continue }
            output.show(ratio: own / call, "a line by write(2), \(threads) threads", of: "three fields")
        }
    }

    // MARK: Calls

    static func threeFields(_ log: SignalSource, _ number: Int) {
        log.info("joined") {
            $0["channel-id"] = channels[number & 7]
            $0["members"] = number
            $0["is-new"] = number & 1 == 0
        }
    }

    /// Texts of 18 bytes made at run time.
    static let channels = (0..<8).map { "general-channel-\(10 + $0)" }

    private static func filteredCalls() -> @Sendable (Int) -> Void {
        let telemetry = Telemetry()
        telemetry.add(Sink(), as: "sink", HandlerOptions(mode: .synchronous))
        let log = telemetry.source("bench")
        return { number in
            log.debug("joined") {
                $0["channel-id"] = channels[number & 7]
                $0["members"] = number
                $0["is-new"] = true
            }
        }
    }

    private static func raising(
        _ threads: Int, _ call: @escaping @Sendable (SignalSource, Int) -> Void
    ) async throws -> Double {
        let telemetry = Telemetry()
        telemetry.add(Sink(), as: "sink", HandlerOptions(threads: 0))
        let log = telemetry.source("bench")
        let nanoseconds = await callers(threads) { call(log, $0) }
        await telemetry.stop()
        guard telemetry.intake.dropped == 0 else { throw BenchFailure(message: "Signals were dropped.") }
        return nanoseconds
    }

    /// The nanoseconds of a call: the median of bursts, each of as many calls, of all threads at once.
    static func callers(_ threads: Int, _ call: @escaping @Sendable (Int) -> Void) async -> Double {
        let times = await onThreads(threads) { _ in
            (0..<bursts).map { _ in
                let start = Measure.nanoseconds()
                for number in 0..<burst { call(number) }
                return Double(Measure.nanoseconds() - start) / Double(burst)
            }
        }
        return median(times.flatMap { $0 })
    }

    // MARK: Into a file

    private static func intoFile(_ path: String, _ threads: Int) async throws {
        let telemetry = Telemetry()
        telemetry.add(try FileHandler(path, rotation: .none), as: "file")
        let log = telemetry.source("bench")
        let start = Measure.nanoseconds()
        _ = await onThreads(threads) { _ in
            for number in 0..<(toFile / threads) { threeFields(log, number) }
        }
        let report = await telemetry.stop(within: .seconds(600))
        let seconds = Double(Measure.nanoseconds() - start) / 1e9
        let lines = try newlines(path)
        guard report.isComplete, lines == toFile else {
            throw BenchFailure(message: "\(toFile - lines) of \(toFile) lines are missing.")
        }
        output.show(
            BenchResult(
                client: "into a JSON file, \(threads) threads", mode: "telemetry", size: 3, count: toFile,
                figures: [("signals_s", Double(toFile) / seconds)]))
    }

    private static func newlines(_ path: String) throws -> Int {
        try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped).reduce(0) {
            $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0)
        }
    }

    // MARK: -

    /// The values of a body on so many threads of its own.
    static func onThreads<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) -> Value
    ) async -> [Value] {
        await withTaskGroup(of: Value.self) { group in
            for index in 0..<count {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread { continuation.resume(returning: body(index)) }.start()
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func shown(_ name: String, _ fields: Int, _ threads: Int, _ nanoseconds: Double) -> Double
    {
        output.show(
            BenchResult(
                client: "\(name), \(threads) threads", mode: "telemetry", size: fields, count: bursts * burst,
                figures: [("call_ns", nanoseconds)]))
        return nanoseconds
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

struct BenchFailure: Error {
    var message: String
}

/// Takes signals and does nothing with them.
private struct Sink: TelemetryHandler {
    func handle(_ batch: SignalBatch) {}
}

private enum Nothing {
    @inline(never)
    static func call(_ number: Int) {}
}

/// What telemetry is compared with: each line is formatted and written before the call returns.
private enum OwnLogger {
    static func nanoseconds(_ path: String, _ threads: Int) async throws -> Double {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw BenchFailure(message: "The file \(path) cannot be opened.") }
        defer { close(descriptor) }
        let times = await TelemetryBench.onThreads(threads) { _ in
            var writer = LineWriter(.json)
            return (0..<200).map { _ in
                let start = Measure.nanoseconds()
                for number in 0..<100 { log(number, &writer, descriptor) }
                return Double(Measure.nanoseconds() - start) / 100
            }
        }
        return TelemetryBench.median(times.flatMap { $0 })
    }

    private static func log(_ number: Int, _ writer: inout LineWriter, _ descriptor: Int32) {
        withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 8) { space in
            var fields = SignalFields(in: space, level: .info, kind: .event)
            fields.setNamespace("bench" as StaticString)
            fields.setID("joined" as StaticString)
            fields["channel-id"] = TelemetryBench.channels[number & 7]
            fields["members"] = number
            fields["is-new"] = number & 1 == 0
            writer.write(fields.finish(at: Int64(Measure.nanoseconds(CLOCK_REALTIME))))
        }
        _ = write(descriptor, writer.bytes.baseAddress, writer.count)
        writer.removeAll()
    }
}
