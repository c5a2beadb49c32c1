// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteWire
import Testing

@Suite("SendOptions: the priority, in every call that sends", .timeLimit(.minutes(5)))
struct SendOptionsTests {
    private static let bulk = SendOptions(priority: .bulk)
    private static let urgent = SendOptions(priority: .urgent)

    /// What a call sends: the text in it.
    private static func word(_ word: String) -> Value { ["word": Value(word)] }

    private static func words(_ received: [Value]) -> [String] {
        received.compactMap { frame in
            let data = frame["data"] ?? frame
            guard case .string(let word)? = data["word"] else { return nil }
            return word
        }
    }

    @Test("publish, request, send and enqueue: the urgent leave before the bulk that waited longer")
    func clientCalls() async throws {
        let stage = DriverStage()
        stage.server.withholdsGreeting()
        let client = try stage.client()
        let opening = Task { try await client.connect() }
        try await client.reaches(.connecting)
        typealias Call = @Sendable (SendOptions, Value) async throws -> Void
        let calls: [Call] = [
            { options, data in
                try await client.publish(data, to: "c", timeout: .seconds(5), options: options)
            },
            { options, data in
                _ = try await client.request(data, on: "c", timeout: .seconds(5), options: options)
            },
            { options, data in
                try await client.send(Event(id: "a/b", data: data), options: options)
            },
            { options, data in
                _ = try client.enqueue(Event(id: "a/b", data: data), options: options)
            },
            { options, data in
                _ = try client.enqueue(publish: data, to: "c", options: options)
            },
            { options, data in
                let event = Event(id: "a/b", data: data)
                _ = try await client.send(event, timeout: .seconds(5), options: options) { _ in true }
            },
        ]
        _ = try client.enqueue(Event(id: "a/b", data: Self.word("first")), options: Self.bulk)
        var tasks: [Task<Void, Never>] = []
        for (number, call) in calls.enumerated() {
            for (name, options) in [("bulk", Self.bulk), ("urgent", Self.urgent)] {
                tasks.append(Task { try? await call(options, Self.word("\(name) \(number)")) })
            }
        }
        while client.metrics.outbox.messages < 1 + 2 * calls.count { await Task.yield() }
        stage.server.greet()
        try await opening.value
        let words = Self.words(stage.server.received)
        #expect(words.count == 1 + 2 * calls.count)
        #expect(words.prefix(calls.count).allSatisfy { $0.hasPrefix("urgent") })
        #expect(words.dropFirst(calls.count).allSatisfy { !$0.hasPrefix("urgent") })
        await client.disconnect()
        for task in tasks { await task.value }
    }

    @Test("sendFn, with and without a reply: the urgent leave first")
    func sendFunction() async throws {
        let stage = DriverStage(.sente)
        stage.server.withholdsGreeting()
        let client = try stage.channelSocket()
        let (first, second, third, fourth) = (1, 2, 3, 4)
        try client.sendFn(Event("a/b", Value(first)), options: Self.bulk)
        try client.sendFn(Event("a/b", Value(second)), timeout: .seconds(5), options: Self.bulk) { _ in }
        try client.sendFn(Event("a/b", Value(third)), options: Self.urgent)
        try client.sendFn(Event("a/b", Value(fourth)), timeout: .seconds(5), options: Self.urgent) { _ in }
        stage.server.greet()
        stage.waitUntilIdle()
        #expect(stage.server.events.map(\.event.data) == [3, 4, 1, 2])
    }

    @Test("A responder's answers leave with the priority of their service")
    func answers() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let gate = AsyncStream.makeStream(of: Void.self)
        try await client.respond(on: "service", options: Self.urgent) { data in
            for await _ in gate.stream {}
            return Self.word("answer")
        }
        stage.server.send([["type": "rpc-request", "request-id": "q", "channel-id": "service", "data": [:]]])
        stage.waitUntilIdle()
        stage.server.withholdsGreeting()
        stage.server.cut()
        client.reconnect()
        try await client.reaches(.connecting)
        try client.enqueue(Event(id: "a/b", data: Self.word("event")))
        gate.continuation.finish()
        while client.metrics.outbox.messages < 2 { await Task.yield() }
        stage.server.greet()
        stage.waitUntilIdle()
        #expect(Self.words(stage.server.received) == ["answer", "event"])
    }
}
