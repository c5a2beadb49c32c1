// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// The client of a server that keeps sessions, as text on the wire.
@Suite("A session that goes on over links")
struct SessionFlowTests {
    private static func opened(
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession.connectingInText(DialectDetector(), configure)
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(ServerFeatures.sessions.begins)
        return session
    }

    /// A new link, on which the client asks to go on.
    private static func comeBack(_ session: inout TestSession) {
        session.cut()
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
    }

    @Test("calls in flight stay in flight over a lost link, and what the server has not goes again")
    func goesOn() throws {
        var session = Self.opened()
        let first = session.submit(.publishing("a", 1))
        let second = session.submit(.publishing("b", 1))
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: first) != nil)
        Self.comeBack(&session)
        #expect(session.isPending(second))
        #expect(session.state == .connecting)
        #expect(
            session.sentText[0].contains(
                #""resume":{"session":"s","received":1,"sent":2,"attempt":2}"#))
        session.receive(ServerFeatures.sessions.goesOn(received: 1, sent: 1))
        #expect(session.state == .open)
        #expect(try session.sentTypes() == ["publish"])
        #expect(session.status.recovery == .resumed(missed: 0))
        session.receive(ServerText.published("b"))
        #expect(session.answer(to: second) != nil)
        let numbers = session.reading.metrics(at: session.now.instant).resumption
        #expect(numbers == ClientMetrics.Resumption(resumed: 1, replayedOut: 1))
    }

    @Test("a server that keeps the session is gone back to after the ordinary wait, though there is another")
    func goesBack() {
        var session = Self.opened { $0.endpoints = ["a", "b"] }
        session.cut()
        #expect(session.state == .reconnecting)
        session.advanceToAttempt()
        #expect(session.engine.endpoint == "a")
    }

    @Test("a reply that comes again after the new link finds its call")
    func replyAgain() throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1))
        Self.comeBack(&session)
        session.receive(ServerFeatures.sessions.goesOn(received: 1, sent: 1))
        #expect(session.sentText.isEmpty)
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: call) != nil)
    }

    @Test("a session that is gone leaves its calls unknown, and begins anew")
    func gone() throws {
        var session = Self.opened()
        session.subscribe("a")
        session.confirm(text: "a")
        let call = session.submit(.publishing("a", 1))
        Self.comeBack(&session)
        session.receive(ServerText.delivery(1))
        session.receive(
            #"{"type":"flow-handshake-ack","features":{\#(ServerFeatures.sessions.text)},"session":"t","#
                + #""resumed":false,"received":0}"#)
        #expect(session.error(of: call)?.outcome == .unknown)
        #expect(session.status.recovery == .fresh)
        #expect(try session.sentTypes() == ["subscribe"])
        #expect(session.state == .open)
        // Flow holds on the link as before.
        session.receive(#"{"type":"flow-ack","received":9}"#)
        #expect(session.state == .reconnecting)
    }

    @Test(
        "on the next link everything that was agreed on holds, whether the session goes on or begins anew",
        arguments: [true, false])
    func goneWithBatches(_ isGone: Bool) throws {
        let capabilities = #"{"batching":true,"resume":{"window-ms":20000,"messages":8,"bytes":4000}}"#
        let welcome = #"{"type":"welcome","conn-id":"c","capabilities":\#(capabilities)}"#
        func ack(_ session: String, _ more: String) -> String {
            #"{"type":"flow-handshake-ack","features":\#(capabilities),"session":"\#(session)",\#(more)}"#
        }
        var session = TestSession.connectingInText()
        session.greet(text: welcome)
        session.receive(ack("s", #""resumed":false,"received":0"#))
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        session.cut()
        session.advanceToAttempt()
        session.greet(text: welcome)
        session.receive(
            isGone
                ? ack("t", #""resumed":false,"received":0"#)
                : ack("s", #""resumed":true,"received":1,"sent":1,"missed":0"#))
        if isGone { session.confirm(text: "a") }
        session.receive(
            #"{"type":"flow-batch","messages":[\#(ServerText.delivery(1)),\#(ServerText.delivery(2))]}"#)
        #expect(session.state == .open)
        #expect(session.take(inbox).count == 2)
    }

    @Test("what the server says before it has answered is thrown away when the session goes on")
    func held() throws {
        var session = Self.opened()
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        Self.comeBack(&session)
        session.receive(ServerText.delivery(1))
        session.receive(ServerFeatures.sessions.goesOn(received: 1, sent: 3))
        #expect(session.take(inbox).isEmpty)
        session.receive(ServerText.delivery(1))
        #expect(session.take(inbox).count == 1)
    }

    @Test("more than may be held before the server has answered ends the link", arguments: [false, true])
    func heldTooMuch(isLarge: Bool) {
        var session = Self.opened()
        Self.comeBack(&session)
        let text = isLarge ? String(repeating: "x", count: 262_144) : ""
        let delivery = #"{"type":"channel-message","channel-id":"a","data":"\#(text)","broadcast-time":1}"#
        for _ in 0..<(isLarge ? 3 : 4_096) { session.receive(delivery) }
        #expect(session.state == .connecting)
        session.receive(delivery)
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.closeCode == .protocolError)
    }

    @Test("a subscription stays confirmed over the gap, and its handle hears of it")
    func staysConfirmed() throws {
        var session = Self.opened()
        session.subscribe("a")
        session.confirm(text: "a")
        session.cut()
        #expect(session.engine.subscription("a")?.isConfirmed == true)
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(ServerFeatures.sessions.goesOn(received: 1, sent: 1))
        #expect(try session.sentTypes() == [])
        #expect(
            session.effects.contains {
                if case .gap("a", let gap) = $0 { gap.isResumed && gap.filling == .all } else { false }
            })
    }

    @Test("when the server has forgotten the session, so does the client")
    func window() throws {
        var session = Self.opened {
            $0.reconnect = .custom { _ in nil }
        }
        session.subscribe("a")
        session.confirm(text: "a")
        let call = session.submit(.publishing("a", 1), limit: nil)
        session.cut()
        session.advance(by: .seconds(9))
        #expect(session.isPending(call))
        session.advance(by: .seconds(12))
        #expect(session.error(of: call)?.outcome == .unknown)
        #expect(session.engine.subscription("a")?.isConfirmed == false)
    }

    @Test("disconnect() says that the session need not be kept")
    func end() throws {
        var session = Self.opened()
        session.disconnect()
        #expect(session.sentText == [#"{"type":"flow-end"}"#])
        var other = Self.opened()
        let call = other.submit(.publishing("a", 1))
        Self.comeBack(&other)
        other.disconnect()
        #expect(other.sentText == [#"{"type":"flow-end"}"#])
        #expect(other.error(of: call)?.outcome == .unknown)
    }

    @Test("a server that does not say whether the session goes on is left; after two, it begins anew")
    func unanswered() throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1), limit: nil)
        for _ in 0..<2 {
            session.cut()
            session.advanceToAttempt()
            session.greet(text: ServerFeatures.sessions.welcome)
            #expect(session.sentText[0].contains("resume\":{\"session"))
            session.advance(by: .seconds(2))
            #expect(session.state == .reconnecting)
            #expect(session.isPending(call))
        }
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(!session.sentText[0].contains("session"))
        #expect(session.error(of: call)?.outcome == .unknown)
        #expect(session.status.recovery == .fresh)
    }

    @Test(
        "counts that do not fit end the link",
        arguments: [(2, 0, 0), (0, 0, 1), (0, -1, 0)])
    func wrongCounts(received: Int, sent: Int, missed: Int) throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1))
        Self.comeBack(&session)
        session.receive(ServerFeatures.sessions.goesOn(received: received, sent: sent, missed: missed))
        #expect(session.error(of: call)?.outcome == .unknown)
        #expect(
            session.effects.contains {
                if case .closeLink(_, .policyViolation, _) = $0 { true } else { false }
            })
    }

    @Test(
        "hostile words end the link and trap nothing",
        arguments: [
            #"{"type":"flow-ack","received":9}"#, #"{"type":"flow-ack","received":-1}"#,
            #"{"type":"flow-ack"}"#, #"{"type":"flow-handshake-ack"}"#,
            #"{"type":"flow-batch","messages":[]}"#, #"{"type":"flow-handshake","capabilities":{}}"#,
        ])
    func hostile(word: String) throws {
        var session = Self.opened()
        session.receive(word)
        #expect(session.state == .reconnecting)
    }

    @Test("a fence that went down with its link is set again on the next one")
    func fenceAgain() throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1))
        session.cancel(call)
        #expect(try session.sentTypes() == ["ping"])
        Self.comeBack(&session)
        session.receive(ServerFeatures.sessions.goesOn(received: 1, sent: 0))
        #expect(try session.sentTypes() == ["ping"])
    }

    @Test("a server that will not keep the session says so, and the link goes on as it was")
    func serverEnds() {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1))
        session.receive(#"{"type":"flow-end"}"#)
        #expect(session.state == .open && session.isPending(call))
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: call) != nil)
        // Silence ends it as ever.
        session.advance(by: .seconds(30))
        #expect(session.state != .open)
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(!session.sentText[0].contains("resume\":{\"session"))
        #expect(session.status.recovery == .fresh)
    }

    @Test("calls that gave up on what the server has leave nothing behind")
    func givenUp() {
        var session = Self.opened()
        for number in 1...50 {
            session.submit(.publishing("a", 1), limit: .seconds(1))
            session.receive(#"{"type":"flow-ack","received":\#(number)}"#)
            session.advance(by: .seconds(2))
            session.receive(ServerText.published("a"))
        }
        #expect(session.engine.flowLoad.givenUp == 0)
        #expect(session.engine.flowLoad.kept.messages == 0)
    }

    @Test("a message whose call gave up goes as a word that only counts")
    func skip() throws {
        var session = Self.opened()
        let gone = session.submit(.publishing("a", 1))
        let call = session.submit(.publishing("a", 1))
        session.cut()
        session.cancel(gone)
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(ServerFeatures.sessions.goesOn(received: 0, sent: 0))
        #expect(try session.sentTypes() == ["flow-skip", "publish"])
        session.receive(ServerText.published("a"))
        #expect(session.answer(to: call) != nil)
    }

    @Test("a message for which the server closed two links in a row is not sent a third time")
    func suspect() throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1), limit: nil)
        for round in 0..<2 {
            session.endLink(.closed(code: .messageTooBig, reason: ""))
            session.advanceToAttempt()
            session.greet(text: ServerFeatures.sessions.welcome)
            #expect(session.isPending(call), "\(round)")
            session.receive(ServerFeatures.sessions.goesOn(received: 0, sent: 0))
        }
        #expect(try session.sentTypes() == ["flow-skip"])
        #expect(session.error(of: call)?.outcome == .unknown)
    }

    @Test("a link that is closed because another took its place leaves the session to that one")
    func takenOver() throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1))
        session.endLink(.closed(code: CloseCode(rawValue: 4_001), reason: ""))
        #expect(session.error(of: call)?.outcome == .unknown)
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(!session.sentText[0].contains("session"))
        #expect(session.status.recovery == .fresh)
    }

    @Test("what comes is acknowledged after a quarter of what the server keeps, or a second")
    func acknowledges() throws {
        var session = Self.opened()
        session.receive(ServerText.delivery(1))
        #expect(session.sentText.isEmpty)
        session.receive(ServerText.delivery(2))
        #expect(session.sentText == [#"{"type":"flow-ack","received":2}"#])
        session.receive(ServerText.delivery(3))
        session.advance(by: .seconds(1))
        #expect(session.sentText == [#"{"type":"flow-ack","received":3}"#])
        session.receive(#"{"type":"ping","timestamp":5}"#)
        session.receive(#"{"type":"pong-ack","timestamp":5}"#)
        session.advance(by: .seconds(2))
        #expect(!session.sentText.contains { $0.contains("flow-ack") })
    }

    @Test("with as much kept as may be, the outbox waits for the server's count")
    func full() throws {
        var session = Self.opened { $0.flow.resumption?.maximumMessages = 2 }
        for _ in 0..<3 { session.submit(.publishing("a", 1)) }
        #expect(session.engine.outboxCount == 1)
        session.receive(#"{"type":"flow-ack","received":1}"#)
        #expect(try session.sentTypes() == ["publish"])
        #expect(session.engine.outboxCount == 0)
    }

    @Test(
        "with as many bytes kept as may be, or two messages that are larger than that, it waits, too",
        arguments: [600, 2_000])
    func fullOfBytes(size: Int) throws {
        var session = Self.opened { $0.flow.resumption?.maximumBytes = 1_000 }
        for _ in 0..<3 {
            let data: Value = ["t": .string(String(repeating: "x", count: size))]
            session.submit(.publish(channel: "a", data: data, excludeSender: false))
        }
        #expect(session.engine.outboxCount == 1)
        session.receive(#"{"type":"flow-ack","received":1}"#)
        #expect(session.engine.outboxCount == 0)
    }

    @Test("what came before a server said that the session is gone is heard")
    func heldBefore() throws {
        var session = Self.opened()
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        Self.comeBack(&session)
        session.receive(ServerText.delivery(1))
        #expect(session.consume(inbox).isEmpty)
        session.receive(ServerFeatures.sessions.begins)
        #expect(session.consume(inbox).count == 1)
    }

    @Test("a call is unknown when the server keeps the session no more")
    func windowEnds() throws {
        var session = Self.opened()
        let call = session.submit(.publishing("a", 1), limit: nil)
        session.cut()
        session.advance(by: .seconds(19))
        #expect(session.isPending(call))
        session.advance(by: .seconds(2))
        #expect(session.error(of: call)?.outcome == .unknown)
    }

    @Test("what the server had let go counts as had")
    func missedCounts() throws {
        var session = Self.opened()
        Self.comeBack(&session)
        session.receive(ServerFeatures.sessions.goesOn(received: 0, sent: 3, missed: 3))
        Self.comeBack(&session)
        #expect(session.sentText[0].contains(#""received":3"#))
    }

    @Test("wishes made and dropped without a link are told on the next one")
    func wishes() throws {
        var session = Self.opened()
        session.subscribe("a")
        session.confirm(text: "a")
        session.cut()
        session.handle(.command(.unsubscribe(session.newCall(), channel: "a")))
        session.subscribe("b")
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        session.receive(ServerFeatures.sessions.goesOn(received: 1, sent: 1))
        #expect(
            session.sentText == [
                #"{"type":"subscribe","channel-id":"b"}"#, #"{"type":"unsubscribe","channel-id":"a"}"#,
            ])
    }

    @Test("a message that cannot be read ends the link, and does not count")
    func unreadable() throws {
        var session = Self.opened()
        session.receive(#"{"type":"#)
        #expect(session.state == .reconnecting)
        #expect(
            session.effects.contains { if case .closeLink(_, .invalidData, _) = $0 { true } else { false } })
        session.advanceToAttempt()
        session.greet(text: ServerFeatures.sessions.welcome)
        #expect(session.sentText[0].contains(#""received":0"#))
        session.receive(ServerFeatures.sessions.goesOn(received: 0, sent: 1))
        session.receive(#"{"type":"#)
        #expect(session.state == .open)
    }

    @Test("a publisher cannot forge a word of flow")
    func forged() throws {
        var session = Self.opened()
        let (_, inbox) = session.subscribe("a")
        session.confirm(text: "a")
        session.receive(#"{"type":"flow-end","channel-id":"a","broadcast-time":1}"#)
        #expect(session.take(inbox).count == 1)
        #expect(session.state == .open)
    }
}
