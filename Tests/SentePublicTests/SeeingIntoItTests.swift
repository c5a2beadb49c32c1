// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTestKit
import Testing

@Suite("What an app sees of its client's inside", .timeLimit(.minutes(5)))
struct SeeingIntoItTests {
    /// Collects on whatever task; read when the world is quiet.
    private actor Lines<Element: Sendable> {
        private(set) var all: [Element] = []
        func append(_ element: Element) { all.append(element) }
    }

    @Test("An outage reads as a story: lost, why, when it goes on, connected again")
    func story() async throws {
        let world = TestWorld()
        let client = try world.client()
        let story = Lines<ClientSignal>()
        try await world.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await signal in client.signals where signal.level >= .info {
                        await story.append(signal)
                    }
                }
                try? await client.connect()
                world.cut()
                try? await world.run(until: "the loss") { client.state == .reconnecting }
                try? await world.run(until: "the return") { client.state == .open }
                await world.settle()
                group.cancelAll()
            }
        }
        let signals = await story.all
        #expect(
            signals.map(\.id) == [
                "sente-lite.client/opened", "sente-lite.client/link-ended",
                "sente-lite.client/reconnect-scheduled",
                "sente-lite.client/opened",
            ])
        #expect(signals.map(\.time) == signals.map(\.time).sorted())
        #expect(signals.allSatisfy { !$0.message.isEmpty && $0.message.last == "." })
        #expect(client.metrics.connection.losses.values.reduce(0, +) == 1)
    }

    @Test("A log of warnings hears of nothing less, and a rate means something at once")
    func warnings() async throws {
        let world = TestWorld()
        let levels = AsyncStream.makeStream(of: ClientSignal.Level.self)
        var configuration = SenteClient.Configuration()
        configuration.log = SignalLog(minimum: .warn) { levels.continuation.yield($0.level) }
        world.server.makeChannel("room")
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            for number in 0..<10 { try await client.publish(["n": Value(number)], to: "room") }
            await world.advance(by: .milliseconds(500))
            #expect(client.metrics.sent.messagesPerSecond > 5)
            world.cut()
            try await world.run(until: "the loss") { client.state == .reconnecting }
            await client.disconnect()
        }
        var iterator = levels.stream.makeAsyncIterator()
        #expect(await iterator.next() == .warn)
    }

    @Test("A log and a trace take closures, and the trace shows no secret")
    func logAndTrace() async throws {
        let world = TestWorld()
        let (log, logging) = AsyncStream.makeStream(of: ClientSignal.self)
        let (trace, tracing) = AsyncStream.makeStream(of: String.self)
        var configuration = SenteClient.Configuration()
        configuration.log = SignalLog(minimum: .debug) { logging.yield($0) }
        configuration.trace = WireTrace(redacting: WireTrace.secretWords + ["pin"]) { tracing.yield($0) }
        world.server.makeChannel("room")
        let client = try world.client(configuration: configuration)
        try await world.run {
            try await client.connect()
            try await client.publish(["pin": 1234, "text": "hi", "userToken": "s3cret"], to: "room")
            await client.disconnect()
        }
        var names: [String] = []
        for await signal in log {
            names.append(signal.id.name)
            if signal.data["to"] == "closed" { break }
        }
        #expect(names.contains("opened") && names.contains("state-changed"))
        var lines: [String] = []
        for await line in trace {
            lines.append(line)
            if line.contains("is closed") { break }
        }
        #expect(lines.contains { $0.hasPrefix("> ") && $0.contains(#""text" "hi""#) })
        #expect(lines.contains { $0.hasPrefix("< ") && $0.contains("welcome") })
        #expect(!lines.contains { $0.contains("1234") || $0.contains("s3cret") })
    }
}
