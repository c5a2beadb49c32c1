// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// Raw TCP, the transport and the client in turns, against a process of this program's own: figures and their ratios.
enum SelfBench {
    private static let rounds = 5

    static func run() async throws {
        let server = try BenchServerProcess.start()
        defer { server.stop() }
        var ratios: [(name: String, of: String, values: [Double])] = []
        for round in 0..<rounds {
            BenchOutput.standard.progress("round \(round + 1) of \(rounds)")
            let measured = try await oneRound(server) {
                BenchOutput.standard.glimpse("round \(round + 1) of \(rounds): \($0)")
            }
            if round == 0 { ratios = measured.map { ($0.name, $0.of, []) } }
            for (index, ratio) in measured.enumerated() { ratios[index].values.append(ratio.value) }
        }
        for ratio in ratios {
            let median = ratio.values.sorted()[ratio.values.count / 2]
            BenchOutput.standard.show(ratio: median, ratio.name, of: ratio.of)
        }
    }

    private typealias Ratio = (name: String, of: String, value: Double)

    private static func oneRound(
        _ server: BenchServerProcess, _ begins: (String) -> Void
    ) async throws -> [Ratio] {
        var ratios: [Ratio] = []
        begins("raw TCP")
        let floor = shown(RawTCP.pingPong(size: 64, count: 8_000))
        var echo = floor
        for handOver in [Load.HandOver.callback, .async, .loop] {
            begins("the transport, ping-pong, \(handOver)")
            let result = shown(
                try await TransportBench.run(load(server.echoPort, .pingpong, 8_000, handOver)))
            ratios.append(
                ("ping-pong p50, \(handOver)", "raw TCP", result.figure("p50_us") / floor.figure("p50_us")))
            if handOver == .async { echo = result }
        }
        for handOver in [Load.HandOver.callback, .async] {
            begins("the transport, pipeline, \(handOver)")
            _ = shown(try await TransportBench.run(load(server.echoPort, .pipeline, 200_000, handOver)))
        }
        begins("the transport, flood")
        let flood = shown(try await TransportBench.run(load(server.echoPort, .flood, 500_000, .async)))
        for mode in [ClientBench.Mode.request, .forwarded, .publish] {
            begins("the client, \(mode)")
            let result = shown(try await ClientBench.run(port: server.port, mode, count: 4_000))
            ratios.append(
                (
                    "client \(mode) p50", "the transport's echo, async",
                    result.figure("p50_us") / echo.figure("p50_us")
                ))
        }
        begins("the client, receive")
        let receive = shown(try await ClientBench.run(port: server.port, .receive, count: 300_000))
        ratios.append(
            (
                "client receive, messages a second", "the transport's, async",
                receive.figure("msgs_s") / flood.figure("msgs_s")
            ))
        return ratios
    }

    private static func shown(_ result: BenchResult) -> BenchResult {
        BenchOutput.standard.show(result)
        return result
    }

    private static func load(_ port: Int, _ mode: Load.Mode, _ count: Int, _ handOver: Load.HandOver) -> Load
    {
        Load(
            "ws://127.0.0.1:\(port)\(mode == .flood ? "/flood" : "/")", mode: mode, size: 64, count: count,
            window: 64, handOver: handOver)
    }
}
