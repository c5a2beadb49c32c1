// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Messages that leave in parts")
struct SessionPartsTests {
    /// Its link takes one part at a time.
    private static func slow(_ features: ServerFeatures) -> TestSession {
        var session = TestSession.agreed(on: features) { $0.writeWindow = 1_000 }
        session.writesAtOnce = false
        return session
    }

    /// What leaves with so many flushes.
    private static func flushed(_ session: inout TestSession, _ count: Int) -> [Message] {
        (0..<count).flatMap { _ in
            session.flush()
            return session.sentMessages
        }
    }

    @Test("A large message goes in parts, in either spelling, and is answered", arguments: [false, true])
    func parts(isBinary: Bool) throws {
        var session = TestSession.agreed(on: isBinary ? .binaryParts : .parts)
        let call = session.submit(.publishing("a", .withoutRuns(10_000)))
        #expect(session.sentMessages.count >= 11)
        #expect(
            session.sentMessages.allSatisfy { ($0.kind == .binary) == isBinary && $0.bytes.count < 1_500 })
        let values = try session.sentMessages.unpacked()
        #expect(values == [["type": "publish", "channel-id": "a", "data": ["n": .withoutRuns(10_000)]]])
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: call) != nil)
        #expect(session.reading.metrics(at: session.now.instant).chunking.messages == 1)
    }

    @Test("What compresses is compressed before it is cut")
    func compressedParts() throws {
        var session = TestSession.agreed(on: .everything)
        let data = Value.string(String(repeating: String(repeating: "a", count: 50) + "b", count: 2_000))
        session.submit(.publishing("a", data))
        #expect(session.sentMessages.reduce(0) { $0 + $1.bytes.count } < 12_000)
        #expect(try session.sentMessages.unpacked().map { $0["data"]?["n"] } == [data])
    }

    @Test("Others pass a message in parts, those of its channel wait behind it, and both arrive")
    func interleaving() throws {
        var session = Self.slow(.binaryParts)
        var sent: [Message] = []
        session.submit(.publishing("a", .withoutRuns(5_000)))
        sent += session.sentMessages
        session.submit(.publishing("a", 2))
        session.submit(.publishing("b", 3))
        session.submit(.publishing("a", .withoutRuns(3_000)))
        session.submit(.publishing("b", 5))
        #expect(session.sentMessages.isEmpty)
        sent += Self.flushed(&session, 40)
        let values = try sent.unpacked()
        #expect(values.map { $0["data"]?["n"] } == [3, 5, .withoutRuns(5_000), 2, .withoutRuns(3_000)])
    }

    @Test(
        "An urgent one passes a less urgent message in parts, on its channel too, and others pass what waits there"
    )
    func urgency() throws {
        var session = Self.slow(.binaryParts)
        session.submit(.publishing("a", .withoutRuns(5_000)))
        var sent = session.sentMessages
        for number in 2...3 { session.submit(.publishing("a", .integer(Int64(number)))) }
        session.flush()
        sent += session.sentMessages
        session.submit(.publishing("b", 4))
        session.submit(.publishing("a", 5), SendOptions(priority: .urgent))
        sent += Self.flushed(&session, 40)
        let values = try sent.unpacked()
        #expect(values.map { $0["data"]?["n"] } == [5, 4, .withoutRuns(5_000), 2, 3])
    }

    @Test("What waited behind a message in parts leaves under the window, as anything does")
    func window() throws {
        var session = Self.slow(.binaryParts)
        session.submit(.publishing("a", .withoutRuns(1_500)))
        for number in 2...40 { session.submit(.publishing("a", .integer(Int64(number)))) }
        for _ in 0..<40 {
            session.flush()
            #expect(session.sentMessages.reduce(0) { $0 + $1.bytes.count } < 2_100)
        }
        #expect(session.engine.outboxCount == 0)
    }

    @Test("Said in one turn, a message in parts is not overtaken on its channel either")
    func orderInOneTurn() throws {
        var session = TestSession.agreed(on: .everything)
        let data: [Value] = [1, .withoutRuns(1_500), 3, .withoutRuns(1_600), 5]
        let messages = data.map { Outbound.publishing("a", $0) }
        session.turn(session.submissions(messages).map(\.1))
        let values = try session.sentMessages.unpacked().flatMap { $0["messages"]?.arrayValue ?? [$0] }
        #expect(values.map { $0["data"]?["n"] } == data)
    }

    @Test(
        "What was gathered when a message before it turned out to go in parts does not overtake it in company"
    )
    func orderOfGathered() throws {
        var session = Self.slow(.everything)
        session.submit(.publishing("b", .withoutRuns(950)))
        var sent = session.sentMessages
        // The third would make the batch of the first two too large, and waits for company.
        for size in [1_900, 1_800, 500] { session.submit(.publishing("a", .withoutRuns(size))) }
        session.submit(.publishing("b", 5))
        #expect(session.sentMessages.isEmpty)
        sent += Self.flushed(&session, 20)
        let values = try sent.unpacked().flatMap { $0["messages"]?.arrayValue ?? [$0] }
        #expect(
            values.map { $0["data"]?["n"] }
                == [.withoutRuns(950), 5, .withoutRuns(1_900), .withoutRuns(1_800), .withoutRuns(500)])
    }

    @Test("Two messages in parts move in turns, and a small one beside them moves too")
    func turns() throws {
        var session = Self.slow(.binaryParts)
        var sent: [Message] = []
        for name in ["a", "b"] {
            session.submit(.publishing(name, .withoutRuns(4_000)))
            sent += session.sentMessages
        }
        sent += Self.flushed(&session, 20)
        let numbers = try sent.compactMap { message -> UInt64? in
            if case .part(let part)? = try Envelope.read(binary: message.bytes) { part.number } else { nil }
        }
        #expect(numbers.prefix(8) == [1, 1, 2, 1, 2, 1, 2, 1])
        #expect(try sent.unpacked().channels == ["a", "b"])
    }

    @Test("Beside others that never end a part goes with every 64 KiB of them")
    func bulkTurns() throws {
        var session = Self.slow(.binaryParts)
        session.submit(.publishing("a", .withoutRuns(8_000)))
        for _ in 0..<150 { session.submit(.publishing("b", .withoutRuns(940))) }
        var sent: [Message] = []
        while session.engine.outboxCount > 1 {
            session.flush()
            sent += session.sentMessages
        }
        let others = sent.prefix { $0.kind == .binary }.count
        let parts = sent.indices.filter { sent[$0].kind == .binary }
        #expect(others == 0)
        #expect(parts.count == 2)
        let between = try #require(parts.last) - (try #require(parts.first)) - 1
        #expect((60...75).contains(between))
    }

    @Test("A call that gives up on a message in parts stops the rest, and its outcome is not sent")
    func abort() throws {
        var session = Self.slow(.binaryParts)
        let call = session.submit(.publishing("a", .withoutRuns(4_000)))
        #expect(session.sentMessages.count == 1)
        session.cancel(call)
        #expect(session.sentText == [#"{"type":"flow-chunk-abort","message-id":1}"#])
        #expect(session.error(of: call)?.outcome == .notSent)
        session.flush()
        #expect(session.sentMessages.isEmpty)
    }

    @Test(
        "A message of which not all parts left goes again over the next link, whole",
        arguments: [false, true])
    func lostParts(resumes: Bool) throws {
        var session = Self.slow(resumes ? .everything : .binaryParts)
        let call = session.submit(.publishing("a", .withoutRuns(4_000)))
        session.submit(.publishing("a", 2))
        session.cut()
        #expect(session.isPending(call))
        session.advanceToAttempt()
        session.writesAtOnce = true
        let features = resumes ? ServerFeatures.everything : .binaryParts
        session.greet(text: features.welcome)
        // A fresh session goes plain until the server's word.
        let plain = session.sentMessages.dropFirst()
        session.receive(
            features.ack(#""resumed":\#(resumes),"received":0,"sent":0,"missed":0"#))
        if resumes { #expect(session.status.recovery == .resumed(missed: 0)) }
        #expect(plain.isEmpty == resumes)
        let values = try (plain + session.sentMessages).unpacked()
        #expect(values.map { $0["data"]?["n"] } == [.withoutRuns(4_000), 2])
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: call) != nil)
    }

    @Test("A message that is too large to go plain waits until the server has agreed to parts")
    func awaitsParts() throws {
        let features = #""chunking":true,"max-chunk-size":4000"#
        var session = TestSession.connectingInText()
        session.greet(text: #"{"type":"welcome","conn-id":"c","capabilities":{\#(features)}}"#)
        let call = session.submit(.publishing("a", .withoutRuns(1_200_000)))
        #expect(session.isPending(call))
        #expect(session.sentMessages.isEmpty)
        session.receive(#"{"type":"flow-handshake-ack","features":{\#(features)}}"#)
        #expect(session.sentMessages.count > 300)
        #expect(session.isPending(call))
    }

    @Test(
        "A server that announces parts and does not answer has a message that is too large for anything else refused"
    )
    func noAnswer() {
        var session = TestSession.connectingInText()
        session.greet(text: ServerFeatures.parts.welcome)
        let call = session.submit(.publishing("a", .withoutRuns(1_200_000)))
        session.advance(by: .seconds(5))
        #expect(session.error(of: call)?.code == .messageTooLarge)
    }

    @Test("A message in parts that the server has not goes again in parts, when the session goes on")
    func partsAgain() throws {
        var session = TestSession.agreed(on: .everything)
        let call = session.submit(.publishing("a", .withoutRuns(4_000)))
        session.cut()
        session.goOn(with: .everything, received: 0)
        #expect(try session.sentMessages.unpacked().map { $0["data"]?["n"] } == [.withoutRuns(4_000)])
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: call) != nil)
    }

    @Test("Every part that left is counted, those of a message that stopped too")
    func countsParts() {
        var session = Self.slow(.binaryParts)
        let call = session.submit(.publishing("a", .withoutRuns(4_000)))
        let sent = session.sentMessages.count
        #expect(sent > 0)
        session.cancel(call)
        #expect(session.metrics.chunking.chunksSent == sent)
        #expect(session.metrics.chunking.messages == 0)
        session.writesAtOnce = true
        session.flush()
        session.submit(.publishing("b", .withoutRuns(4_000)))
        #expect(session.metrics.chunking.chunksSent == sent + 5)
        #expect(session.metrics.chunking.messages == 1)
    }

    @Test("A message larger than may go is refused, and the limit is that of parts")
    func tooLarge() throws {
        var session = TestSession.agreed(on: .binaryParts) {
            $0.flow.chunking = ChunkPolicy(size: 1_000, maximumChunks: 2_000)
        }
        let fits = session.submit(.publishing("a", .withoutRuns(1_500_000)))
        #expect(session.isPending(fits))
        let large = session.submit(.publishing("b", .withoutRuns(2_000_001)))
        #expect(session.error(of: large)?.code == .messageTooLarge)
    }
}
