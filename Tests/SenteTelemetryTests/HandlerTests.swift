// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import Testing

@Suite("Handlers", .timeLimit(.minutes(5)))
struct HandlerTests {
    private let telemetry = Telemetry()
    private let log: SignalSource

    init() {
        log = telemetry.source("my.app")
    }

    static let places: [HandlerOptions] = [
        HandlerOptions(mode: .synchronous), HandlerOptions(threads: 0), HandlerOptions(threads: 1),
        HandlerOptions(threads: 3), HandlerOptions(mode: .dropping, threads: 0),
        HandlerOptions(mode: .sliding, threads: 1),
    ]

    @Test("each handler gets each signal once, in order", arguments: [0, 1])
    func order(threads: Int) async {
        let keepers = [Keeper(), Keeper()]
        for (index, keeper) in keepers.enumerated() {
            telemetry.add(keeper, as: "\(index)", HandlerOptions(threads: threads))
        }
        await onThreads(1) { _ in
            for number in 0..<5_000 { log.info("n") { $0["n"] = number } }
        }
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        for keeper in keepers {
            #expect(keeper.signals.map { $0.data["n" as Keyword] } == (0..<5_000).map { .integer($0) })
            #expect(keeper.signals.map(\.sequence) == Array(1...5_000))
            #expect(keeper.timesStopped == 1)
        }
    }

    @Test("what was seen is what became of it, wherever a handler runs", arguments: places.indices)
    func counts(place: Int) async throws {
        var options = Self.places[place]
        options.filter = SignalFilter(ids: .init(deny: ["my.app/3"]))
        options.sample = 0.5
        options.limits = [RateLimit(50, per: .seconds(3_600))]
        options.transform = { $0.id == "my.app/2" ? nil : $0 }
        let (keeper, all) = (Keeper(), Keeper(keeps: false))
        telemetry.add(all, as: "all", HandlerOptions(mode: .synchronous))
        telemetry.add(keeper, as: "k", options)
        await onThreads(3) { _ in
            for _ in 0..<400 {
                log.info("1")
                log.info("2")
                log.info("3")
            }
        }
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        let statistics = try #require(telemetry.statistics["k"])
        #expect(statistics.seen == statistics.sum)
        #expect(statistics.seen + telemetry.intake.dropped >= 3_600)
        #expect(statistics.handled == keeper.count)
        #expect(statistics.filtered <= 1_200)
        if options.mode == .blocking || options.mode == .synchronous {
            #expect(statistics.seen == 3_600)
            #expect(statistics.filtered == 1_200)
            #expect(statistics.handled == 50)
        }
        #expect(statistics.sampled > 0)
        #expect(statistics.limited > 0)
        #expect(statistics.suppressed > 0)
        #expect(statistics.queued == 0)
        #expect(all.count == 3_600)
    }

    @Test("one that throws is counted and told of, and the next goes on", arguments: [0, 1])
    func throwing(threads: Int) async throws {
        let began = ContinuousClock.now
        let told = Keeper()
        let keeper = Keeper()
        telemetry.add(
            Keeper(broken: [.handle]), as: "broken",
            HandlerOptions(
                threads: threads, priority: 200,
                onError: { error in
                    try? told.handle([Signal(time: 0, namespace: "\(type(of: error))")].batch)
                }))
        telemetry.add(keeper, as: "k", HandlerOptions(threads: threads))
        for _ in 0..<20 {
            log.info("x")
            await telemetry.flush(within: .seconds(60))
        }
        let statistics = try #require(telemetry.statistics["broken"])
        #expect(statistics.failed == 20)
        #expect(statistics.seen == statistics.sum)
        #expect(Set(told.signals.map(\.namespace)) == ["Broken"])
        // At most once a minute, which a test that waits for its turn may take.
        #expect(told.count <= 1 + Int(began.duration(to: .now) / .seconds(60)))
        #expect(keeper.count == 20)
        #expect(telemetry.health.handlers["broken"]?.isFailing == true)
        #expect(telemetry.health.handlers["k"]?.isHealthy == true)
        #expect(!telemetry.health.isHealthy)
        await telemetry.stop(within: .seconds(60))
    }

    @Test("one that throws again and again is called less and less, and statistics and health say so")
    func resting() async throws {
        let calls = Keeper()
        let broken = ClosureHandler { signal in
            try? calls.handle([signal].batch)
            throw Keeper.Broken()
        }
        let keeper = Keeper(keeps: false)
        telemetry.add(broken, as: "broken", HandlerOptions(mode: .synchronous))
        telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous))
        await onThreads(1) { _ in
            for _ in 0..<100_000 { log.info("x") }
        }
        let statistics = try #require(telemetry.statistics["broken"])
        #expect(keeper.count == 100_000)
        // Ten at once, and then one after 100 ms, 200 ms, …: an hour has no 150 of them.
        #expect((10..<150).contains(calls.count))
        #expect(statistics.failed == 100_000 && statistics.seen == statistics.sum)
        #expect(statistics.skipped == 100_000 - calls.count)
        let health = try #require(telemetry.health.handlers["broken"])
        #expect(health.isFailing)
        // A rest may end this very moment; then the next call that throws begins another.
        while telemetry.health.handlers["broken"]?.isResting != true { log.info("x") }
        #expect(telemetry.health.handlers["k"]?.isResting == false)
        await telemetry.stop(within: .seconds(60))
    }

    @Test("one that blocks holds up none that has a thread of its own")
    func blocking() async {
        let (blocked, keeper) = (Keeper(shut: true), Keeper())
        telemetry.add(blocked, as: "blocked", HandlerOptions(mode: .dropping))
        telemetry.add(keeper, as: "k")
        log.info("1")
        blocked.waitForCall()
        await onThreads(1) { _ in
            for _ in 0..<3_000 { log.info("2") }
        }
        while keeper.count < 3_001 { await Task.yield() }
        blocked.open()
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        #expect(keeper.signals.count(where: { $0.namespace == "my.app" }) == 3_001)
    }

    @Test(
        "hundreds of thousands of signals into a blocked handler that drops neither wait nor grow",
        arguments: [(HandlerOptions.Mode.dropping, 0), (.dropping, 1), (.sliding, 0), (.sliding, 1)])
    func flood(mode: HandlerOptions.Mode, threads: Int) async throws {
        let blocked = Keeper(shut: true, keeps: false)
        telemetry.add(blocked, as: "b", HandlerOptions(mode: mode, threads: threads))
        log.info("first")
        blocked.waitForCall()
        await onThreads(2) { _ in
            for number in 0..<125_000 { log.info("n") { $0["n"] = number } }
        }
        #expect(telemetry.laneCount <= 3)
        #expect(try #require(telemetry.statistics["b"]).queued <= 2 * 1_024)
        blocked.open()
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        let statistics = try #require(telemetry.statistics["b"])
        #expect(statistics.seen == statistics.sum)
        #expect(statistics.seen + telemetry.intake.dropped >= 250_001)
        #expect(statistics.dropped + telemetry.intake.dropped > 200_000)
    }

    @Test(
        "sliding keeps the newest, dropping the oldest", arguments: [HandlerOptions.Mode.dropping, .sliding])
    func which(mode: HandlerOptions.Mode) async throws {
        let blocked = Keeper(shut: true)
        telemetry.add(blocked, as: "b", HandlerOptions(mode: mode, buffer: 10, threads: 1))
        log.info("first")
        blocked.waitForCall()
        await onThreads(1) { _ in
            for number in 0..<100 { log.info("n") { $0["n"] = number } }
        }
        // The dispatcher hands out what came before a flush even to one that cannot take it.
        await telemetry.flush(within: .milliseconds(200))
        while telemetry.statistics["b"]?.seen != 101 { await Task.yield() }
        blocked.open()
        // Before the end, whose own signal of drops would find no room.
        while blocked.count < 11 { await Task.yield() }
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        let numbers = blocked.signals.filter { $0.id == "my.app/n" }.map { $0.data["n" as Keyword] }
        #expect(numbers == (mode == .dropping ? 0..<10 : 90..<100).map { .integer($0) })
    }

    @Test(
        "a thread's full buffer keeps the newest for one that slides, the oldest for one that drops",
        arguments: [HandlerOptions.Mode.dropping, .sliding])
    func fullBuffer(mode: HandlerOptions.Mode) async throws {
        let blocked = Keeper(shut: true)
        telemetry.add(blocked, as: "b", HandlerOptions(mode: mode, threads: 0))
        log.info("first")
        blocked.waitForCall()
        await onThreads(1) { _ in
            for number in 0..<10_000 { log.info("n") { $0["n"] = number } }
        }
        blocked.open()
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        let kept = blocked.signals.filter { $0.id == "my.app/n" }
        let numbers = kept.compactMap { $0.data["n" as Keyword]?.integerValue }
        let dropped = Int64(telemetry.intake.dropped)
        #expect(dropped > 1_000)
        let begin = mode == .dropping ? 0 : dropped
        #expect(numbers == Array(begin..<begin + 10_000 - dropped))
    }

    @Test("what several threads said comes in the order of its times")
    func merged() async throws {
        let (telemetry, blocked) = (telemetry, Keeper(shut: true))
        telemetry.add(blocked, as: "b", HandlerOptions(threads: 0))
        log.info("first")
        blocked.waitForCall()
        await onThreads(3) { index in
            for round in 0..<100 {
                telemetry.record(Signal(time: Int64(3 * round + index), namespace: "n", id: "n/x"))
            }
        }
        blocked.open()
        #expect(await telemetry.stop(within: .seconds(60)).isComplete)
        #expect(blocked.signals.filter { $0.id == "n/x" }.map(\.time) == Array(0..<300))
    }

    @Test("drops are told once there is room, with how many and for whom")
    func dropsAreTold() async throws {
        let began = ContinuousClock.now
        let (blocked, keeper, pressure) = (Keeper(shut: true), Keeper(), Keeper())
        telemetry.add(
            blocked, as: "b",
            HandlerOptions(
                mode: .dropping, buffer: 10, threads: 1,
                onBackPressure: { dropped in
                    try? pressure.handle([Signal(time: Int64(dropped), namespace: "p")].batch)
                }))
        telemetry.add(keeper, as: "k")
        log.info("first")
        blocked.waitForCall()
        await onThreads(1) { _ in
            for _ in 0..<100 { log.info("n") }
        }
        while telemetry.statistics["b"]?.seen != 101 { await Task.yield() }
        while telemetry.statistics["b"]?.dropped != 90 { await Task.yield() }
        #expect(telemetry.statistics["b"]?.queued == 11, "One is inside.")
        #expect(telemetry.health.handlers["b"]?.fill == 1)
        blocked.open()
        await telemetry.stop(within: .seconds(60))
        let told = keeper.signals.filter { $0.id == "sente-lite.telemetry/signals-dropped" }
        #expect(told.map { $0.data["handler" as Keyword] } == ["b"])
        #expect(told.map { $0.data["count" as Keyword] } == [90])
        #expect(told.allSatisfy { $0.level == .warn && $0.data["since" as Keyword] != nil })
        let isDropping = telemetry.health.handlers["b"]?.isDropping
        #expect(isDropping == true || began.duration(to: .now) >= .seconds(60), "within a minute")
        #expect((1...90).contains(pressure.signals.first?.time ?? 0))
        #expect(pressure.count <= 1 + Int(began.duration(to: .now) / .seconds(60)))
    }

    @Test("a handler that raises signals reaches the others, and neither deadlocks nor goes on for ever")
    func reentry() async throws {
        for place in Self.places {
            let telemetry = Telemetry()
            let log = telemetry.source("r")
            let keepers = (0..<3).map { index in
                Keeper { signal in log.info("answer") { $0["from"] = index } }
            }
            for (index, keeper) in keepers.enumerated() { telemetry.add(keeper, as: "\(index)", place) }
            log.info("first")
            await telemetry.flush(within: .seconds(60))
            await telemetry.flush(within: .seconds(60))
            #expect(await telemetry.stop(within: .seconds(60)).isComplete)
            for (index, keeper) in keepers.enumerated() {
                #expect(keeper.signals.count(where: { $0.id == "r/first" }) == 1)
                #expect(
                    keeper.signals.filter { $0.id == "r/answer" }.allSatisfy {
                        $0.data["from" as Keyword] != .integer(Int64(index))
                    })
                #expect(keeper.count <= 3)
                let statistics = try #require(telemetry.statistics["\(index)"])
                #expect(statistics.seen == statistics.sum)
            }
        }
    }

    @Test("two that run on their callers' threads do not wait for each other")
    func noEmbrace() async throws {
        let telemetry = telemetry
        let (first, second) = (Meeting(), Meeting())
        telemetry.add(
            ClosureHandler { _ in
                first.arrive()
                second.wait()
                telemetry.info("to/second")
            }, as: "first",
            HandlerOptions(mode: .synchronous, filter: SignalFilter(ids: .init(allow: ["to/first"]))))
        telemetry.add(
            ClosureHandler { _ in
                second.arrive()
                first.wait()
                telemetry.info("to/first")
            }, as: "second",
            HandlerOptions(mode: .synchronous, filter: SignalFilter(ids: .init(allow: ["to/second"]))))
        await onThreads(2) { index in
            if index == 0 { telemetry.info("to/first") } else { telemetry.info("to/second") }
        }
        for (_, statistics) in telemetry.statistics {
            #expect(statistics.seen == statistics.sum)
            #expect(statistics.handled >= 1)
        }
    }

    @Test("a handler that is removed takes what was raised before, and ends once", arguments: places.indices)
    func removal(place: Int) async {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k", Self.places[place])
        log.info("before")
        #expect(telemetry.remove("k"))
        #expect(!telemetry.remove("k"))
        log.info("after")
        #expect(telemetry.handlers.isEmpty)
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.ids == ["my.app/before"])
        #expect(keeper.timesStopped == 1)
    }

    @Test("a handler may remove itself while it runs", arguments: places.indices)
    func removesItself(place: Int) async {
        let telemetry = telemetry
        let keeper = Keeper { _ in telemetry.remove("k") }
        telemetry.add(keeper, as: "k", Self.places[place])
        log.info("x")
        await telemetry.flush(within: .seconds(60))
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.count == 1)
        #expect(keeper.timesStopped == 1)
    }

    @Test("one that takes another's place gets what the other did not", arguments: [0, 1])
    func replacement(threads: Int) async {
        let keepers = (0..<20).map { _ in Keeper() }
        telemetry.add(keepers[0], as: "k", HandlerOptions(threads: threads))
        for keeper in keepers.dropFirst() {
            await onThreads(1) { _ in
                for _ in 0..<10 { log.info("x") }
            }
            #expect(telemetry.replace("k", with: keeper))
        }
        #expect(!telemetry.replace("other", with: Keeper()))
        await telemetry.stop(within: .seconds(60))
        #expect(keepers.map(\.count).reduce(0, +) == 190)
        #expect(Set(keepers.flatMap(\.signals).map(\.sequence)).count == 190)
        #expect(keepers.allSatisfy { $0.timesStopped == 1 })
    }

    @Test("handlers are listed by priority")
    func priorities() {
        for (id, priority) in [("a", 100), ("b", 200), ("c", 100), ("d", 50)] {
            telemetry.add(Keeper(), as: id, HandlerOptions(mode: .synchronous, priority: priority))
        }
        #expect(telemetry.handlers == ["b", "a", "c", "d"])
    }

    @Test("a limit says how many it held back")
    func limits() {
        let keeper = Keeper()
        telemetry.add(
            keeper, as: "k", HandlerOptions(mode: .synchronous, limits: [RateLimit(1, per: .seconds(10))]))
        for second in [0, 1, 2, 11] {
            telemetry.record(Signal(time: Int64(second) * 1_000_000_000, namespace: "n", id: "n/x"))
        }
        #expect(keeper.signals.map { $0.data["suppressed-count" as Keyword] } == [nil, 2])
    }

    @Test("threads that must not wait drop instead")
    func neverWaits() async throws {
        let blocked = Keeper(shut: true, keeps: false)
        telemetry.add(blocked, as: "b", HandlerOptions(threads: 0))
        log.info("first")
        blocked.waitForCall()
        await onThreads(1) { _ in
            Telemetry.neverWaitOnThisThread()
            for _ in 0..<10_000 { log.info("x") }
        }
        blocked.open()
        await telemetry.stop(within: .seconds(60))
        #expect(telemetry.intake.dropped > 5_000)
    }
}

extension [Signal] {
    fileprivate var batch: SignalBatch { SignalBatch(self) }
}
