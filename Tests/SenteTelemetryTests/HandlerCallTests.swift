// SPDX-License-Identifier: Apache-2.0

import SenteTelemetry
import Testing

@Suite("How handlers are called", .timeLimit(.minutes(5)))
struct HandlerCallTests {
    private static let places = HandlerTests.places
    private let telemetry = Telemetry()
    private let log: SignalSource

    init() {
        log = telemetry.source("my.app")
    }

    @Test("how long each call took is counted, from before it to after it", arguments: places.indices)
    func latency(place: Int) async throws {
        let (log, keeper) = (log, Keeper(shut: true))
        telemetry.add(keeper, as: "k", Self.places[place])
        let began = ContinuousClock.now
        let call = RunningThreads(1) { _ in log.info("x") }
        keeper.waitForCall()
        let inside = ContinuousClock.now
        while inside.duration(to: .now) < .milliseconds(1) {}
        let held = inside.duration(to: .now)
        keeper.open()
        await call.join()
        await telemetry.flush(within: .seconds(60))
        let latency = try #require(telemetry.statistics["k"]).latency
        #expect(latency.count == 1)
        #expect(latency.sum >= held && latency.sum <= began.duration(to: .now))
        log.info("x")
        await telemetry.stop(within: .seconds(60))
        #expect(telemetry.statistics["k"]?.latency.count == 2)
    }

    @Test("calls that throw took their time, too")
    func latencyOfFailures() {
        telemetry.add(Keeper(broken: [.handle]), as: "k", HandlerOptions(mode: .synchronous))
        for _ in 0..<3 { log.info("x") }
        #expect(telemetry.statistics["k"]?.latency.count == 3)
    }

    @Test("it has as many threads as its options say, which may all be inside", arguments: [1, 2, 4])
    func threads(count: Int) async {
        let keeper = Keeper(shut: true)
        telemetry.add(keeper, as: "k", HandlerOptions(threads: count))
        for number in 1...count {
            log.info("x")
            keeper.waitForCall(number)
        }
        #expect(telemetry.statistics["k"]?.queued == count, "all of them are inside")
        keeper.open()
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        #expect(keeper.count == count)
    }

    // MARK: - Flushing

    @Test("each flush flushes it behind what came before, and so does its end", arguments: places.indices)
    func flush(place: Int) async {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k", Self.places[place])
        for _ in 0..<2 {
            log.info("x")
            #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        }
        #expect(keeper.steps == [.handle, .flush, .handle, .flush])
        log.info("x")
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.steps == [.handle, .flush, .handle, .flush, .handle, .flush, .stop])
    }

    @Test("one that is removed is flushed before it stops", arguments: places.indices)
    func removal(place: Int) async {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k", Self.places[place])
        log.info("x")
        telemetry.remove("k")
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.steps == [.handle, .flush, .stop])
    }

    @Test("a stop waits for one that was removed and has not ended", arguments: [0, 1])
    func removalIsLate(threads: Int) async {
        let keeper = Keeper(shut: true)
        telemetry.add(keeper, as: "k", HandlerOptions(threads: threads))
        log.info("x")
        keeper.waitForCall()
        telemetry.remove("k")
        #expect(await telemetry.stop(within: .milliseconds(20)).late == ["k"])
        keeper.open()
        await telemetry.stop(within: .seconds(60))
    }

    @Test("what a flush throws is told, and it counts as failing until it ends", arguments: places.indices)
    func brokenFlush(place: Int) async {
        let (keeper, other, told) = (Keeper(broken: [.flush]), Keeper(), Keeper())
        var options = Self.places[place]
        options.onError = { error in
            let signal = Signal(time: 0, namespace: "\(type(of: error))")
            try? told.handle(SignalBatch([signal]))
        }
        telemetry.add(keeper, as: "k", options)
        telemetry.add(other, as: "other", Self.places[place])
        #expect(telemetry.health.isHealthy)
        #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        #expect(told.signals.map(\.namespace) == ["Broken"])
        #expect(telemetry.health.handlers["k"]?.isFailing == true)
        #expect(other.steps == [.flush])
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        #expect(keeper.steps == [.flush, .flush, .stop])
    }

    @Test("what the last flush throws is told, too", arguments: places.indices)
    func brokenEnd(place: Int) async {
        let (keeper, told) = (Keeper(broken: [.flush]), Keeper())
        var options = Self.places[place]
        options.onError = { _ in try? told.handle(SignalBatch([Signal(time: 0, namespace: "n")])) }
        telemetry.add(keeper, as: "k", options)
        await telemetry.stop(within: .seconds(60))
        #expect(told.count == 1)
        #expect(keeper.steps == [.flush, .stop])
    }

    @Test("one that is called by its callers is not flushed while one of them is inside")
    func flushBesideCaller() async {
        let (telemetry, log, keeper) = (telemetry, log, Keeper(shut: true))
        telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous))
        let call = RunningThreads(1) { _ in log.info("x") }
        keeper.waitForCall()
        #expect(await telemetry.flush(within: .milliseconds(20)).late == ["k"])
        #expect(keeper.steps.isEmpty)
        keeper.open()
        await call.join()
        #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        #expect(keeper.steps == [.handle, .flush])
    }

    @Test("nothing comes after its end, not even a flush asked for before", arguments: places.indices)
    func afterEnd(place: Int) async {
        let (telemetry, log, keeper) = (telemetry, log, Keeper(shut: true))
        telemetry.add(keeper, as: "k", Self.places[place])
        let call = RunningThreads(1) { _ in log.info("x") }
        keeper.waitForCall()
        #expect(await telemetry.flush(within: .milliseconds(20)).late == ["k"])
        #expect(await telemetry.stop(within: .milliseconds(20)).late == ["k"])
        keeper.open()
        await call.join()
        #expect(await telemetry.stop(within: .seconds(60)).late.isEmpty)
        #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        #expect(keeper.steps.first == .handle && keeper.steps.last == .stop)
        #expect(keeper.timesStopped == 1)
    }
}
