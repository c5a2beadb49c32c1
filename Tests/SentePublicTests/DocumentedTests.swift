// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

// The examples of the article on testing, run as the tests they are.

@MainActor
final class Chat {
    private let client: any RealtimeClient
    private(set) var lines: [String] = []
    private(set) var banner = ""

    init(_ client: any RealtimeClient) {
        self.client = client
    }

    func follow() async throws {
        for await message in try await client.subscribe("chat") {
            lines.append(message.data["text"]?.stringValue ?? "")
        }
    }

    func watch() async {
        for await status in client.states {
            banner = status.state == .open ? "" : "Offline, attempt \(status.attempt)"
        }
    }

    func say(_ text: String) async throws(SenteError) {
        try await client.publish(["text": Value(text)], to: "chat")
    }
}

@Suite("The article on testing", .timeLimit(.minutes(5)))
struct DocumentedTests {
    @Test func ordersOutliveAnOutage() async throws {
        let world = TestWorld(seed: 1)
        let server = world.server
        server.makeChannel("orders")
        var configuration = SenteClient.Configuration()
        configuration.endpointProvider = server.endpoint
        configuration.outbox.timeToLive = .seconds(60)
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            server.restarts(after: .seconds(20), at: "ws://server.test:4000/")
            try await world.run(until: "the outage") { client.state == .reconnecting }
            for n in 1...5 { try client.enqueue(publish: ["n": Value(n)], to: "orders") }
            let orders = try await server.expectPublished(5, to: "orders")
            #expect(orders == (1...5).map { ["n": Value($0)] })
        }
    }

    @MainActor
    @Test func tellsThatItIsOffline() async throws {
        let world = TestWorld()
        let client = try world.client()
        let chat = Chat(client)
        let tasks = Task {
            async let _ = chat.watch()
            try await chat.follow()
        }
        try await client.connect()
        while world.server.subscriberCount(of: "chat") == 0 { await world.advance(by: .milliseconds(10)) }
        world.server.deliver(["text": "hello"], to: "chat")
        while chat.lines != ["hello"] { await world.advance(by: .milliseconds(10)) }

        world.goOffline()
        while !chat.banner.hasPrefix("Offline") { await world.advance(by: .seconds(1)) }
        world.goOnline()
        while !chat.banner.isEmpty { await world.advance(by: .seconds(1)) }
        tasks.cancel()
    }

    static func scripts(_ world: TestWorld) {
        let server = world.server
        server.answersRequests(on: "time") { _ in ["hour": 12] }
        server.disconnects(after: .messages(3), code: .tryAgainLater)
        server.restarts(after: .seconds(20))
        server.refuses(.unauthorized)
        server.recovers()
    }

    static func network() {
        let slow = NetworkConditions(latency: .milliseconds(20)...(.milliseconds(300)), loss: 0.05)
        let world = TestWorld(seed: 7, network: slow)
        _ = world
    }

    static func suspends(_ world: TestWorld) async throws {
        await world.suspendApp(for: .seconds(600))
        try await world.server.expectSubscribers(of: "chat")
    }

    @MainActor
    @Test func showsWhatItIsTold() async throws {
        let client = StubClient()
        let chat = Chat(client)
        let watching = Task { await chat.watch() }
        client.shows(ConnectionStatus(state: .reconnecting, attempt: 2))
        while chat.banner.isEmpty { await Task.yield() }
        #expect(chat.banner == "Offline, attempt 2")
        watching.cancel()

        try await chat.say("hi")
        #expect(client.published(to: "chat") == [["text": "hi"]])

        client.fails(SenteError(code: .expired, message: "It waited too long.", outcome: .notSent))
        await #expect(throws: SenteError.self) { try await chat.say("hi again") }
    }

    @Test func ordersSurviveATunnel() async throws {
        let world = TestWorld()
        world.server.keepsSessions(for: .seconds(60))
        world.server.makeChannel("orders")
        let client = try world.client()
        try await world.run {
            try await client.connect()
            try await world.run(until: "a session") { client.status.features?.resumption != nil }
            world.server.delays(.seconds(1))
            async let receipt = client.publish(["n": 1], to: "orders")
            try await world.server.expectPublished(1, to: "orders")
            world.cut()  // the order has come, and its answer has not
            _ = try await receipt
            #expect(world.server.published(to: "orders") == [["n": 1]])
        }
    }

    @Test func reportsArrive() async throws {
        let world = TestWorld()
        let server = world.server
        server.takesStreams()
        server.offersDownload(Array("a,b".utf8), on: "exports", metadata: ["filename": "all.csv"])
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            for await download in client.downloads(on: "exports") {
                for try await piece in download { #expect(piece.bytes.elementsEqual("a,b".utf8)) }
                break
            }
            server.disconnects(after: .milliseconds(1))
            let upload = try await client.upload(.bytes([1, 2, 3]), to: "reports")
            #expect(try await upload.value.answer == ["size": 3])
            #expect(try await server.expectUploads(1).map(\.bytes) == [[1, 2, 3]])
        }
    }

    @Test func servesAnotherProcess() async throws {
        let server = try LoopbackServer()
        try await server.start()
        let environment = ["SERVER_URL": server.url]  // for the app's process
        await server.deliver(["text": "hello"], to: "chat")
        try await server.restart()  // on the same port
        server.answersEvents("chat/say") { _ in true }
        let app = try SenteClient(server.url)
        try await app.connect()
        try await app.send(Event(id: "chat/say", data: ["text": "hi"]))
        let said = try await server.expectEvent("chat/say")
        #expect(said.data == ["text": "hi"])
        await app.disconnect()
        await server.stop()
        _ = environment
    }
}
