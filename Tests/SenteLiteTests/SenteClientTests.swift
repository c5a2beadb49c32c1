// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

@Suite("SenteClient: the connection", .timeLimit(.minutes(5)))
struct SenteClientTests {
    @Test("connect() returns when the server has greeted, and what is read then says so")
    func connects() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        #expect(client.state == .closed)
        try await client.connect()
        #expect(client.state == .open)
        #expect(client.status.identity == Identity(connectionID: "c1", serverTime: 5))
        #expect(client.status.dialect == .senteLiteMaps)
        #expect(client.status.attempt == 1)
    }

    @Test("connect() while open returns at once, and makes no second link")
    func connectsOnce() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        try await client.connect()
        #expect(stage.server.requests.count == 1)
    }

    @Test("the timeout of connect() ends the waiting and not the connecting")
    func connectTimesOut() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client()
        async let failure = error { () throws(SenteError) in try await client.connect(timeout: .seconds(3)) }
        try await client.reaches(.connecting)
        stage.advance(by: .seconds(3))
        #expect(await failure?.code == .timedOut)
        #expect(client.state == .connecting)
    }

    @Test("a cancelled connect() says so, and the client goes on connecting")
    func connectIsCancelled() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client()
        let task = Task { await error { () throws(SenteError) in try await client.connect() } }
        try await client.reaches(.connecting)
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        #expect(client.state == .connecting)
    }

    @Test("connect() throws what made the client give up")
    func connectFails() async throws {
        let stage = DriverStage()
        stage.server.refuses(Refusal(status: 401, body: Array("who?".utf8)))
        let client = try stage.client()
        let failure = await error { () throws(SenteError) in try await client.connect() }
        #expect(failure?.code == .unauthorized)
        #expect(failure?.httpStatus == 401)
        #expect(client.state == .failed)
    }

    @Test("disconnect() ends a wait for connect(), and then the client is closed")
    func disconnectWins() async throws {
        let stage = DriverStage()
        stage.server.neverAnswersUpgrades()
        let client = try stage.client()
        async let failure = error { () throws(SenteError) in try await client.connect() }
        try await client.reaches(.connecting)
        await client.disconnect()
        #expect(await failure?.code == .disconnected)
        #expect(client.state == .closed)
        #expect(stage.server.isAbandoned)
        #expect(stage.host.nextDeadline == nil)
    }

    @Test(
        "disconnect() closes in every state, and nothing comes back",
        arguments: [ConnectionState.closed, .connecting, .open, .reconnecting, .failed])
    func disconnects(from state: ConnectionState) async throws {
        let stage = DriverStage()
        let client = try stage.client()
        switch state {
        case .closed, .open: break
        case .connecting: stage.server.withholdsGreeting()
        case .reconnecting: stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        case .failed, .closing: stage.server.refuses(Refusal(status: 403))
        }
        if state != .closed {
            client.reconnect()
            try await client.reaches(state)
            // The server hears of a link a turn after the client's state has changed.
            stage.waitUntilIdle()
        }
        let links = stage.server.requests.count
        await client.disconnect()
        #expect(client.state == .closed)
        stage.server.accepts()
        stage.advance(by: .seconds(120))
        #expect(client.state == .closed)
        #expect(stage.server.requests.count == links)
    }

    @Test("a lost link is opened again, and reconnect() does not wait for its time")
    func reconnects() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        stage.server.cut()
        try await client.reaches(.reconnecting)
        #expect(client.status.retryAt != nil)
        stage.server.accepts()
        client.reconnect()
        try await client.reaches(.open)
        #expect(client.metrics.connection.reconnects == 1)
    }

    @Test("states begins with the current one and keeps the order, for everyone who asks")
    func statesAreMulticast() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        var first = client.states.makeAsyncIterator()
        #expect(await first.next()?.state == .closed)
        try await client.connect()
        var second = client.states.makeAsyncIterator()
        #expect(await second.next()?.state == .open)
        await client.disconnect()
        var seen: [ConnectionState] = []
        while seen.last != .closed, let status = await first.next() {
            if seen.last != status.state { seen.append(status.state) }
        }
        #expect(seen == [.connecting, .open, .closing, .closed])
        var late: [ConnectionState] = []
        while late.last != .closed, let status = await second.next() { late.append(status.state) }
        #expect(late == [.closing, .closed])
    }

    @Test("a loop over states ends with its task, and with the client")
    func statesEnd() async throws {
        let stage = DriverStage()
        var client: SenteClient? = try stage.client()
        let states = try #require(client?.states)
        let cancelled = Task { for await _ in states {} }
        let ended = Task {
            var count = 0
            for await _ in states { count += 1 }
            return count
        }
        cancelled.cancel()
        await cancelled.value
        client = nil
        #expect(await ended.value <= 1)
    }

    @Test("closures hear each change of the status in order, until they are cancelled")
    func stateClosures() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let changes = Collector<[ConnectionState]>()
        let registration = client.onStateChange { old, new in changes.append([old.state, new.state]) }
        let main = Collector<Bool>()
        client.onStateChange(mainActor: { _, _ in main.append(isOnMainActor()) })
        try await client.connect()
        #expect(await changes.first(2).prefix(2) == [[.closed, .connecting], [.connecting, .open]])
        _ = await main.first(2)
        registration.cancel()
        await client.disconnect()
        _ = await main.first(4)
        #expect(changes.elements.count == 2)
    }

    @Test("ping() tells the round trip, and needs an open connection")
    func pings() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        #expect(await error { () throws(SenteError) in _ = try await client.ping() }?.code == .notConnected)
        try await client.connect()
        #expect(try await client.ping() == .zero)
        #expect(client.metrics.roundTrip?.p50 == .zero)
    }

    @Test(
        "a wrong URL is refused by name",
        arguments: [
            ("", "empty"), ("http://a/", "ws or wss"), ("ws://a:99999/", "99999"), ("ws://a b/", "blank"),
            ("ws://u@a/", "user name"), ("ws:///x", "host"),
        ])
    func wrongURL(url: String, hint: String) {
        do throws(SenteError) {
            _ = try SenteClient(url)
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains(hint), "\(error)")
        }
    }

    @Test("wrong settings are refused by name")
    func wrongSettings() throws {
        func message(_ change: (inout SenteClient.Configuration) -> Void) -> String? {
            do throws(SenteError) {
                _ = try DriverStage().client("ws://a/", change)
                return nil
            } catch {
                return error.message
            }
        }
        #expect(message { $0.limits.incomingMessage = 0 }?.contains("limits.incomingMessage") == true)
        #expect(message { $0.outbox.maximumMessages = -1 }?.contains("outbox.maximumMessages") == true)
        #expect(message { $0.heartbeat?.interval = .zero }?.contains("heartbeat.interval") == true)
        #expect(message { $0.headers = ["X-A": "a\r\nX-B: b"] }?.contains("X-A") == true)
        for dialect in [Dialect.sente, .senteLiteVectors] {
            let json = try #require(
                message {
                    $0.dialect = dialect
                    $0.format = .json
                })
            #expect(json.contains("`format` is json") && json.contains(dialect.rawValue))
            #expect(message { $0.dialect = dialect } == nil)
        }
        #expect(message { $0.format = .json } == nil)
        for name in [
            "Host", "upgrade", "CONNECTION", "Sec-WebSocket-Key", "sec-websocket-anything", "Content-Length",
            "Proxy-Authorization", "", "a b", "a\u{0}", "é",
        ] {
            #expect(message { $0.headers = [name: "b"] } != nil, "\(name.debugDescription)")
        }
        #expect(message { $0.headers = ["X-A": "a\u{0}"] }?.contains("X-A") == true)
        #expect(message { $0.cookies = ["a": "1; b=2"] }?.contains("cookie a") == true)
        #expect(message { $0.cookies = ["a": "1\r\nX: y"] }?.contains("cookie a") == true)
        #expect(message { $0.cookies = ["a=b": "1"] }?.contains("cookie name") == true)
        #expect(message { $0.cookies = ["": "1"] }?.contains("cookie name") == true)
        #expect(message { $0.cookies = ["a": #""é,\{"#] } == nil)
        #expect(message { $0.proxy = .url("https://p") }?.contains("proxy") == true)
        #expect(message { $0.endpoints = ["ws://b/", "http://c/"] }?.contains("http") == true)
        #expect(
            message {
                $0.endpoints = ["ws://b/"]
                $0.endpointProvider = .portFile("x")
            }?.contains("endpointProvider") == true)
        #expect(message { _ in } == nil)
    }

    @Test("headers, parameters and the token go along with the handshake")
    func handshake() async throws {
        let stage = DriverStage()
        let client = try stage.client("ws://server.test/chsk?x=1") { configuration in
            configuration.headers = ["X-One": "1", "Authorization": "Basic old", "cookie": "z=0"]
            configuration.cookies = ["b": "1", "a": "2"]
            configuration.parameters = ["client-id": "a b&c", "b": "é"]
            configuration.parametersProvider = { reason in ["csrf-token": "+/", "why": reason.rawValue] }
            configuration.tokenProvider = { reason in reason == .connecting ? "secret" : nil }
        }
        try await client.connect()
        let request = try #require(stage.server.requests.first)
        #expect(
            request.url
                == "ws://server.test/chsk?x=1&client-id=a%20b%26c&b=%C3%A9&csrf-token=%2B%2F&why=connecting")
        #expect(
            request.headers == [
                Refusal.Header("X-One", "1"), Refusal.Header("cookie", "z=0; b=1; a=2"),
                Refusal.Header("Authorization", "Bearer secret"),
            ])
    }

    @Test("a refused token is asked for once more, and then the client gives up")
    func freshToken() async throws {
        let stage = DriverStage()
        stage.server.refuses(Refusal(status: 401))
        let reasons = Collector<AttemptReason>()
        let client = try stage.client("ws://server.test/") { configuration in
            configuration.tokenProvider = { reason in
                reasons.append(reason)
                return "t"
            }
        }
        let failure = await error { () throws(SenteError) in try await client.connect() }
        #expect(failure?.code == .unauthorized)
        #expect(reasons.elements == [.connecting, .refused])
    }

    @Test("a token that cannot be sent, and a provider that throws, give up the attempt and say why")
    func badProviders() async throws {
        struct Locked: Error {}
        let stage = DriverStage()
        for provider: SenteClient.Configuration.TokenProvider in [{ _ in "a\r\nb" }, { _ in throw Locked() }]
        {
            let client = try stage.client("ws://server.test/") { $0.tokenProvider = provider }
            client.reconnect()
            try await client.reaches(.reconnecting)
            #expect(client.status.lastError?.code == .providerFailed)
            #expect(client.status.lastError?.underlying?.isEmpty == false)
        }
        #expect(stage.server.requests.isEmpty)
    }

    @Test("the endpoint provider is asked before each attempt")
    func endpoint() async throws {
        let stage = DriverStage()
        let count = Locked(0)
        let client = try stage.client("ws://server.test/") { configuration in
            configuration.endpointProvider = EndpointProvider {
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                return try #require(URL(string: "ws://host\(number).test/"))
            }
        }
        try await client.connect()
        await client.replacesLink()
        #expect(stage.server.urls == ["ws://host1.test/", "ws://host2.test/"])
    }

    @Test("a custom reconnect policy is asked, and nil gives up")
    func customPolicy() async throws {
        let stage = DriverStage()
        stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        let contexts = Collector<Int>()
        let client = try stage.client("ws://server.test/") { configuration in
            configuration.reconnect = .custom { context in
                contexts.append(context.retry)
                return context.retry < 3 ? .zero : nil
            }
        }
        let failure = await error { () throws(SenteError) in try await client.connect() }
        #expect(failure?.code == .unreachable)
        #expect(contexts.elements == [1, 2, 3])
        #expect(client.state == .failed)
    }

    @Test("a released client disconnects, and everything goes with it")
    func isReleased() async throws {
        let stage = DriverStage()
        var client: SenteClient? = try await stage.openClient()
        weak let seen = client
        let states = Collector<ConnectionState>()
        let registration = client?.onStateChange { _, new in states.append(new.state) }
        _ = try await client?.respond(on: "service") { $0 }
        client = nil
        #expect(seen == nil)
        stage.waitUntilIdle()
        #expect(stage.observers.alive == 0)
        #expect(stage.host.nextDeadline == nil)
        #expect(states.elements.isEmpty)
        registration?.cancel()
    }

    @Test("a released client ends its providers' questions")
    func isReleasedWhileAsking() async throws {
        let stage = DriverStage()
        let asked = Collector<Bool>()
        let ended = Collector<Bool>()
        var client: SenteClient? = try stage.client("ws://server.test/") { configuration in
            configuration.tokenProvider = { _ in
                asked.append(true)
                await withTaskCancellationHandler {
                    for await _ in AsyncStream<Never>(Never.self, { _ in }) {}
                } onCancel: {
                    ended.append(true)
                }
                return nil
            }
        }
        client?.reconnect()
        _ = await asked.first(1)
        client = nil
        _ = await ended.first(1)
    }

    @Test("a subscription and a pending call keep the client; its states and registrations do not")
    func isKept() async throws {
        let stage = DriverStage()
        var client: SenteClient? = try await stage.openClient()
        weak let seen = client
        var subscription = try await client?.subscribe("news")
        client = nil
        #expect(seen != nil)
        stage.server.deliver(["n": 1], to: "news")
        var iterator = subscription?.makeAsyncIterator()
        #expect(await iterator?.next()?.data == ["n": 1])
        subscription = nil
        #expect(seen != nil)
        iterator = nil
        #expect(seen == nil)
    }
}
