// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Messages that leave compressed")
struct SessionCompressionTests {
    @Test("What compresses goes compressed, and what does not goes plain")
    func compressed() throws {
        var session = TestSession.agreed(on: .compression)
        session.submit(.publishing("a", .string(String(repeating: "a", count: 2_000))))
        #expect(session.sentMessages.map(\.kind) == [.binary])
        #expect(session.sentMessages[0].bytes.count < 200)
        #expect(try session.sentMessages.unpacked().channels == ["a"])
        session.submit(.publishing("b", .withoutRuns(2_000)))
        #expect(session.sentMessages.map(\.kind) == [.text])
        let metrics = session.reading.metrics(at: session.now.instant).compression
        #expect(metrics.messages == 1)
        #expect(metrics.bytesBefore > 2_000 && metrics.bytesAfter < 200)
        #expect(metrics.skippedIncompressible == 1)
    }

    @Test("What the app's predicate skips is not even tried")
    func skips() throws {
        var session = TestSession.agreed(on: .compression) {
            $0.flow.compression?.skips = { name, _ in name == "a" }
        }
        for name in ["a", "b"] {
            session.submit(.publishing(name, .string(String(repeating: "a", count: 2_000))))
            #expect(session.sentMessages.map(\.kind) == [name == "a" ? .text : .binary])
        }
    }

    @Test("A link that compresses by itself is offered no compression of messages, unless the app wants both")
    func deflated() {
        for isUsed in [false, true] {
            var session = TestSession.connectingInText(DialectDetector()) {
                $0.compressor = { _, _ in .runs }
                $0.flow.compression?.isUsedBesideDeflate = isUsed
            }
            session.report([.opened(LinkOpening(isDeflated: true))])
            session.receive(
                #"{"type":"welcome","conn-id":"c","capabilities":{"compression":["gzip"],"batching":true}}"#)
            #expect(session.sentText[0].contains("gzip") == isUsed)
        }
    }

    @Test("A fixed level is that of what compresses")
    func fixed() {
        var session = TestSession.agreed(on: .compression) {
            $0.flow.compression?.level = .fixed(9)
            // Offered is what there is at the usual level.
            $0.compressor = { _, level in level == nil || level == 9 ? .runs : nil }
        }
        session.submit(.publishing("a", .string(String(repeating: "a", count: 2_000))))
        #expect(session.sentMessages.map(\.kind) == [.binary])
    }

    @Test("An adaptive level follows the round trip, and the losses that the link tells of")
    func adaptive() throws {
        var session = TestSession.agreed(on: .compression) {
            $0.flow.compression?.level = .adaptive
            // Offered is what there is at the usual level.
            $0.compressor = { _, level in level == 6 ? nil : .runs }
        }
        for (loss, kind) in [(nil, Message.Kind.binary), (0.1, .binary), (0.02, .text)] {
            let call = session.newCall()
            session.handle(.command(.ping(call)))
            let stamp = try #require(session.sentMessages.unpacked().last?["timestamp"]?.integerValue)
            session.advance(by: .seconds(1))
            session.receive(#"{"type":"pong","original-timestamp":\#(stamp),"timestamp":1}"#)
            #expect(session.effects.contains(.measureLoss(session.link)))
            if let loss { session.handle(.measured(session.link, loss: loss)) }
            session.handle(.measured(LinkID(99), loss: 1))
            session.submit(.publishing("a", .string(String(repeating: "a", count: 2_000))))
            #expect(session.sentMessages.map(\.kind) == [kind])
        }
    }

    @Test("A client that wants nothing but compression says so")
    func compressionAlone() {
        let session = TestSession.agreed(on: .compression) {
            $0.flow = FlowPolicy(batching: nil, chunking: nil, resumption: nil)
        }
        #expect(session.status.features?.compression == [.gzip])
    }

    @Test("How long compressing took is told by the clock that was given, in vain too")
    func tellsTime() {
        let clock = StepClock()
        var session = TestSession.agreed(on: .compression) { $0.stopwatch = { clock.next() } }
        session.submit(.publishing("a", .string(String(repeating: "x", count: 2_000))))
        session.submit(.publishing("a", .withoutRuns(2_000)))
        session.submit(.publishing("a", 1))
        let compression = session.metrics.compression
        #expect(compression.time == .milliseconds(2))
        #expect((compression.messages, compression.skippedIncompressible) == (1, 1))
    }

    /// Each reading is a millisecond later than the one before.
    private final class StepClock: @unchecked Sendable {
        private var readings: Int64 = 0

        func next() -> Instant {
            readings += 1
            return Instant(nanoseconds: readings * 1_000_000)
        }
    }
}
