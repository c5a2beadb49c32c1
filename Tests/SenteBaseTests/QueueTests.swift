// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("Queue")
struct QueueTests {
    @Test("Whatever is done to it, it holds what an array would hold", arguments: UInt64(0)..<20)
    func likeAnArray(seed: UInt64) {
        var random = Generator(seed: seed)
        var queue = Queue<Int>()
        var model: [Int] = []
        for step in 0..<2_000 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<50:
                queue.append(step)
                model.append(step)
            case 50..<90:
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
            case 90..<96 where !model.isEmpty:
                let place = Int.random(in: 0..<model.count, using: &random)
                queue[place] = -step
                model[place] = -step
            case 96..<98:
                queue.removeAll { $0 % 3 == 0 }
                model.removeAll { $0 % 3 == 0 }
            case 98:
                #expect(queue.drain() == model)
                model = []
            case 99:
                queue.removeAll()
                model = []
            default: break
            }
            #expect(queue.count == model.count)
            #expect(queue.first == model.first)
        }
        #expect(Array(queue) == model)
    }

    @Test("What was taken is not kept alive by it")
    func letsGo() {
        final class Thing: Sendable {}
        var queue = Queue<Thing>()
        weak var taken: Thing?
        do {
            let thing = Thing()
            taken = thing
            queue.append(thing)
            queue.append(Thing())
        }
        #expect(taken != nil)
        _ = queue.popFirst()
        #expect(taken == nil)
        #expect(queue.count == 1)
    }

    @Test("What is taken out of the middle leaves the order of the rest, wherever the two arrays meet")
    func middle() {
        for taken in 0..<4 {
            for position in 0..<4 {
                var queue = Queue<Int>()
                for number in 0..<4 { queue.append(number) }
                for _ in 0..<taken { _ = queue.popFirst() }
                for number in 4..<(4 + taken) { queue.append(number) }
                var model = Array(taken..<(4 + taken))
                #expect(queue.remove(at: position) == model.remove(at: position))
                #expect(Array(queue) == model)
                for number in taken...(5 + taken) {
                    let expected = model.firstIndex { $0 >= number } ?? model.count
                    #expect(queue.partitioningIndex { $0 >= number } == expected)
                }
            }
        }
    }
}
