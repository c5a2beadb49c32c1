// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Messages that leave together")
struct SessionBatchingTests {
    /// Messages wait 10 ms for company.
    private static func lingering() -> TestSession {
        TestSession.agreed(on: .batching) {
            $0.flow.batching = BatchPolicy(linger: .milliseconds(10), flushesOnIdle: false)
        }
    }

    @Test("What the app says in one turn goes in batches, in order, and each call has its answer")
    func burst() throws {
        var session = TestSession.agreed(on: .batching)
        let names = (0..<12).map { "c\($0)" }
        let calls = session.submissions(names.map { .publishing($0, 1) })
        session.turn(calls.map(\.1))
        let values = try session.sentMessages.unpacked()
        #expect(values.channels == ["flow-batch", "flow-batch"])
        #expect(values.flatMap { ($0["messages"]?.arrayValue ?? []).channels } == names)
        #expect(
            values[1]["messages"]?[0] == ["type": "publish", "channel-id": "c10", "data": ["n": 1]])
        for (name, call) in zip(names, calls) {
            session.receive(ServerText.published(name))
            #expect(session.answer(to: call.0) != nil)
        }
        let metrics = session.reading.metrics(at: session.now.instant).batching
        #expect(metrics == .init(batches: 2, messages: 12, reasons: ["count": 1, "idle": 1]))
    }

    @Test("A lone message goes plain, and at once")
    func lone() throws {
        var session = TestSession.agreed(on: .batching)
        session.submit(.publishing("a", 1))
        #expect(try session.sentMessages.unpacked().channels == ["a"])
        let call = session.submissions([.publishing("b", 1)])
        session.turn(call.map(\.1))
        #expect(try session.sentMessages.unpacked().channels == ["b"])
    }

    @Test("With a server that takes no batches, none goes")
    func notAgreed() throws {
        var session = TestSession.agreed(on: .parts)
        session.turn(session.submissions([.publishing("a", 1), .publishing("b", 1)]).map(\.1))
        #expect(try session.sentMessages.unpacked().channels == ["a", "b"])
    }

    @Test("A message that the format cannot say is not sent, and those beside it are")
    func unencodable() throws {
        var session = TestSession.agreed(on: .batching)
        let calls = session.submissions([
            .publishing("a", 1), .publishing("b", .double(.nan)), .publishing("c", 1),
        ])
        session.turn(calls.map(\.1))
        #expect(try session.sentMessages.unpacked().channels == ["a", "c"])
        #expect(session.error(of: calls[1].0)?.outcome == .notSent)
        #expect(session.isPending(calls[0].0) && session.isPending(calls[2].0))
    }

    @Test("A wish that is dropped in the same turn is told behind what was published before it")
    func order() throws {
        var session = TestSession.agreed(on: .batching)
        session.subscribe("a")
        session.confirm(text: "a")
        let calls = session.submissions([.publishing("a", 1), .publishing("b", 1)])
        let unsubscribe = Input.command(.unsubscribe(session.newCall(), channel: "a"))
        session.turn(calls.map(\.1) + [unsubscribe])
        let values = try session.sentMessages.unpacked()
        #expect(values.map { $0["type"]?.stringValue } == ["flow-batch", "unsubscribe"])
    }

    @Test("With a linger, a message waits for company, and a cancelled one does not leave")
    func linger() throws {
        var session = Self.lingering()
        session.submit(.publishing("a", 1))
        let cancelled = session.submit(.publishing("b", 1))
        #expect(session.sentMessages.isEmpty)
        session.cancel(cancelled)
        #expect(session.error(of: cancelled)?.outcome == .notSent)
        session.advance(by: .milliseconds(4))
        session.submit(.publishing("c", 1))
        #expect(session.sentMessages.isEmpty)
        session.advance(by: .milliseconds(6))
        let values = try session.sentMessages.unpacked()
        #expect(values.flatMap { ($0["messages"]?.arrayValue ?? []).channels } == ["a", "c"])
    }

    @Test("A call whose time is almost up waits for no company")
    func hurried() throws {
        var session = Self.lingering()
        session.submit(.publishing("a", 1), limit: .milliseconds(100))
        #expect(session.sentMessages.isEmpty)
        session.submit(.publishing("b", 1), limit: .milliseconds(99))
        #expect(try session.sentMessages.unpacked().channels == ["a", "b"])
    }

    @Test("What waits for company when the link is lost leaves over the next one")
    func lingerLost() throws {
        var session = Self.lingering()
        let call = session.submit(.publishing("a", 1))
        session.cut()
        #expect(session.isPending(call))
        session.advanceToAttempt()
        session.greet(text: #"{"type":"welcome","conn-id":"c"}"#)
        #expect(try session.sentMessages.unpacked().channels == ["a"])
    }

    @Test("When the app disconnects, what waits for company goes first")
    func lingerDisconnect() throws {
        var session = Self.lingering()
        session.submit(.publishing("a", 1))
        session.disconnect()
        #expect(try session.sentMessages.unpacked().channels == ["a"])
    }

    @Test("How long messages waited for company is told where some may wait, and nowhere else")
    func tellsWaits() {
        var session = Self.lingering()
        session.submit(.publishing("a", 1))
        session.advance(by: .milliseconds(4))
        session.submit(.publishing("a", 2))
        session.advance(by: .milliseconds(6))
        #expect(session.metrics.batching.waits == [.milliseconds(10)])
        var other = TestSession.agreed(on: .batching)
        other.submit(.publishing("a", 1))
        #expect(other.metrics.batching.lingerAdded == nil)
    }
}
