// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Inboxes")
struct InboxesTests {
    private static let now = Instant(nanoseconds: 0)

    private static func event(_ id: String) -> InboxElement {
        .event(Event(id: Keyword(id)), missed: 0)
    }

    private static func request(_ number: Int) -> IncomingRequest {
        IncomingRequest(id: "\(number)", channel: "svc", data: .null)
    }

    @Test("Everyone who listens gets it once, however often it listens, and is told once until it takes")
    func routes() {
        var inboxes = Inboxes(policy: InboxPolicy())
        for number in UInt64(1)...4 { inboxes.open(InboxID(number)) }
        inboxes.listen(InboxID(1), .event("a"))
        inboxes.listen(InboxID(1), .event("a"))
        inboxes.listen(InboxID(2), .allEvents)
        inboxes.listen(InboxID(3), .event("b"))
        inboxes.listen(InboxID(4), .event("a"))
        inboxes.listen(InboxID(4), .allEvents)
        var ready: [InboxID] = []
        for _ in 0..<2 {
            _ = inboxes.deliver(Self.event("a"), to: .event("a"), size: 1) { ready.append($0) }
        }
        #expect(ready == [InboxID(1), InboxID(4), InboxID(2)])
        #expect(inboxes.take(InboxID(1)).count == 2)
        #expect(inboxes.take(InboxID(2)).count == 2)
        #expect(inboxes.take(InboxID(3)).isEmpty)
        #expect(inboxes.take(InboxID(4)).count == 2)
        inboxes.unlisten(InboxID(1), .event("a"))
        _ = inboxes.deliver(Self.event("a"), to: .event("a"), size: 1) { _ in }
        #expect(inboxes.take(InboxID(1)).count == 1)
        inboxes.unlisten(InboxID(1), .event("a"))
        _ = inboxes.deliver(Self.event("a"), to: .event("a"), size: 1) { _ in }
        #expect(inboxes.take(InboxID(1)).isEmpty)
    }

    @Test("A handle that consumed what it took is told of what came meanwhile")
    func again() {
        var inboxes = Inboxes(policy: InboxPolicy())
        inboxes.open(InboxID(1))
        inboxes.listen(InboxID(1), .channel("c"))
        var ready = 0
        for _ in 0..<3 {
            _ = inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in ready += 1 }
        }
        #expect(ready == 1)
        #expect(inboxes.take(InboxID(1)).count == 3)
        _ = inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in ready += 1 }
        inboxes.consumed(InboxID(1), 2, at: Self.now) { _ in ready += 1 }
        #expect(ready == 1)
        inboxes.consumed(InboxID(1), 1, at: Self.now) { _ in ready += 1 }
        #expect(ready == 2)
    }

    @Test("A closed inbox hears nothing and holds nothing up")
    func closed() {
        var inboxes = Inboxes(policy: InboxPolicy(maximumMessages: 1, overflow: .pauseReading))
        inboxes.open(InboxID(1), subscription: "c")
        inboxes.listen(InboxID(1), .channel("c"))
        #expect(inboxes.subscriptions(of: "c") == [InboxID(1)])
        for _ in 0..<2 { _ = inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in } }
        #expect(inboxes.isFull)
        inboxes.close(InboxID(1))
        #expect(!inboxes.isFull)
        #expect(inboxes.subscriptions(of: "c").isEmpty)
        #expect(inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in } == nil)
        #expect(inboxes.take(InboxID(1)).isEmpty)
        inboxes.listen(InboxID(1), .channel("c"))
        inboxes.consumed(InboxID(1), 5, at: Self.now) { _ in Issue.record("Nobody is there.") }
    }

    @Test("A responder works on so many requests at once; its answers make room")
    func responder() {
        var inboxes = Inboxes(policy: InboxPolicy())
        #expect(inboxes.deliver(Self.request(0), size: 1, until: Self.now) { _ in } == nil)
        inboxes.open(InboxID(1), requestLimit: 2)
        inboxes.listen(InboxID(1), .requests("svc"))
        #expect(inboxes.deliver(Self.request(1), size: 1, until: Self.now) { _ in } == true)
        #expect(inboxes.deliver(Self.request(2), size: 1, until: Self.now) { _ in } == true)
        #expect(inboxes.deliver(Self.request(3), size: 1, until: Self.now) { _ in } == false)
        inboxes.answered(InboxID(1))
        #expect(inboxes.deliver(Self.request(4), size: 1, until: Self.now) { _ in } == true)
        #expect(
            inboxes.take(InboxID(1)) == [1, 2, 4].map { .request(Self.request($0)) })
    }

    @Test("Reading goes on when half of what held it up is free, or when its time is over")
    func full() {
        var inboxes = Inboxes(policy: InboxPolicy(maximumMessages: 4, overflow: .pauseReading))
        inboxes.open(InboxID(1))
        inboxes.listen(InboxID(1), .channel("c"))
        for _ in 0..<5 { _ = inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in } }
        #expect(inboxes.isFull)
        #expect(inboxes.take(InboxID(1)).count == 5)
        #expect(inboxes.isFull)
        inboxes.consumed(InboxID(1), 2, at: Self.now) { _ in }
        #expect(inboxes.isFull)
        inboxes.consumed(InboxID(1), 1, at: Self.now) { _ in }
        #expect(!inboxes.isFull)
        for _ in 0..<3 { _ = inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in } }
        #expect(inboxes.isFull)
        #expect(inboxes.dropExcess() == 1)
        #expect(!inboxes.isFull)
        #expect(inboxes.deliver(Self.event("a"), to: .channel("c"), size: 1) { _ in } == 1)
        #expect(!inboxes.isFull)
    }
}
