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
