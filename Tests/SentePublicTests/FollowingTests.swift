// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("Channels of which nothing is to be missed, without NATS", .timeLimit(.minutes(5)))
struct FollowingTests {
    private struct Line: Codable, Hashable, Sendable {
        var text: String
    }

    @Test("where the server keeps sessions, what is said while the connection is gone comes afterwards")
    func session() async throws {
        let world = TestWorld()
        world.server.keepsSessions()
        let (client, other) = (try world.client(), try world.client())
        try await world.run {
            try await client.connect()
            try await world.run(until: "what was agreed on") { client.status.features?.resumption != nil }
            let lines = try await client.subscribe("chat", as: Line.self, from: .next)
            world.cut()
            try await other.connect()
            try await other.publish(encoding: Line(text: "while you were away"), to: "chat")
            var messages = lines.makeAsyncIterator()
            #expect(try await messages.next()?.get() == Line(text: "while you were away"))
            lines.cancel()
        }
    }

    @Test("where it keeps none, and from any place but the next message, the call says so")
    func unsupported() async throws {
        let world = TestWorld()
        world.server.keepsSessions()
        var configuration = SenteClient.Configuration()
        configuration.flow = .off
        let (client, plain) = (try world.client(), try world.client(configuration: configuration))
        try await world.run {
            try await client.connect()
            try await plain.connect()
            try await world.run(until: "what was agreed on") { client.status.features?.resumption != nil }
            for (client, start) in [(client, ChannelStart.sequence(7)), (plain, .next)] {
                let error = await #expect(throws: SenteError.self) {
                    try await client.subscribe("chat", from: start)
                }
                #expect(error?.code == .unsupported && error?.outcome == .notSent)
            }
            #expect(try await plain.subscribe("chat", from: .now).channel == "chat")
            let error = await #expect(throws: SenteError.self) {
                try await client.publish(
                    encoding: Line(text: "kept"), to: "chat", stored: StoredPublish(), timeout: .seconds(1))
            }
            #expect(error?.code == .unsupported)
        }
    }
}
