// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: attempts, refusals and providers")
struct SessionConnectionTests {
    // MARK: Opening

    @Test("A connection is open with the greeting, not before")
    func opening() {
        var session = TestSession()
        let call = session.connect()
        #expect(session.state == .connecting)
        session.handle(.opened(session.link))
        #expect(session.state == .connecting)
        #expect(session.isPending(call))
        session.receive(.ping(stamp: 5))
        #expect(session.sent.isEmpty)
        session.greet("c7", serverTime: 99)
        #expect(session.states == [.connecting, .open])
        #expect(session.answer(to: call) == .done)
        #expect(session.status.identity == Identity(connectionID: "c7", serverTime: 99))
        #expect(session.status.openedAt == session.now.instant)
        #expect(session.status.attempt == 1)
    }

    @Test("Wishes are written first, then the app is told, then the outbox drains")
    func order() {
        var session = TestSession.connecting()
        session.send("first")
        session.subscribe("b")
        session.subscribe("a")
        session.greet()
        let kinds = session.effects.compactMap { effect -> String? in
            switch effect {
            case .transmit(_, let batch): "\(session.outbounds(batch).map(\.channel))"
            case .publish: "told"
            case .resolve: "resolved"
            default: nil
            }
        }
        #expect(
            kinds == [
                "[Optional(\"b\"), Optional(\"a\")]", "told", "resolved", "[nil]",
            ])
    }

    @Test("A greeting of a server that greets again is the new identity")
    func secondGreeting() {
        var session = TestSession.opened()
        session.receive(.greeting(Identity(connectionID: "other")))
        #expect(session.status.identity?.connectionID == "other")
        #expect(session.effects.contains(.publish(session.status)))
    }

    @Test("connect() joins what is under way")
    func joining() {
        var session = TestSession.connecting()
        let first = session.link
        let second = session.connect()
        #expect(session.effects.isEmpty)
        #expect(session.link == first)
        session.greet()
        #expect(session.answer(to: second) == .done)
        let third = session.connect()
        #expect(session.answer(to: third) == .done)
        #expect(session.link == first)
    }

    @Test("connect()'s limit ends the waiting, not the connecting, and says why the last attempt failed")
    func connectLimit() {
        var session = TestSession()
        let call = session.connect(limit: .seconds(3))
        session.failAttempt()
        session.advance(by: .seconds(3))
        #expect(session.error(of: call)?.code == .timedOut)
        #expect(session.error(of: call)?.message.contains("No one there.") == true)
        #expect(session.error(of: call)?.message.contains("goes on trying") == true)
        #expect([.connecting, .reconnecting].contains(session.state))
    }

    @Test("A cancelled connect() waits no more; the connecting goes on")
    func cancelledConnect() {
        var session = TestSession()
        let call = session.connect()
        session.cancel(call)
        #expect(session.error(of: call)?.code == .cancelled)
        #expect(session.state == .connecting)
    }

    @Test("An attempt that takes too long is given up, whichever stage it is in", arguments: [false, true])
    func attemptLimit(isUpgraded: Bool) {
        var session = TestSession.connecting()
        let link = session.link
        if isUpgraded { session.handle(.opened(link)) }
        session.advance(by: .milliseconds(9_999))
        #expect(session.state == .connecting)
        session.advance(by: .milliseconds(1))
        #expect(session.effects.contains(.abandonLink(link)))
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.code == .timedOut)
        #expect(session.status.lastError?.message.contains("greet") == isUpgraded)
    }

    // MARK: Refusals

    private static let unmendable: [LinkFailure.Kind] = [
        .badHandshake, .tls(.wrongHost), .misconfigured,
        .missingLibrary,
    ]

    @Test(
        "What trying again cannot mend is final before the first greeting",
        arguments: unmendable)
    func terminal(kind: LinkFailure.Kind) {
        var session = TestSession()
        let call = session.connect()
        session.failAttempt(kind)
        #expect(session.state == .failed)
        #expect(session.error(of: call)?.message == "No one there.")
        #expect(session.status.lastError == session.error(of: call))
    }

    @Test(
        "After a greeting it is retried at the cap",
        arguments: unmendable)
    func atCap(kind: LinkFailure.Kind) {
        var session = TestSession.opened { $0.reconnect = .exponential(jitter: 0, attempts: nil) }
        session.cut()
        #expect(session.advanceToAttempt() == .seconds(1))
        session.failAttempt(kind)
        #expect(session.state == .reconnecting)
        #expect(session.status.lastError?.message == "No one there.")
        #expect(session.advanceToAttempt() == .seconds(30))
    }

    @Test("A server that speaks something else is left with 1003, and it is final before the first greeting")
    func mismatch() {
        var session = TestSession.connecting()
        let error = SenteError(.protocolMismatch, "Another dialect.")
        session.handle(.mismatched(session.link, error))
        #expect(
            session.effects.contains(.closeLink(session.link, .unsupportedData, reason: "unknown dialect")))
        #expect(session.state == .failed)
        var open = TestSession.opened()
        open.cut()
        open.advanceToAttempt()
        open.handle(.mismatched(open.link, error))
        #expect(open.state == .reconnecting)
    }

    @Test(
        "401 and 403 without a token provider are final at first; after a greeting they may be a portal's",
        arguments: [401, 403])
    func unauthorized(status: Int) {
        var first = TestSession.connecting()
        first.refuse(status)
        #expect(first.state == .failed)
        var session = TestSession.reconnecting()
        for _ in 0..<5 {
            session.advanceToAttempt()
            session.refuse(status)
            #expect(session.state == .reconnecting)
            #expect(session.status.lastError?.httpStatus == status)
        }
        // The longest wait of the default policy.
        #expect(session.advanceToAttempt() > .seconds(0.5))
        session.greet()
        #expect(session.state == .open)
    }

    @Test("After a greeting it has failed when a second fresh token was refused as well")
    func freshTokensInVain() throws {
        var session = TestSession.connecting { $0.asksToken = true }
        func give(_ reason: AttemptReason) throws {
            let ask = try #require(
                session.asks.filter { $0.value == .token(reason) }.keys.max { $0.number < $1.number })
            session.handle(.provided(ask, .token("t")))
        }
        try give(.connecting)
        session.greet()
        session.cut()
        for state in [ConnectionState.reconnecting, .failed] {
            session.advanceToAttempt()
            try give(.connecting)
            session.refuse(401)
            try give(.refused)
            session.refuse(401)
            #expect(session.state == state)
        }
        // The app asks anew: that counts from the beginning.
        session.connect()
        try give(.connecting)
        session.refuse(401)
        try give(.refused)
        session.refuse(401)
        #expect(session.state == .reconnecting)
    }

    @Test("With a token provider one more attempt is made with a fresh token, then it has failed")
    func freshToken() throws {
        var session = TestSession.connecting { $0.asksToken = true }
        var ask = try #require(session.asks.first { $0.value == .token(.connecting) }).key
        session.handle(.provided(ask, .token("old")))
        #expect(session.target?.token == "old")
        let first = session.link
        session.refuse(401)
        #expect(session.state == .connecting)
        ask = try #require(session.asks.first { $0.value == .token(.refused) }).key
        session.handle(.provided(ask, .token("new")))
        #expect(session.target?.token == "new")
        #expect(session.link != first)
        session.refuse(401)
        #expect(session.state == .failed)
    }

    @Test("Parameters are asked for before every attempt, and anew when the server refused them")
    func parameters() throws {
        var session = TestSession.connecting { $0.asksParameters = true }
        var ask = try #require(session.asks.first { $0.value == .parameters(.connecting) }).key
        session.handle(.provided(ask, .parameters(["csrf-token": "1", "a": "b"])))
        #expect(session.target?.parameters == ["csrf-token": "1", "a": "b"])
        session.refuse(403)
        ask = try #require(session.asks.first { $0.value == .parameters(.refused) }).key
        session.handle(.provided(ask, .parameters(["csrf-token": "2"])))
        #expect(session.target?.parameters == ["csrf-token": "2"])
        session.greet()
        session.cut()
        session.advanceToAttempt()
        #expect(session.asks.values.count { $0 == .parameters(.connecting) } == 2)
    }

    @Test("A server that says when to come back is visited a jittered while later", arguments: [429, 503])
    func retryAfter(status: Int) {
        var session = TestSession.connecting()
        session.refuse(status, [.init("Retry-After", "60")])
        #expect(session.state == .reconnecting)
        session.handle(.pathChanged(.available))
        #expect(session.state == .reconnecting)
        let wait = session.advanceToAttempt()
        #expect(wait > .seconds(60) && wait <= .seconds(62))
        #expect(session.state == .connecting)
    }

    // MARK: Providers

    // MARK: Endpoints

    @Test("Attempts go through the list, the last good one first, and a fresh token to the one that refused")
    func endpoints() throws {
        var session = TestSession.connecting {
            $0.endpoints = ["a", "b", "c"]
            $0.asksToken = true
        }
        func give(_ reason: AttemptReason) throws {
            let ask = try #require(
                session.asks.filter { $0.value == .token(reason) }.keys.max { $0.number < $1.number })
            session.handle(.provided(ask, .token("t")))
        }
        try give(.connecting)
        #expect(session.target?.endpoint == "a")
        session.failAttempt()
        session.advanceToAttempt()
        try give(.connecting)
        #expect(session.target?.endpoint == "b")
        session.refuse(401)
        try give(.refused)
        #expect(session.target?.endpoint == "b")
        session.greet()
        session.cut()
        try give(.connecting)
        #expect(session.target?.endpoint == "c")
        session.failAttempt()
        session.advanceToAttempt()
        try give(.connecting)
        #expect(session.target?.endpoint == "b")
        session.failAttempt()
        session.advanceToAttempt()
        try give(.connecting)
        #expect(session.target?.endpoint == "a")
    }

    @Test("A lost link is followed by an attempt elsewhere at once, each once; the waits begin behind them")
    func failsOver() {
        var session = TestSession.opened { $0.endpoints = ["a", "b", "c"] }
        session.advance(by: .seconds(5))
        session.cut()
        #expect(session.state == .connecting && session.target?.endpoint == "b")
        #expect(session.status.attempt == 2)
        session.failAttempt()
        #expect(session.state == .connecting && session.target?.endpoint == "c")
        session.failAttempt()
        #expect(session.state == .reconnecting && session.status.attempt == 4)
        #expect(session.advanceToAttempt() <= .seconds(2))
        #expect(session.target?.endpoint == "a")
        session.failAttempt()
        #expect(session.state == .reconnecting)
    }

    @Test(
        "A server where nobody is at first is passed over at once, and one that does not answer when its time is up"
    )
    func failsOverAtFirst() {
        var session = TestSession.connecting { $0.endpoints = ["a", "b", "c"] }
        session.failAttempt()
        #expect(session.state == .connecting && session.target?.endpoint == "b")
        session.advance(by: .seconds(10))
        #expect(session.state == .connecting && session.target?.endpoint == "c")
    }

    @Test("Links that are lost as soon as they open go round the servers once and then wait")
    func failsOverOnce() {
        var session = TestSession.opened { $0.endpoints = ["a", "b", "c"] }
        for url in ["b", "c"] {
            session.cut()
            #expect(session.state == .connecting && session.target?.endpoint == url)
            session.greet()
            session.advance(by: .milliseconds(4_999))
        }
        session.cut()
        #expect(session.state == .reconnecting)
        session.advanceToAttempt()
        #expect(session.target?.endpoint == "c")
        session.greet()
        session.advance(by: .seconds(5))
        session.cut()
        #expect(session.state == .connecting && session.target?.endpoint == "a")
    }

    @Test("A refusal waits, though there are others", arguments: [401, 404, 503])
    func refusalWaits(status: Int) {
        var session = TestSession.connecting { $0.endpoints = ["a", "b"] }
        session.refuse(status)
        #expect(session.state == .reconnecting)
    }

    @Test("A policy without failover waits and begins with the last good server")
    func withoutFailover() {
        var session = TestSession.opened {
            $0.endpoints = ["a", "b"]
            $0.reconnect.failover = nil
        }
        session.cut()
        #expect(session.state == .reconnecting)
        session.advanceToAttempt()
        #expect(session.target?.endpoint == "a")
    }

    @Test("A time to fail over in is drawn at random, and reconnect() cuts it short")
    func failsOverWithin() {
        var session = TestSession.opened {
            $0.endpoints = ["a", "b"]
            $0.reconnect = .fleet
        }
        session.cut()
        #expect(session.state == .reconnecting)
        session.handle(.command(.reconnect))
        #expect(session.state == .connecting && session.target?.endpoint == "b")
        session.failAttempt()
        #expect(session.state == .reconnecting)
    }

    @Test("What retrying cannot mend is final once every endpoint of the round has been tried")
    func hopelessEndpoints() {
        var session = TestSession.connecting { $0.endpoints = ["a", "b"] }
        session.refuse(404)
        #expect(session.state == .reconnecting)
        session.advanceToAttempt()
        session.refuse(404)
        #expect(session.state == .failed)
    }

    @Test("A round in which one endpoint may come back is not final")
    func hopefulEndpoints() {
        var session = TestSession.connecting { $0.endpoints = ["a", "b"] }
        for _ in 0..<3 {
            session.refuse(503)
            session.advanceToAttempt()
            session.refuse(404)
            #expect(session.state == .reconnecting)
            session.advanceToAttempt()
        }
        session.refuse(404)
        session.advanceToAttempt()
        session.refuse(404)
        #expect(session.state == .failed)
    }

    @Test("What one endpoint refuses another may grant", arguments: [401, 403])
    func otherEndpoint(status: Int) {
        var session = TestSession.connecting { $0.endpoints = ["a", "b"] }
        session.refuse(status)
        #expect(session.state == .reconnecting)
        session.advanceToAttempt()
        #expect(session.target?.endpoint == "b")
        session.greet()
        #expect(session.state == .open)
    }

    @Test("A server that asks to come back later holds up no other")
    func restOfOne() {
        var session = TestSession.connecting { $0.endpoints = ["a", "b"] }
        session.refuse(503, [.init("Retry-After", "25")])
        #expect(session.advanceToAttempt() <= .seconds(2))
        #expect(session.target?.endpoint == "b")
        session.failAttempt()
        #expect(session.state == .reconnecting)
        // A round would begin with a, which has asked for a rest.
        session.advanceToAttempt()
        #expect(session.target?.endpoint == "b")
        session.failAttempt()
        session.advance(by: .seconds(25))
        #expect(session.state == .connecting)
    }

    @Test("The link's limit ends a little before the attempt's")
    func limits() throws {
        let session = TestSession.connecting()
        #expect(
            try #require(session.target).deadline == session.now.instant.advanced(by: .milliseconds(9_500)))
    }

    @Test("Endpoint and token are asked for together, before every attempt, within its limit")
    func asks() throws {
        var session = TestSession.connecting {
            $0.asksToken = true
            $0.asksEndpoint = true
        }
        #expect(Set(session.asks.values.map { "\($0)" }).count == 2)
        #expect(session.link == LinkID(0))
        let endpoint = try #require(session.asks.first { $0.value == .endpoint }).key
        let token = try #require(session.asks.first { $0.value != .endpoint }).key
        session.handle(.provided(endpoint, .endpoint("ws://there/")))
        #expect(session.link == LinkID(0))
        session.advance(by: .seconds(4))
        session.handle(.provided(token, .token(nil)))
        #expect(session.target?.endpoint == "ws://there/")
        session.advance(by: .seconds(6))
        #expect(session.state == .reconnecting)
        session.handle(.provided(endpoint, .endpoint("ws://late/")))
        #expect(session.effects.isEmpty)
        session.advanceToAttempt()
        #expect(session.asks.values.contains(.endpoint))
    }

    @Test("A provider that does not answer, or throws, costs the attempt", arguments: [false, true])
    func badProvider(throwing: Bool) throws {
        var session = TestSession.connecting {
            $0.asksEndpoint = true
            $0.asksToken = true
        }
        let asks = session.asks
        if throwing {
            session.handle(.provided(try #require(asks.first).key, .failed("no luck")))
            #expect(session.status.lastError?.code == .providerFailed)
            #expect(session.status.lastError?.underlying == "no luck")
        } else {
            session.advance(by: .seconds(10))
            #expect(session.status.lastError?.code == .timedOut)
        }
        #expect(session.state == .reconnecting)
        let cancelled = session.effects.count { if case .cancelAsk = $0 { true } else { false } }
        #expect(cancelled == (throwing ? 1 : 2))
    }

    @Test("A custom policy decides the wait, and nil gives up")
    func customPolicy() throws {
        var session = TestSession.connecting { $0.reconnect = .custom { _ in nil } }
        session.failAttempt()
        #expect(session.state == .reconnecting)
        var ask = try #require(session.asks.first).key
        session.handle(.provided(ask, .delay(.seconds(42))))
        #expect(session.effects.contains(.publish(session.status)))
        #expect(session.advanceToAttempt() == .seconds(42))
        session.failAttempt()
        ask = try #require(session.asks.max { $0.key.number < $1.key.number }).key
        session.handle(.provided(ask, .delay(nil)))
        #expect(session.state == .failed)
    }

    @Test("A custom policy that does not answer within 10 s counts as nil")
    func slowPolicy() {
        var session = TestSession.connecting { $0.reconnect = .custom { _ in nil } }
        session.failAttempt()
        session.advance(by: .seconds(9))
        #expect(session.state == .reconnecting)
        session.advance(by: .seconds(1))
        #expect(session.state == .failed)
    }

    @Test("A custom policy's delay begins at the server's time")
    func customRetryAfter() throws {
        var session = TestSession.connecting { $0.reconnect = .custom { _ in nil } }
        session.refuse(503, [.init("Retry-After", "60")])
        session.handle(.provided(try #require(session.asks.first).key, .delay(.seconds(1))))
        #expect(session.advanceToAttempt() == .seconds(61))
    }
}

extension TestSession {
    /// Where the link opened last goes, when the last step opened one.
    fileprivate var target: LinkTarget? {
        for case .openLink(_, let target) in effects { return target }
        return nil
    }
}
