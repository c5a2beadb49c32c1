// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@MainActor
@Suite("A view's model, as an app sees it", .timeLimit(.minutes(5)))
struct ConnectionModelTests {
    @Test("An outage is a text that counts down, and a channel an array that is bounded")
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    func followsAnOutage() async throws {
        var configuration = SenteClient.Configuration()
        configuration.reconnect = .exponential(initial: .seconds(3), jitter: 0)
        let world = TestWorld()
        // From here on the world sees what runs on the main actor.
        await world.settle()
        let client = try world.client(configuration: configuration)
        let model = ConnectionModel(client)
        #expect(model.statusText == "Not connected" && !model.isOnline)
        try await client.connect()
        try await model.follow("news", keeping: 2)
        for number in 0..<3 { world.server.deliver(["n": Value(number)], to: "news") }
        await world.settle()
        #expect(model.statusText == "Connected" && model.isOnline)
        #expect(model.messages(in: "news").map(\.data) == [["n": 1], ["n": 2]])

        world.goOffline()
        world.cut()
        await world.settle()
        let shown = try #require(model.retryIn)
        #expect(model.statusText == "Reconnecting in \(shown.components.seconds) s")
        #expect(model.lastError?.code == .connectionLost)
        await world.advance(by: .seconds(1))
        await world.settle()
        #expect(model.retryIn == shown - .seconds(1))

        world.goOnline()
        try await world.run(until: "the return") { client.state == .open }
        await world.settle()
        #expect(model.statusText == "Connected" && model.retryIn == nil)
        model.unfollow("news")
        #expect(model.messages(in: "news").isEmpty)
    }
}
