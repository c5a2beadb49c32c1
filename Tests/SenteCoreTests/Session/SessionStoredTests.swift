// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Messages that a stream is to keep")
struct SessionStoredTests {
    private static func opened(
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession.connectingInText(DialectDetector(dialect: .nats)) {
            $0.dialect = .nats
            configure(&$0)
        }
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        return session
    }

    private static func outbound(_ channel: String = "a", _ number: Int = 1, id: String = "m") -> Outbound {
        .jetStream(
            .store(channel: channel, data: Value(number), StoredPublish(messageID: id), token: 0))
    }

    /// Where each of the messages that the last step sent awaits its answer, without the link's own name.
    private static func places(in session: TestSession) -> [String] {
        session.sentText.joined().split(separator: "\r\n").filter { $0.hasPrefix("HPUB ") }
            .map { String($0.split(separator: " ")[2].split(separator: ".").last ?? "") }
    }

    private static func answer(_ text: String, to place: String, of session: inout TestSession) {
        // The name of the link's inbox is in what was said last.
        session.receive("MSG \(inbox(of: session)).\(place) 1 \(text.utf8.count)\r\n\(text)\r\n")
    }

    private static func unavailable(_ place: String, in session: inout TestSession) {
        session.receive("HMSG \(inbox(of: session)).\(place) 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")
    }

    private static func inbox(of session: TestSession) -> String {
        guard let coder = session.engine.coder as? NATSCoder else { return "" }
        return coder.inbox
    }

    private static func receipt(_ id: String, isDuplicate: Bool = false) -> Answer {
        .published(
            PublishReceipt(messageID: id, acknowledgement: .stored, isDuplicate: isDuplicate))
    }

    @Test("is acknowledged by the stream's word, and not by the node's")
    func kept() {
        var session = Self.opened()
        let call = session.submit(Self.outbound())
        #expect(Self.places(in: session) == ["s1"])
        session.receive("PONG\r\n")
        #expect(session.isPending(call))
        Self.answer(#"{"stream":"X","seq":7}"#, to: "s1", of: &session)
        #expect(session.answer(to: call) == Self.receipt("X:7"))
        #expect(session.deadline.map { $0 > session.now.instant.advanced(by: .seconds(10)) } == true)
    }

    @Test("goes again after 503, each time with the same bytes, at most 300 ms apart")
    func elections() {
        var session = Self.opened()
        let call = session.submit(Self.outbound(), limit: .seconds(15))
        let first = session.sentText.joined().split(separator: "\r\n").drop { !$0.hasPrefix("HPUB") }
        var times: [Duration] = []
        for _ in 0..<20 {
            Self.unavailable("s1", in: &session)
            #expect(session.sentText == [])
            let start = session.now.instant
            while Self.places(in: session).isEmpty { session.advance(by: .milliseconds(1)) }
            times.append(start.duration(to: session.now.instant))
            #expect(session.sentText.joined().split(separator: "\r\n").elementsEqual(first))
        }
        #expect(times.allSatisfy { $0 >= .milliseconds(200) && $0 <= .milliseconds(301) })
        #expect(Set(times).count > 1, "they do not spread")
        Self.answer(#"{"stream":"X","seq":7,"duplicate":true}"#, to: "s1", of: &session)
        #expect(session.answer(to: call) == Self.receipt("X:7", isDuplicate: true))
    }

    @Test("goes again after 2 s of silence, and over the next link; a second answer goes to nobody")
    func silence() {
        var session = Self.opened()
        let call = session.submit(Self.outbound(), limit: .seconds(15))
        session.advance(by: .milliseconds(1_999))
        #expect(session.sentText == [])
        session.advance(by: .milliseconds(1))
        #expect(Self.places(in: session) == ["s1"])
        session.cut()
        #expect(session.isPending(call))
        session.advanceToAttempt()
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        #expect(Self.places(in: session) == ["s1"])
        let answer = #"{"stream":"X","seq":7,"duplicate":true}"#
        Self.answer(answer, to: "s1", of: &session)
        #expect(session.answer(to: call) == Self.receipt("X:7", isDuplicate: true))
        Self.answer(answer, to: "s1", of: &session)
        #expect(session.ignored == [.lateReply])
    }

    @Test("of one channel one is under way; the next goes when it is done, however it ended")
    func order() {
        var session = Self.opened()
        let calls = (1...4).map { session.submit(Self.outbound("a", $0, id: "m\($0)"), limit: .seconds(15)) }
        let other = session.submit(Self.outbound("b", 9), limit: .seconds(15))
        #expect(Self.places(in: session) == ["s5"])
        Self.unavailable("s1", in: &session)
        session.advance(by: .milliseconds(300))
        #expect(Self.places(in: session) == ["s1"])
        Self.answer(#"{"stream":"X","seq":1}"#, to: "s1", of: &session)
        #expect(Self.places(in: session) == ["s2"])
        session.cancel(calls[2])
        #expect(session.error(of: calls[2])?.outcome == .notSent && session.sentText == [])
        session.cancel(calls[1])
        #expect(session.error(of: calls[1])?.outcome == .unknown)
        #expect(Self.places(in: session) == ["s4"])
        Self.answer(
            #"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"}}"#, to: "s4",
            of: &session)
        #expect(session.error(of: calls[3])?.code == .rejected)
        #expect(session.error(of: calls[3])?.details?["err_code"] == 10_071)
        #expect(session.isPending(other))
    }

    @Test("without an acknowledgement it is unknown at the call's limit, and says what stood in the way")
    func timesOut() {
        var session = Self.opened()
        let call = session.submit(Self.outbound(), limit: .seconds(15))
        Self.unavailable("s1", in: &session)
        session.advance(by: .seconds(15))
        let error = session.error(of: call)
        #expect(error?.code == .timedOut && error?.outcome == .unknown)
        #expect(error?.message.contains("`messageID`") == true && error?.underlying?.contains("503") == true)
        #expect(session.engine.outboxCount == 0 && session.reading.load == OutboxPolicy.Load())
    }

    @Test(
        "what waits for a connection goes in order when there is one, and disconnecting says what became of it"
    )
    func waits() {
        var session = TestSession.connectingInText(DialectDetector(dialect: .nats)) { $0.dialect = .nats }
        let first = session.submit(Self.outbound(), limit: nil)
        let second = session.submit(Self.outbound("a", 2, id: "n"), limit: nil)
        #expect(session.sentText == [])
        session.greet(text: "INFO {}\r\n")
        session.receive("PONG\r\n")
        #expect(Self.places(in: session) == ["s1"])
        session.disconnect()
        #expect(
            session.error(of: first)?.code == .disconnected && session.error(of: first)?.outcome == .unknown)
        #expect(session.error(of: second)?.outcome == .notSent)
        let late = session.submit(Self.outbound(), limit: nil)
        #expect(session.error(of: late)?.code == .notConnected)
    }

    @Test("they take their room among all that waits, and what is too large says so")
    func bounds() {
        var session = Self.opened { $0.outbox = OutboxPolicy(maximumMessages: 3) }
        let calls = (1...4).map { session.submit(Self.outbound("a", $0, id: "m\($0)"), limit: nil) }
        #expect(calls.map { session.isPending($0) } == [true, true, true, false])
        #expect(session.error(of: calls[3])?.code == .outboxFull)
        #expect(session.reading.load.messages == 3)

        session = Self.opened()
        session.receive("INFO {\"max_payload\":10}\r\n")
        let large = session.submit(Self.outbound(), limit: nil)
        #expect(
            session.error(of: large)?.code == .messageTooLarge
                && session.error(of: large)?.outcome == .notSent)
    }

    @Test("a user who may not publish there hears so at the call")
    func forbidden() {
        var session = Self.opened()
        let call = session.submit(Self.outbound(), limit: .seconds(15))
        session.receive("-ERR 'Permissions Violation for Publish to \"a\"'\r\nPONG\r\n")
        #expect(session.error(of: call)?.code == .rejected)
        // Its answers are forbidden: a subscription is refused before the message's own PONG.
        session = Self.opened()
        let second = session.submit(Self.outbound(), limit: .seconds(15))
        session.receive(
            "-ERR 'Permissions Violation for Subscription to \"\(Self.inbox(of: session)).*\"'\r\nPONG\r\n")
        #expect(session.error(of: second)?.message.contains("may not hear answers") == true)
    }
}
