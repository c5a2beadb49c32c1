// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("A large message that goes again is written elsewhere than on the loop, too")
struct SessionLargeRepeatTests {
    /// A session whose large message of channel a the server has not.
    private static func resumed() throws -> (TestSession, large: CallID) {
        var session = TestSession.withLargeWork(on: .everything)
        let large = session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        session.submit(.publishing("a", 2))
        session.submit(.publishing("b", 3))
        session.cut()
        session.goOn(with: .everything, received: 0)
        return (session, large)
    }

    @Test(
        "Its channel waits behind it in order; what else the server has not goes at once, and so does what is new"
    )
    func order() throws {
        var (session, large) = try Self.resumed()
        #expect(session.works.count == 1)
        #expect(try session.sentParts() == ["b"])
        session.submit(.publishing("a", 4), SendOptions(priority: .urgent))
        #expect(session.sentMessages.isEmpty)
        session.submit(.publishing("b", 5), SendOptions(priority: .urgent))
        #expect(try session.sentParts() == ["b"])
        session.handle(.command(.ping(session.newCall())))
        #expect(try session.sentParts() == ["ping"])
        session.work()
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3", "a", "a"])
        #expect(session.isPending(large))
    }

    @Test("It is counted when it has left whole, behind what overtook it")
    func counts() throws {
        var (session, _) = try Self.resumed()
        // The one that overtook it.
        session.receive(#"{"type":"flow-ack","received":1}"#)
        session.receive(#"{"type":"flow-ack","received":2}"#)
        #expect(session.state != .open)

        (session, _) = try Self.resumed()
        session.work()
        session.cut()
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.everything.welcome)
        #expect(session.sentText[0].contains(#""sent":3"#))
    }

    @Test("A cut in the middle of it begins it anew, and what was written for the old link goes nowhere")
    func cut() throws {
        var (session, large) = try Self.resumed()
        session.cut()
        session.work()
        #expect(session.sentMessages.isEmpty)
        session.goOn(with: .everything, received: 1)
        #expect(session.sentMessages.isEmpty)
        session.work()
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3", "a"])
        session.receive(
            ServerText.published("a"))
        #expect(session.answer(to: large) != nil)
    }

    @Test("A pong that came before it left says nothing of it")
    func fence() throws {
        var (session, large) = try Self.resumed()
        let gone = session.submit(.publishing("b", 4))
        session.cancel(gone)
        let stamp = try #require(
            try session.sentMessages.map { try WireFormat.json.decode($0.bytes) }.last?["timestamp"])
        session.receive(#"{"type":"pong","original-timestamp":\#(stamp.integerValue ?? 0)}"#)
        #expect(session.isPending(large))
    }

    @Test("A call that is given up meanwhile is not sent")
    func cancelled() throws {
        var (session, large) = try Self.resumed()
        session.cancel(large)
        #expect(session.error(of: large)?.outcome == .notSent)
        #expect(try session.sentParts() == ["a"])
        session.work()
        #expect(session.sentMessages.isEmpty)
        #expect(session.engine.outboxCount == 0)
    }

    @Test("One whose caller was told that it is written goes again all the same")
    func written() throws {
        var session = TestSession.withLargeWork(on: .everything)
        let call = session.submit(.publishing("a", .withoutRuns(3_000)), awaits: .written)
        session.work()
        session.flush()
        #expect(session.answer(to: call) == .written)
        for _ in 0..<2 {
            session.cut()
            session.goOn(with: .everything, received: 0)
        }
        // Of the link that was cut in the middle, and of this one.
        session.work()
        #expect(session.sentMessages.isEmpty)
        session.work()
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3"])
    }

    @Test("What waits behind it leaves in its order, durable or not")
    func durable() throws {
        var session = TestSession.withLargeWork(on: .everything) { $0.keepsMessages = true }
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        let submission = Submission(
            .publishing("a", 2), options: SendOptions(durable: true), awaits: .reply, id: "d2")
        session.handle(.command(.submit(session.newCall(), submission)))
        session.submit(.publishing("a", 3))
        session.cut()
        session.goOn(with: .everything, received: 0)
        session.work()
        let numbers = try session.sentMessages.filter { $0.kind == .text }.map {
            try WireFormat.json.decode($0.bytes)["data"]?["n"]?.integerValue
        }
        #expect(numbers == [2, 3])
    }

    @Test("One that is no large value and goes in parts goes in turns, too")
    func parts() throws {
        var session = TestSession.withLargeWork(on: .everything) { $0.largeValue = 1 << 20 }
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.submit(.publishing("a", 2))
        session.cut()
        session.writesAtOnce = false
        session.goOn(with: .everything, received: 0)
        #expect(session.works.isEmpty)
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3", "a"])
    }

    @Test("All that goes again goes before what waited for the link")
    func beforeOutbox() throws {
        var session = TestSession.withLargeWork(on: .everything) { $0.largeValue = 1 << 20 }
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.submit(.publishing("b", 1))
        session.cut()
        session.submit(.publishing("b", 2))
        session.goOn(with: .everything, received: 0)
        let numbers = try session.sentMessages.filter { $0.kind == .text }.map {
            try WireFormat.json.decode($0.bytes)["data"]?["n"]?.integerValue
        }
        #expect(numbers == [1, 2])
    }

    @Test(
        "One for which the server closed two links in a row is not sent a third time, whatever overtakes it")
    func suspect() throws {
        var session = TestSession.withLargeWork(on: .everything)
        let large = session.submit(.publishing("a", .withoutRuns(3_000)), limit: nil)
        session.work()
        for round in 0..<2 {
            session.submit(.publishing("b", 3))
            session.endLink(.closed(code: .invalidData, reason: ""))
            #expect(session.isPending(large), "\(round)")
            // The one of b that overtook it was read.
            session.goOn(with: .everything, received: round)
            if round == 0 { session.work() }
        }
        #expect(session.works.isEmpty)
        #expect(session.error(of: large)?.outcome == .unknown)
        #expect(try session.sentParts() == ["flow-skip", "b"])
    }

    /// A session whose large message of channel a, and one behind it, were told to be written; its second link was cut in the middle.
    private static func cutTwice(
        _ configure: (inout SessionConfiguration) -> Void
    ) -> (TestSession, awaited: CallID) {
        var session = TestSession.withLargeWork(on: .everything, configure)
        session.submit(.publishing("a", .withoutRuns(3_000)), awaits: .written)
        session.work()
        session.submit(.publishing("a", 2), awaits: .written)
        let awaited = session.submit(.publishing("a", 3), limit: nil)
        session.cut()
        session.goOn(with: .everything, received: 0)
        session.cut()
        return (session, awaited)
    }

    private static func comesWhole(_ session: inout TestSession) throws -> Bool {
        session.goOn(with: .everything, received: 0)
        // Of the link that was cut in the middle, and of this one.
        session.work()
        session.work()
        return try session.sentParts() == ["1.0", "1.1", "1.2", "1.3", "a", "a"]
    }

    @Test("It goes again as often as its link is cut, in a client whose messages wait for no connection, too")
    func outboxOff() throws {
        var (session, awaited) = Self.cutTwice { $0.outbox = .off }
        #expect(session.isPending(awaited))
        #expect(try Self.comesWhole(&session))
        #expect(session.isPending(awaited))
    }

    @Test("It knows no time to live, and makes no room, while its session goes on")
    func outlastsOthers() throws {
        var (session, awaited) = Self.cutTwice {
            $0.outbox = OutboxPolicy(maximumMessages: 4, timeToLive: .milliseconds(1), overflow: .dropOldest)
        }
        let dropped = session.submit(.publishing("c", 1))
        session.submit(.publishing("c", 2))
        #expect(session.error(of: dropped)?.code == .dropped)
        session.advance(by: .milliseconds(2))
        #expect(session.isPending(awaited))
        #expect(try Self.comesWhole(&session))
    }

    @Test("With its session ends what sets it apart: it waits its time, or is not sent")
    func sessionEnds() throws {
        var (session, awaited) = Self.cutTwice { $0.outbox = .off }
        session.disconnect()
        #expect(session.error(of: awaited)?.outcome == .notSent)
        #expect(session.engine.outboxCount == 0 && session.engine.outboxBytes == 0)
        (session, awaited) = Self.cutTwice { $0.outbox.timeToLive = .seconds(60) }
        session.advance(by: .seconds(25))
        #expect(session.signals.contains(.sessionLost) && session.isPending(awaited))
        session.advance(by: .seconds(40))
        #expect(session.error(of: awaited)?.code == .expired)
        #expect(session.engine.outboxCount == 0 && session.engine.outboxBytes == 0)
    }

    /// A session that sends one part at a time.
    private static func slow() -> TestSession {
        var session = TestSession.withLargeWork(on: .everything) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        session.worksAtOnce = true
        return session
    }

    @Test("One whose parts alone made the server close two links in a row goes no third time")
    func suspectInParts() throws {
        var session = Self.slow()
        let large = session.submit(.publishing("a", .withoutRuns(3_000)), limit: nil)
        for round in 0..<2 {
            #expect(try session.sentParts() == ["1.0"], "\(round)")
            #expect(session.isPending(large))
            session.endLink(.closed(code: .messageTooBig, reason: ""))
            session.goOn(with: .everything, received: 0)
        }
        #expect(session.error(of: large)?.outcome == .notSent)
        #expect(session.sentMessages.isEmpty)
        #expect(session.engine.outboxCount == 0 && session.engine.outboxBytes == 0)
    }

    @Test("So it is with a server that keeps no session")
    func suspectWithoutSession() throws {
        let features = ServerFeatures(text: #""chunking":true,"max-chunk-size":60000,"binary":true"#)
        var session = TestSession.agreed(on: features) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        let large = session.submit(.publishing("a", .withoutRuns(2 << 20)), limit: nil)
        for _ in 0..<2 {
            #expect(session.isPending(large))
            session.endLink(.closed(code: .messageTooBig, reason: ""))
            session.advanceToAttempt()
            session.greet(text: features.welcome)
            session.receive(features.begins)
        }
        #expect(session.error(of: large)?.outcome == .notSent)
    }

    @Test("Of several the one that is to blame is found: each goes alone after such a link")
    func suspectAmongOthers() throws {
        var session = Self.slow()
        let calls = ["a", "b"].map { session.submit(.publishing($0, .withoutRuns(3_000)), limit: nil) }
        for _ in 0..<3 { session.flush() }
        // Parts of both are on the link.
        session.endLink(.closed(code: .messageTooBig, reason: ""))
        session.goOn(with: .everything, received: 0)
        var seen = try session.sentParts()
        for _ in 0..<3 {
            session.flush()
            seen += try session.sentParts()
        }
        #expect(seen == ["1.0", "1.1", "1.2", "1.3", "2.0"])
        session.endLink(.closed(code: .messageTooBig, reason: ""))
        session.goOn(with: .everything, received: 1)
        #expect(session.isPending(calls[0]))
        #expect(session.error(of: calls[1])?.outcome == .notSent)
    }

    @Test("A small one for which the server closes its links is found beside parts that are not to blame")
    func suspectBesideParts() throws {
        var session = Self.slow()
        let small = session.submit(.publishing("b", 1), limit: nil)
        let large = session.submit(.publishing("a", .withoutRuns(3_000)), limit: nil)
        for round in 0..<2 {
            session.flush()
            session.endLink(.closed(code: .invalidData, reason: ""))
            #expect(session.isPending(small), "\(round)")
            session.goOn(with: .everything, received: 0)
        }
        #expect(session.error(of: small)?.outcome == .unknown)
        #expect(session.isPending(large))
    }

    @Test("What a link was closed for says nothing of a later one that was merely cut")
    func blameEnds() throws {
        var session = TestSession.withLargeWork(on: .everything)
        session.endLink(.closed(code: .invalidData, reason: ""))
        session.goOn(with: .everything, received: 0)
        let call = session.submit(.publishing("b", 1), limit: nil)
        session.cut()
        session.goOn(with: .everything, received: 0)
        session.endLink(.closed(code: .invalidData, reason: ""))
        session.goOn(with: .everything, received: 0)
        #expect(session.isPending(call))
    }
}
