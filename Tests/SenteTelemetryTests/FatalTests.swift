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

    @Test("on the main thread, too, which else waits for nobody")
    @MainActor func main() async {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k", HandlerOptions(threads: 0))
        log.fatal("x")
        await telemetry.stop(within: .seconds(60))
        #expect(keeper.steps == [.handle, .flush, .flush, .stop])
    }

    @Test("a call waits for a handler that does not come to an end, but not for ever")
    func waits() async {
        let (log, keeper) = (log, Keeper(shut: true))
        telemetry.add(keeper, as: "k")
        await onThreads(1) { _ in
            let began = ContinuousClock.now
            log.fatal("x")
            #expect(began.duration(to: .now) >= .milliseconds(100))
        }
        keeper.open()
        await telemetry.stop(within: .seconds(60))
    }

    @Test("a thread that must not wait, and a handler, wait for nobody")
    func waitsNot() async {
        let (log, keeper) = (log, Keeper())
        let answering = Keeper { signal in
            if signal.level == .fatal, signal.id != "my.app/answer" { log.fatal("answer") }
        }
        telemetry.add(keeper, as: "k")
        telemetry.add(answering, as: "a")
        await onThreads(1) { _ in
            Telemetry.neverWaitOnThisThread()
            log.fatal("x")
        }
        // Only when both signals are there does the end come.
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
