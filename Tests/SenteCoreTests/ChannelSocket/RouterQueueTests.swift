// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("The lanes of a router")
struct RouterQueueTests {
    private func queue(_ messages: Int = 100, _ bytes: Int = 1_000_000, workers: Int = 8) -> RouterQueue<
        Parcel
    > {
        RouterQueue(
            policy: InboxPolicy(maximumMessages: messages, maximumBytes: bytes), maximumWorkers: workers)
    }

    @Test("events of one id are handled in order, one at a time; another id goes beside")
    func lanes() {
        var queue = queue()
        #expect(queue.add(Parcel(number: 1), id: "a/a", size: 1) == true)
        #expect(queue.next()?.element.number == 1)
        #expect(queue.add(Parcel(number: 2), id: "a/a", size: 1) == false, "Its lane runs.")
        #expect(queue.add(Parcel(number: 3), id: "b/b", size: 1) == true)
        #expect(queue.next()?.element.number == 3)
        queue.finished("b/b")
        #expect(queue.next() == nil)
        queue.finished("a/a")
        #expect(queue.next()?.element.number == 2)
        queue.finished("a/a")
        #expect(queue.next() == nil)
        #expect(queue.waiting == 0)
        #expect(queue.add(Parcel(number: 4), id: "a/a", size: 1) == true, "Nobody works any more.")
    }

    @Test("no more workers are started than are allowed")
    func workers() {
        var queue = queue(workers: 2)
        let started = (0..<5).map { queue.add(Parcel(number: $0), id: Keyword("id/\($0)"), size: 1) }
        #expect(started == [true, true, false, false, false])
    }

    @Test("one slow id costs the others nothing: the longest lane loses its oldest, and says so")
    func overflow() {
        var queue = queue(4)
        _ = queue.add(Parcel(number: 0), id: "slow/one", size: 1)
        #expect(queue.next()?.element.number == 0)
        for number in 1...20 { _ = queue.add(Parcel(number: number), id: "slow/one", size: 1) }
        #expect(queue.waiting == 4)
        _ = queue.add(Parcel(number: 100), id: "quick/one", size: 1)
        #expect(queue.waiting == 4)
        #expect(queue.next()?.element == Parcel(number: 100))
        queue.finished("quick/one")
        queue.finished("slow/one")
        #expect(queue.next()?.element == Parcel(number: 18, missed: 17))
        queue.finished("slow/one")
        #expect(queue.next()?.element == Parcel(number: 19))
    }

    @Test("bytes count as well as numbers")
    func bytes() {
        var queue = queue(100, 100)
        _ = queue.add(Parcel(number: 1), id: "large/one", size: 90)
        for number in 2...4 { _ = queue.add(Parcel(number: number), id: "small/one", size: 5) }
        #expect(queue.waiting == 3)
        #expect(
            queue.next()?.element == Parcel(number: 2, missed: 1), "A lane that is gone is told by another.")
    }

    @Test("many ids that nobody handles take no more memory than the bound, and nothing is lost untold")
    func manyIDs() {
        var queue = queue(50, workers: 1)
        _ = queue.add(Parcel(number: 0), id: "stuck/one", size: 1)
        _ = queue.next()
        for number in 1...2_000 {
            _ = queue.add(Parcel(number: number), id: Keyword("id/\(number)"), size: 1)
        }
        #expect(queue.waiting == 50)
        queue.finished("stuck/one")
        var handled = 0
        var missed = 0
        while let (id, element) = queue.next() {
            handled += 1
            missed += element.missed
            queue.finished(id)
        }
        #expect(handled == 50)
        #expect(handled + missed == 2_000)
    }

    @Test("random work keeps each id in order, and hands every event out once or counts it")
    func random() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var queue = queue(Int.random(in: 1...20, using: &random), workers: 3)
            var running: [Keyword] = []
            var last: [Keyword: Int] = [:]
            var workers = 0
            var told = 0
            for number in 1...300 {
                let id = Keyword("id/\(Int.random(in: 0...4, using: &random))")
                if queue.add(Parcel(number: number), id: id, size: 1) { workers += 1 }
                #expect(workers <= 3)
                while running.count < workers {
                    guard let (id, element) = queue.next() else {
                        workers -= 1
                        break
                    }
                    #expect(!running.contains(id))
                    #expect(element.number > last[id, default: 0])
                    last[id] = element.number
                    told += 1 + element.missed
                    running.append(id)
                }
                if let index = running.indices.randomElement(using: &random), Bool.random(using: &random) {
                    queue.finished(running.remove(at: index))
                }
            }
            for id in running { queue.finished(id) }
            while let (id, element) = queue.next() {
                told += 1 + element.missed
                queue.finished(id)
            }
            #expect(told == 300)
        }
    }

    @Test("stopped, it hands out nothing more, and what runs can finish")
    func stops() {
        var queue = queue()
        _ = queue.add(Parcel(number: 1), id: "a/a", size: 1)
        _ = queue.next()
        _ = queue.add(Parcel(number: 2), id: "a/a", size: 1)
        _ = queue.add(Parcel(number: 3), id: "b/b", size: 1)
        queue.removeAll()
        #expect(queue.waiting == 0)
        #expect(queue.next() == nil)
        queue.finished("a/a")
        #expect(queue.next() == nil)
    }
}
