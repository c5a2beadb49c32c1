// SPDX-License-Identifier: Apache-2.0

import SenteTelemetry
import Testing

@Suite("The end", .timeLimit(.minutes(5)))
struct EndTests {
    private let telemetry = Telemetry()
    private let log: SignalSource

    init() {
        log = telemetry.source("my.app")
    }

    @Test(
        "a flush is done when all that was raised before is handled", arguments: HandlerTests.places.indices)
    func flush(place: Int) async {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k", HandlerTests.places[place])
        for round in 1...20 {
            log.info("x")
            #expect(await telemetry.flush(within: .seconds(60)).isComplete)
            #expect(keeper.count == round)
        }
        await telemetry.stop(within: .seconds(60))
    }

    @Test("a flush does not wait longer than its limit, and names who was late")
    func lateFlush() async {
        let (blocked, keeper) = (Keeper(shut: true), Keeper())
        telemetry.add(blocked, as: "b")
        telemetry.add(keeper, as: "k")
        log.info("x")
        blocked.waitForCall()
        #expect(await telemetry.flush(within: .milliseconds(50)).late == ["b"])
        blocked.open()
        #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        await telemetry.stop(within: .seconds(60))
    }

    @Test("stopping loses nothing that was accepted, whoever is still calling", arguments: [0, 1, 2])
    func stop(threads: Int) async throws {
        let (telemetry, log, keeper) = (telemetry, log, Keeper())
        telemetry.add(keeper, as: "k", HandlerOptions(threads: threads))
        async let calls: Void = onThreads(3) { _ in
            var number = 0
            while log.isEnabled(.info) {
                log.info("n") { $0["n"] = number }
                number += 1
            }
        }
        while keeper.count < 2_000 { await Task.yield() }
        let report = await telemetry.stop(within: .seconds(60))
        await calls
        #expect(report.isComplete)
        #expect(report.left == ["k": 0])
        let statistics = try #require(telemetry.statistics["k"])
        #expect(statistics.handled == telemetry.intake.accepted)
        #expect(statistics.seen == statistics.sum)
        #expect(keeper.count == statistics.handled)
        #expect(Set(keeper.signals.map(\.sequence)).count == keeper.count)
    }

    @Test("a stop does not wait longer than its limit, and says what was left")
    func lateStop() async throws {
        let blocked = Keeper(shut: true)
        telemetry.add(blocked, as: "b")
        log.info("first")
        blocked.waitForCall()
        for _ in 0..<10 { log.info("x") }
        let report = await telemetry.stop(within: .milliseconds(300))
        #expect(report.late == ["b"])
        #expect(report.left == ["b": 11])
        #expect(!report.isComplete)
        #expect(telemetry.statistics["b"]?.dropped == 10)
        blocked.open()
    }

    @Test("a stop gives up on a handler that the dispatcher waits for")
    func fullStop() async throws {
        let blocked = Keeper(shut: true)
        telemetry.add(blocked, as: "b", HandlerOptions(buffer: 5))
        log.info("first")
        blocked.waitForCall()
        for _ in 0..<100 { log.info("x") }
        #expect(await telemetry.stop(within: .milliseconds(300)).late == ["b"])
        blocked.open()
        // The dispatcher hands out the rest, which nobody waits for any more.
        var statistics = HandlerStatistics()
        while statistics.sum < 101 || statistics.seen != statistics.sum {
            await Task.yield()
            statistics = try #require(telemetry.statistics["b"])
        }
        #expect(statistics.dropped > 90)
    }

    @Test("after the end nothing comes, and nobody is enabled")
    func afterwards() async {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k")
        await telemetry.stop(within: .seconds(60))
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        log.report("x")
        telemetry.add(Keeper(), as: "other")
        #expect(telemetry.handlers == ["k"])
        #expect(!log.isEnabled(.report))
        #expect(!telemetry.source("new").isEnabled(.report))
        #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        #expect(keeper.count == 0)
    }

    @Test("one that has no handler, or none with a thread, ends at once", arguments: [false, true])
    func withoutDispatcher(hasHandler: Bool) async {
        let keeper = Keeper()
        if hasHandler { telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous)) }
        log.info("before")
        #expect(await telemetry.flush(within: .seconds(60)).isComplete)
        let report = await telemetry.stop(within: .seconds(60))
        #expect(report.isComplete)
        #expect(report.left == (hasHandler ? ["k": 0] : [:]))
        log.info("after")
        #expect(keeper.steps == (hasHandler ? [.handle, .flush, .flush, .stop] : []))
        #expect(keeper.count == (hasHandler ? 1 : 0))
    }

    @Test("one whose handlers have no thread ends them when nobody holds it any more, and nothing keeps it")
    func letGo() {
        let keeper = Keeper()
        weak var last: Telemetry?
        weak var handler: Keeper?
        do {
            let telemetry = Telemetry()
            let inner = Keeper()
            (last, handler) = (telemetry, inner)
            telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous))
            telemetry.add(inner, as: "i", HandlerOptions(mode: .synchronous))
            telemetry.source("my.app").info("x")
            withExtendedLifetime(telemetry) { #expect(keeper.steps == [.handle]) }
        }
        #expect(last == nil && handler == nil)
        #expect(keeper.steps == [.handle, .flush, .stop])
    }

    @Test("a handler without threads that was removed is held by nobody")
    func removed() {
        weak var handler: Keeper?
        do {
            let keeper = Keeper()
            handler = keeper
            telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous))
        }
        #expect(handler != nil)
        telemetry.remove("k")
        #expect(handler == nil)
    }

    @Test("a stop waits for the caller that is inside a handler, and no longer")
    func insideStop() async {
        let keeper = Keeper(shut: true)
        telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous))
        let callers = RunningThreads(1) { [log] _ in log.info("x") }
        keeper.waitForCall()
        let began = ContinuousClock.now
        // A test among all others may stand for half a minute itself.
        async let report = telemetry.stop(within: .seconds(3_600))
        while log.isEnabled(.report) { await Task.yield() }
        keeper.open()
        #expect(await report.isComplete)
        #expect(ContinuousClock.now - began < .seconds(1_800))
        #expect(keeper.steps == [.handle, .flush, .stop])
        await callers.join()
    }

    @Test("the thread that all handlers share sleeps when nothing comes, and wakes for all that it has to do")
    func parked() async {
        let telemetries = (0..<4).map { _ in Telemetry() }
        let keepers = telemetries.map { telemetry in
            let keeper = Keeper()
            telemetry.add(keeper, as: "k", HandlerOptions(threads: 0))
            return keeper
        }
        for telemetry in telemetries {
            while !telemetry.isParked { await Task.yield() }
        }
        telemetries[0].info("a/b")
        while keepers[0].count == 0 { await Task.yield() }
        #expect(await telemetries[1].flush(within: .seconds(60)).isComplete)
        telemetries[2].remove("k")
        while keepers[2].timesStopped == 0 { await Task.yield() }
        #expect(await telemetries[3].stop(within: .seconds(60)).isComplete)
        for telemetry in telemetries { await telemetry.stop(within: .seconds(60)) }
    }

    @Test("the buffers of threads that have ended are given back")
    func shortThreads() async {
        let keeper = Keeper(keeps: false)
        telemetry.add(keeper, as: "k", HandlerOptions(threads: 0))
        for _ in 0..<20 {
            await onThreads(50) { _ in log.info("x") }
        }
        await telemetry.flush(within: .seconds(60))
        // A thread has left its lane a moment after its body returned. The threads of tasks end when they like, so none of
        // them writes here.
        while telemetry.laneCount > 1 {
            await onThreads(1) { _ in log.info("look") }
            await telemetry.flush(within: .seconds(60))
        }
        #expect(keeper.count >= 1_000)
        await telemetry.stop(within: .seconds(60))
    }
}
