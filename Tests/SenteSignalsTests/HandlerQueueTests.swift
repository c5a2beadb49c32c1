// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire
import Testing

@Suite("What waits for a handler")
struct HandlerQueueTests {
    private func offer(_ number: Int, to queue: inout HandlerQueue, size: Int = 0) -> HandlerQueue.Answer {
        let data: ValueMap = [.keyword("text"): .string(String(repeating: "x", count: size))]
        return Signal(time: Int64(number), namespace: "n", data: data).withRecord { queue.offer($0) }
    }

    @Test("a full queue does what its rule says", arguments: [OverflowRule.dropNewest, .dropOldest, .wait])
    func full(rule: OverflowRule) {
        var queue = HandlerQueue(rule: rule, maximumCount: 10)
        for number in 0..<10 { #expect(offer(number, to: &queue) == .taken(dropped: 0)) }
        #expect(queue.fill == 1)
        let answer = offer(10, to: &queue)
        switch rule {
        case .dropNewest: #expect(answer == .dropped)
        case .dropOldest: #expect(answer == .taken(dropped: 1))
        case .wait: #expect(answer == .full)
        }
        #expect(queue.take()?.map(\.time) == (rule == .dropOldest ? Array(1...10) : Array(0...9)))
        #expect(queue.take() == nil)
        #expect(queue.fill == 0)
    }

    @Test(
        "it is bounded in bytes too, whatever its rule",
        arguments: [OverflowRule.dropNewest, .dropOldest, .wait])
    func bytes(rule: OverflowRule) {
        var queue = HandlerQueue(rule: rule, maximumCount: 100)
        var random = Generator(seed: 4)
        var (taken, lost) = (0, 0)
        for number in 0..<3_000 {
            switch offer(number, to: &queue, size: Int.random(in: 0...16_000, using: &random)) {
            case .taken(let dropped): (taken, lost) = (taken + 1, lost + dropped)
            case .dropped: lost += 1
            case .full: _ = queue.take()
            }
            #expect(queue.heldByteCount <= 3 * queue.maximumBytes)
        }
        #expect(queue.count <= 100)
        if rule == .dropOldest { #expect(taken - lost == queue.count) }
    }

    /// One whose record has exactly so many bytes.
    private func signal(bytes: Int) -> Signal {
        func made(_ count: Int) -> Signal {
            let text = Value.string(String(repeating: "x", count: count))
            return Signal(time: 0, namespace: "n", data: [.keyword("text"): text])
        }
        return made(bytes - made(0).withRecord(\.size))
    }

    @Test("it holds as many bytes as it says, and is as full as the scarcer of number and bytes")
    func exact() {
        let signal = signal(bytes: 12 << 10)
        var queue = HandlerQueue(rule: .dropOldest, maximumCount: 10)
        #expect(queue.maximumBytes == 96 << 10)
        for number in 1...8 {
            #expect(signal.withRecord { queue.offer($0) } == .taken(dropped: 0))
            #expect(queue.fill == Double(number) / 8)
        }
        #expect(signal.withRecord { queue.offer($0) } == .taken(dropped: 1))
        #expect(queue.count == 8)
        _ = queue.take()
        #expect(offer(0, to: &queue) == .taken(dropped: 0))
        #expect(queue.fill == 0.1)
        #expect(HandlerQueue(rule: .wait, maximumCount: 1_000).maximumBytes == 1_000 << 10)
    }

    @Test("one record always fits")
    func one() {
        var queue = HandlerQueue(rule: .wait, maximumCount: 0)
        #expect(offer(0, to: &queue, size: 16_000) == .taken(dropped: 0))
    }
}

@Suite("Telling of drops")
struct DropTallyTests {
    private let second: Int64 = 1_000_000_000

    @Test("drops are told in the first round without one, and not again for five seconds")
    func told() {
        var tally = DropTally()
        #expect(tally.told(at: 0) == nil)
        tally.add(3, at: 1)
        #expect(tally.told(at: 2) == nil)
        let first = tally.told(at: 3)
        #expect(first?.count == 3)
        #expect(first?.since == 1)
        tally.add(2, at: second)
        #expect(tally.told(at: second) == nil)
        #expect(tally.told(at: 2 * second) == nil)
        #expect(tally.next(at: 2 * second) == 5 * second + 3)
        let later = tally.told(at: 5 * second + 3)
        #expect(later?.count == 2)
        #expect(later?.since == second)
        #expect(tally.next(at: 6 * second) == nil)
    }

    @Test("they are told since the first, and in the first round without any")
    func since() {
        var tally = DropTally()
        tally.add(1, at: 5)
        #expect(tally.next(at: 7) == 7)
        tally.add(1, at: 6)
        #expect(tally.told(at: 7) == nil)
        tally.add(0, at: 8)
        let told = tally.told(at: 9)
        #expect(told?.count == 2 && told?.since == 5)
    }

    @Test("at the end they are told whatever was told before")
    func last() {
        var tally = DropTally()
        tally.add(1, at: 0)
        let told = tally.told(at: 0, isLast: true)
        #expect(told?.count == 1)
    }

    @Test("what has a cadence is told at once, and then once in an interval")
    func cadence() {
        var cadence = Cadence(nanoseconds: 5)
        let taken = [100, 101, 104, 105, 109, 200].map { cadence.take(at: $0) }
        #expect(taken == [true, false, false, true, false, true])
        #expect(cadence.next(at: 204) == 205)
        #expect(cadence.next(at: 205) == nil)
    }
}

@Suite("The dispatcher's rest")
struct RestPlanTests {
    @Test("it naps while signals come, then lingers, then parks")
    func order() {
        var plan = RestPlan(at: 0)
        #expect(plan.next(worked: true, at: 1_000, wake: nil) == .linger(until: 1_000 + RestPlan.nap))
        let quiet = 1_000 + RestPlan.watch
        let last = quiet - 1
        #expect(plan.next(worked: false, at: last, wake: nil) == .linger(until: last + RestPlan.nap))
        #expect(plan.next(worked: false, at: quiet, wake: nil) == .linger(until: quiet + RestPlan.linger))
        #expect(plan.next(worked: false, at: quiet, wake: quiet + 10_000) == .linger(until: quiet + 10_000))
        #expect(plan.next(worked: false, at: RestPlan.rest + 1_000, wake: nil) == .park(until: nil))
        #expect(plan.next(worked: false, at: RestPlan.rest + 1_000, wake: .max) == .park(until: .max))
        let later = RestPlan.rest + 2_000
        #expect(plan.next(worked: true, at: later, wake: nil) == .linger(until: later + RestPlan.nap))
    }
}
