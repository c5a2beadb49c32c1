// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("Sessions that a test server keeps", .timeLimit(.minutes(5)))
struct SessionsTests {
    /// A client whose publication is on its way when the connection breaks; what becomes of it.
    private static func publishing(
        _ world: TestWorld, _ client: SenteClient, away duration: Duration = .seconds(2)
    ) async throws -> Result<PublishReceipt, SenteError> {
        try await client.connect()
        // The agreement follows the greeting.
        try await world.clock.sleep(for: .seconds(1))
        world.conditions.latency = .milliseconds(50) ... .milliseconds(50)
        async let receipt = client.publish(["text": "hi"], to: "chat")
        try await world.clock.sleep(for: .milliseconds(60))
        world.goOffline()
        try await world.clock.sleep(for: duration)
        world.goOnline()
        do {
            return .success(try await receipt)
        } catch let error as SenteError {
            return .failure(error)
        }
    }

    @Test("a call in flight is acknowledged after the connection was lost, and done once")
    func resumes() async throws {
        let world = TestWorld()
        world.server.keepsSessions()
        world.server.makeChannel("chat")
        let client = try world.client()
        try await world.run {
            _ = try await Self.publishing(world, client).get()
            #expect(client.status.features?.resumption != nil)
            #expect(world.server.published(to: "chat") == [["text": "hi"]])
        }
    }

    @Test("after the time that they are kept for, and without them, its outcome is unknown")
    func loses() async throws {
        for window: Duration? in [.seconds(20), nil] {
            let world = TestWorld()
            if let window { world.server.keepsSessions(for: window) }
            world.server.makeChannel("chat")
            let client = try world.client()
            try await world.run {
                let result = try await Self.publishing(world, client, away: .seconds(40))
                #expect(throws: SenteError.self) { try result.get() }
                if case .failure(let error) = result { #expect(error.outcome == .unknown) }
                #expect(world.server.published(to: "chat") == [["text": "hi"]])
            }
        }
    }

    @Test("a server on a port keeps them too, and forgets them when it starts anew")
    func onAPort() async throws {
        let server = try LoopbackServer()
        await server.keepsSessions()
        try await server.start()
        let client = try SenteClient(server.url)
        try await client.connect()
        for await status in client.states where status.features?.resumption != nil { break }
        await server.cut()
        for await status in client.states where status.recovery == .resumed(missed: 0) { break }
        try await server.restart()
        for await status in client.states where status.recovery == .fresh { break }
        await client.disconnect()
        await server.stop()
    }
}
