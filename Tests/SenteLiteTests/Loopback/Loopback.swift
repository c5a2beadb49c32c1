// SPDX-License-Identifier: Apache-2.0

import Foundation
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
}

/// A file for a port, in a place of its own, for as long as `body` runs.
func withPortFile(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("port-\(UUID().uuidString)").path
    do {
        try await body(path)
        try? FileManager.default.removeItem(atPath: path)
    } catch {
        try? FileManager.default.removeItem(atPath: path)
        throw error
    }
}
