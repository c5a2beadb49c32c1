// SPDX-License-Identifier: Apache-2.0

import SenteTelemetry
import Testing

@Suite("Fatal signals", .timeLimit(.minutes(5)))
struct FatalTests {
    private let telemetry = Telemetry()
    private let log: SignalSource

    init() {
        log = telemetry.source("my.app")
    }

    @Test("a call asks the handlers to bring it where it belongs", arguments: HandlerTests.places.indices)
    func flushes(place: Int) async {
        let (log, keeper) = (log, Keeper())
        telemetry.add(keeper, as: "k", HandlerTests.places[place])
        await onThreads(1) { _ in log.fatal("x") }
        await telemetry.stop(within: .seconds(60))
        // Behind it and at the end.
        #expect(keeper.steps == [.handle, .flush, .flush, .stop])
    }

    @Test("a call waits for a handler that does not come to an end, but not for ever")
    func waits() async {
        let (log, keeper) = (log, Keeper(shut: true))
        telemetry.add(keeper, as: "k")
        let began = ContinuousClock.now
        await onThreads(1) { _ in log.fatal("x") }
        #expect(began.duration(to: .now) >= .milliseconds(100))
        keeper.open()
        await telemetry.stop(within: .seconds(60))
    }

    @Test("a thread that must not wait asks nobody")
    func loop() async {
        let (log, keeper) = (log, Keeper())
        telemetry.add(keeper, as: "k")
        await onThreads(1) { _ in
            Telemetry.neverWaitOnThisThread()
            log.fatal("x")
        }
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.steps == [.handle, .flush, .stop])
    }

    @Test("a handler that raises one asks nobody, wherever it runs", arguments: HandlerTests.places.indices)
    func inHandler(place: Int) async {
        let (log, keeper) = (log, Keeper())
        let answering = Keeper { signal in
            if signal.id == "my.app/x" { log.fatal("answer") }
        }
        telemetry.add(answering, as: "a", HandlerTests.places[place])
        telemetry.add(keeper, as: "k")
        await onThreads(1) { _ in log.info("x") }
        while keeper.count < 2 { await Task.yield() }
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.steps == [.handle, .flush, .stop])
        #expect(answering.steps == [.handle, .flush, .stop])
    }

    @Test("nothing less than fatal waits")
    func less() async {
        let (log, keeper) = (log, Keeper())
        telemetry.add(keeper, as: "k")
        await onThreads(1) { _ in log.error("x") }
        await onThreads(1) { _ in log.report("x") }
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.steps == [.handle, .flush, .stop])
    }
}
