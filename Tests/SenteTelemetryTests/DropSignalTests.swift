// SPDX-License-Identifier: Apache-2.0

import SenteTelemetry
import Testing

@Suite("Signals of drops", .timeLimit(.minutes(5)))
struct DropSignalTests {
    private let telemetry = Telemetry()
    private let log: SignalSource

    init() {
        log = telemetry.source("my.app")
    }

    /// How many drops were told of, by whose they were.
    private func told(_ keeper: Keeper) -> [String: Int64] {
        var told: [String: Int64] = [:]
        for signal in keeper.signals where signal.id == "sente-lite.telemetry/signals-dropped" {
            let handler = signal.data["handler" as Keyword]?.stringValue ?? ""
            told[handler, default: 0] += signal.data["count" as Keyword]?.integerValue ?? 0
        }
        return told
    }

    @Test("what found no room in its thread's buffer is told of, with how many and since when")
    func intake() async throws {
        let (log, blocked) = (log, Keeper(shut: true))
        telemetry.add(blocked, as: "b", HandlerOptions(mode: .dropping, threads: 0))
        let began = Telemetry.now / 1_000_000
        log.info("first")
        blocked.waitForCall()
        await onThreads(1) { _ in
            for number in 0..<10_000 { log.info("n") { $0["n"] = number } }
        }
        blocked.open()
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        #expect(telemetry.intake.dropped > 1_000)
        #expect(told(blocked) == ["intake": Int64(telemetry.intake.dropped)])
        let signal = try #require(blocked.signals.last { $0.id == "sente-lite.telemetry/signals-dropped" })
        guard case .instant(let since) = signal.data["since" as Keyword] else {
            Issue.record("no time")
            return
        }
        #expect(since.milliseconds >= began && since.milliseconds * 1_000_000 <= signal.time)
        #expect(signal.level == .warn && signal.namespace == "sente-lite.telemetry")
    }

    @Test("drops are told once there is room, though nothing else comes by then")
    func parked() async {
        let (log, blocked, keeper) = (log, Keeper(shut: true), Keeper())
        telemetry.add(blocked, as: "b", HandlerOptions(mode: .dropping, buffer: 10, threads: 1))
        telemetry.add(keeper, as: "k")
        log.info("first")
        blocked.waitForCall()
        for _ in 0..<100 { log.info("n") }
        while !telemetry.isParked { await Task.yield() }
        #expect(told(keeper).isEmpty)
        blocked.open()
        while told(keeper).isEmpty { await Task.yield() }
        #expect(told(keeper) == ["b": 90])
        await telemetry.stop(within: .seconds(60))
    }

    @Test("at the end they are told though there is no room")
    func last() async {
        let (log, blocked, keeper) = (log, Keeper(shut: true), Keeper())
        telemetry.add(blocked, as: "b", HandlerOptions(mode: .dropping, buffer: 10, threads: 1))
        telemetry.add(keeper, as: "k")
        log.info("first")
        blocked.waitForCall()
        for _ in 0..<100 { log.info("n") }
        while telemetry.statistics["b"]?.dropped != 90 { await Task.yield() }
        async let report = telemetry.stop(within: .seconds(60))
        while told(keeper).isEmpty { await Task.yield() }
        #expect(told(keeper) == ["b": 90])
        blocked.open()
        #expect(await report.isComplete)
    }

    @Test("a filter that does not want to know of drops is not told")
    func unwanted() async {
        let (log, blocked) = (log, Keeper(shut: true))
        telemetry.filter.namespaces.deny = ["sente-lite.telemetry"]
        telemetry.add(blocked, as: "b", HandlerOptions(mode: .dropping, threads: 0))
        log.info("first")
        blocked.waitForCall()
        await onThreads(1) { _ in
            for number in 0..<10_000 { log.info("n") { $0["n"] = number } }
        }
        blocked.open()
        await telemetry.stop(within: .seconds(60))
        #expect(telemetry.intake.dropped > 1_000)
        #expect(told(blocked).isEmpty)
    }

    @Test("what a successor sees begins at nothing, and the callers' count goes on")
    func counts() async throws {
        let keepers = [Keeper(), Keeper()]
        telemetry.add(keepers[0], as: "k")
        log.info("x")
        await telemetry.flush(within: .seconds(60))
        #expect(telemetry.statistics["k"]?.handled == 1)
        telemetry.replace("k", with: keepers[1])
        #expect(telemetry.statistics["k"] == HandlerStatistics())
        log.info("x")
        await telemetry.stop(within: .seconds(60))
        #expect(keepers.map(\.count) == [1, 1])
        #expect(telemetry.statistics["k"]?.seen == 1)
        #expect(telemetry.intake.accepted == 2)
    }
}
