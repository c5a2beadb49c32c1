// SPDX-License-Identifier: Apache-2.0

import SenteTelemetry
import Testing

@Suite("Raising signals", .timeLimit(.minutes(5)))
struct SourceTests {
    private struct Odd: Error, CustomStringConvertible {
        var description: String { "odd" }
    }

    private let telemetry = Telemetry()
    private let log: SignalSource

    init() {
        log = telemetry.source("my.app.chat")
    }

    @Test("a call names its id, text, data and place")
    func parts() throws {
        let signals = telemetry.capture {
            log.info("joined", "Ann joined") {
                $0["members"] = 7
                $0["name"] = "Ann"
            }
        }
        let signal = try #require(signals.first)
        #expect(signals.count == 1)
        #expect(signal.id == "my.app.chat/joined")
        #expect(signal.namespace == "my.app.chat")
        #expect(signal.level == .info)
        #expect(signal.kind == .event)
        #expect(signal.message == "Ann joined")
        #expect(signal.data == [.keyword("members"): 7, .keyword("name"): "Ann"])
        #expect(signal.file == #fileID)
        #expect(signal.line == 22)
        #expect(signal.sequence == 1)
        #expect(signal.time > 1_700_000_000_000_000_000)
    }

    @Test("a telemetry itself takes the namespace from the id, or app")
    func withoutSource() {
        let name = "Ann"
        let signals = telemetry.capture {
            telemetry.info("user/login", "\(name) logged in") { $0["user"] = name }
            telemetry.warn("alone")
            telemetry.log(.warn, "text")
            telemetry.event(.info, id: "made/\(name)")
        }
        #expect(signals.map(\.namespace) == ["user", "app", "app", "made"])
        #expect(signals.map(\.id) == ["user/login", "app/alone", nil, "made/Ann"])
        #expect(signals.map(\.kind) == [.event, .event, .log, .event])
        #expect(signals.allSatisfy { $0.file == #fileID && $0.line != nil })
    }

    @Test("each level has its call")
    func levels() {
        telemetry.minimumLevel = nil
        let signals = telemetry.capture {
            log.trace("a")
            log.debug("b")
            log.info("c")
            log.warn("d")
            log.error("e")
            log.fatal("f")
            log.report("g")
            log.log(SignalLevel(rawValue: 55), "h")
        }
        #expect(signals.map(\.level.rawValue) == [10, 20, 50, 60, 70, 80, 90, 55])
        #expect(signals.map(\.sequence) == Array(1...8))
    }

    /// A call of each kind, with the level it has.
    private static let calls: [(level: Int, call: @Sendable (SignalSource, () -> String) -> Void)] = [
        (10, { $0.trace("a", $1()) }), (20, { $0.debug("a", $1()) }), (50, { $0.info("a", $1()) }),
        (60, { $0.warn("a", $1()) }), (70, { $0.error("a", $1()) }), (80, { $0.fatal("a", $1()) }),
        (90, { $0.report("a", $1()) }), (55, { $0.log(SignalLevel(rawValue: 55), $1()) }),
        (55, { $0.event(SignalLevel(rawValue: 55), id: $1()) }),
        (50, { log, built in log.startup { $0["a"] = built() } }),
        (50, { log, built in log.module("m") { $0["a"] = built() } }),
    ]

    @Test("each call is built from its own level down, and not above it", arguments: calls.indices)
    func floors(index: Int) {
        let (level, call) = Self.calls[index]
        var timesBuilt = 0
        let signals = telemetry.capture {
            for minimum in [0, level, level + 1, .max] {
                telemetry.minimumLevel = SignalLevel(rawValue: minimum)
                call(log) {
                    timesBuilt += 1
                    return "built"
                }
            }
        }
        #expect(signals.map(\.level.rawValue) == [level, level])
        #expect(timesBuilt == 2)
    }

    @Test("an error makes its signal one of errors")
    func errors() {
        let signals = telemetry.capture {
            log.warn("slow", error: Odd())
            log.log(.error, "It broke.", error: Odd())
        }
        let odd = SignalError(type: "Odd", message: "odd")
        #expect(signals.map(\.error) == [odd, odd])
        #expect(signals.map(\.kind) == [.error, .log])
    }

    @Test("a call that says more than a signal holds says how much it left out")
    func leftOut() {
        let signals = telemetry.capture {
            log.info("x") { fields in
                for number in 0..<300 { fields["n"] = number }
            }
        }
        #expect(signals.map(\.data) == [[.keyword("n"): 255, .keyword("fields-left-out"): 44]])
    }

    @Test("an id that is made at run time carries all that one that is written does")
    func made() throws {
        let trace = try #require(TraceContext(traceID: .init(high: 1, low: 2), spanID: 3))
        let name = "sent"
        let signals = telemetry.capture {
            telemetry.withTrace(trace) {
                telemetry.withContext(["user": "ann"]) {
                    log.event(.warn, id: name, "It took long", error: Odd()) { $0["n"] = 1 }
                    log.warn("sent", "It took long", error: Odd()) { $0["n"] = 1 }
                }
            }
            log.event(.info, id: name)
            log.info("sent")
        }
        #expect(signals.map(\.kind) == [.error, .error, .event, .event])
        #expect(signals.map(\.context) == [[.keyword("user"): "ann"], [.keyword("user"): "ann"], [:], [:]])
        #expect(signals.map(\.trace) == [trace, trace, nil, nil])
        // They differ in nothing but when and where they were raised.
        func same(_ signal: Signal) -> Signal {
            var signal = signal
            (signal.time, signal.sequence) = (0, 0)
            signal.line = nil
            return signal
        }
        #expect(same(signals[0]) == same(signals[1]) && same(signals[2]) == same(signals[3]))
        #expect(signals[0].line != nil)
    }

    @Test("nothing is built that nobody wants")
    func nothingBuilt() {
        func never() -> String {
            Issue.record("It was built.")
            return ""
        }
        log.report("nobody") { $0["a"] = never() }
        _ = telemetry.capture {
            log.debug("too low", never()) { $0["a"] = never() }
            log.log(.debug, never())
            telemetry.filter.ids.deny = ["my.app.chat/denied"]
            log.error("denied", never()) { $0["a"] = never() }
            log.event(.error, id: "denied", never()) { $0["a"] = never() }
            telemetry.error("my.app.chat/denied", never())
            // Each rule alone, so that it is asked for its own sake.
            telemetry.filter.ids.deny = []
            telemetry.filter.kinds = [.span]
            log.error("of another kind", never())
            telemetry.filter.kinds = nil
            telemetry.filter.namespaces.deny = ["my(.*)"]
            log.report("denied namespace", never())
            telemetry.report("my/x", never())
        }
    }

    @Test("a level for a namespace changes while it runs, for sources there are and that come")
    func namespaces() {
        let other = telemetry.source("other")
        let ids = telemetry.capture {
            log.debug("1")
            telemetry.setMinimumLevel(.debug, in: "my.app(.*)")
            log.debug("2")
            telemetry.source("my.app").debug("3")
            other.debug("4")
            telemetry.debug("my.app/5")
            telemetry.debug("other/6")
            #expect(log.isEnabled(.debug))
            #expect(!other.isEnabled(.debug))
            telemetry.setMinimumLevel(nil, in: "my.app(.*)")
            log.debug("7")
        }
        #expect(ids.map(\.id) == ["my.app.chat/2", "my.app/3", "my.app/5"])
    }

    @Test("who has no handler wants nothing")
    func noHandler() {
        #expect(!log.isEnabled(.report))
        #expect(!telemetry.signals.isEnabled(.report))
        _ = telemetry.capture { #expect(log.isEnabled(.report)) }
        #expect(!log.isEnabled(.report))
    }

    @Test("what a handler does not want is not built either")
    func handlersFilters() {
        let keeper = Keeper()
        telemetry.add(keeper, as: "k", HandlerOptions(mode: .synchronous, minimumLevel: .warn))
        #expect(!log.isEnabled(.info))
        #expect(log.isEnabled(.warn))
        telemetry.remove("k")
        telemetry.add(
            keeper, as: "k",
            HandlerOptions(mode: .synchronous, filter: SignalFilter(ids: .init(allow: ["*/a"]))))
        log.info("a")
        log.info("b") { _ in Issue.record("It was built.") }
        #expect(keeper.ids == ["my.app.chat/a"])
    }

    @Test("a span gives its value, and says how long it took and what it threw")
    func spans() async throws {
        var values: [Int] = []
        let signals = await telemetry.capture {
            values.append(log.span("plain") { 1 })
            values.append(
                await log.span("waiting") {
                    await Task.yield()
                    return 2
                })
            #expect(throws: Odd.self) { try log.span("thrown") { throw Odd() } }
            await #expect(throws: Odd.self) {
                try await log.span("thrown later") {
                    await Task.yield()
                    throw Odd()
                }
            }
        }
        #expect(values == [1, 2])
        #expect(signals.map(\.kind) == [.span, .span, .span, .span])
        #expect(signals.map(\.level) == [.info, .info, .error, .error])
        #expect(signals.map(\.error?.message) == [nil, nil, "odd", "odd"])
        #expect(signals.allSatisfy { ($0.duration ?? .zero) > .zero })
        #expect(signals.allSatisfy { $0.file == #fileID })
    }

    @Test("what a span says it took is what passed meanwhile")
    func spanDurations() throws {
        let clock = ContinuousClock()
        let began = clock.now
        let signals = telemetry.capture {
            log.span("busy") {
                let end = clock.now.advanced(by: .milliseconds(3))
                while clock.now < end {}
            }
        }
        let whole = clock.now - began
        let duration = try #require(signals.first?.duration)
        #expect((.milliseconds(3)...whole).contains(duration))
    }

    @Test("a span has at least the level of errors when it throws, and keeps a greater one")
    func spanLevels() {
        telemetry.minimumLevel = .error
        let signals = telemetry.capture {
            for level in [.info, .error, .fatal] as [SignalLevel] {
                log.span("well", level) {}
                #expect(throws: Odd.self) { try log.span("thrown", level) { throw Odd() } }
            }
        }
        #expect(signals.map(\.level) == [.error, .error, .error, .fatal, .fatal])
    }

    @Test("startup and modules have their kinds and data")
    func startup() {
        let signals = telemetry.capture {
            telemetry.startup("Ready") { $0["version"] = "1.0" }
            log.module("store", duration: .milliseconds(12))
        }
        #expect(signals.map(\.kind) == [.startup, .module])
        #expect(signals.map(\.message) == ["Ready", nil])
        #expect(signals.map(\.id) == ["app/startup", "my.app.chat/module-loaded"])
        #expect(signals.first?.data.keys == [.keyword("pid"), .keyword("version")])
        #expect(signals.last?.data == [.keyword("module"): "store", .keyword("duration-ms"): 12.0])
    }

    @Test("context is of the task, adds up, and ends")
    func context() async {
        let signals = await telemetry.capture {
            telemetry.withContext(["user": "ann", "shift": 1]) {
                log.info("1")
                telemetry.withContext(["user": "bob", "room": 5]) { log.info("2") { $0["room"] = 6 } }
                log.info("3")
            }
            await telemetry.withContext(["request": 1]) {
                await Task.yield()
                log.info("4")
                await telemetry.withContext(["step": 2]) {
                    await Task.yield()
                    log.info("5")
                }
            }
            log.info("6")
        }
        let outer: ValueMap = [.keyword("user"): "ann", .keyword("shift"): 1]
        #expect(
            signals.map(\.context) == [
                outer, [.keyword("user"): "bob", .keyword("shift"): 1, .keyword("room"): 5], outer,
                [.keyword("request"): 1], [.keyword("request"): 1, .keyword("step"): 2], [:],
            ])
        #expect(signals[1].data == [.keyword("room"): 6])
    }

    @Test("context and trace keep each other")
    func contextAndTrace() async throws {
        let trace = try #require(TraceContext(traceID: .init(high: 1, low: 2), spanID: 3))
        let signals = await telemetry.capture {
            telemetry.withContext(["user": "ann"]) { telemetry.withTrace(trace) { log.info("1") } }
            telemetry.withTrace(trace) { telemetry.withContext(["user": "ann"]) { log.info("2") } }
            await telemetry.withContext(["user": "ann"]) {
                await telemetry.withTrace(trace) {
                    await Task.yield()
                    log.info("3")
                }
                telemetry.withTrace(trace) { log.span("4") {} }
            }
        }
        #expect(signals.count == 4)
        for signal in signals {
            #expect(signal.context == [.keyword("user"): "ann"])
            #expect(signal.trace?.traceID == trace.traceID)
        }
    }

    @Test("a span that waits is a step of the trace, too")
    func waitingStep() async throws {
        let trace = try #require(TraceContext(traceID: .init(high: 1, low: 2), spanID: 3))
        let signals = await telemetry.capture {
            await telemetry.withTrace(trace) {
                await log.span("step") {
                    await Task.yield()
                    log.info("inside")
                }
            }
        }
        #expect(signals.map(\.trace?.traceID) == [trace.traceID, trace.traceID])
        #expect(signals[0].trace == signals[1].trace && signals[0].trace != trace)
    }

    @Test("a task that outlives what started it takes neither its context nor its trace along")
    func withoutSurroundings() async throws {
        let trace = try #require(TraceContext(traceID: .init(high: 1, low: 2), spanID: 3))
        let signals = await telemetry.capture {
            await telemetry.withContext(["user": "ann"]) {
                await telemetry.withTrace(trace) {
                    await Telemetry.withoutSurroundings { log.info("1") }
                    log.info("2")
                }
            }
        }
        #expect(signals.map(\.context.count) == [0, 1])
        #expect(signals.map(\.trace) == [nil, trace])
    }

    @Test("captures in each other have what each saw, and leave no handler")
    func captures() async {
        var inner: [Signal] = []
        let outer = telemetry.capture {
            log.info("1")
            inner = telemetry.capture { log.info("2") }
            log.info("3")
        }
        let later = await telemetry.capture {
            await Task.yield()
            log.info("4")
        }
        let ids = [outer, inner, later].map { $0.map { $0.id?.last } }
        #expect(ids == [["1", "2", "3"], ["2"], ["4"]])
        #expect(telemetry.handlers.isEmpty)
    }

    @Test(
        "signals belong to the trace around them, and spans are steps of it", arguments: [false, true])
    func traces(isSampled: Bool) throws {
        let trace = try #require(
            TraceContext(
                traceID: .init(high: 1, low: 2), spanID: 3, isSampled: isSampled, state: "v=1"))
        let signals = telemetry.capture {
            telemetry.withTrace(trace) {
                log.info("outside")
                log.span("step") {
                    #expect(Telemetry.currentTrace?.traceID == trace.traceID)
                    log.info("inside")
                }
                telemetry.withTrace(nil) { log.info("none") }
            }
        }
        #expect(
            signals.map(\.trace?.traceID) == [trace.traceID, trace.traceID, trace.traceID, nil].map { $0 })
        #expect(signals[0].trace == trace)
        #expect(signals[1].trace?.spanID != 3)
        #expect(signals[1].trace?.isSampled == isSampled && signals[1].trace?.state == "v=1")
        #expect(signals[1].trace == signals[2].trace)
        #expect(Telemetry.currentTrace == nil)
    }

    @Test("a signal made elsewhere is taken as it is, with a number, if it is wanted")
    func recorded() {
        let signal = Signal(
            time: 5, level: .warn, kind: .log, namespace: "n", id: "plain", message: "m",
            data: [.keyword("a"): [1]],
            error: SignalError(type: "T", message: "m", code: "c"), duration: .seconds(1))
        let signals = telemetry.capture {
            telemetry.record(signal)
            telemetry.record(Signal(time: 6, level: .debug, namespace: "n"))
        }
        var expected = signal
        expected.sequence = 1
        #expect(signals == [expected])
    }

    @Test("a builder may raise signals itself")
    func nested() {
        let ids = telemetry.capture {
            log.info("outer") {
                log.info("inner")
                $0["a"] = 1
            }
        }
        #expect(ids.map(\.id) == ["my.app.chat/inner", "my.app.chat/outer"])
    }
}
