// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Messages that are heard past one in parts that is being read")
struct SessionPassingTests {
    /// A delivery in parts is being read.
    private static func reading(
        _ text: String = ServerText.delivery(1, String(repeating: "x", count: 3_000))
    ) throws -> (TestSession, InboxID) {
        var session = TestSession.withLargeWork(on: .acknowledging)
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        try session.receive(text, inParts: 5)
        #expect(session.works.count == 1)
        return (session, inbox)
    }

    private static let ack = #"{"type":"flow-chunk-ack","message-id":"#

    // MARK: In

    @Test(
        "Whatever comes is heard past it but others in parts, whose order holds; the server is told of each")
    func passing() throws {
        var (session, inbox) = try Self.reading()
        session.receive(ServerText.delivery(2))
        #expect(session.numbers(inbox) == [2])
        try session.receive(ServerText.delivery(3), inParts: 6)
        #expect(session.numbers(inbox).isEmpty)
        session.work()
        #expect(session.sentText.filter { $0.hasPrefix(Self.ack) } == ["\(Self.ack)5}", "\(Self.ack)6}"])
        #expect(session.numbers(inbox) == [1, 3])
        // A small one is told of at once.
        try session.receive(ServerText.delivery(4), inParts: 7)
        #expect(session.sentText.contains("\(Self.ack)7}"))
    }

    @Test("The server is told of one whose part is a large word, too")
    func largeWord() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingParts)
        let text = Array(ServerText.delivery(1, String(repeating: "x", count: 5_000)).utf8)
        session.receive(
            #"{"type":"flow-chunk-start","message-id":5,"total-chunks":1,"total-size":\#(text.count)}"#)
        session.receive(
            #"{"type":"flow-chunk","message-id":5,"chunk-index":0,"data":"\#(Base64.text(text))"}"#)
        session.receive(#"{"type":"flow-chunk-end","message-id":5}"#)
        session.work()
        session.work()
        #expect(session.sentText == ["\(Self.ack)5}"])
    }

    @Test("Behind a large one that came in no parts all waits, and behind what waits for it")
    func ordered() throws {
        var (session, inbox) = try Self.reading()
        session.receive(ServerText.delivery(2, String(repeating: "x", count: 5_000)))
        session.receive(ServerText.delivery(3))
        #expect(session.numbers(inbox).isEmpty)
        session.work()
        #expect(session.numbers(inbox) == [1])
        session.work()
        #expect(session.numbers(inbox) == [2, 3])
    }

    @Test("A link is left when what others have passed has been heard; one that none has passed comes again")
    func left() throws {
        for isPassed in [false, true] {
            for leaves in [Command.breakLink, .reconnect] {
                var (session, inbox) = try Self.reading()
                if isPassed { session.receive(ServerText.delivery(2)) }
                session.handle(.command(leaves))
                #expect((session.state == .open) == isPassed)
                // Nothing wakes it meanwhile.
                if isPassed { #expect(session.deadline.map { $0 > session.now.instant } ?? true) }
                session.work()
                #expect(session.state != .open)
                #expect(session.numbers(inbox) == (isPassed ? [2, 1] : []))
                if session.state == .reconnecting { session.advanceToAttempt() }
                session.greet(text: ServerFeatures.acknowledging.welcome)
                #expect(session.sentText[0].contains(#""received":\#(isPassed ? 3 : 1)"#))
            }
        }
    }

    @Test("What waits behind it has been passed as well")
    func leftBehind() throws {
        var (session, inbox) = try Self.reading()
        let second = ServerText.delivery(2, String(repeating: "x", count: 3_000))
        try session.receive(second, inParts: 6)
        session.receive(ServerText.delivery(3))
        session.work()
        #expect(session.works.count == 1)
        session.handle(.command(.breakLink))
        #expect(session.state == .open)
        session.work()
        #expect(session.state == .reconnecting)
        #expect(session.numbers(inbox) == [3, 1, 2])
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.acknowledging.welcome)
        #expect(session.sentText[0].contains(#""received":4"#))
    }

    @Test("disconnect() waits for nothing, and so does a link that is left for what breaks the protocol")
    func leftAtOnce() throws {
        var (session, _) = try Self.reading()
        session.receive(ServerText.delivery(2))
        session.handle(.command(.breakLink))
        session.disconnect()
        #expect(session.state == .closing)
        (session, _) = try Self.reading()
        session.receive(ServerText.delivery(2))
        session.receive(#"{"type":"flow-batch","messages":[]}"#)
        #expect(session.state == .reconnecting)
    }

    @Test("One that cannot be read ends its link, and counts where others have passed it")
    func unreadable() throws {
        for isPassed in [false, true] {
            var (session, inbox) = try Self.reading(#"{"x":"# + String(repeating: "1", count: 3_000))
            if isPassed { session.receive(ServerText.delivery(2)) }
            session.work()
            #expect(session.state == .reconnecting)
            #expect(session.numbers(inbox) == (isPassed ? [2] : []))
            session.advanceToAttempt()
            session.greet(text: ServerFeatures.acknowledging.welcome)
            #expect(session.sentText[0].contains(#""received":\#(isPassed ? 3 : 1)"#))
        }
    }

    @Test("Of parts that were given up, the server is told when the last of them came")
    func givenUp() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingParts)
        session.receive(binary: [0xC1, 2, 1, 0, 0] + Array("{".utf8))
        session.advance(by: .seconds(31))
        session.receive(binary: [0xC1, 2, 1, 1, 0] + Array("x".utf8))
        #expect(session.sentText.isEmpty)
        session.receive(binary: [0xC1, 2, 1, 2, 1] + Array("}".utf8))
        #expect(session.sentText == ["\(Self.ack)1}"])
    }

    @Test(
        "An ack of parts breaks the protocol where none was agreed on, and is nothing where it names none that left"
    )
    func acks() throws {
        var session = TestSession.withLargeWork()
        session.receive("\(Self.ack)1}")
        #expect(session.state == .reconnecting)
        session = TestSession.withLargeWork(on: .acknowledgingParts)
        session.receive("\(Self.ack)1}")
        #expect(session.state == .open)
        session.receive("\(Self.ack)-1}")
        #expect(session.state == .reconnecting)
    }

    @Test(
        "A server that reads nothing of what it is told is left",
        arguments: [ServerFeatures.acknowledgingParts, .sessionOfOne])
    func unread(features: ServerFeatures) throws {
        var session = TestSession.withLargeWork(on: features)
        session.writesAtOnce = false
        for number in 1...1_024 as ClosedRange<UInt64> {
            #expect(session.state == .open)
            try session.receiveOne(number, inParts: features == .acknowledgingParts)
        }
        #expect(session.state == .open)
        try session.receiveOne(1_025, inParts: features == .acknowledgingParts)
        #expect(session.state == .reconnecting)
    }

    // MARK: Out

    @Test(
        "What must not overtake a large message waits until the server has heard it, but others in parts do not"
    )
    func waits() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingParts)
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        #expect(try session.sentParts() == ["1.0", "1.1", "1.2", "1.3"])
        session.submit(.publishing("b", 2))
        #expect(try session.sentParts() == ["b"])
        // One that turned out small is in parts, so as not to be heard first.
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        #expect(try session.sentParts() == ["2.0", "2.1", "2.2", "2.3"])
        session.submit(.publishing("a", 3))
        session.submit(.publishing("a", 4), SendOptions(priority: .urgent))
        #expect(session.sentMessages.isEmpty)
        // Behind those that wait a large one does, too.
        session.submit(.publishing("a", .withoutRuns(3_000)))
        #expect(session.works.isEmpty)
        session.receive("\(Self.ack)1}")
        #expect(session.sentMessages.isEmpty && session.works.isEmpty)
        session.receive("\(Self.ack)2}")
        #expect(try session.sentParts() == ["a", "a"])
        #expect(session.works.count == 1)
    }

    @Test("A large message that turns out small goes in parts behind one that is not heard, and else whole")
    func turnsOutSmall() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingCompression)
        let runs = Value.string(String(repeating: "a", count: 3_000))
        session.submit(.publishing("a", runs))
        session.work()
        #expect(try session.sentParts() == ["?"])
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        session.submit(.publishing("a", runs))
        session.work()
        #expect(try session.sentParts() == ["2.0"])
    }

    @Test("What is more urgent passes on its channel where answers have names")
    func urgent() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingParts)
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        // A publish is answered in order, so the answer would go to the other.
        session.submit(.publishing("a", 2), SendOptions(priority: .urgent))
        #expect(session.sentMessages.isEmpty)
        session.submit(.publishing("c", 2), SendOptions(priority: .urgent))
        #expect(try session.sentParts() == ["c"])
    }

    @Test(
        "A pong says nothing of what the server has not said to have heard, and is asked for once more then")
    func fence() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingParts)
        let large = session.submit(.publishing("a", .withoutRuns(3_000)))
        session.work()
        let gone = session.submit(.publishing("b", 2))
        session.cancel(gone)
        func pong() throws {
            let ping = try session.sentMessages.map { try WireFormat.json.decode($0.bytes) }.last
            let stamp = try #require(ping?["timestamp"]?.integerValue)
            session.receive(#"{"type":"pong","original-timestamp":\#(stamp)}"#)
        }
        try pong()
        #expect(session.isPending(large))
        session.receive("\(Self.ack)1}")
        try pong()
        #expect(session.error(of: large)?.code == .noReply)
    }

    @Test("A server that never says to have heard any is left")
    func neverHeard() throws {
        var session = TestSession.withLargeWork(on: .acknowledgingParts)
        for number in 0...1_024 {
            #expect(session.state == .open)
            session.submit(.publishing("\(number)", .withoutRuns(1_500)))
        }
        #expect(session.state == .reconnecting)
    }
}

extension TestSession {
    fileprivate mutating func receiveOne(_ number: UInt64, inParts: Bool) throws {
        let text = ServerText.delivery(Int(number))
        if inParts { try receive(text, inParts: number) } else { receive(text) }
    }
}
