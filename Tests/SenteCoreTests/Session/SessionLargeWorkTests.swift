// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Large values are written and read elsewhere than on the loop")
struct SessionLargeWorkTests {
    private static func subscribed(
        _ features: ServerFeatures,
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> (TestSession, InboxID) {
        var session = TestSession.withLargeWork(on: features, configure)
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        return (session, inbox)
    }

    /// A delivery that is being read.
    private static func reading(
        _ features: ServerFeatures = .everything,
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) throws -> (TestSession, InboxID) {
        var (session, inbox) = subscribed(features, configure)
        try session.receive(ServerText.delivery(1, String(repeating: "x", count: 3_000)), inParts: 5)
        #expect(session.works.count == 1)
        return (session, inbox)
    }

    // MARK: Out

    @Test(
        "While one is written, its channel waits in order; other channels, pings and what is more urgent go on"
    )
    func order() throws {
        var session = TestSession.withLargeWork()
        let large = session.submit(.publishing("a", .withoutRuns(3_000)))
        #expect(session.works.count == 1 && session.sentMessages.isEmpty)
        session.submit(.publishing("a", 2))
        #expect(session.sentMessages.isEmpty)
        session.submit(.publishing("b", 3))
        #expect(try session.sentParts() == ["b"])
        session.submit(.publishing("a", 4), SendOptions(priority: .urgent))
        #expect(try session.sentParts() == ["a"])
        session.handle(.command(.ping(session.newCall())))
        #expect(try session.sentParts() == ["ping"])
        session.work()
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3", "a"])
        #expect(session.isPending(large))
    }

    @Test("One is written at a time, the most urgent of those that wait first")
    func oneAtATime() throws {
        var session = TestSession.withLargeWork()
        for (channel, priority) in [("a", SendOptions.Priority.normal), ("b", .bulk), ("c", .urgent)] {
            session.submit(.publishing(channel, .withoutRuns(2_500)), SendOptions(priority: priority))
        }
        #expect(session.works.count == 1)
        var order: [Message] = []
        for _ in 0..<3 {
            session.work()
            order += session.sentMessages
        }
        #expect(session.works.isEmpty)
        var reassembly = Reassembly(limits: .init(messageBytes: 100_000))
        var channels: [String?] = []
        for message in order {
            guard case .part(let part)? = try Envelope.read(binary: message.bytes),
                case .whole(let whole) = try reassembly.add(
                    part, isBinary: true, at: Instant(nanoseconds: 0))
            else { continue }
            channels.append(try WireFormat.json.decode(whole.bytes)["channel-id"]?.stringValue)
        }
        #expect(channels == ["a", "c", "b"])
    }

    @Test("A call that gives up while its message is written is not sent, and what waited behind it leaves")
    func cancelled() throws {
        var session = TestSession.withLargeWork()
        let large = session.submit(.publishing("a", .withoutRuns(3_000)))
        session.submit(.publishing("a", 2))
        session.cancel(large)
        #expect(session.error(of: large)?.outcome == .notSent)
        #expect(try session.sentParts() == ["a"])
        let next = session.submit(.publishing("b", .withoutRuns(3_000)))
        // Still one at a time.
        #expect(session.works.count == 1)
        session.work()
        #expect(session.sentMessages.isEmpty)
        #expect(session.works.count == 1)
        session.work()
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3"])
        #expect(session.isPending(next))
        #expect(session.engine.outboxCount == 0)
    }

    @Test("A call whose time is up while its message is written is not sent")
    func timedOut() {
        var session = TestSession.withLargeWork()
        let large = session.submit(.publishing("a", .withoutRuns(3_000)), limit: .seconds(1))
        session.advance(by: .seconds(1))
        #expect(session.error(of: large)?.code == .timedOut)
        #expect(session.error(of: large)?.outcome == .notSent)
        session.work()
        #expect(session.sentMessages.isEmpty)
    }

    @Test(
        "What is written for a link that is gone goes nowhere; the message leaves over the next, before those behind it"
    )
    func linkEnds() throws {
        var session = TestSession.withLargeWork()
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.submit(.publishing("a", 2))
        session.cut()
        session.work()
        #expect(session.sentMessages.isEmpty)
        session.advanceToAttempt()
        session.greet(text: #"{"type":"welcome","conn-id":"c"}"#)
        let data = try session.sentMessages.map { try WireFormat.json.decode($0.bytes)["data"]?["n"] }
        #expect(data == [.withoutRuns(3_000), 2])
    }

    @Test("What the format cannot say is found out elsewhere, and is not sent")
    func unencodable() throws {
        var session = TestSession.withLargeWork()
        let call = session.submit(.publishing("a", [.withoutRuns(3_000), .double(.nan)]))
        session.submit(.publishing("a", 2))
        session.work()
        #expect(session.error(of: call)?.code == .unencodable)
        #expect(session.error(of: call)?.outcome == .notSent)
        #expect(try session.sentParts() == ["a"])
    }

    @Test(
        "What waits behind a large message counts in the outbox's bounds, and the large one leaves the others their room"
    )
    func bounds() throws {
        var session = TestSession.withLargeWork {
            $0.outbox.maximumBytes = 4_000
            $0.outbox.maximumMessages = 6
        }
        session.writesAtOnce = false
        session.submit(.publishing("a", .withoutRuns(9_000)))
        #expect(session.engine.outboxCount == 1)
        let behind = (0..<3).map { _ in session.submit(.publishing("a", .withoutRuns(1_200))) }
        #expect(behind.allSatisfy(session.isPending))
        #expect(session.engine.outboxCount == 4)
        // Ordinary ones are bounded as ever, and other channels leave.
        let surplus = session.submit(.publishing("a", .withoutRuns(1_200)))
        #expect(session.error(of: surplus)?.code == .outboxFull)
        session.submit(.publishing("b", .withoutRuns(900)))
        #expect(try session.sentParts() == ["b"])
        // Large ones have the largest message's room.
        let second = session.submit(.publishing("c", .withoutRuns(1_000_000)))
        let third = session.submit(.publishing("d", .withoutRuns(60_000)))
        #expect(session.isPending(second))
        #expect(session.error(of: third)?.code == .outboxFull)
        session.work()
        session.work()
        session.flush()
        for _ in 0..<40 { session.flush() }
        #expect(session.engine.outboxCount == 0)
        #expect(session.engine.outboxBytes == 0)
    }

    // MARK: In

    @Test("What comes behind one that is read is heard after it, and a pong at once")
    func held() throws {
        var (session, inbox) = try Self.reading()
        session.receive(ServerText.delivery(2))
        #expect(session.numbers(inbox).isEmpty)
        let ping = session.newCall()
        session.handle(.command(.ping(ping)))
        let stamp = try #require(try WireFormat.json.decode(session.sentMessages[0].bytes)["timestamp"])
        session.receive(#"{"type":"pong","original-timestamp":\#(stamp.integerValue ?? 0)}"#)
        #expect(session.answer(to: ping) != nil)
        session.receive(#"{"type":"ping","timestamp":5}"#)
        #expect(session.sentText.contains { $0.contains("pong") })
        session.work()
        #expect(session.numbers(inbox) == [1, 2])
        session.receive(ServerText.delivery(3))
        #expect(session.numbers(inbox) == [3])
    }

    @Test("A second large one behind it is read in its turn")
    func twoLarge() throws {
        var (session, inbox) = try Self.reading()
        session.receive(ServerText.delivery(2, String(repeating: "x", count: 5_000)))
        session.receive(ServerText.delivery(3))
        #expect(session.works.count == 1)
        session.work()
        #expect(session.numbers(inbox) == [1])
        session.work()
        #expect(session.numbers(inbox) == [2, 3])
    }

    @Test("A link that ends meanwhile ends behind what it brought")
    func endHeld() throws {
        var (session, inbox) = try Self.reading()
        session.receive(ServerText.delivery(2))
        session.cut()
        #expect(session.state == .open)
        session.work()
        #expect(session.state == .reconnecting)
        #expect(session.numbers(inbox) == [1, 2])
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.everything.welcome)
        // Both count, and the reply to the subscription.
        #expect(session.sentText[0].contains(#""received":3"#))
    }

    @Test("disconnect() waits for no closing handshake of a link that has ended meanwhile")
    func disconnectAfterTheEnd() throws {
        var (session, inbox) = try Self.reading()
        session.cut()
        let call = session.disconnect()
        #expect(session.state == .closed)
        #expect(!session.isPending(call))
        session.work()
        #expect(session.numbers(inbox).isEmpty)
    }

    @Test("After disconnect() nothing of it is heard")
    func disconnected() throws {
        var (session, inbox) = try Self.reading()
        session.disconnect()
        session.work()
        #expect(session.numbers(inbox).isEmpty)
        #expect(session.state == .closing)
    }

    @Test(
        "One that cannot be read ends the link where both ends count, and is skipped elsewhere",
        arguments: [false, true])
    func unreadable(counts: Bool) throws {
        var (session, inbox) = Self.subscribed(counts ? .everything : .binaryParts)
        try session.receive(#"{"x":"# + String(repeating: "1", count: 3_000), inParts: 5)
        session.receive(ServerText.delivery(2))
        session.work()
        #expect((session.state == .open) == !counts)
        #expect(session.numbers(inbox) == (counts ? [] : [2]))
        #expect(session.undecodable.count == 1)
    }

    @Test("More than may be held pauses reading until there is room")
    func pauses() throws {
        var (session, inbox) = try Self.reading(.everything) { $0.inbox.maximumBytes = 1 << 30 }
        func isPaused(_ effects: [Effect]) -> Bool {
            effects.contains { if case .pauseReading = $0 { true } else { false } }
        }
        let text = String(repeating: "x", count: 1_000_000)
        for number in 2...17 { session.receive(ServerText.delivery(number, text)) }
        #expect(!isPaused(session.effects))
        session.receive(ServerText.delivery(18, text))
        #expect(isPaused(session.effects))
        session.work()
        #expect(session.effects.contains { if case .resumeReading = $0 { true } else { false } })
        for _ in 0..<17 { session.work() }
        #expect(session.numbers(inbox) == (1...18).map { $0 })
    }

    @Test("Room in an inbox does not resume reading while more is held than may be")
    func pausesTwice() throws {
        var (session, inbox) = Self.subscribed(.everything) {
            $0.inbox = InboxPolicy(maximumMessages: 1, overflow: .pauseReading)
        }
        func resumes(_ effects: [Effect]) -> Bool {
            effects.contains { if case .resumeReading = $0 { true } else { false } }
        }
        for number in 1...3 { session.receive(ServerText.delivery(number)) }
        let text = String(repeating: "x", count: 1_000_000)
        for number in 4...21 { session.receive(ServerText.delivery(number, text)) }
        #expect(session.numbers(inbox) == [1, 2, 3])
        #expect(!resumes(session.effects))
        session.work()
        #expect(resumes(session.effects))
    }

    @Test("What unfolds to more than was likely is read elsewhere, too")
    func unlikelyLarge() throws {
        var (session, inbox) = Self.subscribed(.everything) { $0.largeValue = 4_000 }
        let text = Array(ServerText.delivery(1, String(repeating: "x", count: 6_000)).utf8)
        let folded = try Folded(by: .gzip) { output throws(WireError) in
            try text.withUnsafeBufferPointer { bytes throws(WireError) in
                try Compressor.runs.compress(UnsafeRawBufferPointer(bytes), &output)
            }
        }
        #expect(folded.payload.count * 8 < 4_000)
        session.receive(binary: try #require(Envelope.compressed(.gzip, folded.payload).binary))
        #expect(session.works.count == 1)
        session.receive(ServerText.delivery(2))
        session.work()
        #expect(session.numbers(inbox) == [1, 2])
    }
}
