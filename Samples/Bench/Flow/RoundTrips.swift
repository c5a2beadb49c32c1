// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// Round trips of one client, a turn at a time.
///
/// What flow costs is less than the machine's pace changes from one second to the next. So two clients of one process take turns,
/// some milliseconds each, and who goes first changes too.
struct RoundTrips {
    enum Mode: String, CaseIterable {
        /// A publish, until its own delivery has come.
        case publish
        /// A request that the server answers itself.
        case request
    }

    private static let turns = 100
    private static let data: Value = ["number": 1, "text": "hello"]

    private let client: SenteClient
    private let mode: Mode
    private let channel: String
    private let subscription: Subscription?
    private var latencies: [Double] = []
    private var processor: UInt64 = 0

    /// Those of two clients, which are gone then.
    static func inTurns(
        _ mode: Mode, port: Int, _ one: FlowPolicy, _ other: FlowPolicy, _ effort: FlowBench.Effort
    ) async throws -> (RoundTrips, RoundTrips) {
        var both = (
            try await RoundTrips(mode, port: port, one, channel: "one"),
            try await RoundTrips(mode, port: port, other, channel: "other")
        )
        let count = effort.count(100)
        for turn in -turns / 10..<turns {
            if turn.isMultiple(of: 2) { try await both.0.run(count, isMeasured: turn >= 0) }
            try await both.1.run(count, isMeasured: turn >= 0)
            if !turn.isMultiple(of: 2) { try await both.0.run(count, isMeasured: turn >= 0) }
        }
        for client in [both.0.client, both.1.client] { await client.disconnect() }
        return both
    }

    private init(_ mode: Mode, port: Int, _ flow: FlowPolicy, channel: String) async throws {
        client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: .bare(flow))
        try await client.connect()
        try await client.agree(flow)
        self.mode = mode
        self.channel = channel
        subscription = mode == .publish ? try await client.subscribe(channel) : nil
    }

    private mutating func run(_ count: Int, isMeasured: Bool) async throws {
        let processorBefore = Measure.processorNanoseconds()
        var messages = subscription?.makeAsyncIterator()
        for _ in 0..<count {
            let start = Measure.nanoseconds()
            switch mode {
            case .publish:
                try await client.publish(Self.data, to: channel)
                _ = await messages?.next()
            case .request: _ = try await client.request(Self.data, on: BenchServer.hooked)
            }
            if isMeasured { latencies.append(Double(Measure.nanoseconds() - start)) }
        }
        if isMeasured { processor += Measure.processorNanoseconds() - processorBefore }
    }

    /// The latency that this share of them does not exceed, in nanoseconds.
    func latency(_ share: Double) -> Double {
        let sorted = latencies.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// That of a round trip in the whole process, in nanoseconds.
    var processorTime: Double { Double(processor) / Double(latencies.count) }
}
