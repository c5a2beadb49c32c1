// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteTransport
import Testing

/// A network that a test changes.
final class TestPath: NetworkPathSource {
    private let observers = Locked<[Int: @Sendable (NetworkChange) -> Void]>([:])
    private let lastNumber = Locked(0)

    var count: Int { observers.withLock { $0.count } }

    func observe(_ changed: @escaping @Sendable (NetworkChange) -> Void) -> @Sendable () -> Void {
        let number = lastNumber.withLock { number in
            number += 1
            return number
        }
        observers.withLock { $0[number] = changed }
        return { [observers] in observers.withLock { _ = $0.removeValue(forKey: number) } }
    }

    func change(_ change: NetworkChange) {
        for observer in observers.withLock({ Array($0.values) }) { observer(change) }
    }
}

@Suite("Changes of the network, as a client takes them", .timeLimit(.minutes(5)))
struct NetworkPathTests {
    private let stage = DriverStage()
    private let path = TestPath()

    private func client(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws(SenteError) -> SenteClient {
        try stage.client("ws://server.test/") { configuration in
            configuration.networkPath = .custom(path)
            configure(&configuration)
        }
    }

    private func openClient(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws(SenteError) -> SenteClient {
        let client = try client(configure)
        try await client.connect()
        return client
    }

    /// Tells of a change, and lets the client do what it does.
    private func change(_ change: NetworkChange) {
        path.change(change)
        stage.waitUntilIdle()
    }

    private var attempts: Int { stage.server.requests.count }
    private var pings: Int { stage.server.received("ping").count }

    @Test("A wait for the next attempt is cut short by a network that is there, and not by one that went")
    func backoff() async throws {
        let client = try await openClient { $0.reconnect = .exponential(initial: .seconds(3_600)) }
        stage.server.cut()
        try await client.reaches(.reconnecting)
        #expect(client.status.retryAt != nil)
        change(.lost)
        #expect(attempts == 1)
        change(.available)
        try await client.reaches(.open)
        #expect(attempts == 2)
    }

    @Test("An open connection is asked for a sign of life at once, and stays when it gives one")
    func life() async throws {
        let client = try await openClient()
        change(.lost)
        #expect(pings == 1)
        stage.advance(by: .seconds(6))
        #expect(client.state == .open)
        #expect(attempts == 1)
    }

    @Test("A connection whose path is gone dies within the heartbeat's limit, and the client comes back")
    func death() async throws {
        let client = try await openClient {
            $0.heartbeat = Heartbeat(interval: .seconds(3_600), limit: .seconds(3))
        }
        stage.server.fallsSilent()
        change(.available)
        stage.advance(by: .milliseconds(2_999))
        #expect(client.state == .open)
        stage.advance(by: .milliseconds(1))
        #expect(stage.server.isAbandoned)
        #expect(client.state == .reconnecting)
        #expect(client.status.lastError?.code == .silent)
    }

    @Test("A burst of changes comes to two attempts a second at most")
    func burst() async throws {
        let client = try client { $0.reconnect = .exponential(initial: .seconds(3_600)) }
        stage.server.fails(LinkFailure(.unreachable, "No way."))
        let connecting = Task { try await client.connect() }
        try await client.reaches(.reconnecting)
        for _ in 0..<100 { change(.available) }
        #expect(attempts == 2)
        stage.advance(by: .seconds(1))
        #expect(attempts == 3)
        stage.advance(by: .seconds(10))
        #expect(attempts == 3)
        await client.disconnect()
        _ = await connecting.result
    }

    @Test("After disconnect() the network changes nothing, nor before the first connect()")
    func disconnected() async throws {
        let client = try client()
        change(.available)
        #expect(attempts == 0)
        try await client.connect()
        stage.server.cut()
        try await client.reaches(.reconnecting)
        change(.lost)
        change(.lost)
        await client.disconnect()
        change(.available)
        change(.lost)
        stage.advance(by: .seconds(100))
        #expect(client.state == .closed)
        #expect(attempts == 1)
        #expect(stage.host.nextDeadline == nil)
    }

    @Test("A server that said when to come back is not visited before, whatever the network does")
    func retryAfter() async throws {
        let client = try client()
        stage.server.refuses(Refusal(status: 503, headers: [.init("Retry-After", "60")]))
        let connecting = Task { try await client.connect(timeout: nil) }
        try await client.reaches(.reconnecting)
        for _ in 0..<6 {
            change(.available)
            stage.advance(by: .milliseconds(9_999))
        }
        #expect(attempts == 1)
        stage.server.accepts()
        // And then the policy's own while, 2 s at most.
        stage.advance(by: .milliseconds(2_006))
        try await connecting.value
        #expect(attempts == 2)
    }

    @Test("A client that gave up is left alone")
    func failed() async throws {
        let client = try client { $0.reconnect = .never }
        stage.server.fails(LinkFailure(.unreachable, "No way."))
        _ = await error { () async throws(SenteError) in try await client.connect() }
        change(.available)
        #expect(client.state == .failed)
        #expect(attempts == 1)
    }

    @Test("A client listens as long as it lives, is not kept by its source, and listens to nobody if told so")
    func lifetime() async throws {
        var client: SenteClient? = try await openClient()
        #expect(path.count == 1)
        weak let gone = client
        client = nil
        #expect(gone == nil)
        #expect(path.count == 0)
        let deaf = try stage.client { $0.networkPath = .none }
        #expect(path.count == 0)
        withExtendedLifetime(deaf) {}
    }

    @Test("The system is listened to by default: one descriptor for all clients of a loop")
    func system() async throws {
        #expect(SenteClient.Configuration().networkPath.isSystem)
        let loop = try EventLoop()
        defer { loop.shutDown() }
        var clients: [SenteClient]? = try (0..<10).map { _ in
            try SenteClient(
                "ws://127.0.0.1:1/", configuration: .init(), host: loop, transport: SocketTransport())
        }
        func descriptors() async -> Int {
            await withCheckedContinuation { continuation in
                loop.post { continuation.resume(returning: loop.descriptorCount) }
            }
        }
        #if os(Linux)
        #expect(await descriptors() == 1)
        #endif
        #expect(clients?.count == 10)
        clients = nil
        #expect(await descriptors() == 0)
    }
}

extension NetworkPath {
    fileprivate var isSystem: Bool { if case .system = self { true } else { false } }
}
