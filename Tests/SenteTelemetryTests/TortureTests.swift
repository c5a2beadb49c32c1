// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import Testing

@Suite("All at once", .timeLimit(.minutes(5)))
struct TortureTests {
    @Test("counts stay exact while handlers come and go, filters change and threads end")
    func torture() async throws {
        let telemetry = Telemetry()
        let log = telemetry.source("torture")
        let steady = Keeper()
        telemetry.add(steady, as: "steady", HandlerOptions(threads: 0))
        let passing = (0..<60).map { _ in Keeper(keeps: false) }
        let modes = HandlerOptions.Mode.allCases
        async let changes: Void = onThreads(1) { _ in
            for (index, keeper) in passing.enumerated() {
                let options = HandlerOptions(
                    mode: modes[index % modes.count], buffer: 20, threads: index % 3,
                    filter: SignalFilter(ids: .init(deny: index % 5 == 0 ? ["torture/odd"] : [])),
                    sample: index % 7 == 0 ? 0.5 : 1)
                telemetry.add(keeper, as: "\(index % 4)", options)
                telemetry.setMinimumLevel(index % 2 == 0 ? .trace : nil, in: "other")
                if index % 9 == 0 { telemetry.remove("\(index % 4)") }
                _ = telemetry.statistics
                _ = telemetry.health
            }
        }
        async let calls: Void = onThreads(4) { thread in
            for number in 0..<5_000 {
                log.info("even") { $0["n"] = number }
                log.warn("odd") {
                    $0["thread"] = thread
                    $0["text"] = String(repeating: "x", count: number % 300)
                }
            }
        }
        async let flushes: Void = {
            for _ in 0..<20 { await telemetry.flush(within: .seconds(60)) }
        }()
        _ = await (changes, calls, flushes)
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        #expect(steady.signals.count(where: { $0.namespace == "torture" }) == 40_000)
        for (id, statistics) in telemetry.statistics {
            #expect(statistics.seen == statistics.sum, "\(id)")
            #expect(statistics.queued == 0)
        }
        #expect(passing.allSatisfy { $0.timesStopped == 1 })
        var last: [Value: Value] = [:]
        for signal in steady.signals where signal.id == "torture/odd" {
            let thread = try #require(signal.data["thread" as Keyword])
            let number = try #require(signal.data["text" as Keyword])
            last[thread] = number
        }
        #expect(last.count == 4)
        let times = Dictionary(grouping: steady.signals.map(\.sequence)) { $0 }
        #expect(times.values.allSatisfy { $0.count == 1 })
    }
}
