// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite(
        "Redirects and TLS", .timeLimit(.minutes(5)),
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct SecureRedirectTests {
        private static func redirect(
            to place: String
        ) -> (ServerConnection, HTTPRequest) -> Void {
            { connection, request in
                guard request.path == "/" else { return _ = connection.accept() }
                connection.respond(status: 307, headers: [HTTPHeader("Location", place)])
            }
        }

        @Test("from wss to ws no redirect is followed, and nothing comes to that place")
        func downgrade() async throws {
            try await SecureServer.with(\.server) { server in
                let (plain, listener) = try EchoServer.listen(on: server.loop)
                server.scripted.requested = Self.redirect(to: "http://127.0.0.1:\(listener.port)/there")
                var request = server.loop.request(server.port)
                (request.url, request.tls) = (server.url(), server.trusting)
                let recorder = LinkRecorder.open(request, on: server.loop)
                guard case .refused(let refusal)? = await recorder.untilEnd().last else {
                    Issue.record("It was not refused: \(recorder.reports.elements)")
                    return
                }
                #expect(refusal.status == 307)
                #expect(refusal.problem?.contains("wss to ws") == true)
                await server.loop.run {}
                #expect(plain.connections.elements.isEmpty)
            }
        }

        @Test("from ws to wss it is, and each place's own certificate is checked")
        func upgrade() async throws {
            try await SecureServer.with(\.server) { server in
                let (plain, listener) = try EchoServer.listen(on: server.loop)
                var request = server.loop.request(listener.port)
                request.tls = server.trusting
                plain.requested = Self.redirect(to: "https://localhost:\(server.port)/there")
                let recorder = LinkRecorder.open(request, on: server.loop)
                await recorder.untilOpen()
                #expect(recorder.reports.elements.contains { $0.isOpened })
                recorder.onLoop { $0.abandon() }
                request.tls = TLSConfiguration(roots: .only(server.certificates.strangersAuthority))
                let stranger = LinkRecorder.open(request, on: server.loop)
                #expect(await stranger.untilEnd().last?.failure?.kind == .tls(.unknownAuthority))
            }
        }

        @Test("from one secure place to another the way goes on in TLS")
        func secure() async throws {
            try await SecureServer.with(\.server) { server in
                server.scripted.requested = Self.redirect(to: "/there")
                let connection = try await server.open()
                #expect(connection.send(.text("hi")) == .queued)
                #expect(await connection.receive() == .text("hi"))
                #expect(server.scripted.connections.elements.count == 2)
                connection.close()
                #expect(await connection.receive() == nil)
            }
        }
    }
}
