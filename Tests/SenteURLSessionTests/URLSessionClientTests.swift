// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer
import SenteTransport
import SenteURLSession
import SenteWire
import Testing

@Suite(
    "A client over Foundation's WebSocket", .enabled(if: WebSocketCurl.isHere, WebSocketCurl.reason),
    .timeLimit(.minutes(2)))
struct URLSessionClientTests {
    @Test(
        "It talks with the reference server, comes back when the server does, and disconnects for good")
    func life() async throws {
        let loop = try EventLoop()
        defer { loop.shutDown() }
        var served = ServerConfiguration()
        served.port = 0
        let server = try ReferenceServer(served)
        let port = try await server.start()
        var settings = SenteClient.Configuration()
        settings.reconnect = .exponential(
            initial: .milliseconds(20), maximum: .milliseconds(100), attempts: nil)
        let configuration = settings
        func makeClient() throws(SenteError) -> SenteClient {
            try SenteClient(
                "ws://127.0.0.1:\(port)/", configuration: configuration, host: loop,
                transport: URLSessionTransport())
        }
        let client = try makeClient()
        try await client.connect()
        let news = try await client.subscribe("news")
        #expect(news.isConfirmed)
        var messages = news.makeAsyncIterator()
        let receipt = try await client.publish(["text": "grüß 🌍"], to: "news")
        #expect(receipt.outcome == .acknowledged)
        #expect(await messages.next()?.data["text"] == "grüß 🌍")
        let service = try makeClient()
        try await service.connect()
        try await service.respond(on: "double") { data in
            ["n": Value((data["n"]?.integerValue ?? 0) * 2)]
        }
        #expect(try await client.request(["n": 21], on: "double") == ["n": 42])

        await server.drop()
        for await status in client.states where status.state != .open { break }
        try await client.connect()
        for number in 0..<100 { try await client.publish(["n": Value(number)], to: "news") }
        for number in 0..<100 { #expect(await messages.next()?.data["n"] == Value(number)) }
        #expect(client.metrics.connection.reconnects == 1)

        await service.disconnect()
        await client.disconnect()
        #expect(client.state == .closed)
        await server.stop()
    }
}
