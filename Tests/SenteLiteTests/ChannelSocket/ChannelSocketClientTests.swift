// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

@Suite("ChannelSocketClient", .timeLimit(.minutes(5)))
struct ChannelSocketClientTests {
    /// What came through `chRecv`, in short.
    @discardableResult
    private static func log(
        _ client: ChannelSocketClient, in log: Collector<String> = Collector()
    ) -> Collector<String> {
        client.chRecv.on(.all) { message in
            switch message.id {
            case "chsk/state":
                guard let change = message.stateChange else { return log.append("state without a change") }
                #expect(message.data[0] == change.old.value)
                #expect(message.data[1] == change.new.value)
                #expect(message.data[2] == Value(change.openChanged))
                log.append(
                    "state" + (change.opened ? " opened" : "") + (change.closed ? " closed" : "")
                        + (change.new.isFirstOpen ? " first" : ""))
            case "chsk/handshake":
                log.append("handshake \(message.data[0] ?? .null) \(message.data[3] ?? .null)")
            case "chsk/error":
                log.append("error \(message.data[Keyword("code")] ?? .null)")
            default: log.append(message.id.text)
            }
        }
        return log
    }

    // MARK: Life

    @Test("it connects by itself; the state comes before the handshake, and that before any push")
    func connects() async throws {
        let stage = DriverStage(.sente)
        let log = Collector<String>()
        let client = try stage.channelSocket { _ in
        } prepare: {
            Self.log($0, in: log)
        }
        try await client.chsk.client.reaches(.open)
        stage.server.push(Event("test/a"))
        #expect(await log.first(3) == ["state opened first", "handshake \"u1\" true", "test/a"])
        let state = client.state.value
        #expect(state.isOpen && state.everOpened && !state.isFirstOpen)
        #expect(state.type == .ws)
        #expect(state.uid == "u1")
        #expect(state.handshakeData == ["theme": "dark"])
    }

    @Test("disconnect() and connect() again: the same client-id, and a handshake that is not the first")
    func again() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let log = Self.log(client)
        client.chsk.disconnect()
        try await client.chsk.client.reaches(.closed)
        stage.server.greets(as: "u2", data: .null)
        client.chsk.connect()
        try await client.chsk.client.reaches(.open)
        #expect(
            await log.first(4) == ["state closed", "state", "state opened", "handshake \"u2\" false"])
        let ids = Set(stage.server.urls.compactMap { $0.split(separator: "client-id=").last })
        #expect(ids.count == 1 && stage.server.urls.count == 2)
        #expect(client.state.value.lastClose?.reason == .requestedDisconnect)
        #expect(client.state.value.lastWSClose?.isClean == true)
    }

    @Test("connect() while open changes nothing")
    func connectTwice() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        client.chsk.connect()
        try await stage.waitUntilIdle(client)
        #expect(stage.server.urls.count == 1)
        #expect(client.chsk.client.state == .open)
    }

    @Test("reconnect() replaces the connection")
    func reconnects() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let log = Self.log(client)
        client.chsk.reconnect()
        #expect(await log.first(3) == ["state closed", "state opened", "handshake \"u1\" false"])
        #expect(client.state.value.lastClose?.reason == .requestedReconnect)
        #expect(client.state.value.lastError == nil)
        #expect(stage.server.urls.count == 2)
    }

    @Test("breakConnection() is a loss: it is told, and the client comes back by its policy")
    func breaks() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        try await stage.waitUntilIdle(client)
        let log = Self.log(client)
        client.chsk.breakConnection()
        #expect(await log.first(3) == ["state closed", "error :connectionLost", "state"])
        #expect(client.state.value.lastWSClose?.code.rawValue == 3_000)
        let due = try #require(client.state.value.nextReconnect)
        #expect((0...2_000).contains(due - stage.host.now.wallMilliseconds))
        #expect(client.state.value.reconnectCount == 1)
        stage.advance(by: .seconds(2))
        try await client.chsk.client.reaches(.open)
        #expect(client.state.value.nextReconnect == nil)
    }

    @Test("a clean close of the server's is a reason to come back, too")
    func cleanClose() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        stage.server.close(.normal)
        try await stage.waitUntilIdle(client)
        #expect(client.state.value.lastClose?.reason == .clean)
        stage.advance(by: .seconds(2))
        try await client.chsk.client.reaches(.open)
    }

    @Test("a server that falls silent is left, with the reason Sente has for it")
    func silent() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket()
        stage.server.fallsSilent()
        stage.advance(by: .seconds(25))
        try await stage.waitUntilIdle(client)
        #expect(client.state.value.lastClose?.reason == .wsPingTimeout)
        #expect(client.errors.recent.map(\.code) == [.silent])
    }

    @Test("a refused attempt gives changes that open and close nothing, and says what the server said")
    func refused() async throws {
        let stage = DriverStage(.sente)
        stage.server.refuses(
            Refusal(status: 503, headers: [.init("Retry-After", "7")], body: Array("busy".utf8)))
        let log = Collector<String>()
        let client = try stage.channelSocket { _ in
        } prepare: {
            Self.log($0, in: log)
        }
        #expect(await log.first(4) == ["state", "state", "error :serverUnavailable", "state"])
        let error = try #require(client.state.value.lastWSError?.error)
        #expect(error.httpStatus == 503)
        #expect(error.body == Array("busy".utf8))
        #expect(error.headers.map(\.name) == ["Retry-After"])
        #expect(client.state.value.lastWSClose?.code == .abnormal)
        #expect(!client.state.value.isOpen && !client.state.value.everOpened)
        let due = try #require(client.state.value.nextReconnect)
        // As long as the server says, and then the policy's first while.
        #expect((7_000...9_000).contains(due - stage.host.now.wallMilliseconds))
    }

    @Test("a server that never greets fails each attempt with a word that says so")
    func neverGreets() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket()
        let errors = Collector<ErrorReport>()
        client.errors.onError { errors.append($0) }
        try await client.chsk.client.reaches(.connecting)
        stage.advance(by: .seconds(10))
        let report = await errors.first(1)[0]
        #expect(report.code == .timedOut)
        #expect(report.context.operation == .connect)
        #expect(report.context.attempt == 1)
        #expect(report.action == .reconnect)
    }

    @Test("released, it disconnects; what it handed out ends")
    func released() async throws {
        let stage = DriverStage(.sente)
        let state: ObservableState<ChannelSocketState>
        let errors: ErrorChannel
        do {
            let client = try await stage.openChannelSocket()
            state = client.state
            errors = client.errors
        }
        stage.waitUntilIdle()
        for await _ in state {}
        for await _ in errors {}
        client: do {
            weak var socket: ChannelSocket?
            let client = try await stage.openChannelSocket()
            socket = client.chsk
            #expect(socket != nil)
        }
    }

    @Test("each part keeps the connection, and so does a running router until it is stopped")
    func kept() async throws {
        let stage = DriverStage(.sente)
        let kept: Kept
        var router: Router?
        do {
            let client = try await stage.openChannelSocket()
            kept = Kept(socket: client.chsk)
            router = startRouter(client.chRecv) { _ in }
        }
        #expect(kept.socket?.client.state == .open)
        router?.stop()
        router = nil
        // The router's task may be about to end.
        try await eventually("nothing keeps the connection") { kept.socket == nil }
    }

    private struct Kept: Sendable {
        weak let socket: ChannelSocket?
    }

    // MARK: The state as a value and its changes

    @Test("the state's changes come to observers and to sequences, the current value first")
    func observes() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket()
        let changes = Collector<(ChannelSocketState, ChannelSocketState)>()
        let registration = client.state.onChange { changes.append(($0, $1)) }
        var values = client.state.makeAsyncIterator()
        #expect(await values.next() == ChannelSocketState())
        stage.server.greet()
        let opened = await values.next()
        #expect(opened?.isOpen == true && opened?.isFirstOpen == true)
        let first = await changes.first(1)[0]
        #expect(!first.0.isOpen && first.1.isFirstOpen)
        #expect(!client.state.value.isFirstOpen)
        registration.cancel()
        stage.server.cut()
        try await stage.waitUntilIdle(client)
        #expect(changes.elements.count == 1)
        #expect(await values.next()?.isOpen == false)
    }

    // MARK: client-id, csrf-token, parameters

    @Test("the URL has the user's parameters, then client-id, then csrf-token, which win over the same names")
    func parameters() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket {
            $0.parameters = ["app-ver": "1.2", "client-id": "mine", "x y": "a&b"]
            $0.parametersProvider = { _ in ["csrf-token": "old", "late": "1"] }
            $0.clientID = "c 1"
            $0.csrfToken = { "t/1" }
        }
        #expect(
            stage.server.urls == [
                "ws://server.test/chsk?app-ver=1.2&x%20y=a%26b&late=1&client-id=c%201&csrf-token=t%2F1"
            ])
        #expect(client.state.value.csrfToken == "t/1")
        #expect(client.chsk.clientID == "c 1")
    }

    @Test("the token is asked for at every attempt; without one the parameter is left out")
    func tokenEachTime() async throws {
        let stage = DriverStage(.sente)
        let count = Locked(0)
        let client = try await stage.openChannelSocket {
            $0.clientID = "c"
            $0.csrfToken = {
                count.withLock {
                    $0 += 1
                    return $0 == 2 ? nil : "t\($0)"
                }
            }
        }
        for _ in 1...2 { await client.chsk.client.replacesLink() }
        #expect(
            stage.server.urls == [
                "ws://server.test/chsk?client-id=c&csrf-token=t1", "ws://server.test/chsk?client-id=c",
                "ws://server.test/chsk?client-id=c&csrf-token=t3",
            ])
    }

    @Test("a 403 asks for the token once more, and a second one is final")
    func tokenRefused() async throws {
        let stage = DriverStage(.sente)
        stage.server.refuses(Refusal(status: 403, body: Array("Bad CSRF token".utf8)))
        let count = Locked(0)
        let failures = Collector<ErrorReport>()
        let client = try stage.channelSocket {
            $0.csrfToken = {
                count.withLock {
                    $0 += 1
                    return "t\($0)"
                }
            }
        } prepare: {
            $0.errors.onError { if $0.context.operation == .giveUp { failures.append($0) } }
        }
        let report = await failures.first(1)[0]
        #expect(report.code == .unauthorized)
        #expect(report.action == .escalate)
        #expect((report.error as? SenteError)?.httpStatus == 403)
        #expect(stage.server.urls.map { $0.suffix(2) } == ["t1", "t2"])
        #expect(client.chsk.client.state == .failed)
    }

    @Test(
        "a token function that throws, or never returns, ends the attempt with a typed error",
        arguments: [true, false])
    func tokenFails(throwing: Bool) async throws {
        struct NoToken: Error {}
        let stage = DriverStage(.sente)
        let errors = Collector<ErrorReport>()
        let client = try stage.channelSocket {
            $0.csrfToken = {
                if throwing { throw NoToken() }
                try await Task.sleep(for: .seconds(3_600))
                return nil
            }
        } prepare: {
            $0.errors.onError { errors.append($0) }
        }
        try await client.chsk.client.reaches(throwing ? .reconnecting : .connecting)
        if !throwing { stage.advance(by: .seconds(10)) }
        let report = await errors.first(1)[0]
        #expect(report.code == (throwing ? .providerFailed : .timedOut))
        #expect(report.context.operation == .connect)
        #expect(stage.server.urls.isEmpty)
    }

    @Test("without a client-id a random UUID is made, another for each client")
    func randomID() throws {
        let first = try makeChannelSocketClient("ws://127.0.0.1:9/")
        let second = try makeChannelSocketClient("ws://127.0.0.1:9/")
        #expect(UniqueID(first.chsk.clientID) != nil)
        #expect(first.chsk.clientID != second.chsk.clientID)
    }

    @Test("a plain client has a client-id, unless it is told to have none or the app names one elsewhere")
    func plainClient() async throws {
        typealias Configuration = SenteClient.Configuration
        let cases: [((inout Configuration) -> Void, String?)] = [
            ({ $0.makesClientID = true }, "?client-id="),
            ({ $0.makesClientID = false }, nil),
            ({ $0.clientID = "x" }, "?client-id=x"),
            (
                {
                    $0.makesClientID = true
                    $0.parameters = ["client-id": "mine"]
                }, "?client-id=mine"
            ),
        ]
        #expect(Configuration().makesClientID)
        for (configure, expected) in cases {
            let stage = DriverStage()
            let client = try stage.client("ws://server.test/", configure)
            client.reconnect()
            stage.waitUntilIdle()
            let url = try #require(stage.server.requests.first?.url)
            #expect(
                url.split(separator: "client-id", omittingEmptySubsequences: false).count
                    == (expected == nil ? 1 : 2))
            if let expected { #expect(url.contains(expected)) }
        }
    }

    // MARK: Bad input

    @Test(
        "a URL without scheme, or with a wrong one, is refused at the call",
        arguments: ["/chsk", "localhost:3000/chsk", "http://localhost/chsk", ""])
    func wrongURL(url: String) {
        do throws(SenteError) {
            _ = try makeChannelSocketClient(url)
            Issue.record("“\(url)” is taken for a URL.")
        } catch {
            #expect(error.code == .invalidArgument)
        }
    }

    @Test("a blank client-id is refused at the call")
    func blankID() {
        var configuration = SenteClient.Configuration()
        configuration.clientID = "  "
        do throws(SenteError) {
            _ = try makeChannelSocketClient("ws://127.0.0.1:9/", configuration: configuration)
            Issue.record("A blank client-id is taken.")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("clientID"))
        }
    }
}
