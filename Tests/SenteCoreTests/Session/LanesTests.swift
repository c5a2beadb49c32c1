// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Lanes")
struct LanesTests {
    /// Lanes with what waits in them, and the weight of each.
    private struct Waiting {
        var lanes = Lanes()
        var weights: [CallID: (priority: SendOptions.Priority, weight: Int)] = [:]
        private var last: UInt64 = 0

        mutating func add(_ priority: SendOptions.Priority, weighing weight: Int) {
            last += 1
            lanes.append(CallID(last), to: priority)
            weights[CallID(last)] = (priority, weight)
        }

        mutating func leave() -> (call: CallID, priority: SendOptions.Priority, weight: Int)? {
            var steps = 0
            guard let call = lanes.inTurn(passingOver: &steps, { weights[$0] != nil }),
                let (priority, weight) = weights.removeValue(forKey: call)
            else { return nil }
            lanes.leaves(priority, weighing: weight)
            lanes.removed(from: priority)
            return (call, priority, weight)
        }

        mutating func cancelOldest() {
            guard let gone = weights.keys.min(), let priority = weights.removeValue(forKey: gone)?.priority
            else { return }
            lanes.removed(from: priority)
        }

        func count(_ priority: SendOptions.Priority) -> Int {
            weights.values.count { $0.priority == priority }
        }
    }

    @Test("The urgent go first, then the normal, then the bulk")
    func byUrgency() {
        var waiting = Waiting()
        for priority in [SendOptions.Priority.bulk, .normal, .urgent, .bulk, .normal, .urgent] {
            waiting.add(priority, weighing: 100)
        }
        var order: [SendOptions.Priority] = []
        while let next = waiting.leave() { order.append(next.priority) }
        #expect(order == [.urgent, .urgent, .normal, .normal, .bulk, .bulk])
    }

    @Test("After 64 KiB of those before it, a lane has one turn")
    func turns() {
        var waiting = Waiting()
        for _ in 0..<130 { waiting.add(.urgent, weighing: 1_024) }
        for _ in 0..<2 { waiting.add(.normal, weighing: 10) }
        waiting.add(.bulk, weighing: 10)
        var turns: [Int: SendOptions.Priority] = [:]
        var number = 0
        while let next = waiting.leave() {
            if next.priority != .urgent { turns[number] = next.priority }
            number += 1
        }
        #expect(turns == [64: .normal, 65: .bulk, 130: .normal])
    }

    @Test(
        "Whatever comes and goes, every lane moves, each in its own order, and nobody waits long for the less urgent",
        arguments: UInt64(0)..<50)
    func alwaysMoves(seed: UInt64) {
        var random = Generator(seed: seed)
        var waiting = Waiting()
        let largest = Int.random(in: 100...200_000, using: &random)
        /// While a lane waits: the bytes of those before it, and the messages of those behind it, since its last turn.
        var before: [SendOptions.Priority: Int] = [:]
        var behind: [SendOptions.Priority: Int] = [:]
        var last: [SendOptions.Priority: CallID] = [:]
        let order = SendOptions.Priority.allCases
        for _ in 0..<2_000 {
            if Int.random(in: 0..<20, using: &random) == 0 { waiting.cancelOldest() }
            for priority in order where waiting.count(priority) == 0 {
                before[priority] = 0
                behind[priority] = 0
            }
            if Bool.random(using: &random) {
                waiting.add(
                    order.randomElement(using: &random) ?? .normal,
                    weighing: .random(in: 1...largest, using: &random))
            }
            guard Int.random(in: 0..<5, using: &random) > 0, let next = waiting.leave() else { continue }
            #expect(next.call > last[next.priority] ?? CallID(0))
            last[next.priority] = next.call
            before[next.priority] = 0
            behind[next.priority] = 0
            for (place, priority) in order.enumerated() where priority != next.priority {
                let leftPlace = order.firstIndex(of: next.priority) ?? 0
                if leftPlace < place { before[priority, default: 0] += next.weight }
                if leftPlace > place { behind[priority, default: 0] += 1 }
                // The last that went ahead may be large, and another that is due may go first.
                #expect(before[priority] ?? 0 < Lanes.stride + 2 * largest)
                #expect(behind[priority] ?? 0 <= 2)
            }
        }
    }
}
