// SPDX-License-Identifier: Apache-2.0

import Dispatch
import SenteSignals
import SenteTelemetry
import Testing

@Suite("Samples and limits at the call")
struct CallGateTests {
    private static func telemetry() -> (Telemetry, MemoryHandler) {
        let telemetry = Telemetry()
        let memory = MemoryHandler(100_000)
        telemetry.add(memory, as: "memory", HandlerOptions(mode: .synchronous))
        return (telemetry, memory)
    }

    @Test("A share of all signals is built at all, and the others are counted")
    func sampled() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.sample = 0.25
        let source = telemetry.source("my.app")
        var built = 0
        for _ in 0..<10_000 {
            source.info("beat") {
                $0["n"] = 1
                built += 1
            }
        }
        #expect((2_000...3_000).contains(built))
        #expect(memory.signals.count == built)
        #expect(telemetry.intake.sampled == 10_000 - built)
        telemetry.sample = 0
        source.info("beat")
        telemetry.sample = 1
        source.info("beat")
        #expect(memory.signals.count == built + 1)
        #expect(telemetry.intake.sampled == 10_001 - built, "A change keeps what was counted.")
    }

    @Test("Samples multiply with a handler's, and signals made elsewhere are sampled too")
    func multiplied() {
        let (telemetry, _) = Self.telemetry()
        let half = MemoryHandler(100_000)
        telemetry.add(half, as: "half", HandlerOptions(mode: .synchronous, sample: 0.5))
        telemetry.sample = 0.5
        for number in 0..<10_000 {
            telemetry.record(Signal(time: Int64(number), namespace: "my.app", id: "my.app/a"))
        }
        #expect((2_000...3_000).contains(half.signals.count))
    }

    @Test("A limit holds for each id, or all, and comes after the filters and the sample")
    func limited() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.filter.ids.deny = ["my.app/never"]
        telemetry.limits = [
            RateLimit(3, per: .seconds(3_600)), RateLimit(5, per: .seconds(3_600), each: .all),
        ]
        let source = telemetry.source("my.app")
        for _ in 0..<10 { source.info("never") }
        for _ in 0..<10 { source.info("a") }
        for _ in 0..<10 { source.event(.info, id: "b") }
        for _ in 0..<10 { source.debug("a") }
        #expect(
            memory.signals.map { $0.id ?? "" } == Array(repeating: "my.app/a", count: 3) + [
                "my.app/b", "my.app/b",
            ])
        #expect(telemetry.intake.limited == 7 + 8)
        telemetry.limits = []
        source.info("a")
        #expect(memory.signals.count == 6)
    }

    @Test("What passes after others were held back says how many")
    func told() async {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [RateLimit(1, per: .milliseconds(20))]
        let source = telemetry.source("my.app")
        source.info("a")
        var raised = 1
        while memory.signals.count < 2 {
            source.info("a") { $0["n"] = 1 }
            raised += 1
        }
        #expect(memory.signals[1].data["suppressed-count" as Keyword] == .integer(Int64(raised - 2)))
    }

    @Test("An id that is made at run time is limited as one that is written, and says the same")
    func toldOfMadeIDs() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [RateLimit(1, per: .milliseconds(20))]
        let source = telemetry.source("my.app")
        var raised = 0
        while memory.signals.count < 2 {
            // Both are the same key.
            if raised % 2 == 0 { source.event(.info, id: "a") } else { source.event(.info, id: "my.app/a") }
            raised += 1
        }
        let suppressed = memory.signals.map { $0.data["suppressed-count" as Keyword] }
        #expect(suppressed == [nil, raised > 2 ? .integer(Int64(raised - 2)) : nil])
    }

    @Test("A signal made elsewhere says how many were held back before it")
    func toldOfRecorded() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [RateLimit(1, per: .milliseconds(20))]
        var raised = 0
        while memory.signals.count < 2 {
            telemetry.record(Signal(time: 0, namespace: "my.app", id: "my.app/a"))
            raised += 1
        }
        let suppressed = memory.signals[1].data["suppressed-count" as Keyword]
        #expect(suppressed == (raised > 2 ? .integer(Int64(raised - 2)) : nil))
    }

    /// How many a handler's signals stand for: themselves, and those that they say were held back.
    private static func told(_ memory: MemoryHandler) -> Int {
        memory.signals.reduce(0) { sum, signal in
            sum + 1 + Int(signal.data["suppressed-count" as Keyword]?.integerValue ?? 0)
        }
    }

    /// Raises signals until a handler has four of them; how many it took.
    private static func raise(until memory: MemoryHandler, _ signal: () -> Void) -> Int {
        var raised = 0
        while memory.signals.count < 4 {
            signal()
            raised += 1
        }
        return raised
    }

    @Test("What one limit owes is not lost when the next one refuses")
    func toldOfTwoLimits() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [
            RateLimit(1, per: .milliseconds(5)), RateLimit(1, per: .milliseconds(20), each: .all),
        ]
        let source = telemetry.source("my.app")
        let raised = Self.raise(until: memory) { source.info("a") }
        #expect(Self.told(memory) == raised)
    }

    @Test("What the telemetry's limit owes is not lost at a handler's")
    func toldOfHandlersLimit() {
        let telemetry = Telemetry()
        let memory = MemoryHandler()
        telemetry.add(
            memory, as: "memory",
            HandlerOptions(mode: .synchronous, limits: [RateLimit(1, per: .milliseconds(20))]))
        telemetry.limits = [RateLimit(1, per: .milliseconds(5))]
        let source = telemetry.source("my.app")
        let raised = Self.raise(until: memory) { source.info("a") }
        #expect(Self.told(memory) == raised)
    }

    @Test("A signal made elsewhere hands on what limits elsewhere held back before it")
    func toldOfLimitsElsewhere() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [RateLimit(1, per: .milliseconds(5))]
        let raised = Self.raise(until: memory) {
            telemetry.record(
                Signal(time: 0, namespace: "a", id: "a/b", data: [.keyword("suppressed-count"): 2]))
        }
        #expect(Self.told(memory) == 3 * raised)
    }

    @Test("A count from elsewhere that makes no sense is taken for the nearest that does")
    func toldNonsense() {
        let (telemetry, memory) = Self.telemetry()
        let limit = RateLimit(1, per: .milliseconds(5))
        telemetry.limits = [limit]
        for nonsense in [.integer(-5), "many", .integer(.max)] as [Value] {
            telemetry.limits = [limit]
            memory.removeAll()
            while memory.signals.count < 2 {
                telemetry.record(
                    Signal(time: 0, namespace: "a", id: "a/b", data: [.keyword("suppressed-count"): nonsense])
                )
            }
            let count = memory.signals[1].data["suppressed-count" as Keyword]?.integerValue ?? 0
            #expect(nonsense == .integer(.max) ? count >= 1 << 24 - 2 : (0..<1 << 24 - 2).contains(count))
        }
    }

    @Test("Another sample lets the limits count on, other limits begin anew, and no count is lost")
    func changed() {
        let (telemetry, memory) = Self.telemetry()
        let source = telemetry.source("my.app")
        telemetry.limits = [RateLimit(2, per: .seconds(3_600))]
        for _ in 0..<3 { source.info("a") }
        #expect(memory.signals.count == 2)
        telemetry.sample = 0
        source.info("a")
        telemetry.sample = 1
        source.info("a")
        #expect(memory.signals.count == 2)
        #expect(telemetry.limits == [RateLimit(2, per: .seconds(3_600))])
        telemetry.limits = [RateLimit(2, per: .seconds(3_600))]
        for _ in 0..<3 { source.info("a") }
        #expect(memory.signals.count == 4)
        #expect(telemetry.intake.limited == 3 && telemetry.intake.sampled == 1)
        telemetry.sample = 0
        telemetry.limits = []
        source.info("a")
        #expect(memory.signals.count == 4 && telemetry.sample == 0)
    }

    @Test("Threads share a limit, and none of what passes or not is lost from the counts")
    func threads() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [RateLimit(1_000, per: .seconds(3_600))]
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            let source = telemetry.source("my.app")
            for number in 0..<2_000 {
                if number % 2 == 0 { source.info("even") } else { source.info("odd") }
            }
        }
        #expect(memory.signals.count == 2_000)
        #expect(telemetry.intake.limited == 6_000)
    }

    @Test("More ids than are told apart share a count, and grow nothing")
    func keys() {
        let (telemetry, memory) = Self.telemetry()
        telemetry.limits = [RateLimit(1, per: .seconds(3_600))]
        let source = telemetry.source("my.app")
        for number in 0..<5_000 { source.event(.info, id: "n\(number)") }
        #expect((600...1_025).contains(memory.signals.count))
    }
}
