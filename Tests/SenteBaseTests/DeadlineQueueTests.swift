// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("A queue of deadlines")
struct DeadlineQueueTests {
    @Test("It gives what a sorted list would, whatever is added, taken and removed")
    func model() {
        var generator = Generator(seed: 3)
        var queue = DeadlineQueue<Int>()
        var model: [(due: Int64, number: Int, ticket: DeadlineQueue<Int>.Ticket)] = []
        for number in 0..<5_000 {
            switch Int.random(in: 0..<5, using: &generator) {
            case 0...2:
                let due = Int64.random(in: 0..<500, using: &generator)
                let ticket = queue.add(number, due: Instant(nanoseconds: due))
                model.append((due, number, ticket))
            case 3:
                let now = Int64.random(in: 0..<500, using: &generator)
                model.sort { ($0.due, $0.number) < ($1.due, $1.number) }
                let expected = model.first.flatMap { $0.due <= now ? $0.number : nil }
                #expect(queue.take(by: Instant(nanoseconds: now)) == expected)
                if expected != nil { model.removeFirst() }
            default:
                guard let row = model.randomElement(using: &generator) else { continue }
                #expect(queue.remove(row.ticket) == row.number)
                #expect(queue.remove(row.ticket) == nil)
                model.removeAll { $0.number == row.number }
            }
            #expect(queue.count == model.count)
            #expect(queue.isEmpty == model.isEmpty)
            #expect(queue.earliest?.nanoseconds == model.map(\.due).min())
        }
        while queue.take(by: nil) != nil {}
        #expect(queue.isEmpty)
    }

    @Test(
        "Adding and removing take a few steps among 4,096 others, whatever their order",
        arguments: [(true, true), (true, false), (false, true), (false, false)])
    func cost(_ isEarlierEachTime: Bool, _ removesFirstAdded: Bool) {
        let count: Int64 = 4_096
        var queue = DeadlineQueue<Int64>()
        var tickets = (0..<count).map { number in
            queue.add(number, due: Instant(nanoseconds: isEarlierEachTime ? count - number : number))
        }
        // The height of such a heap is 12.
        #expect(queue.steps <= 12 * 4_096)
        if removesFirstAdded { tickets.reverse() }
        while let ticket = tickets.popLast() { queue.remove(ticket) }
        #expect(queue.isEmpty)
        #expect(queue.steps <= 3 * 12 * 4_096)
    }
}
