// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The client's engine")
struct ClientEngineTests {
    @Test("A reading knows every wish in order, by what the effects told")
    func reading() {
        var session = TestSession()
        for number in (0..<300).reversed() { session.subscribe("c\(number)") }
        session.subscribe("c5")
        session.handle(.command(.unsubscribe(session.newCall(), channel: "c7")))
        session.subscribe("c7")
        let expected = (0..<300).reversed().filter { $0 != 7 }.map { "c\($0)" } + ["c7"]
        #expect(session.reading.subscriptions == expected)
        #expect(session.engine.subscriptions == expected)
        #expect(session.reading.subscription("c7") == SubscriptionStatus())
        #expect(session.reading.subscription("c300") == nil)
        let metrics = session.reading.metrics(at: session.now.instant).subscriptions
        #expect(metrics.wished == 300 && metrics.confirmed == 0)
    }

    private static let welcome = #"{"type":"welcome","conn-id":"c","server-time":1}"#
    private static let handshake = #"[[:chsk/handshake ["u" nil]] nil]"#

    @Test("The answers that came while the process slept count, although their limits are over")
    func slept() {
        var session = TestSession.connectingInText()
        session.greet(text: Self.welcome)
        let call = session.submit(.publish(channel: "a", data: [:], excludeSender: false))
        session.moveClock(to: session.now.instant.advanced(by: .seconds(300)))
        let result = #"{"type":"publish-result","channel-id":"a","success":true,"delivered-to":2}"#
        session.report([.progress, .received([.text(result)])])
        #expect(
            session.answer(to: call) == .published(PublishReceipt(outcome: .acknowledged, deliveredTo: 2)))
        #expect(session.status.state == .open)
    }

    @Test("What came and went counts, whether somebody is told of it or not", arguments: [0, Int.max])
    func volume(level: Int) {
        var session = TestSession.connectingInText()
        session.greet(text: Self.welcome)
        session.tell(from: level)
        let before = session.metrics
        _ = session.submit(.publish(channel: "a", data: [:], excludeSender: false))
        let result = #"{"type":"publish-result","channel-id":"a","success":true,"delivered-to":2}"#
        session.report([.progress, .received([.text(result), .text(result)])])
        let after = session.metrics
        #expect(after.received.messages == before.received.messages + 2)
        #expect(after.received.bytes == before.received.bytes + 2 * result.utf8.count)
        #expect(after.sent.messages == before.sent.messages + 1)
        #expect(after.sent.bytes > before.sent.bytes)
    }

    @Test("Of a batch of events each counts its own share of the message, and together no more than it")
    func shares() {
        var session = TestSession.connectingInText { $0.inbox = InboxPolicy(maximumBytes: 10_000) }
        session.greet(text: Self.handshake)
        let inbox = session.listen()
        let events = (0..<100).map { "[:my/ev \($0)]" }.joined(separator: " ")
        session.receive("[[\(events)]]")
        #expect(session.take(inbox).count == 100)
        #expect(session.reading.metrics(at: session.now.instant).missed == 0)
    }

    @Test("A reply that comes late or twice is counted as such, and is no message that cannot be read")
    func lateReplies() throws {
        var session = TestSession.connectingInText()
        session.greet(text: Self.handshake)
        _ = session.submit("my/q")
        let callback = try #require(try Vectors.edn(session.sentText[0])[1]?.stringValue)
        for _ in 0..<3 { session.receive(#"[7 "\#(callback)"]"#) }
        session.receive(#"[7 "somebody"]"#)
        guard case .record(.undecodable)? = session.effects.first, session.effects.count == 2 else {
            Issue.record("\(session.effects)")
            return
        }
        let metrics = session.reading.metrics(at: session.now.instant)
        #expect(metrics.ignored.lateReplies == 2 && metrics.undecodable == 1)
    }

    @Test(
        "What unfolds beyond the incoming limit ends the link with 1009, be it the first message or a later one"
    )
    func unfoldsTooFar() {
        let compressor = Compressor { bytes, output throws(WireError) in
            output.append(contentsOf: bytes)
        } decompress: { _, _, limit throws(WireError) in
            throw WireError(.tooLarge, "More than \(limit) bytes.")
        }
        for isFirst in [true, false] {
            var session = TestSession.connectingInText(DialectDetector(compressor: compressor))
            let link = session.link
            let greeting = Message.binary([0] + Array(Self.handshake.utf8))
            session.report([.opened(LinkOpening())])
            if !isFirst { session.report([.received([greeting])]) }
            #expect(session.status.state == (isFirst ? .connecting : .open))
            session.report([.received([.binary([1, 2, 3])])])
            #expect(session.effects.contains(.closeLink(link, .messageTooBig, reason: "")))
            let status = session.status
            #expect(status.state == .reconnecting)
            #expect(status.lastError?.closeCode == .messageTooBig && status.lastClose?.code == .messageTooBig)
            #expect(status.lastError?.message.contains("limits.incomingMessage") == true)
        }
    }
}
