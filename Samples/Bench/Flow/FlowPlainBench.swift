// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTransport

/// What messages cost that use nothing of flow, where it was agreed on: beside the same without.
///
/// The difference is smaller than what the machine's pace changes from one second to the next. So two clients of one process take
/// turns, some milliseconds each, and who goes first changes too.
enum FlowPlainBench {
    private static let features =
        #"{"batching":true,"chunking":true,"max-chunk-size":65536,"binary":true,"compression":["gzip"],"#
        + #""resume":{"window-ms":300000,"messages":100,"bytes":1048576}}"#
    private static let turns = 100

    static func run(_ effort: FlowBench.Effort) async throws {
        let server = try BenchServerProcess.start(["serve", "--flow"])
        defer { server.stop() }
        for mode in RoundTrips.Mode.allCases {
            var on = try await RoundTrips(mode, port: server.port, FlowPolicy(), channel: "plain-on")
            var off = try await RoundTrips(mode, port: server.port, .off, channel: "plain-off")
            for turn in -turns / 10..<turns {
                let count = effort.count(100)
                let isMeasured = turn >= 0
                if turn.isMultiple(of: 2) {
                    try await on.run(count, isMeasured)
                    try await off.run(count, isMeasured)
                } else {
                    try await off.run(count, isMeasured)
                    try await on.run(count, isMeasured)
                }
            }
            show("\(mode.rawValue), p50", on.latency / off.latency)
            show("\(mode.rawValue), processor time", on.processorTime / off.processorTime)
            for client in [on.client, off.client] { await client.disconnect() }
        }
        try await deliveries(effort)
    }

    private static func deliveries(_ effort: FlowBench.Effort) async throws {
        let flood = try PreparedFlood.listen(features: features)
        defer { flood.stop() }
        var ratios: [Double] = []
        for round in 0..<effort.rounds * 2 {
            let policies: [FlowPolicy] =
                round.isMultiple(of: 2) ? [FlowPolicy(), .off] : [.off, FlowPolicy()]
            var rates: [Double] = []
            for policy in policies {
                rates.append(
                    try await PreparedFlood.deliveries(port: flood.port, policy, effort.count(200_000)))
            }
            ratios.append(round.isMultiple(of: 2) ? rates[1] / rates[0] : rates[0] / rates[1])
        }
        show("delivery, time", FlowBench.median(ratios))
    }

    private static func show(_ name: String, _ ratio: Double) {
        output.show(FlowBar("plain path, \(name), flow on : off", ratio, "×", .atMost(1.03)))
    }
}

/// Round trips of one client, a turn at a time.
private struct RoundTrips {
    enum Mode: String, CaseIterable {
        /// A publish, until its own delivery has come.
        case publish
        /// A request that the server answers itself.
        case request
    }

    private static let data: Value = ["number": 1, "text": "hello"]

    let client: SenteClient
    private let mode: Mode
    private let channel: String
    private let subscription: Subscription?
    private var latencies: [Double] = []
    private var processor: UInt64 = 0

    init(_ mode: Mode, port: Int, _ flow: FlowPolicy, channel: String) async throws {
        client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: .bare(flow))
        try await client.connect()
        try await client.agree(flow)
        self.mode = mode
        self.channel = channel
        subscription = mode == .publish ? try await client.subscribe(channel) : nil
    }

    mutating func run(_ count: Int, _ isMeasured: Bool) async throws {
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

    /// The median.
    var latency: Double { FlowBench.median(latencies) }

    /// A round trip's, of the whole process.
    var processorTime: Double { Double(processor) / Double(latencies.count) }
}
