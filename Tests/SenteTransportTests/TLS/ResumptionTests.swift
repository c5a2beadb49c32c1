// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite(
        "Resuming TLS sessions", .timeLimit(.minutes(5)),
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct ResumptionTests {
        /// Connects, echoes once (tickets come behind the handshake), and says whether a session was resumed.
        private func connect(
            _ server: SecureServer, _ host: String = "localhost", tls: TLSConfiguration, cut: Bool = false
        ) async throws -> Bool {
            let seen = Collector<TLSAgreement?>()
            server.scripted.opened = { seen.append($0.agreement) }
            server.scripted.received = { connection, messages in
                if messages == [.text("cut")] {
                    connection.abort()
                } else {
                    for message in messages { connection.send(message) }
                }
            }
            let connection = try await server.open(host, tls: tls)
            connection.send(.text("x"))
            #expect(await connection.receive() == .text("x"))
            if cut { connection.send(.text("cut")) } else { connection.close() }
            #expect(await connection.receive() == nil)
            return try #require(await seen.wait { $0.count == 1 }[0]).isResumed
        }

        @Test(
            "the next connection takes the session up, also after the last one was cut",
            arguments: [false, true])
        func resumes(isLimitedToVersion12: Bool) async throws {
            try await SecureServer.with(
                \.server, { tls, _ in tls.isLimitedToVersion12 = isLimitedToVersion12 }
            ) {
                server in
                #expect(try await connect(server, tls: server.trusting) == false)
                for cut in [false, true, true, false] {
                    #expect(try await connect(server, tls: server.trusting, cut: cut))
                }
                // Another name, another configuration: another server, as far as trust goes.
                #expect(try await connect(server, "127.0.0.1", tls: server.trusting) == false)
                var pinned = server.trusting
                pinned.pinnedKeys = [try server.certificates.pin(server.certificates.server.certificate)]
                #expect(try await connect(server, tls: pinned) == false)
                #expect(try await connect(server, tls: pinned))
            }
        }

        @Test("a server that has forgotten its keys is connected to in full")
        func forgotten() async throws {
            var port: UInt16 = 0
            for _ in 0..<2 {
                let made = try Certificates.made.get()
                let tls = ServerTLS(certificates: made.server.certificate, key: made.server.key)
                let serverLoop = try EventLoop()
                defer { serverLoop.shutDown() }
                let scripted = EchoServer()
                let listener = try Listener(loop: serverLoop, port: port, tls: tls) { _ in scripted }
                port = listener.port
                try await withLoop(.standard) { loop in
                    let server = SecureServer(
                        certificates: made, scripted: scripted, port: port, loop: loop)
                    let isResumed = try await connect(server, tls: server.trusting)
                    #expect(!isResumed)
                }
            }
        }

        @Test("many connections at once to one server all open, whether or not a session is left for them")
        func storm() async throws {
            try await SecureServer.with(\.server) { server in
                for _ in 0..<2 {
                    var connections: [WebSocketConnection] = []
                    try await withThrowingTaskGroup(of: WebSocketConnection.self) { group in
                        for _ in 0..<40 { group.addTask { try await server.open() } }
                        for try await connection in group { connections.append(connection) }
                    }
                    for connection in connections { connection.close() }
                    for connection in connections { #expect(await connection.receive() == nil) }
                }
            }
        }
    }
}
