// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteTransport
import SenteWire
import Testing

@Suite("EndpointProvider", .timeLimit(.minutes(5)))
struct EndpointProviderTests {
    private func withFile(_ content: String?, _ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("port-\(UUID().uuidString)")
            .path
        if let content { try Data(content.utf8).write(to: URL(fileURLWithPath: path)) }
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    @Test("a port file's port takes the place of the URL's, and is read again before each attempt")
    func portFile() async throws {
        try await withFile(" 4001\n") { path in
            let stage = DriverStage()
            let client = try stage.client("ws://server.test:1/chsk?a=b") {
                $0.endpointProvider = .portFile(path)
            }
            try await client.connect()
            try Data("4002".utf8).write(to: URL(fileURLWithPath: path))
            await client.replacesLink()
            #expect(
                stage.server.urls == [
                    "ws://server.test:4001/chsk?a=b", "ws://server.test:4002/chsk?a=b",
                ])
        }
    }

    @Test(
        "a port file that holds no port gives up the attempt, and says so",
        arguments: [
            nil, "", "0", "65536", "-1", "+80", "80 81", "0x50", String(repeating: "1", count: 10_000),
        ])
    func badPortFile(content: String?) async throws {
        try await withFile(content) { path in
            let stage = DriverStage()
            let client = try stage.client("ws://server.test/") { $0.endpointProvider = .portFile(path) }
            client.reconnect()
            try await client.reaches(.reconnecting)
            #expect(client.status.lastError?.code == .providerFailed)
            #expect(client.status.lastError?.underlying?.contains(path) == true)
            #expect(stage.server.requests.isEmpty)
        }
    }

    @Test("a directory is no port file, and does not hang")
    func directory() async throws {
        let stage = DriverStage()
        let client = try stage.client("ws://server.test/") { $0.endpointProvider = .portFile("/tmp") }
        client.reconnect()
        try await client.reaches(.reconnecting)
        #expect(client.status.lastError?.underlying?.contains("/tmp") == true)
    }
}
