// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: ends, retries and signs of life")
struct SessionEndsTests {
    private static let clean = LinkEnd.closed(code: .normal, reason: "bye")

    // MARK: Ends

    @Test(
        "Every end of an open link that is not ours reconnects, a clean one too",
        arguments: [
            clean, .closed(code: .goingAway, reason: ""), .closed(code: .noStatus, reason: ""),
            .failed(LinkFailure(.lost, "")), .failed(LinkFailure(.protocolViolation, "")),
        ])
    func ends(end: LinkEnd) {
        var session = TestSession.opened()
        session.endLink(end)
        #expect(session.state == .reconnecting)
        #expect(session.status.lastClose == end.meaning.close)
        #expect(session.status.lastError == end.meaning.error)
        #expect(session.status.identity == nil)
        let wait = session.advanceToAttempt()
        #expect(wait <= .seconds(2))
        #expect(session.state == .connecting)
        session.greet("c2")
        #expect(session.states == [.connecting, .open, .reconnecting, .connecting, .open])
        #expect(session.status.lastError == nil)
    }

    @Test("A late word of an old link changes nothing")
    func lateWords() {
        var session = TestSession.opened()
        let old = session.link
        session.cut()
        session.advanceToAttempt()
        session.greet()
        let status = session.status
        let inputs: [Input] = [
            .opened(old), .received(old, .greeting(Identity(connectionID: "x")), size: 1),
            .received(old, .ping(stamp: 1), size: 1), .mismatched(old, SenteError(.protocolMismatch, "")),
            .progressed(old), .wrote(old, [SendID(1)]),
            .refused(old, Refusal(status: 404)), .closed(old, Self.clean),
        ]
        for input in inputs {
            session.handle(input)
            #expect(session.effects.isEmpty)
            #expect(session.status == status)
        }
    }

    @Test("With `.never` the loss of an open link ends in closed, a failed attempt in failed")
    func never() {
        var session = TestSession.opened { $0.reconnect = .never }
        session.cut()
        #expect(session.state == .closed)
        #expect(session.deadline == nil)
        let call = session.connect()
        session.failAttempt()
        #expect(session.state == .failed)
        #expect(session.error(of: call)?.code == .unreachable)
        #expect(session.deadline == nil)
    }

    @Test("When the attempts are used up it has failed, and connect() starts anew")
    func attempts() {
        var session = TestSession { $0.reconnect = .exponential(attempts: 2) }
        let call = session.connect()
        for attempt in 1...3 {
            #expect(session.status.attempt == attempt)
            #expect(session.isPending(call))
            session.failAttempt()
            session.advanceToAttempt()
        }
        #expect(session.state == .failed)
        #expect(session.error(of: call)?.code == .unreachable)
        session.connect()
        #expect(session.state == .connecting)
        #expect(session.status.attempt == 1)
    }

    @Test("No way leads from open to failed but through reconnecting")
    func openToFailed() {
        var session = TestSession { $0.reconnect = .exponential(attempts: 1) }
        session.connect()
        session.failAttempt()
        session.advanceToAttempt()
        session.greet()
        session.cut()
        #expect(session.states.suffix(3) == [.open, .reconnecting, .failed])
    }

    @Test("A stable connection starts the attempts anew, a short one does not")
    func stable() {
        for (open, attempt) in [(Duration.seconds(4), 3), (.seconds(5), 2)] {
            var session = TestSession.connecting()
            session.failAttempt()
            session.advanceToAttempt()
            session.greet()
            session.advance(by: open)
            session.cut()
            #expect(session.status.attempt == attempt)
        }
    }

    // MARK: Our own end

    @Test("disconnect() closes the link, in bounded time, and nothing comes back")
    func disconnects() {
        var session = TestSession.opened()
        let call = session.disconnect()
        #expect(session.effects.contains(.closeLink(session.link, .normal, reason: "")))
        #expect(session.state == .closing)
        #expect(session.isPending(call))
        session.advance(by: .seconds(5))
        #expect(session.effects.contains(.abandonLink(session.link)))
        #expect(session.answer(to: call) == .done)
        #expect(session.state == .closed)
        #expect(session.deadline == nil)
        session.advance(by: .seconds(1_000))
        #expect(session.effects.isEmpty)
    }

    @Test("The close frame of the peer ends the closing at once, and its code is kept")
    func closingHandshake() {
        var session = TestSession.closing()
        let second = session.disconnect()
        session.endLink(Self.clean)
        #expect(session.state == .closed)
        #expect(session.status.lastClose?.code == .normal)
        #expect(session.answer(to: second) == .done)
        #expect(session.results.count == 3)
    }

    @Test("disconnect() wins over a connection in the making", arguments: [false, true])
    func disconnectWhileConnecting(isUpgraded: Bool) {
        var session = TestSession()
        let connect = session.connect()
        let link = session.link
        if isUpgraded { session.handle(.opened(link)) }
        let call = session.disconnect()
        #expect(session.error(of: connect)?.code == .disconnected)
        if isUpgraded {
            #expect(session.state == .closing)
            session.receive(.greeting(Identity(connectionID: "late")))
            #expect(session.state == .closing)
            session.endLink(Self.clean)
        } else {
            #expect(session.effects.contains(.abandonLink(link)))
        }
        #expect(session.answer(to: call) == .done)
        #expect(session.state == .closed)
        session.advance(by: .seconds(100))
        #expect(session.state == .closed)
    }

    @Test("disconnect() wins over a question, a wait and a failure")
    func disconnectElsewhere() {
        var asking = TestSession.connecting { $0.asksEndpoint = true }
        asking.disconnect()
        #expect(asking.asks.isEmpty)
        #expect(asking.state == .closed)
        var waiting = TestSession.reconnecting()
        waiting.disconnect()
        #expect(waiting.state == .closed)
        #expect(waiting.deadline == nil)
        var deciding = TestSession.reconnecting { $0.reconnect = .custom { _ in nil } }
        deciding.disconnect()
        #expect(deciding.asks.isEmpty)
        #expect(deciding.deadline == nil)
        var failed = TestSession.failed()
        failed.disconnect()
        #expect(failed.state == .closed)
    }

    @Test("connect() during closing starts once closed, unless disconnect() is called again")
    func connectWhileClosing() {
        var session = TestSession.closing()
        let old = session.link
        let call = session.connect()
        #expect(session.state == .closing)
        session.endLink(Self.clean)
        #expect(session.states.suffix(2) == [.closed, .connecting])
        #expect(session.link != old)
        session.greet()
        #expect(session.answer(to: call) == .done)
        var other = TestSession.closing()
        let loser = other.connect()
        other.disconnect()
        #expect(other.error(of: loser)?.code == .disconnected)
        other.endLink(Self.clean)
        #expect(other.state == .closed)
    }

    @Test("A link that reads nothing is read again to see the peer's close frame")
    func disconnectWhilePaused() {
        var session = TestSession.opened {
            $0.inbox = InboxPolicy(maximumMessages: 1, overflow: .pauseReading)
        }
        let inbox = session.newInbox()
        session.handle(.command(.openInbox(inbox)))
        session.handle(.command(.listen(inbox, .allEvents)))
        for _ in 0..<2 { session.receive(.event(.init(id: "e"))) }
        #expect(session.effects.contains(.pauseReading(session.link)))
        session.disconnect()
        #expect(
            session.effects.prefix(2) == [
                .resumeReading(session.link), .closeLink(session.link, .normal, reason: ""),
            ])
    }

    // MARK: reconnect() and the network

    @Test("reconnect() replaces an open link at once, and hurries a wait")
    func reconnects() {
        var session = TestSession.opened()
        let old = session.link
        session.handle(.command(.reconnect))
        #expect(session.effects.contains(.closeLink(old, .normal, reason: "")))
        #expect(session.states == [.connecting, .open, .reconnecting, .connecting])
        #expect(session.link != old)
        session.failAttempt()
        session.handle(.command(.reconnect))
        #expect(session.state == .connecting)
        let link = session.link
        session.handle(.command(.reconnect))
        #expect(session.link == link)
    }

    @Test("Another network hurries a wait, and has an open link asked for a sign of life")
    func pathChanged() {
        var waiting = TestSession.reconnecting()
        waiting.handle(.pathChanged(.available))
        #expect(waiting.state == .connecting)
        var open = TestSession.opened()
        open.handle(.pathChanged(.available))
        #expect(open.pingStamp != nil)
        open.handle(.pathChanged(.available))
        #expect(open.pingStamp == nil)
        open.advance(by: .seconds(5))
        #expect(open.state == .reconnecting)
    }

    @Test("A way that closed has an open link asked, and hurries no wait")
    func pathLost() {
        var open = TestSession.opened()
        open.handle(.pathChanged(.lost))
        #expect(open.pingStamp != nil)
        var waiting = TestSession.reconnecting()
        let retryAt = waiting.status.retryAt
        waiting.handle(.pathChanged(.lost))
        #expect(waiting.state == .reconnecting)
        #expect(waiting.status.retryAt == retryAt)
    }

    @Test("A burst of changes hurries a wait once at once, and once more when it is over")
    func pathBurst() {
        var session = TestSession.reconnecting()
        session.handle(.pathChanged(.available))
        #expect(session.state == .connecting)
        session.handle(.pathChanged(.available))
        session.failAttempt()
        session.handle(.pathChanged(.available))
        #expect(session.state == .reconnecting)
        let first = session.link
        session.advance(by: .seconds(1))
        #expect(session.link.number == first.number + 1)
    }

    @Test("What the network did is forgotten when the app disconnects")
    func pathAfterDisconnect() {
        var session = TestSession.reconnecting()
        session.handle(.pathChanged(.available))
        session.handle(.pathChanged(.available))
        session.disconnect()
        for change in [NetworkChange.available, .lost] {
            session.handle(.pathChanged(change))
            #expect(session.effects.isEmpty)
        }
        #expect(session.deadline == nil)
        #expect(session.state == .closed)
    }

    // MARK: Heartbeat

    @Test("Silence is probed after 20 s and ends the link 5 s later, with a reason that says so")
    func silence() {
        var session = TestSession.opened()
        session.advance(by: .seconds(20))
        #expect(session.pingStamp != nil)
        #expect(session.state == .open)
        session.advance(by: .seconds(5))
        #expect(session.effects.contains(.abandonLink(session.link)))
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.code == .silent)
        #expect(session.status.lastError?.message.contains("25.0 seconds") == true)
        #expect(session.status.lastClose?.code == .abnormal)
    }

    @Test("A server whose dialect answers no ping keeps its link for as long as its WebSocket answers")
    func silentDialect() {
        var session = TestSession.opened(.sente)
        session.advance(by: .seconds(22.5))
        #expect(session.effects.contains(.pingLink(session.link)))
        session.handle(.progressed(session.link))
        for _ in 0..<3 {
            session.advance(by: .seconds(20))
            #expect(session.effects.contains(.pingLink(session.link)))
            #expect(session.sent.isEmpty)
            session.handle(.progressed(session.link))
        }
        #expect(session.state == .open)
        session.advance(by: .seconds(25))
        #expect(session.status.lastError?.code == .silent)
    }

    @Test("Any bytes are life: half a message, a pong, noise", arguments: [true, false])
    func life(isProgress: Bool) {
        var session = TestSession.opened()
        for _ in 0..<10 {
            session.advance(by: .seconds(19))
            if isProgress { session.handle(.progressed(session.link)) } else { session.receive(.noise) }
            #expect(session.sent.isEmpty)
        }
        #expect(session.state == .open)
    }

    @Test("Without a heartbeat a silent link stays")
    func noHeartbeat() {
        var session = TestSession.opened { $0.heartbeat = nil }
        session.advance(by: .seconds(100_000))
        #expect(session.state == .open)
        session.handle(.pathChanged(.available))
        #expect(session.effects.isEmpty)
    }

    @Test("A link broken on purpose closes with 3000 and is a loss like any other")
    func breakLink() {
        var session = TestSession.opened(.sente)
        let call = session.submit(.event(Event(id: "my/ev")))
        let link = session.link
        session.handle(.command(.breakLink))
        #expect(
            session.effects.contains(.closeLink(link, CloseCode(rawValue: 3_000), reason: "CLOSE_ABNORMAL")))
        #expect(session.state == .reconnecting)
        #expect(session.error(of: call)?.outcome == .unknown)
        #expect(session.status.lastError?.code == .connectionLost)
        session.advanceToAttempt()
        session.greet()
        #expect(session.state == .open)
    }

    @Test("There is nothing to break unless a link is open")
    func breakNothing() {
        for var session in [TestSession(), .connecting(), .reconnecting(), .closing(), .failed()] {
            let state = session.state
            session.handle(.command(.breakLink))
            #expect(session.effects.isEmpty && session.state == state)
        }
    }
}
