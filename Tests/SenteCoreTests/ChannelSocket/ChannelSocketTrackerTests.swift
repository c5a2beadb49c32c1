// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// A tracker that is led through a client's life; each step says what the app is told, in short.
private struct Life {
    private(set) var tracker = ChannelSocketTracker()
    private(set) var notices: [ChannelSocketTracker.Notice] = []
    private var status = ConnectionStatus(state: .closed)
    private var now = Moment(instant: Instant(nanoseconds: 5_000_000_000), wallMilliseconds: 1_000_000)

    var state: ChannelSocketState { tracker.state }

    /// Moves to `state`, a second later.
    mutating func move(
        to state: ConnectionState, error: SenteError? = nil, close: ConnectionStatus.Close? = nil,
        retryAfter: Duration? = nil, identity: Identity? = nil, attempt: Int = 1,
        by own: ConnectionStatus.OwnEnd? = nil
    ) {
        now.instant = now.instant.advanced(by: .seconds(1))
        now.wallMilliseconds += 1_000
        status.state = state
        status.identity = identity
        status.attempt = attempt
        status.retryAt = retryAfter.map { now.instant.advanced(by: $0) }
        if let close { status.lastClose = close }
        if let error { status.lastError = error }
        status.endedBy = own
        if state == .open { status.lastError = nil }
        notices = tracker.follow(status, at: now)
    }

    /// Opens as a Sente server lets it.
    mutating func open(uid: Value? = "u1", data: Value? = nil, attempt: Int = 1) {
        move(to: .connecting, attempt: attempt)
        move(to: .open, identity: Identity(uid: uid, handshakeData: data), attempt: attempt)
    }

    /// What the app was told by the last step.
    var told: [String] {
        notices.map { notice in
            switch notice {
            case .changed(let change):
                "state" + (change.opened ? " opened" : "") + (change.closed ? " closed" : "")
                    + (change.new.isFirstOpen ? " first" : "")
            case .handshake(let uid, _, let isFirst): "handshake \(uid ?? .null)\(isFirst ? " first" : "")"
            case .failed(let error, let operation, let attempt): "\(operation) \(error.code) \(attempt)"
            case .ended(let error): "ended \(error.code)"
            }
        }
    }

    var changes: [ChannelSocketChange] {
        notices.compactMap { if case .changed(let change) = $0 { change } else { nil } }
    }
}

@Suite("Sente's state map, of a client's statuses")
struct ChannelSocketTrackerTests {
    private static let lost = SenteError(.connectionLost, "The link was cut.")

    @Test("opening changes the map first and brings the handshake after it; only the first one is first")
    func opening() {
        var life = Life()
        life.move(to: .connecting)
        #expect(life.told == [])
        life.move(to: .open, identity: Identity(uid: "u1", csrfToken: "t", handshakeData: ["a": 1]))
        #expect(life.told == ["state opened first", "handshake \"u1\" first"])
        #expect(life.state.isOpen && life.state.everOpened)
        #expect(!life.state.isFirstOpen, "Only the change has it, as in Sente.")
        #expect(life.state.uid == "u1")
        #expect(life.state.csrfToken == "t")
        #expect(life.state.handshakeData == ["a": 1])
        life.move(to: .reconnecting, error: Self.lost, retryAfter: .seconds(2))
        life.open(attempt: 2)
        #expect(life.told == ["state opened", "handshake \"u1\""])
    }

    @Test("uid and handshake data stay after a close, and are replaced by the next handshake")
    func identityStays() {
        var life = Life()
        life.open(uid: .keyword("admin"), data: ["theme": "dark"])
        life.move(to: .closing)
        #expect(life.state.uid == .keyword("admin"))
        #expect(life.state.handshakeData == ["theme": "dark"])
        life.move(to: .closed)
        #expect(life.state.uid == .keyword("admin"))
        life.open(uid: nil)
        #expect(life.state.uid == nil)
        #expect(life.state.handshakeData == nil)
    }

    @Test("a server of maps has no user ids: its name for the connection stands there")
    func connectionID() {
        var life = Life()
        life.move(to: .open, identity: Identity(connectionID: "conn-7"))
        #expect(life.state.uid == "conn-7")
    }

    @Test(
        "each way of closing has Sente's reason",
        arguments: [
            (
                SenteError(.connectionLost, "", closeCode: .normal),
                ConnectionStatus.Close(code: .normal, reason: ""), "clean"
            ),
            (
                SenteError(.connectionLost, "", closeCode: .goingAway),
                .init(code: .goingAway, reason: "bye"), "unexpected"
            ),
            (SenteError(.connectionLost, ""), .init(code: .abnormal, reason: ""), "unexpected"),
            (SenteError(.silent, ""), .init(code: .abnormal, reason: ""), "ws-ping-timeout"),
            (SenteError(.protocolViolation, ""), .init(code: .abnormal, reason: ""), "ws-error"),
        ])
    func reasons(error: SenteError, close: ConnectionStatus.Close, reason: String) {
        var life = Life()
        life.open()
        life.move(to: .reconnecting, error: error, close: close, retryAfter: .seconds(2), attempt: 2)
        #expect(
            life.told == ["state closed", "connection \(error.code) 2", "state", "ended connectionLost"])
        #expect(life.state.lastClose?.reason.rawValue == reason)
        #expect(life.state.lastClose?.time == 1_003_000)
        let expected = reason == "ws-ping-timeout" ? nil : close.code
        #expect(life.state.lastWSClose?.code == expected)
        #expect(life.state.lastError == error)
        #expect(life.state.reconnectCount == 1)
        #expect(life.state.nextReconnect == 1_005_000)
        #expect(life.changes.map(\.openChanged) == [true, false])
    }

    @Test("a disconnect is requested, its close frame is a change of its own, and nothing waits any more")
    func disconnect() {
        var life = Life()
        life.open()
        life.move(to: .closing)
        #expect(life.told == ["state closed", "ended disconnected"])
        #expect(life.state.lastClose?.reason == .requestedDisconnect)
        #expect(life.state.lastWSClose == nil)
        life.move(to: .closed, close: .init(code: .normal, reason: ""))
        #expect(life.told == ["state", "ended disconnected"])
        #expect(life.state.lastWSClose?.isClean == true)
        #expect(life.state.lastError == nil)
    }

    @Test("a reconnect that was asked for is no error, and is one change until it is open again")
    func reconnect() {
        var life = Life()
        life.open()
        life.move(to: .reconnecting, error: SenteError(.connectionLost, "Replaced."), by: .reconnect)
        #expect(life.told == ["state closed", "ended connectionLost"])
        #expect(life.state.lastClose?.reason == .requestedReconnect)
        #expect(life.state.lastError == nil)
        life.open()
        #expect(life.told == ["state opened", "handshake \"u1\""])
        #expect(life.state.reconnectCount == 0)
    }

    @Test("a broken connection is unexpected, with the code Sente breaks it with")
    func broken() {
        var life = Life()
        life.open()
        life.move(
            to: .reconnecting,
            error: SenteError(.connectionLost, "Broken."),
            retryAfter: .seconds(1), by: .breakConnection)
        #expect(life.state.lastClose?.reason == .unexpected)
        #expect(life.state.lastWSClose?.code.rawValue == 3_000)
        #expect(life.state.lastWSClose?.reason == "CLOSE_ABNORMAL")
        #expect(life.state.lastWSClose?.isClean == false)
    }

    @Test("a refused attempt is an error, then a close, then a time, none of which opens or closes")
    func refused() {
        var refusal = SenteError(.serverUnavailable, "Later.")
        refusal.httpStatus = 503
        var life = Life()
        life.move(to: .connecting)
        life.move(to: .reconnecting, error: refusal, retryAfter: .milliseconds(1_500), attempt: 2)
        #expect(life.told == ["state", "state", "connect serverUnavailable 1", "state"])
        #expect(life.changes.map(\.openChanged) == [false, false, false])
        #expect(life.changes[0].new.lastWSError?.error.httpStatus == 503)
        #expect(life.changes[0].new.lastWSClose == nil)
        #expect(life.changes[1].new.lastWSClose?.code == .abnormal)
        #expect(life.changes[1].new.nextReconnect == nil)
        #expect(life.changes[2].new.nextReconnect == 1_003_500)
        #expect(life.state.lastClose == nil, "It was never open.")
        life.move(to: .connecting, attempt: 2)
        #expect(life.told == [], "As in Sente the time stays until the attempt has an end.")
        life.move(to: .reconnecting, error: refusal, retryAfter: .seconds(4), attempt: 3)
        #expect(life.told == ["state", "state", "connect serverUnavailable 2", "state"])
        #expect(life.changes[1].new.nextReconnect == nil)
        #expect(life.state.reconnectCount == 2)
        life.open(attempt: 3)
        #expect(life.state.reconnectCount == 0)
        #expect(life.state.nextReconnect == nil)
        #expect(life.state.lastError == nil)
        #expect(life.state.lastWSError != nil, "Sente keeps the last one.")
    }

    @Test("a close frame instead of the greeting tells its code")
    func closedBeforeGreeting() {
        var life = Life()
        life.move(to: .connecting)
        life.move(
            to: .reconnecting, error: SenteError(.connectionLost, "", closeCode: .tryAgainLater),
            close: .init(code: .tryAgainLater, reason: "full"), retryAfter: .seconds(1))
        #expect(life.state.lastWSClose?.code == .tryAgainLater)
        #expect(life.state.lastWSClose?.reason == "full")
    }

    @Test("a second try with fresh credentials is a failed attempt that waits for nothing")
    func freshCredentials() {
        var life = Life()
        life.move(to: .connecting)
        life.move(to: .connecting, error: SenteError(.unauthorized, "No."))
        #expect(life.told == ["state", "state", "connect unauthorized 1"])
        life.move(to: .failed, error: SenteError(.unauthorized, "No."))
        #expect(life.told == ["state", "state", "give-up unauthorized 1", "ended connectionLost"])
    }

    @Test("giving up while waiting is told once; so is what cannot be mended")
    func givesUp() {
        var life = Life()
        life.open()
        life.move(to: .reconnecting, error: Self.lost)
        life.move(to: .failed, attempt: 2)
        #expect(life.told == ["give-up connectionLost 1", "ended connectionLost"])
        var other = Life()
        other.move(to: .connecting)
        other.move(to: .failed, error: SenteError(.untrusted, "No."))
        #expect(other.told == ["state", "state", "give-up untrusted 1", "ended connectionLost"])
    }

    @Test("a disconnect while waiting forgets the next attempt")
    func disconnectWhileWaiting() {
        var life = Life()
        life.move(to: .connecting)
        life.move(to: .reconnecting, error: Self.lost, retryAfter: .seconds(9))
        #expect(life.state.nextReconnect != nil)
        life.move(to: .closed)
        #expect(life.told == ["state", "ended connectionLost"])
        #expect(life.state.nextReconnect == nil)
    }

    @Test("a link that ends for good with reconnecting off is a loss, and no disconnect")
    func neverReconnects() {
        var life = Life()
        life.open()
        life.move(to: .closed, error: Self.lost, close: .init(code: .abnormal, reason: ""))
        #expect(life.told == ["state closed", "connection connectionLost 1", "ended connectionLost"])
        #expect(life.state.lastClose?.reason == .unexpected)
        #expect(life.state.reconnectCount == 0)
    }

    @Test("a second handshake on an open connection is told, and is not an opening")
    func handshakeTwice() {
        var life = Life()
        life.open(uid: "u1")
        life.move(to: .open, identity: Identity(uid: "u2"))
        #expect(life.told == ["state", "handshake \"u2\""])
        life.move(to: .open, identity: Identity(uid: "u2"))
        #expect(life.told == [])
    }

    @Test("the token of an attempt stands in the map from the next change on")
    func token() {
        var tracker = ChannelSocketTracker()
        tracker.noteToken("abc")
        #expect(tracker.state.csrfToken == "abc")
    }

    @Test("no walk through the states tells an opening or a closing twice, or a change that is none")
    func consistent() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            var life = Life()
            var isOpen = false
            for _ in 0..<30 {
                let state = ConnectionState.allCases.randomElement(using: &random) ?? .closed
                life.move(
                    to: state, error: Bool.random(using: &random) ? Self.lost : nil,
                    retryAfter: state == .reconnecting ? .seconds(1) : nil,
                    identity: state == .open ? Identity(uid: "u") : nil)
                for change in life.changes {
                    #expect(change.old.isOpen == isOpen)
                    #expect(change.old != change.new)
                    isOpen = change.new.isOpen
                }
                #expect(isOpen == (state == .open))
                #expect(isOpen == life.state.isOpen)
            }
        }
    }
}
