// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import SenteWire
import Testing

@Suite("Durable messages, from call to store", .timeLimit(.minutes(5)))
struct DurableOutboxTests {
    private static let durable = SendOptions(durable: true)

    @Test(
        "A message that one client did not send is sent by the next, and its outcome comes through the store")
    func nextLife() async throws {
        let folder = FileOutboxStoreTests.Folder()
        let store = try folder.store()
        do {
            let stage = DriverStage()
            stage.server.withholdsGreeting()
            let client = try stage.client {
                $0.clientID = "c"
                $0.outboxStore = store
            }
            let opening = Task { try? await client.connect() }
            try await client.reaches(.connecting)
            let delivery = try client.enqueue(publish: ["n": 1], to: "news", options: Self.durable)
            try client.enqueue(publish: ["n": 2], to: "news")
            #expect(store.count == 1)
            await client.disconnect()
            await opening.value
            #expect(await delivery.outcome == .unknown)
        }
        while (try? store.load(for: "c")) == nil { await Task.yield() }
        store.unload("c")
        let stage = DriverStage()
        var outcomes = store.outcomes.makeAsyncIterator()
        let client = try await stage.openClient {
            $0.clientID = "c"
            $0.outboxStore = store
        }
        let outcome = await outcomes.next()
        #expect(outcome?.outcome == .acknowledged)
        #expect(stage.server.received("publish").map { $0["data"] } == [["n": 1]])
        while store.count > 0 { await Task.yield() }
        await client.disconnect()
    }

    @Test("What an earlier life left goes in the order of its calls, each as it was said, whatever may wait")
    func inOrder() async throws {
        let folder = FileOutboxStoreTests.Folder()
        let store = try folder.store()
        func keep(_ number: Int, _ priority: SendOptions.Priority = .normal) throws {
            try store.append(
                StoredMessage(
                    id: "\(number)", clientID: "c",
                    content: .publish(["n": Value(number)], channel: "news", excludeSender: false),
                    priority: priority))
        }
        for number in 1...3 { try keep(number) }
        try store.append(
            StoredMessage(
                id: "4", clientID: "c", content: .request(["q": 1], channel: "service", limit: 4_321)))
        try keep(5, .urgent)
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client {
            $0.clientID = "c"
            $0.outboxStore = store
            $0.outbox.timeToLive = .seconds(1)
        }
        let opening = Task { try await client.connect() }
        try await client.reaches(.connecting)
        // What is durable does not mind.
        stage.advance(by: .seconds(2))
        stage.server.greet()
        try await opening.value
        #expect(stage.server.received("publish").map { $0["data"]?["n"] } == [5, 1, 2, 3])
        #expect(stage.server.received("rpc-request").map { $0["timeout-ms"] } == [4_321])
        await client.disconnect()
    }

    @Test("What became of each is told with what it was: acknowledged, written, or not sent and why")
    func outcomes() async throws {
        let folder = FileOutboxStoreTests.Folder()
        let store = try folder.store()
        var outcomes = store.outcomes.makeAsyncIterator()
        // Of an earlier life, and with no reply wanted.
        let left = StoredMessage(
            id: "1", clientID: "c", content: .event(Event(id: "a/left", data: 1), wantsReply: false))
        let asked = StoredMessage(
            id: "2", clientID: "c", content: .event(Event(id: "a/asked", data: 2), wantsReply: true))
        for message in [left, asked] { try store.append(message) }
        let stage = DriverStage(.sente)
        stage.server.answers { event in event.id == "a/bulk" ? nil : .keyword("ok") }
        let client = try await stage.openClient {
            $0.clientID = "c"
            $0.outboxStore = store
        }
        #expect(await outcomes.next() == StoredOutcome(message: left, outcome: .written))
        #expect(await outcomes.next() == StoredOutcome(message: asked, outcome: .acknowledged))

        let urgent = SendOptions(priority: .urgent, durable: true)
        _ = try await client.send(Event(id: "a/b", data: 3), timeout: .seconds(5), options: urgent)
        let answered = await outcomes.next()
        #expect(answered?.outcome == .acknowledged && answered?.error == nil)
        #expect(answered?.message.content == .event(Event(id: "a/b", data: 3), wantsReply: true))
        #expect(answered?.message.priority == .urgent)
        try await client.send(Event(id: "a/c", data: 4), options: Self.durable)
        let written = await outcomes.next()
        #expect(written?.outcome == .written)
        #expect(written?.message.content == .event(Event(id: "a/c", data: 4), wantsReply: false))
        await client.disconnect()
    }

    @Test("A message that is acknowledged, and one that is taken back, leave the store")
    func leavesTheStore() async throws {
        let folder = FileOutboxStoreTests.Folder()
        let store = try folder.store()
        var outcomes = store.outcomes.makeAsyncIterator()
        let stage = DriverStage()
        let client = try await stage.openClient {
            $0.clientID = "c"
            $0.outboxStore = store
        }
        try await client.publish(["n": 1], to: "news", options: Self.durable)
        while store.count > 0 { await Task.yield() }
        stage.server.withholdsGreeting()
        client.reconnect()
        try await client.reaches(.connecting)
        let delivery = try client.enqueue(publish: ["n": 2], to: "news", options: Self.durable)
        #expect(store.count == 1)
        delivery.cancel()
        #expect(await delivery.outcome == .notSent)
        while store.count > 0 { await Task.yield() }
        #expect(await outcomes.next()?.outcome == .acknowledged)
        let taken = await outcomes.next()
        #expect(taken?.outcome == .notSent)
        #expect(taken?.error?.code == .cancelled)
        await client.disconnect()
    }

    @Test("Without a store, or without an id, durable messages are refused")
    func refused() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let failure = await error { () throws(SenteError) in
            try await client.publish(["n": 1], to: "news", options: Self.durable)
        }
        #expect(failure?.code == .invalidArgument)
        let folder = FileOutboxStoreTests.Folder()
        let store = try folder.store()
        #expect(throws: SenteError.self) { _ = try stage.client { $0.outboxStore = store } }
        await client.disconnect()
    }

    @Test("A message that two lives send, for the first could not note its end, is delivered once")
    func exactlyOnce() async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.flow = .all
        let server = try ReferenceServer(configuration)
        let url = "ws://127.0.0.1:\(try await server.start())/"
        let listener = try SenteClient(url)
        try await listener.connect()
        let news = try await listener.subscribe("news")
        for _ in 0..<2 {
            // What the store of a process that was killed holds: the message, and not its end.
            let folder = FileOutboxStoreTests.Folder()
            let store = try folder.store()
            try store.append(FileOutboxStoreTests.message(1))
            var outcomes = store.outcomes.makeAsyncIterator()
            var settings = SenteClient.Configuration()
            settings.clientID = "c"
            settings.outboxStore = store
            let client = try SenteClient(url, configuration: settings)
            try await client.connect()
            #expect(await outcomes.next()?.outcome == .acknowledged)
            await client.disconnect()
        }
        try await listener.publish(["n": 2], to: "news")
        var numbers: [Value?] = []
        for await message in news {
            numbers.append(message.data["n"])
            if numbers.last == 2 { break }
        }
        #expect(numbers == [1, 2])
        await listener.disconnect()
        await server.stop()
    }

    @Test(
        "Over connections that end under them durable messages arrive once and in order",
        arguments: [true, false])
    func overReconnects(resumes: Bool) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.flow = .all
        if !resumes { configuration.flow.resumption = nil }
        let server = try ReferenceServer(configuration)
        let url = "ws://127.0.0.1:\(try await server.start())/"
        let listener = try SenteClient(url)
        try await listener.connect()
        let news = try await listener.subscribe("news")
        let folder = FileOutboxStoreTests.Folder()
        let store = try folder.store()
        var settings = SenteClient.Configuration()
        settings.clientID = "c"
        settings.outboxStore = store
        let client = try SenteClient(url, configuration: settings)
        try await client.connect()
        var deliveries: [Delivery] = []
        for number in 0..<100 {
            deliveries.append(
                try client.enqueue(publish: ["n": Value(number)], to: "news", options: Self.durable))
            if number % 10 == 9 { client.reconnect() }
            if number % 25 == 24 { try await client.reaches(.open) }
        }
        for delivery in deliveries { #expect(await delivery.outcome == .acknowledged) }
        try await listener.publish(["n": 100], to: "news")
        var numbers: [Value?] = []
        for await message in news {
            numbers.append(message.data["n"])
            if numbers.last == 100 { break }
        }
        #expect(numbers == (0...100).map { Value($0) })
        while store.count > 0 { await Task.yield() }
        await client.disconnect()
        await listener.disconnect()
        await server.stop()
    }

    /// A store whose disk is full, at once or for the ends of messages only.
    private struct FullStore: OutboxStore {
        static let error = OutboxStoreError(.full, "The disk is full: make room.")

        var keepsMessages = false

        func load(for clientID: String) throws(OutboxStoreError) -> StoredBacklog {
            StoredBacklog(messages: [], damage: OutboxStoreError(.damaged, "A few bytes are missing."))
        }
        func append(_ message: StoredMessage) throws(OutboxStoreError) {
            if !keepsMessages { throw Self.error }
        }
        func remove(_ id: String, _ outcome: Outcome, error: SenteError?) throws(OutboxStoreError) {
            throw Self.error
        }
        func unload(_ clientID: String) {}
    }

    @Test("What the store cannot keep is not sent, and the call says why; damage is a signal")
    func fullDisk() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient {
            $0.clientID = "c"
            $0.outboxStore = FullStore()
        }
        let failure = await error { () throws(SenteError) in
            try await client.publish(["n": 1], to: "news", options: Self.durable)
        }
        #expect(failure?.code == .storeFailed)
        #expect(failure?.outcome == .notSent)
        try await client.publish(["n": 2], to: "news")
        #expect(stage.server.received("publish").count == 1)
        #expect(client.metrics.errors[.storeFailed] == 2)
        await client.disconnect()
    }

    @Test("A message whose end cannot be kept is sent all the same, and that is a signal")
    func fullAtTheEnd() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient {
            $0.clientID = "c"
            $0.outboxStore = FullStore(keepsMessages: true)
        }
        // That of the damage is there already.
        let before = client.metrics.errors[.storeFailed] ?? 0
        try await client.publish(["n": 1], to: "news", options: Self.durable)
        while client.metrics.errors[.storeFailed] ?? 0 == before { await Task.yield() }
        #expect(client.metrics.errors[.storeFailed] == before + 1)
        await client.disconnect()
    }
}
