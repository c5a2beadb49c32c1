// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry

/// What a signal costs its caller, and how many reach a file.
enum TelemetryBench {
    private static let bursts = 400
    private static let burst = 1_000
    /// A lane holds several of these, so that no call of one has to wait.
    private static let roomyBurst = 800
    /// The dispatcher comes each 10 ms while there is something.
    private static let pause = Duration.milliseconds(12)
    private static let toFile = 2_000_000

    static func run() async throws {
        let floor = shown("an empty call", 0, 1, await callers(1) { { Nothing.call($0) } })
        let filtered = shown("filtered out", 3, 1, await callers(1, filteredCalls))
        output.show(
            sentence:
                "filtered out: \(rounded(filtered.processor - floor.processor)) ns more than an empty call")
        var calls: [Int: Cost] = [:]
        for threads in [1, 2] {
            _ = shown(
                "no fields", 0, threads, try await raising(threads) { log in { _ in log.info("joined") } })
            calls[threads] = shown(
                "three fields", 3, threads, try await raising(threads) { ThreeFields(on: $0).raise })
            _ = shown(
                "three fields, lanes with room", 3, threads,
                try await raising(threads, of: roomyBurst, pause: pause) { ThreeFields(on: $0).raise })
        }
        try showAllocations()
        try await floodBlocked()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for threads in [1, 2] {
            output.progress("\(toFile) signals into a file, \(threads) threads")
            try await intoFile(folder.appendingPathComponent("\(threads).json").path, threads)
            let own = shown(
                "a line by write(2)", 3, threads,
                try await OwnLogger.cost(folder.appendingPathComponent("own").path, threads))
            guard let call = calls[threads] else { continue }
            output.show(
                ratio: own.processor / call.processor, "a line by write(2), \(threads) threads",
                of: "three fields")
        }
    }

    // MARK: Calls

    /// Raises signals of three fields, with texts that no other thread has: they would wait for one another to count references.
    struct ThreeFields {
        let log: SignalSource
        private let channels = TelemetryBench.channels()

        init(on log: SignalSource) { self.log = log }

        func raise(_ number: Int) {
            log.info("joined") {
                $0["channel-id"] = channels[number & 7]
                $0["members"] = number
                $0["is-new"] = number & 1 == 0
            }
        }
    }

    /// Texts of 18 bytes made at run time.
    static func channels() -> [String] { (0..<8).map { "general-channel-\(10 + $0)" } }

    @Sendable private static func filteredCalls() -> (Int) -> Void {
        let telemetry = Telemetry()
        telemetry.add(Sink(), as: "sink", HandlerOptions(mode: .synchronous))
        let log = telemetry.source("bench")
        let channels = Self.channels()
        return { number in
            log.debug("joined") {
                $0["channel-id"] = channels[number & 7]
                $0["members"] = number
                $0["is-new"] = true
            }
        }
    }

    /// Without a pause a lane is full after a tenth of a millisecond: the wall time is then that of waking the dispatcher, over and
    /// over, and of waiting for it where there are more threads than processors.
    private static func raising(
        _ threads: Int, of burst: Int = burst, pause: Duration? = nil,
        _ makeCall: @escaping @Sendable (SignalSource) -> (Int) -> Void
    ) async throws -> Cost {
        let telemetry = Telemetry()
        telemetry.add(Sink(), as: "sink", HandlerOptions(threads: 0))
        let log = telemetry.source("bench")
        let cost = await callers(threads, of: burst, pause: pause) { makeCall(log) }
        await telemetry.stop()
        guard telemetry.intake.dropped == 0 else { throw BenchFailure(message: "Signals were dropped.") }
        return cost
    }

    /// What a call takes, in nanoseconds.
    struct Cost {
        /// The median of bursts, waiting for others on the machine included.
        var wall: Double
        /// The median of the calling thread's own processor time, which others on the machine disturb least.
        var processor: Double
        /// How many processors the process had meanwhile, at the median: threads that take turns are in nobody's way.
        var processors: Double
    }

    /// What a call costs when so many threads make it at once, with a pause that counts for nothing behind each burst.
    static func callers(
        _ threads: Int, bursts: Int = bursts, of burst: Int = burst, pause: Duration? = nil,
        _ makeCall: @escaping @Sendable () -> (Int) -> Void
    ) async -> Cost {
        let costs = await onThreads(threads) { _ in
            let call = makeCall()
            return (0..<bursts).map { _ in
                let process = Measure.processorNanoseconds()
                let start = (Measure.nanoseconds(), Measure.nanoseconds(CLOCK_THREAD_CPUTIME_ID))
                for number in 0..<burst { call(number) }
                let end = (Measure.nanoseconds(), Measure.nanoseconds(CLOCK_THREAD_CPUTIME_ID))
                let all = Double(Measure.processorNanoseconds() - process)
                if let pause { Thread.sleep(forTimeInterval: pause / .seconds(1)) }
                let (wall, own) = (Double(end.0 - start.0), Double(end.1 - start.1))
                return (wall / Double(burst), own / Double(burst), all / wall)
            }
        }.flatMap { $0 }
        return Cost(
            wall: median(costs.map(\.0)), processor: median(costs.map(\.1)),
            processors: median(costs.map(\.2)))
    }

    // MARK: Memory

    private static func showAllocations() throws {
        output.progress("counting allocations")
        do {
            let each = try TelemetryAllocations.each()
            output.show(sentence: "three fields: \(rounded(each)) allocations a call")
        } catch let error as CountingError {
            output.show(sentence: "allocations a call were not counted: \(error)")
        }
    }

    /// A disk that takes nothing any more, and callers that go on.
    private static func floodBlocked() async throws {
        let seconds = 10
        output.progress("\(seconds) s into a handler that blocks")
        let telemetry = Telemetry()
        let door = DispatchSemaphore(value: 0)
        telemetry.add(Blocked(door), as: "blocked", HandlerOptions(mode: .dropping))
        let signals = ThreeFields(on: telemetry.source("bench"))
        signals.raise(0)
        let start = Measure.nanoseconds()
        let end = start + UInt64(seconds) * 1_000_000_000
        // What all buffers need is there after the first second.
        let figures = await onThreads(1) { _ in
            var (count, slowest, early) = (0, UInt64(0), 0)
            while true {
                let before = Measure.nanoseconds()
                guard before < end else { return (count, slowest, early) }
                for number in 0..<1_000 { signals.raise(number) }
                slowest = max(slowest, Measure.nanoseconds() - before)
                count += 1_000
                if early == 0, before > start + 1_000_000_000 { early = Measure.residentKiB() }
            }
        }[0]
        let grown = Measure.residentKiB() - figures.2
        door.signal()
        await telemetry.stop(within: .milliseconds(100))
        output.show(
            BenchResult(
                client: "into a handler that blocks", mode: "telemetry", size: 3, count: figures.0,
                figures: [
                    ("signals_s", Double(figures.0) / Double(seconds)), ("grown_kib", Double(grown)),
                    ("slowest_1000_ms", Double(figures.1) / 1e6),
                ]))
        guard grown < 4_096 else {
            throw BenchFailure(message: "The process grew by \(grown) KiB in \(seconds - 1) s.")
        }
    }

    // MARK: Into a file

    private static func intoFile(_ path: String, _ threads: Int) async throws {
        let telemetry = Telemetry()
        telemetry.add(try FileHandler(path, rotation: .none), as: "file")
        let log = telemetry.source("bench")
        let (start, processor) = (Measure.nanoseconds(), Measure.processorNanoseconds())
        _ = await onThreads(threads) { _ in
            let signals = ThreeFields(on: log)
            for number in 0..<(toFile / threads) { signals.raise(number) }
        }
        let report = await telemetry.stop(within: .seconds(600))
        let seconds = Double(Measure.nanoseconds() - start) / 1e9
        let each = Double(Measure.processorNanoseconds() - processor) / 1e3 / Double(toFile)
        let lines = try newlines(path)
        guard report.isComplete, lines == toFile else {
            throw BenchFailure(message: "\(toFile - lines) of \(toFile) lines are missing.")
        }
        output.show(
            BenchResult(
                client: "into a JSON file, \(threads) threads", mode: "telemetry", size: 3, count: toFile,
                figures: [("signals_s", Double(toFile) / seconds), ("cpu_us", each)]))
    }

    private static func newlines(_ path: String) throws -> Int {
        try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped).withUnsafeBytes { bytes in
            bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
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

    private static func shown(_ name: String, _ fields: Int, _ threads: Int, _ cost: Cost) -> Cost {
        output.show(
            BenchResult(
                client: "\(name), \(threads) threads", mode: "telemetry", size: fields, count: bursts * burst,
                figures: [
                    ("call_ns", cost.wall), ("cpu_ns", cost.processor), ("processors", cost.processors),
                ]))
        return cost
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

struct BenchFailure: Error {
    var message: String
}

/// Takes signals, and does not come back before it is told to.
private struct Blocked: TelemetryHandler {
    private let door: DispatchSemaphore

    init(_ door: DispatchSemaphore) { self.door = door }

    // Once open it stays open.
    func handle(_ batch: SignalBatch) {
        door.wait()
        door.signal()
    }
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
///
/// Two threads that run at once wait for the file's lock in the kernel, and spin: a line then costs nearly three times as much
/// as where they take turns, so the ratio with two threads says as much of the machine's other work as of telemetry.
private final class OwnLogger {
    static func cost(_ path: String, _ threads: Int) async throws -> TelemetryBench.Cost {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw BenchFailure(message: "The file \(path) cannot be opened.") }
        defer { close(descriptor) }
        return await TelemetryBench.callers(threads, bursts: 200, of: 100) {
            let logger = OwnLogger(descriptor)
            return { logger.log($0) }
        }
    }

    private var writer = LineWriter(.json)
    private let channels = TelemetryBench.channels()
    private let descriptor: Int32

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    private func log(_ number: Int) {
        withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 8) { space in
            var fields = SignalFields(in: space, level: .info, kind: .event)
            fields.setNamespace("bench" as StaticString)
            fields.setID("joined" as StaticString)
            fields["channel-id"] = channels[number & 7]
            fields["members"] = number
            fields["is-new"] = number & 1 == 0
            writer.write(fields.finish(at: Int64(Measure.nanoseconds(CLOCK_REALTIME))))
        }
        _ = write(descriptor, writer.bytes.baseAddress, writer.count)
        writer.removeAll()
    }
}
