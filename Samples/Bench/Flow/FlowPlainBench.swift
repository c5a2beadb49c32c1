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
        let flood = try PreparedFlood.listen(features: features)
        var ratios: [(name: String, values: [Double])] = [
            ("publish, p50", []), ("publish, processor time", []), ("request, p50", []),
            ("request, processor time", []), ("delivery, time", []),
        ]
        for _ in 0..<effort.rounds {
            for (place, mode) in [(0, ClientBench.Mode.publish), (2, .request)] {
                let on = try await ClientBench.run(
                    port: server.port, mode, count: effort.count(4_000), .bare(FlowPolicy()))
                let off = try await ClientBench.run(
                    port: server.port, mode, count: effort.count(4_000), .bare(.off))
                ratios[place].values.append(on.figure("p50_us") / off.figure("p50_us"))
                ratios[place + 1].values.append(on.figure("cpu_us") / off.figure("cpu_us"))
            }
            let count = effort.count(200_000)
            let on = try await PreparedFlood.deliveries(port: flood.port, FlowPolicy(), count)
            let off = try await PreparedFlood.deliveries(port: flood.port, .off, count)
            ratios[4].values.append(off / on)
        }
        flood.stop()
        for ratio in ratios {
            output.show(
                FlowBar(
                    "plain path, \(ratio.name), flow on : off", FlowBench.median(ratio.values), "×",
                    .atMost(1.03)
                ))
        }
    }
}
