// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Inbox")
struct InboxTests {
    private static func element(_ number: Int) -> InboxElement {
        .event(Event(id: "n", data: .integer(Int64(number))), missed: 0)
    }

    private static func read(_ element: InboxElement) -> (number: Int64, missed: Int) {
        guard case .event(let event, let missed) = element, case .integer(let number) = event.data else {
            return (-1, -1)
        }
        return (number, missed)
    }

    @Test(
        "Whatever is done to it, it holds what a plain list would hold and counts what it lost",
        arguments: UInt64(0)..<40)
    func likeAList(seed: UInt64) {
        let size = 10
        var random = Generator(seed: seed)
        let policy = InboxPolicy(
            maximumMessages: .random(in: 0...20, using: &random),
            maximumBytes: .random(in: 0...300, using: &random))
        var inbox = Inbox(subscription: nil)
        var model: [(number: Int64, missed: Int)] = []
        var outstanding = 0
        var isAnnounced = false
        func isOver() -> Bool {
            let count = model.count + outstanding
            return count > policy.maximumMessages || count * size > policy.maximumBytes
        }
        for step in 0..<2_000 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<16:
                model.append((Int64(step), 0))
                var lost = 0
                var dropped = 0
                while isOver(), model.count > 1 {
                    lost += 1 + model.removeFirst().missed
                    dropped += 1
                }
                model[0].missed += lost
                let announces = !isAnnounced && outstanding == 0
                if announces { isAnnounced = true }
                let result = inbox.append(Self.element(step), size: size, policy)
                #expect(result.missed == dropped)
                #expect(!result.isFull)
                #expect(result.announces == announces)
            case 16:
                let taken = inbox.take().map(Self.read)
                #expect(taken.map(\.number) == model.map(\.number))
                #expect(taken.map(\.missed) == model.map(\.missed))
                outstanding += model.count
                model = []
                isAnnounced = false
            default:
                let count = Int.random(in: -1...12, using: &random)
                _ = inbox.consumed(count, policy)
                outstanding -= max(0, min(count, outstanding))
                let announces = !isAnnounced && outstanding == 0 && !model.isEmpty
                if announces { isAnnounced = true }
                #expect(inbox.announces() == announces)
            }
        }
    }

    @Test("With `.pauseReading` it asks for a pause, keeps everything, and asks no more once it gave way")
    func pauses() {
        let policy = InboxPolicy(maximumMessages: 4, overflow: .pauseReading)
        var inbox = Inbox(subscription: nil)
        for number in 0..<4 { #expect(inbox.append(Self.element(number), size: 1, policy).isFull == false) }
        #expect(inbox.append(Self.element(4), size: 1, policy) == (0, true, false))
        #expect(inbox.giveWay(policy) == 1)
        #expect(inbox.append(Self.element(5), size: 1, policy) == (1, false, false))
        let taken = inbox.take().map(Self.read)
        #expect(taken.map(\.number) == [2, 3, 4, 5])
        #expect(taken.map(\.missed) == [2, 0, 0, 0])
        #expect(inbox.consumed(1, policy) == false)
        #expect(inbox.consumed(1, policy) == true)
        for number in 6..<8 { #expect(inbox.append(Self.element(number), size: 1, policy).isFull == false) }
        #expect(inbox.append(Self.element(8), size: 1, policy).isFull == true)
    }

    @Test("What comes although reading is paused stays within twice the bytes")
    func pausedBounds() {
        let policy = InboxPolicy(maximumMessages: 2, maximumBytes: 4, overflow: .pauseReading)
        var inbox = Inbox(subscription: nil)
        for number in 0..<1_000 { _ = inbox.append(Self.element(number), size: 1, policy) }
        let taken = inbox.take().map(Self.read)
        #expect(taken.count <= 10)
        #expect(taken.reduce(taken.count) { $0 + $1.missed } == 1_000)
    }

    @Test("Taken bytes count until they are consumed")
    func takenBytes() {
        let policy = InboxPolicy(maximumBytes: 100)
        var inbox = Inbox(subscription: nil)
        for number in 0..<2 { _ = inbox.append(Self.element(number), size: 50, policy) }
        _ = inbox.take()
        #expect(inbox.append(Self.element(2), size: 50, policy).missed == 0)
        #expect(inbox.append(Self.element(3), size: 50, policy).missed == 1)
        _ = inbox.consumed(2, policy)
        #expect(inbox.append(Self.element(4), size: 50, policy).missed == 0)
    }
}
