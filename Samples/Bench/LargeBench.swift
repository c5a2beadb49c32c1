// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteServer
import SenteTransport

/// How long pings and urgent publishes take while a value of 60 MiB is on its way, for the first time or again after a cut, and the
/// pings of another client of the same server, beside what they take when nothing is.
///
/// The server is a process of its own, with everything announced; memory is the client's.
enum LargeBench {
    static let serveWord = "--serve"
    private static let size = 60 << 20

    /// What is on its way.
    private enum Load: String, CaseIterable {
        case nothing = "quiet"
        /// From the client to a channel that nobody listens to.
        case up = "60 MiB out"
        /// And back to the client, which listens.
        case both = "60 MiB both ways"
        /// To that channel a second time, after a cut in the middle of its parts.
        case again = "60 MiB again"
    }

    static func serve() async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.flow = .all
        let server = try ReferenceServer(configuration, on: try EventLoop.shared())
        let port = try await server.start()
        try BenchServer.live(saying: [port])
        await server.stop()
    }

    static func run() async throws {
        let server = try BenchServerProcess.start(["large", serveWord], sayingPorts: 1)
        defer { server.stop() }
        var quiet: [String: Double] = [:]
        for load in Load.allCases {
            output.glimpse(load.rawValue)
            for result in try await measure(load, port: server.port) {
                var result = result
                if load == .nothing {
                    quiet[result.mode] = result.figure("p50_us")
                } else if let base = quiet[result.mode], base > 0 {
                    for name in ["p50", "p99", "max"] {
                        result.figures.append(("\(name)_x", result.figure("\(name)_us") / base))
                    }
                }
                output.show(result)
            }
        }
    }

    private static func measure(_ load: Load, port: Int) async throws -> [BenchResult] {
        var configuration = SenteClient.Configuration()
        configuration.timeouts.request = .seconds(60)
        configuration.inbox.maximumBytes = 2 * size
        let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
        try await client.connect()
        for await status in client.states where status.features != nil { break }
        _ = try await client.subscribe("small")
        let text = Value.string(String(repeating: "0123456789abcdef", count: size / 16))
        let before = Measure.residentKiB()
        let start = Measure.nanoseconds()
        let transfer = Task { () -> UInt64 in
            guard load != .nothing else {
                try await Task.sleep(for: .seconds(2))
                return 0
            }
            let subscription = try await client.subscribe("large")
            async let sent = client.publish(["text": text], to: "large", excludeSender: load != .both)
            let begin = load == .again ? try await cut(client) : start
            _ = try await sent
            if load == .both { for await _ in subscription { break } }
            return Measure.nanoseconds() - begin
        }
        let flag = Flag()
        let others = Task { try await pingsOfAnother(port: port, until: flag) }
        Task {
            _ = try? await transfer.value
            await flag.raise()
        }
        var pings: [UInt64] = []
        var urgent: [UInt64] = []
        while await !flag.isRaised {
            // Without a link there is nobody to ask.
            let counts = load != .again || client.status.recovery != .none
            var began = Measure.nanoseconds()
            guard (try? await client.ping()) != nil else { continue }
            if counts { pings.append(Measure.nanoseconds() - began) }
            began = Measure.nanoseconds()
            try await client.publish(["n": 1], to: "small", options: SendOptions(priority: .urgent))
            if counts { urgent.append(Measure.nanoseconds() - began) }
        }
        let seconds = Double(try await transfer.value) / 1e9
        let peak = Measure.residentKiB(peak: true)
        await client.disconnect()
        return [("ping", pings), ("urgent", urgent), ("ping of another", try await others.value)].map {
            mode, times in
            result(load, mode, times, seconds, before, peak)
        }
    }

    /// Cuts the link when half of a message in parts has left, and waits for the session to go on; when that was.
    private static func cut(_ client: SenteClient) async throws -> UInt64 {
        while client.metrics.chunking.chunksSent < size >> 17 { try await Task.sleep(for: .milliseconds(1)) }
        client.reconnect()
        let start = Measure.nanoseconds()
        for await status in client.states where status.recovery != .none { break }
        return start
    }

    private static func pingsOfAnother(port: Int, until flag: Flag) async throws -> [UInt64] {
        let client = try SenteClient("ws://127.0.0.1:\(port)/")
        try await client.connect()
        var pings: [UInt64] = []
        while await !flag.isRaised {
            let began = Measure.nanoseconds()
            _ = try await client.ping()
            pings.append(Measure.nanoseconds() - began)
        }
        await client.disconnect()
        return pings
    }

    private static func result(
        _ load: Load, _ mode: String, _ times: [UInt64], _ seconds: Double, _ before: Int, _ peak: Int
    ) -> BenchResult {
        let sorted = times.sorted().map { Double($0) / 1e3 }
        func percentile(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        return BenchResult(
            client: load.rawValue, mode: mode, size: load == .nothing ? 0 : size, count: times.count,
            figures: [
                ("p50_us", percentile(0.5)), ("p99_us", percentile(0.99)), ("max_us", sorted.last ?? 0),
                ("part_us", seconds * 1e6 / Double(size >> 16)), ("seconds_x1000", seconds * 1_000),
                ("rss_base_kib", Double(before)), ("rss_kib", Double(peak)),
            ])
    }

    private actor Flag {
        private(set) var isRaised = false
        func raise() { isRaised = true }
    }
}
