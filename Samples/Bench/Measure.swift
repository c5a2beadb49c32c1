// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The process's clocks and its memory.
enum Measure {
    static func nanoseconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// User and system time of the whole process.
    static func processorNanoseconds() -> UInt64 {
        nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
    }

    /// Has the allocator give free memory back to the system, where it can be told to.
    static func giveBackMemory() {
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
    }

    /// A figure of `/proc/PID/status` in KiB, of this process where none is named; 0 where there is none.
    static func residentKiB(of process: Int32? = nil, peak: Bool = false) -> Int {
        guard let file = fopen("/proc/\(process.map(String.init) ?? "self")/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix(peak ? "VmHWM:" : "VmRSS:") else { continue }
            return Int(text.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
        }
        return 0
    }
}

/// The stopwatch of one run: starts after the warm-up, and keeps each round trip.
struct Stopwatch {
    private var wall: UInt64 = 0
    private var processor: UInt64 = 0
    private(set) var latencies: [UInt64] = []

    /// Begins the measured section.
    mutating func start(expecting count: Int) {
        latencies.reserveCapacity(count)
        wall = Measure.nanoseconds()
        processor = Measure.processorNanoseconds()
    }

    mutating func record(_ nanoseconds: UInt64) {
        latencies.append(nanoseconds)
    }

    /// Ends it.
    func result(_ client: String, _ load: Load) -> BenchResult {
        let seconds = Double(Measure.nanoseconds() - wall) / 1e9
        let processorMicroseconds = Double(Measure.processorNanoseconds() - processor) / 1e3
        let sorted = latencies.sorted()
        func percentile(_ share: Double) -> Double {
            sorted.isEmpty
                ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1e3
        }
        return BenchResult(
            client: client, mode: load.mode.rawValue, size: load.size, count: load.count,
            figures: [
                ("p50_us", percentile(0.5)), ("p99_us", percentile(0.99)),
                ("msgs_s", (Double(load.count) / seconds).rounded()),
                ("cpu_us", processorMicroseconds / Double(load.count)),
                ("rss_kib", Double(Measure.residentKiB(peak: true))),
            ])
    }
}
