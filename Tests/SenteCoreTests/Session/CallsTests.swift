// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Unresolved calls")
struct CallsTests {
    @Test("The first to run out of time is the one a plain search finds", arguments: UInt64(0)..<20)
    func likeASearch(seed: UInt64) {
        var random = Generator(seed: seed)
        var calls = Calls()
        var model: [CallID: Instant?] = [:]
        for step in UInt64(0)..<1_500 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let deadline: Instant? =
                    Bool.random(using: &random)
                    ? Instant(nanoseconds: .random(in: 0..<500, using: &random)) : nil
                calls.add(CallID(step), Call(purpose: .ping(stamp: 1), phase: .waiting, deadline: deadline))
                model[CallID(step)] = .some(deadline)
            default:
                guard let victim = model.keys.sorted().randomElement(using: &random) else { continue }
                #expect(calls.remove(victim) != nil)
                #expect(calls.remove(victim) == nil)
                model[victim] = nil
            }
            if step.isMultiple(of: 3) { calls.giveBackMemory() }
            let first = model.values.compactMap { $0 }.min()
            #expect(calls.deadline == first)
            if let first {
                let due = calls.expired(at: first)
                #expect(due.flatMap { model[$0] ?? nil } == first)
                #expect(calls.expired(at: Instant(nanoseconds: first.nanoseconds - 1)) == nil)
            }
        }
        #expect(calls.all { _ in true } == model.keys.sorted())
    }

    @Test("Calls that resolve long before their time leave nothing behind")
    func compaction() {
        var calls = Calls()
        let late = Instant(nanoseconds: 1_000_000)
        calls.add(
            CallID(0), Call(purpose: .ping(stamp: 1), phase: .waiting, deadline: Instant(nanoseconds: 1)))
        for number in UInt64(1)...10_000 {
            calls.add(CallID(number), Call(purpose: .ping(stamp: 1), phase: .waiting, deadline: late))
            calls.remove(CallID(number))
        }
        #expect(calls.all { _ in true } == [CallID(0)])
        calls.remove(CallID(0))
        #expect(calls.deadline == nil)
    }

    @Test("A call that was sent knows where its reply will come")
    func sent() {
        var calls = Calls()
        let slot = PendingReplies.SlotKey(1)
        calls.add(CallID(1), Call(purpose: .submit(.reply), phase: .queued))
        calls.sent(CallID(1), slot, at: Instant(nanoseconds: 0))
        calls.sent(CallID(2), slot, at: Instant(nanoseconds: 0))
        #expect(calls[CallID(1)]?.phase == .sent(slot))
        #expect(calls[CallID(2)] == nil)
        #expect(calls.pendingCount == 1)
    }
}
