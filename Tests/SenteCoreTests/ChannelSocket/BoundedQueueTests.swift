// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

/// Something that can be lost.
struct Parcel: CountsMissed, Equatable, Sendable {
    var number: Int
    var missed = 0
}

@Suite("A bounded queue")
struct BoundedQueueTests {
    @Test("what fits comes out in order")
    func inOrder() {
        var queue = BoundedQueue<Parcel>(maximumCount: 3)
        for number in 1...3 { queue.append(Parcel(number: number)) }
        #expect(queue.popFirst() == Parcel(number: 1))
        #expect(queue.drain() == [Parcel(number: 2), Parcel(number: 3)])
        #expect(queue.isEmpty)
        #expect(queue.popFirst() == nil)
    }

    @Test("the oldest goes, and the next one says how many, whatever went before it")
    func tooMany() {
        var queue = BoundedQueue<Parcel>(maximumCount: 2)
        for number in 1...5 { queue.append(Parcel(number: number)) }
        #expect(queue.count == 2)
        #expect(queue.drain() == [Parcel(number: 4, missed: 3), Parcel(number: 5)])
    }

    @Test("bytes count, and one that is too large alone still stays")
    func tooLarge() {
        var queue = BoundedQueue<Parcel>(maximumCount: 10, maximumBytes: 100)
        queue.append(Parcel(number: 1), size: 60)
        queue.append(Parcel(number: 2), size: 60)
        #expect(queue.drain() == [Parcel(number: 2, missed: 1)])
        queue.append(Parcel(number: 3), size: 1_000)
        #expect(queue.count == 1)
        queue.append(Parcel(number: 4), size: 1)
        #expect(queue.drain() == [Parcel(number: 4, missed: 1)])
        queue.append(Parcel(number: 5), size: 60)
        #expect(queue.popFirst() == Parcel(number: 5))
        queue.append(Parcel(number: 6), size: 60)
        #expect(queue.drain() == [Parcel(number: 6)], "What was taken counts no more.")
    }

    @Test("a bound of nothing holds one")
    func smallest() {
        var queue = BoundedQueue<Parcel>(maximumCount: 0)
        queue.append(Parcel(number: 1))
        queue.append(Parcel(number: 2))
        #expect(queue.drain() == [Parcel(number: 2, missed: 1)])
    }

    @Test("one that tells nobody keeps the latest, and one without a bound everything")
    func untold() {
        var latest = BoundedQueue<Int>(latest: 2)
        latest.append(contentsOf: [1, 2, 3])
        #expect(latest.drain() == [2, 3])
        var all = BoundedQueue<Int>()
        all.append(contentsOf: Array(0..<1_000))
        #expect(all.count == 1_000)
    }

    @Test("whoever appends hears whether it was empty")
    func first() {
        var queue = BoundedQueue<Int>()
        var first = [queue.append(1), queue.append(2)]
        _ = queue.drain()
        first.append(queue.append(3))
        #expect(first == [true, false, true])
    }
}
