// SPDX-License-Identifier: Apache-2.0

import Observation
import SenteCore
import SenteLite
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

@MainActor
@Suite("ConnectionModel", .timeLimit(.minutes(5)))
struct ConnectionModelTests {
    /// Waits until what is read in `condition` makes it true, as a view would.
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    private static func until(_ condition: @escaping @MainActor () -> Bool) async {
        while true {
            let (changes, change) = AsyncStream.makeStream(of: Void.self)
            let isTrue = withObservationTracking(condition) { change.finish() }
            if isTrue { return }
            for await _ in changes {}
        }
    }

    @Test("whoever observes it hears of each change of the connection")
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    func followsConnection() async throws {
        let stage = DriverStage()
        let client = try stage.client()
        let model = ConnectionModel(client)
        #expect(model.state == .closed && !model.isOnline)
        #expect(model.statusText == "Not connected")
        try await client.connect()
        await Self.until { model.isOnline }
        #expect(model.statusText == "Connected")
        #expect(model.lastError == nil)
        await client.disconnect()
        await Self.until { model.state == .closed }
    }

    @Test("it counts the seconds until the next attempt down, and says why there is one")
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    func countsDown() async throws {
        let stage = DriverStage()
        let client = try stage.client { $0.reconnect = .exponential(initial: .seconds(3), jitter: 0) }
        try await client.connect()
        let model = ConnectionModel(client)
        stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        stage.server.cut()
        await Self.until { model.state == .reconnecting && model.retryIn != nil }
        let first = try #require(model.retryIn)
        #expect(model.statusText == "Reconnecting in \(first.components.seconds) s")
        #expect(model.lastError?.code == .connectionLost)
        #expect(first > .seconds(1))
        stage.advance(by: .seconds(1))
        await Self.until { model.retryIn == first - .seconds(1) }
        #expect(model.statusText == "Reconnecting in \(first.components.seconds - 1) s")
        stage.server.accepts()
        client.reconnect()
        await Self.until { model.isOnline }
        #expect(model.retryIn == nil)
    }

    @Test("a client that gave up says why")
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    func saysWhy() async throws {
        let stage = DriverStage()
        let client = try stage.client { $0.reconnect = .never }
        stage.server.fails(LinkFailure(.unreachable, "Nobody there."))
        let model = ConnectionModel(client)
        await #expect(throws: SenteError.self) { try await client.connect() }
        await Self.until { model.state == .failed }
        #expect(model.statusText == "Not connected: \(model.lastError?.message ?? "")")
    }

    @Test("a channel that is followed fills an array, the oldest go, and it may be followed no more")
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    func keepsMessages() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient()
        let model = ConnectionModel(client)
        try await model.follow("news", keeping: 3)
        #expect(model.messages(in: "news").isEmpty)
        stage.server.deliver((0..<5).map { ["n": Value(Int64($0))] }, to: "news")
        await Self.until { model.messages(in: "news").last?.data == ["n": 4] }
        #expect(model.messages(in: "news").map(\.data) == [2, 3, 4].map { ["n": $0] })
        try await model.follow("news", keeping: 2)
        #expect(model.messages(in: "news").count == 2)
        stage.server.deliver(["n": 5], to: "news")
        await Self.until { model.messages(in: "news").last?.data == ["n": 5] }
        #expect(model.messages(in: "news").map(\.data) == [["n": 4], ["n": 5]])
        model.unfollow("news")
        #expect(model.messages(in: "news").isEmpty)
        #expect(client.subscriptions == ["news"])
    }

    @Test("it goes when nobody keeps it, and its client with it")
    @available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
    func isReleased() async throws {
        let stage = DriverStage()
        weak var released: ConnectionModel?
        do {
            let model = ConnectionModel(try await stage.openClient())
            released = model
            try await model.follow("news")
            await Self.until { model.isOnline }
        }
        while released != nil { await Task.yield() }
        while stage.observers.alive > 0 { await Task.yield() }
    }
}
