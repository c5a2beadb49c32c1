// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite

extension Intermediary.Setup {
    /// One node that takes WebSockets, with more lines for its configuration.
    static func nats(
        _ place: Intermediary.Workspace, _ lines: String = "", name: String = "one",
        webSocket: String = "no_tls: true"
    ) -> Self {
        Self(
            program: .natsServer, arguments: ["-c", "\(place.folder)/nats.conf"],
            files: [
                "nats.conf": """
                server_name: \(name)
                host: 127.0.0.1
                port: -1
                websocket { host: 127.0.0.1, port: \(place.port), \(webSocket) }
                \(lines)
                """
            ])
    }
}

extension Intermediary.Setup {
    /// The same behind TLS of its own.
    static func securedNATS(_ place: Intermediary.Workspace) throws -> Self {
        let (certificate, key) = try paths()
        return nats(
            place, webSocket: "tls { cert_file: \"\(certificate)\", key_file: \"\(key)\" }")
    }
}

extension Intermediary {
    /// Runs a node of NATS for the time that `body` runs.
    static func withNATS(_ lines: String = "", _ body: (Intermediary) async throws -> Void) async throws {
        try await with({ .nats($0, lines) }, body)
    }

    /// A client of it that comes back fast.
    func client(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws(SenteError) -> SenteClient {
        try Loopback.client(port) {
            $0.dialect = .nats
            configure(&$0)
        }
    }

    /// The same, open.
    func connected(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws(SenteError) -> SenteClient {
        let client = try client(configure)
        try await client.connect()
        return client
    }
}
