// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("A server on a real port", .timeLimit(.minutes(5)))
struct LoopbackServerTests {
    @Test("says that it is no server of NATS")
    func noNATS() {
        let error = #expect(throws: SenteError.self) { try LoopbackServer(.nats) }
        #expect(error?.code == .unsupported)
    }

    @Test("serves, stops, and starts again on the same port")
    func restarts() async throws {
        let server = try LoopbackServer()
        let port = try await server.start()
        #expect(server.url == "ws://127.0.0.1:\(port)/")
        var configuration = SenteClient.Configuration()
        configuration.reconnect = .exponential(initial: .milliseconds(20), maximum: .milliseconds(100))
        let client = try SenteClient(server.url, configuration: configuration)
        try await client.connect()
        var messages = try await client.subscribe("news").makeAsyncIterator()
        await server.deliver(["n": 1], to: "news")
        #expect(await messages.next()?.data == ["n": 1])
        #expect(await server.connectionCount == 1)
        #expect(await server.subscriberCount(of: "news") == 1)

        try await server.restart()
        #expect(server.port == port)
        for await status in client.states
        where status.state == .open && client.metrics.connection.reconnects == 1 {
            break
        }
        while await server.subscriberCount(of: "news") == 0 { await Task.yield() }
        await server.deliver(["n": 2], to: "news")
        #expect(await messages.next()?.data == ["n": 2])

        await server.cut()
        for await status in client.states
        where status.state == .open && client.metrics.connection.reconnects == 2 {
            break
        }
        await client.disconnect()
        await server.stop()
    }

    @Test("answers and pushes in each dialect", arguments: Dialect.allCases.filter { $0 != .nats })
    func answers(dialect: Dialect) async throws {
        let server = try LoopbackServer(dialect)
        server.answersEvents("app/who") { event in ["asked": event.data[Keyword("n")] ?? event.data["n"] ?? 0]
        }
        await server.answersRequests(on: "time") { _ in ["hour": 12] }
        try await server.start()
        let client = try SenteClient(server.url + "?client-id=1")
        try await client.connect()
        var events = client.events.makeAsyncIterator()
        let question: Value =
            switch dialect {
            case .senteLiteMaps: ["n": 1]
            case .senteLiteVectors: [.keyword("n"): 1, .keyword("request-id"): "r1"]
            case .sente, .nats: [.keyword("n"): 1]
            }
        let event = Event(id: "app/who", data: question)
        if dialect == .senteLiteMaps {
            let answer = try await client.send(event, timeout: .seconds(20)) { $0.id == "app/who" }
            #expect(answer["asked"] == 1)
            #expect(try await client.request([:], on: "time") == ["hour": 12])
        } else {
            #expect(try await client.send(event, timeout: .seconds(20))["asked"] == 1)
        }
        await server.push(Event(id: "app/news", data: ["n": 2]))
        var heard = await events.next()
        while let event = heard, event.id != "app/news" { heard = await events.next() }
        #expect(heard?.data == ["n": 2])
        await client.disconnect()
        await server.stop()
    }

    @Test(
        "keeps the events that come, over its ends, and waits for one",
        arguments: Dialect.allCases.filter { $0 != .nats })
    func events(dialect: Dialect) async throws {
        let server = try LoopbackServer(dialect)
        server.answersEvents("app/say") { _ in ["heard": true] }
        try await server.start()
        let client = try SenteClient(server.url + "?client-id=1")
        try await client.connect()
        @Sendable func data(_ n: Int) -> Value {
            dialect == .senteLiteMaps ? ["n": Value(n)] : [.keyword("n"): Value(n)]
        }
        async let awaited = server.expectEvent("app/say") { $0.data == data(2) }
        for n in 1...3 { try await client.send(Event(id: "app/say", data: data(n))) }
        #expect(try await awaited.data == data(2))
        try await server.expectEvent("app/say") { $0.data == data(3) }
        #expect(server.events == (1...3).map { Event(id: "app/say", data: data($0)) })
        await server.stop()
        #expect(try await server.expectEvent("app/say").data == data(3), "the latest")
        await client.disconnect()
    }

    @Test("says which event did not come, and those that did; a cancelled task waits no longer")
    func missingEvents() async throws {
        let server = try LoopbackServer()
        try await server.start()
        let client = try SenteClient(server.url)
        try await client.connect()
        try await client.send(Event(id: "app/hello"))
        try await server.expectEvent("app/hello")
        let late = await #expect(throws: TestFailure.self) {
            try await server.expectEvent("app/bye", within: .milliseconds(1))
        }
        #expect(late?.kind == .timedOut)
        #expect(late?.description.contains("No event :app/bye") == true)
        #expect(late?.description.contains("app/hello") == true)
        let waiting = Task { try await server.expectEvent("app/bye") }
        waiting.cancel()
        let cancelled = await #expect(throws: TestFailure.self) { try await waiting.value }
        #expect(cancelled?.kind == .cancelled)
        await client.disconnect()
        await server.stop()
    }

    @Test("greets as the user it is told, with the app's data")
    func greets() async throws {
        let server = try LoopbackServer(.sente)
        server.greets(as: "ann", handshakeData: ["plan": "free"])
        try await server.start()
        let client = try SenteClient(server.url + "?client-id=1")
        try await client.connect()
        let identity = try #require(client.status.identity)
        #expect(identity.uid == "ann")
        #expect(identity.handshakeData == ["plan": "free"])
        await client.disconnect()
        await server.stop()
    }

    @Test("a certificate it cannot use is refused with what is wrong")
    func identity() async throws {
        let locked = #expect(throws: SenteError.self) {
            try LoopbackServer(identity: .init(certificates: .bytes([]), key: .bytes([]), passphrase: "x"))
        }
        #expect(locked?.code == .unsupported)
        let server = try LoopbackServer(identity: .init(certificates: .bytes([]), key: .bytes([])))
        #expect(server.url.hasPrefix("wss://"))
        let empty = await #expect(throws: SenteError.self) { try await server.start() }
        #expect(empty?.code == .unavailable)
        #expect(empty?.message.contains("certificate") == true, "\(empty?.message ?? "")")
    }

    @Test("refuses, and says no more than it is told")
    func faults() async throws {
        let server = try LoopbackServer()
        try await server.start()
        await server.refuses(.forbidden)
        let client = try SenteClient(server.url)
        do throws(SenteError) {
            try await client.connect()
            Issue.record("It was let in.")
        } catch {
            #expect(error.httpStatus == 403)
        }
        await server.recovers()
        try await client.connect()
        await server.losesReplies()
        do throws(SenteError) {
            try await client.publish([:], to: "news", timeout: .milliseconds(50))
            Issue.record("It was answered.")
        } catch {
            #expect(error.code == .timedOut)
        }
        await server.close(.serviceRestart)
        for await status in client.states where status.lastClose?.code == .serviceRestart { break }
        await client.disconnect()
        await server.stop()
        #expect(await server.connectionCount == 0)
    }

    @Test(
        "takes uploads and offers downloads to each client once, before and after it came, and after a restart"
    )
    func streams() async throws {
        let server = try LoopbackServer()
        await server.takesStreams()
        await server.offersDownload([1, 2, 3], on: "early")
        try await server.start()
        func client() async throws -> SenteClient {
            var configuration = SenteClient.Configuration()
            configuration.flow.streaming = StreamingPolicy()
            let client = try SenteClient(server.url, configuration: configuration)
            try await client.connect()
            for await status in client.states where status.features?.streaming == true { break }
            return client
        }
        func first(on channel: String, of client: SenteClient) async throws -> [UInt8] {
            for await download in client.downloads(on: channel) {
                var bytes: [UInt8] = []
                for try await piece in download { bytes += piece.bytes }
                return bytes
            }
            return []
        }
        let one = try await client()
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) }
        let upload = try await one.upload(.bytes(bytes), to: "reports", metadata: ["filename": "q3.pdf"])
        #expect(try await upload.value.answer == ["size": 200_000])
        #expect(server.uploads.map(\.bytes) == [bytes])
        #expect(server.uploads.first?.metadata == ["filename": "q3.pdf"])
        #expect(try await first(on: "early", of: one) == [1, 2, 3])
        await server.offersDownload(bytes, on: "late")
        #expect(try await first(on: "late", of: one) == bytes)

        server.refusesStreams("the shop is closed")
        do throws(SenteError) {
            _ = try await one.upload(.bytes([1]), to: "reports").value
            Issue.record("it was taken")
        } catch {
            #expect(error.code == .streamFailed)
        }
        await server.recovers()

        await one.disconnect()
        try await server.restart()
        let two = try await client()
        #expect(try await first(on: "late", of: two) == bytes)
        #expect(try await two.upload(.bytes([1, 2]), to: "reports").value.bytes == 2)
        await two.disconnect()
        await server.stop()
    }
}
