// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTransport

/// What messages cost that use nothing of flow, where it was agreed on: beside the same without.
enum FlowPlainBench {
    private static let features =
        #"{"batching":true,"chunking":true,"max-chunk-size":65536,"binary":true,"compression":["gzip"],"#
        + #""resume":{"window-ms":300000,"messages":100,"bytes":1048576}}"#

    static func run(_ effort: FlowBench.Effort) async throws {
        let server = try BenchServerProcess.start(["serve", "--flow"])
        defer { server.stop() }
        for mode in RoundTrips.Mode.allCases {
            let (on, off) = try await RoundTrips.inTurns(mode, port: server.port, FlowPolicy(), .off, effort)
            show("\(mode.rawValue), p50", on.latency(0.5) / off.latency(0.5))
            show("\(mode.rawValue), processor time", on.processorTime / off.processorTime)
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
