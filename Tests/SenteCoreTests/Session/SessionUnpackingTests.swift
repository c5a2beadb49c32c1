// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Messages that come otherwise than plain")
struct SessionUnpackingTests {
    private static func text(_ envelope: Envelope) throws -> String {
        let fields = envelope.fields(writesBytes: false).map { (Value.string($0.name), $0.value) }
        let type: (Value, Value) = ("type", .string("flow-" + envelope.word.rawValue))
        let map = ValueMap([type] + fields)
        return String(decoding: try WireFormat.json.encode(.map(map)), as: UTF8.self)
    }

    @Test("The messages of a batch are heard one by one, and each counts")
    func batch() throws {
        var (session, inbox) = TestSession.subscribed(on: .everything)
        session.receive(
            #"{"type":"flow-batch","messages":[\#((1...60).map { ServerText.delivery($0) }.joined(separator: ","))]}"#
        )
        #expect(session.numbers(inbox) == (1...60).map { $0 })
        session.cut()
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.everything.welcome)
        // The reply to the subscription counts, too.
        #expect(session.sentText[0].contains(#""received":61"#))
    }

    @Test("A compressed message is heard, in either spelling")
    func compressed() throws {
        var (session, inbox) = TestSession.subscribed(on: .everything)
        let folded = try Folded(by: .gzip) { output throws(WireError) in
            let bytes = Array(ServerText.delivery(1).utf8)
            try bytes.withUnsafeBufferPointer { bytes throws(WireError) in
                try Compressor.runs.compress(UnsafeRawBufferPointer(bytes), &output)
            }
        }
        let envelope = Envelope.compressed(.gzip, folded.payload)
        session.receive(try Self.text(envelope))
        #expect(session.numbers(inbox) == [1])
        session.receive(binary: try #require(envelope.binary))
        #expect(session.numbers(inbox) == [1])
    }

    @Test("What unfinished messages take is told, now and at most")
    func memory() throws {
        var (session, inbox) = TestSession.subscribed(on: .everything)
        let text = String(repeating: "xyz", count: 1_000)
        var chunker = Chunker(
            Folded(plain: Array(ServerText.delivery(1, text).utf8)), number: 5, size: 1_000, isBinary: true)
        var most = 0
        while !chunker.isDone {
            for envelope in chunker.next() { session.receive(binary: try #require(envelope.binary)) }
            let chunking = session.metrics.chunking
            #expect(chunking.incomplete == (chunker.isDone ? 0 : 1))
            #expect((chunking.memory > 0) == !chunker.isDone)
            most = max(most, chunking.memory)
        }
        #expect(session.metrics.chunking.peakMemory > most)
        #expect(session.numbers(inbox) == [1])
    }

    @Test("A message in parts is heard with its last, between others", arguments: [false, true])
    func parts(isBinary: Bool) throws {
        var (session, inbox) = TestSession.subscribed(on: .everything)
        let text = String(repeating: "xyz", count: 2_000)
        var chunker = Chunker(
            Folded(plain: Array(ServerText.delivery(1, text).utf8)), number: 5, size: 1_000,
            isBinary: isBinary)
        var number = 2
        while !chunker.isDone {
            for envelope in chunker.next() {
                if isBinary {
                    session.receive(binary: try #require(envelope.binary))
                } else {
                    session.receive(try Self.text(envelope))
                }
            }
            session.receive(ServerText.delivery(number))
            number += 1
        }
        let count = chunker.count
        #expect(
            session.numbers(inbox) == Array(2...Int64(count)) + [1, Int64(count) + 1])
    }

    @Test("A message whose parts stay away is given up and counted; where both ends count, the link ends")
    func timeout() throws {
        var session = TestSession.agreed(on: .binaryParts)
        session.receive(binary: [0xC1, 2, 1, 0, 0, 9])
        #expect(session.deadline == session.now.instant.advanced(by: .seconds(30)))
        session.advance(by: .seconds(30))
        #expect(session.state == .open)
        #expect(session.reading.metrics(at: session.now.instant).chunking.timeouts == 1)
        var counting = TestSession.agreed(on: .everything)
        counting.receive(binary: [0xC1, 2, 1, 0, 0, 9])
        counting.advance(by: .seconds(30))
        #expect(counting.state != .open)
        #expect(counting.status.lastError?.closeCode == .messageTooBig)
    }

    @Test(
        "What breaks the rules ends the link, with the code that says why",
        arguments: [
            (#"{"type":"flow-batch","messages":[]}"#, 1_002), (#"{"type":"flow-batch"}"#, 1_002),
            (#"{"type":"flow-batch","messages":{"a":1}}"#, 1_002),
            (#"{"type":"flow-batch","messages":[{"type":"flow-batch","messages":[{"type":"x"}]}]}"#, 1_002),
            (#"{"type":"flow-batch","messages":[{"type":"flow-ack","received":0}]}"#, 1_002),
            (#"{"type":"flow-batch","messages":[{"type":"flow-end"}]}"#, 1_002),
            (#"{"type":"flow-chunk-end","message-id":7}"#, 1_002),
            (#"{"type":"flow-chunk","message-id":7,"chunk-index":0,"data":"?"}"#, 1_002),
            (#"{"type":"flow-chunk","message-id":7,"chunk-index":9223372036854775807,"data":""}"#, 1_009),
            (
                #"{"type":"flow-chunk-start","message-id":7,"total-chunks":1,"total-size":9223372036854775807}"#,
                1_009
            ),
            (#"{"type":"flow-chunk-start","message-id":7,"total-chunks":0,"total-size":0}"#, 1_002),
            (
                #"{"type":"flow-compressed","compressed":true,"compression-algorithm":"deflate","data":""}"#,
                1_002
            ),
            (
                #"{"type":"flow-compressed","compressed":true,"compression-algorithm":"gzip","data":"AQ=="}"#,
                1_007
            ),
            (#"{"type":"flow-ack","received":7}"#, 1_008), (#"{"type":"flow-ack","received":-1}"#, 1_008),
            (#"{"type":"flow-handshake-ack","features":{}}"#, 1_002),
        ])
    func violations(text: String, code: UInt16) {
        var session = TestSession.agreed(on: .everything)
        session.receive(text)
        #expect(session.state != .open)
        #expect(session.status.lastError?.closeCode == CloseCode(rawValue: code))
        // It says what happened, and what to do.
        #expect(session.status.lastError?.message.contains("The server broke the rules of flow. It ") == true)
        #expect(session.status.lastError?.message.contains("`flow") == true)
    }

    @Test("So does a batch of a million, of which nothing is heard")
    func million() {
        var (session, inbox) = TestSession.subscribed(on: .everything)
        let messages =
            Array(repeating: ServerText.delivery(1), count: 2) + Array(repeating: "1", count: 999_998)
        session.receive(#"{"type":"flow-batch","messages":[\#(messages.joined(separator: ","))]}"#)
        #expect(session.state != .open)
        #expect(session.status.lastError?.closeCode == .protocolError)
        #expect(session.consume(inbox).isEmpty)
    }

    @Test(
        "So does a malformed binary envelope, and one within another",
        arguments: [
            ([0xC1], 1_002), ([0xC1, 9], 1_002), ([0xC1, 2, 1], 1_002), ([0xC1, 1, 2, 1], 1_002),
            // A compressed message that is one again: runs of one byte.
            ([0xC1, 1, 1, 255, 0xC1], 1_007),
        ] as [([UInt8], UInt16)])
    func binaryViolations(bytes: [UInt8], code: UInt16) {
        var session = TestSession.agreed(on: .everything)
        session.receive(binary: bytes)
        #expect(session.state != .open)
        #expect(session.status.lastError?.closeCode == CloseCode(rawValue: code))
    }

    @Test("An envelope within an envelope breaks the rules")
    func nested() throws {
        var session = TestSession.agreed(on: .binaryParts)
        let inner = #"{"type":"flow-chunk-end","message-id":1}"#
        let outer = Envelope.part(
            ChunkPart(number: 1, index: 0, isLast: true, bytes: Array(inner.utf8)[...]))
        session.receive(binary: try #require(outer.binary))
        #expect(session.status.lastError?.closeCode == .protocolError)
    }

    @Test("So does a message in parts that is compressed by what was not agreed on")
    func otherAlgorithm() throws {
        for (algorithm, isAgreed) in [(MessageCompression.Algorithm.gzip, true), (.deflate, false)] {
            var (session, inbox) = TestSession.subscribed(on: .everything)
            let bytes: [UInt8] = ServerText.delivery(1).utf8.flatMap { [1, $0] }
            var chunker = Chunker(
                Folded(by: algorithm) { $0 += bytes }, number: 1, size: 100, isBinary: true)
            while !chunker.isDone {
                for envelope in chunker.next() { session.receive(binary: try #require(envelope.binary)) }
            }
            #expect((session.state == .open) == isAgreed)
            #expect(session.numbers(inbox) == (isAgreed ? [1] : []))
            if !isAgreed { #expect(session.status.lastError?.closeCode == .protocolError) }
        }
    }

    @Test("What was not agreed on ends the link")
    func notAgreed() {
        for (features, text) in [
            (ServerFeatures.parts, #"{"type":"flow-batch","messages":[{"type":"x"}]}"#),
            (.batching, #"{"type":"flow-chunk","message-id":7,"chunk-index":0,"data":""}"#),
            (.parts, #"{"type":"flow-compressed","compression-algorithm":"gzip","data":""}"#),
        ] {
            var session = TestSession.agreed(on: features)
            session.receive(text)
            #expect(session.status.lastError?.closeCode == .protocolError)
        }
    }

    @Test("A publisher that forges words of flow has a delivery of them, and no more")
    func forged() {
        var (session, inbox) = TestSession.subscribed(on: .everything)
        for word in ["batch", "chunk-end", "end", "ack", "compressed"] {
            session.receive(
                #"{"type":"flow-\#(word)","channel-id":"a","data":{"n":1},"broadcast-time":1,"messages":[]}"#)
        }
        #expect(session.state == .open)
        #expect(session.consume(inbox).count == 5)
    }

    @Test("An unreadable compressed message is counted and skipped, where nothing is counted by both")
    func unreadable() {
        var session = TestSession.agreed(on: .compression)
        session.receive(binary: [0xC1, 1, 1, 5])
        #expect(session.state == .open)
        #expect(session.undecodable.count == 1)
    }

    @Test("A bomb ends the link and is not unfolded")
    func bomb() {
        var session = TestSession.agreed(on: .compression)
        session.receive(binary: [0xC1, 1, 1] + [UInt8](repeating: 255, count: 10_000))
        #expect(session.status.lastError?.closeCode == .messageTooBig)
    }
}
