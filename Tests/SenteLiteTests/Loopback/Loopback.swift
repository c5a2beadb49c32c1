// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteServer
import Testing

/// Real sockets, the reference server, other processes; one after the other, so that none starves another.
@Suite("Loopback layer", .serialized, .timeLimit(.minutes(5)))
enum Loopback {
    /// Runs `body` with a server on a free port, and stops it afterwards.
    static func withServer(
        _ configure: (inout ServerConfiguration) -> Void = { _ in }, hook: ReferenceServer.Hook? = nil,
        _ body: (ReferenceServer, Int) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configure(&configuration)
        let server = try ReferenceServer(configuration, hook: hook)
        let port = try await server.start()
        do {
            try await body(server, port)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// A client that comes back fast.
    static func client(
        _ port: Int, _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws(SenteError) -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.reconnect = .exponential(
            initial: .milliseconds(20), maximum: .milliseconds(100), attempts: nil)
        configure(&configuration)
        return try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
    }

    /// Whether the code under test is slower than usual by the way it was built.
    static let isSlow: Bool = {
        #if DEBUG
        return true
        #else
        return false
        #endif
    }()
}

/// What was waited for did not happen.
struct Overdue: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    var description: String { "Within \(limit) this did not happen: \(what)." }
}

/// Runs `body`, which must end when it is cancelled, for at most `limit`.
func bounded<Result: Sendable>(
    _ what: String, within limit: Duration = .seconds(60),
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw Overdue(what: what, limit: limit)
        }
        return result
    }
}

/// Looks again and again, for what tells nobody when it changes.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: @escaping @Sendable () async -> Bool
) async throws {
    try await bounded(what, within: limit) {
        while await !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
