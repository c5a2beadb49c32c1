// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

/// As swift-service-lifecycle declares it.
private protocol Service: Sendable {
    func run() async throws
}

extension SenteClient: Service {}

@Suite("SenteClient: run()", .timeLimit(.minutes(5)))
struct RunTests {
    private static func start(_ service: some Service) -> Task<Void, any Error> {
        Task { try await service.run() }
    }

    @Test("it connects, stays over reconnects, and disconnects when its task is cancelled")
    func runs() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let run = Self.start(client)
        try await client.reaches(.open)
        await client.replacesLink()
        #expect(client.state == .open)
        run.cancel()
        try await run.value
        #expect(client.state == .closed)
    }

    @Test("when it is cancelled, handlers finish and their answers leave")
    func drains() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let run = Self.start(client)
        try await client.reaches(.open)
        let started = Collector<Bool>()
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        try await client.respond(on: "service") { data in
            started.append(true)
            for await _ in gate {}
            return data
        }
        stage.server.send([["type": "rpc-request", "request-id": "q", "channel-id": "service"]])
        _ = await started.first(1)
        run.cancel()
        while stage.server.received("unsubscribe").isEmpty { await Task.yield() }
        #expect(client.state == .open)
        opening.finish()
        try await run.value
        #expect(stage.server.received("rpc-response").count == 1)
        #expect(client.state == .closed)
    }

    @Test("cancelled while it connects, or before, it leaves the client closed")
    func isCancelledEarly() async throws {
        let stage = DriverStage()
        stage.server.neverAnswersUpgrades()
        let client = try stage.client()
        let run = Self.start(client)
        try await client.reaches(.connecting)
        run.cancel()
        try await run.value
        #expect(client.state == .closed)
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            try await client.run()
        }
        late.cancel()
        try await late.value
        #expect(client.state == .closed)
    }

    @Test("it returns when disconnect() is called, whatever the client does just then")
    func isDisconnected() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let open = Self.start(client)
        try await client.reaches(.open)
        await client.disconnect()
        try await open.value
        stage.server.neverAnswersUpgrades()
        let connecting = Self.start(client)
        try await client.reaches(.connecting)
        await client.disconnect()
        try await connecting.value
    }

    @Test("it throws why the client gave up, or lost what it may not make anew")
    func throwsWhy() async throws {
        let stage = DriverStage()
        stage.server.refuses(Refusal(status: 404))
        await #expect(throws: SenteError.self) { try await stage.client().run() }
        stage.server.accepts()
        let client = try stage.client { $0.reconnect = .never }
        let run = Self.start(client)
        try await client.reaches(.open)
        stage.waitUntilIdle()
        stage.server.cut()
        await #expect(throws: SenteError.self) { try await run.value }
        #expect(client.state == .closed)
    }
}
