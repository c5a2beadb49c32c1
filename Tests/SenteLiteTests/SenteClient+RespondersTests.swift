// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

@Suite("SenteClient: responders", .timeLimit(.minutes(5)))
struct RespondersTests {
    /// Lets handlers wait until the test opens it.
    private struct Gate: Sendable {
        private let gate = AsyncStream.makeStream(of: Void.self)

        func wait() async { for await _ in gate.stream {} }
        func open() { gate.continuation.finish() }
    }

    private static func request(_ id: String, _ data: Value = .null, on channel: String = "service") -> Value
    {
        ["type": "rpc-request", "request-id": Value(id), "channel-id": Value(channel), "data": data]
    }

    /// Every answer so far, by the request's id, once so many have come.
    private static func answers(_ count: Int, of stage: DriverStage) async -> [String: Value] {
        while stage.server.received("rpc-response").count < count { await Task.yield() }
        return Dictionary(
            stage.server.received("rpc-response").map { ($0["request-id"]?.stringValue ?? "", $0) }
        ) { $1 }
    }

    @Test("respond() answers requests, and a RemoteError that it throws as it is")
    func responds() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let registration = try await client.respond(on: "service") { data in
            guard data["fail"] == nil else {
                throw RemoteError(code: "sold-out", message: "No seat is left.", details: ["row": 7])
            }
            return ["got": data]
        }
        #expect(client.subscriptions == ["service"])
        stage.server.send([Self.request("q0", ["n": 1]), Self.request("q1", ["fail": true])])
        let answers = await Self.answers(2, of: stage)
        #expect(answers["q0"]?["data"] == ["got": ["n": 1]])
        #expect(answers["q0"]?["error"] == false)
        #expect(
            answers["q1"]?["data"]
                == ["code": "sold-out", "message": "No seat is left.", "details": ["row": 7]])
        #expect(answers["q1"]?["error"] == true)
        registration.cancel()
        stage.waitUntilIdle()
        #expect(client.subscriptions.isEmpty)
        #expect(stage.server.received("unsubscribe").count == 1)
    }

    @Test("whatever else a handler throws stays here: the requester is told an id")
    func leaksNothing() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "password 1234 is wrong" }
        let stage = DriverStage()
        let client = try await stage.openClient()
        try await client.respond(on: "service") { data in
            if data["cancels"] != nil { throw CancellationError() }
            if data["asks"] != nil { throw SenteError(.rejected, "secret table", outcome: .acknowledged) }
            throw Broken()
        }
        stage.server.send([
            Self.request("q0"), Self.request("q1", ["cancels": true]), Self.request("q2", ["asks": true]),
        ])
        for (_, answer) in await Self.answers(3, of: stage) {
            let data = try #require(answer["data"])
            #expect(answer["error"] == true)
            #expect(data["code"]?.stringValue == RemoteError.internalError)
            let id = try #require(data["details"]?["id"]?.stringValue)
            #expect(data["message"]?.stringValue == "Internal error \(id).")
            #expect(!"\(answer)".contains("1234") && !"\(answer)".contains("secret"))
        }
        stage.waitUntilIdle()
        #expect(client.metrics.failedResponders == 3)
    }

    @Test("the requester receives what was thrown as it was")
    func isReceived() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let thrown = RemoteError(code: "sold-out", message: "No seat is left.", details: ["row": 7])
        stage.server.answersNothing()
        async let failure = error { () throws(SenteError) in _ = try await client.request([:], on: "seats") }
        while stage.server.received("rpc-request").isEmpty { await Task.yield() }
        stage.server.send([
            [
                "type": "rpc-request-result", "channel-id": "seats", "request-id": "r",
                "delivery": ["success": true, "delivered-to": 1],
            ],
            ["type": "rpc-response", "request-id": "r", "error": true, "data": thrown.value],
        ])
        #expect(await failure?.code == .remoteError)
        #expect(await failure?.remoteError == thrown)
        #expect(await failure?.message == "The service answered with an error: No seat is left.")
    }

    @Test("respond() runs 16 requests at once, or as many as it is told, and answers more with busy")
    func isBusy() async throws {
        for concurrency in [nil, 3] {
            let stage = DriverStage()
            let client = try await stage.openClient()
            let started = Collector<Bool>()
            let gate = Gate()
            let body = { @Sendable (data: Value) in
                started.append(true)
                await gate.wait()
                return data
            }
            if let concurrency {
                try await client.respond(on: "service", concurrency: concurrency, body)
            } else {
                try await client.respond(on: "service", body)
            }
            let limit = concurrency ?? 16
            stage.server.send((0..<limit + 4).map { Self.request("q\($0)") })
            _ = await started.first(limit)
            for answer in await Self.answers(4, of: stage).values {
                #expect(answer["data"]?["reason"] == "busy")
            }
            gate.open()
            _ = await Self.answers(limit + 4, of: stage)
            #expect(started.elements.count == limit)
        }
    }

    @Test("a concurrency that would answer nothing is refused by its name")
    func refusesConcurrency() async throws {
        let client = try await DriverStage().openClient()
        let failure = await error { () throws(SenteError) in
            try await client.respond(on: "service", concurrency: 0) { $0 }
        }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.contains("`concurrency`") == true)
        #expect(client.subscriptions.isEmpty)
    }

    // MARK: Types

    struct Numbers: Codable, Sendable { var numbers: [Int] }
    struct Sum: Codable, Sendable { var sum: Int }

    @Test("respond(on:as:) decodes the request and encodes the answer; another shape is told and counted")
    func respondsTyped() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        try await client.respond(on: "service", as: Numbers.self) { Sum(sum: $0.numbers.reduce(0, +)) }
        stage.server.send([
            Self.request("q0", ["numbers": [1, 2, 3]]), Self.request("q1", ["numbers": "none"]),
        ])
        let answers = await Self.answers(2, of: stage)
        #expect(answers["q0"]?["data"] == ["sum": 6])
        #expect(answers["q1"]?["data"]?["code"]?.stringValue == RemoteError.invalidRequest)
        stage.waitUntilIdle()
        #expect(client.metrics.errors[.decodingFailed] == 1)
        #expect(client.metrics.failedResponders == 0)
    }

    @Test("an answer that cannot be encoded is an internal error")
    func answersUnencodable() async throws {
        struct Stubborn: Encodable, Sendable {
            func encode(to encoder: any Encoder) throws { throw CancellationError() }
        }
        let stage = DriverStage()
        let client = try await stage.openClient()
        try await client.respond(on: "service", as: Value.self) { _ in Stubborn() }
        stage.server.send([Self.request("q0")])
        let answer = await Self.answers(1, of: stage)["q0"]
        #expect(answer?["data"]?["code"]?.stringValue == RemoteError.internalError)
    }

    // MARK: The end

    @Test("drain() takes no new requests, and returns when the running ones are answered")
    func drains() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let started = Collector<Bool>()
        let gate = Gate()
        let registration = try await client.respond(on: "service") { data in
            started.append(true)
            await gate.wait()
            return data
        }
        stage.server.send([Self.request("q0"), Self.request("q1")])
        _ = await started.first(2)
        let isDrained = Locked(false)
        let drain = Task {
            await registration.drain()
            isDrained.withLock { $0 = true }
        }
        while stage.server.received("unsubscribe").isEmpty { await Task.yield() }
        stage.server.send([Self.request("q2")])
        stage.waitUntilIdle()
        #expect(!isDrained.withLock { $0 })
        gate.open()
        await drain.value
        #expect(await Self.answers(2, of: stage).keys.sorted() == ["q0", "q1"])
        #expect(client.metrics.ignored.unservedRequests == 1)
        #expect(client.subscriptions.isEmpty)
        await registration.drain()
        registration.cancel()
    }

    @Test("a drain that is cancelled waits no longer, and one of a client that is gone neither")
    func drainEnds() async throws {
        let stage = DriverStage()
        var client: SenteClient? = try await stage.openClient()
        let started = Collector<Bool>()
        let gate = Gate()
        let registration = try await client?.respond(on: "service") { data in
            started.append(true)
            await gate.wait()
            return data
        }
        stage.server.send([Self.request("q0")])
        _ = await started.first(1)
        let cancelled = Task { await registration?.drain() }
        cancelled.cancel()
        await cancelled.value
        client = nil
        await registration?.drain()
        gate.open()
    }

    @Test("a closure's registration is cancelled by drain()")
    func drainsClosure() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let registration = client.onMessage(in: "news") { _ in Issue.record("It is over.") }
        await registration.drain()
        stage.server.deliver(["n": 1], to: "news")
        await client.disconnect()
    }

    @Test("disconnect(draining:) lets handlers finish and their answers leave, and then serves again")
    func disconnectsDraining() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let started = Collector<Bool>()
        let gate = Gate()
        try await client.respond(on: "service") { data in
            started.append(true)
            await gate.wait()
            return data
        }
        stage.server.send([Self.request("q0")])
        _ = await started.first(1)
        let end = Task { await client.disconnect(draining: .seconds(5)) }
        while stage.server.received("unsubscribe").isEmpty { await Task.yield() }
        #expect(client.state == .open)
        gate.open()
        await end.value
        #expect(client.state == .closed)
        #expect(stage.server.received("rpc-response").count == 1)
        #expect(client.subscriptions == ["service"])
        try await client.connect()
        stage.server.send([Self.request("q1")])
        _ = await Self.answers(2, of: stage)
    }

    @Test("disconnect(draining:) waits for its limit and no longer, also in a cancelled task")
    func drainingIsLimited() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let started = Collector<Bool>()
        let gate = Gate()
        try await client.respond(on: "service") { data in
            started.append(true)
            await gate.wait()
            return data
        }
        stage.server.send([Self.request("q0")])
        _ = await started.first(1)
        let end = Task { await client.disconnect(draining: .seconds(5)) }
        end.cancel()
        while stage.server.received("unsubscribe").isEmpty { await Task.yield() }
        stage.advance(by: .seconds(4))
        #expect(client.state == .open)
        stage.advance(by: .seconds(1))
        await end.value
        #expect(client.state == .closed)
        gate.open()
    }
}
