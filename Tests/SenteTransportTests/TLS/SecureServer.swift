// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport

/// An echo server on TLS, and a loop for clients of it.
struct SecureServer: Sendable {
    let certificates: Certificates
    let scripted: EchoServer
    let port: UInt16
    let loop: EventLoop

    /// Runs `body` with a server that shows one of the certificates.
    static func with(
        _ pair: (Certificates) -> Certificates.Pair, polling: EventLoop.Polling = .standard,
        _ change: (inout ServerTLS, Certificates) -> Void = { _, _ in },
        _ body: (SecureServer) async throws -> Void
    ) async throws {
        let certificates = try Certificates.made.get()
        let shown = pair(certificates)
        var tls = ServerTLS(certificates: shown.certificate, key: shown.key)
        change(&tls, certificates)
        let serverLoop = try EventLoop(polling: polling)
        defer { serverLoop.shutDown() }
        let (scripted, listener) = try EchoServer.listen(on: serverLoop, tls: tls)
        try await withLoop(polling) { loop in
            try await body(
                SecureServer(
                    certificates: certificates, scripted: scripted, port: listener.port, loop: loop))
        }
    }

    /// Trusts the test's authority.
    var trusting: TLSConfiguration { TLSConfiguration(roots: .only(certificates.authority)) }

    func url(_ host: String = "localhost") -> String { "wss://\(host):\(port)/" }

    func open(
        _ host: String = "localhost", tls: TLSConfiguration? = nil
    ) async throws(LinkFailure) -> WebSocketConnection {
        try await WebSocketConnection.open(
            url(host), messageLimits: MessageLimits(both: 8 << 20), tls: tls ?? trusting, on: loop)
    }

    /// Why opening failed; nil when it did not.
    func failure(_ host: String = "localhost", tls: TLSConfiguration? = nil) async -> LinkFailure? {
        do throws(LinkFailure) {
            _ = try await open(host, tls: tls)
            return nil
        } catch {
            return error
        }
    }
}
