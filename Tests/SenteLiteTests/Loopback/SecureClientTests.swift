// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    /// What a user sees of TLS.
    @Suite(
        "A client over TLS", .serialized,
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct SecureClientTests {
        private let certificates: Certificates

        init() throws {
            certificates = try Certificates.made.get()
        }

        /// Runs `body` with a server that shows a certificate.
        private func withServer(
            _ pair: Certificates.Pair, port: Int = 0, _ body: (Int) async throws -> Void
        ) async throws {
            try await Loopback.withServer({
                $0.tls = ServerTLS(certificates: pair.certificate, key: pair.key)
                $0.port = port
            }) { _, port in try await body(port) }
        }

        private func client(
            _ port: Int, host: String = "127.0.0.1",
            _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
        ) throws(SenteError) -> SenteClient {
            var configuration = SenteClient.Configuration()
            configuration.reconnect = .exponential(
                initial: .milliseconds(20), maximum: .milliseconds(100), attempts: nil)
            configuration.tls.roots = .only(certificates.authority)
            configure(&configuration)
            return try SenteClient("wss://\(host):\(port)/", configuration: configuration)
        }

        @Test("talks as over a plain connection, and is back after the server's end")
        func talks() async throws {
            var port = 0
            var client: SenteClient?
            for round in 0..<2 {
                try await withServer(certificates.server, port: port) { opened in
                    port = opened
                    let one = try client ?? self.client(opened)
                    client = one
                    if round == 0 { try await one.connect() }
                    let news = try await one.subscribe("news-\(round)")
                    try await one.publish(["n": Value(round)], to: "news-\(round)")
                    var messages = news.makeAsyncIterator()
                    #expect(await messages.next()?.data["n"] == Value(round))
                }
                if round == 0, let client {
                    try await eventually("the loss is seen") { client.state != .open }
                }
            }
            await client?.disconnect()
        }

        @Test(
            "a certificate that is not accepted ends the first attempt in failed, with its own code and close code 1015",
            arguments: [
                ("stranger", SenteError.Code.unknownAuthority), ("elsewhere", .wrongHost),
                ("expired", .certificateExpired), ("future", .certificateNotYetValid),
                ("self", .selfSigned), ("client", .untrusted),
            ] as [(String, SenteError.Code)])
        func failed(name: String, code: SenteError.Code) async throws {
            let pairs = [
                "stranger": certificates.stranger, "elsewhere": certificates.elsewhere,
                "expired": certificates.expired, "future": certificates.future,
                "self": certificates.selfSigned, "client": certificates.client,
            ]
            try await withServer(try #require(pairs[name])) { port in
                let client = try self.client(port)
                let failure = await error { () throws(SenteError) in try await client.connect() }
                #expect(failure?.code == code)
                #expect(client.state == .failed)
                #expect(client.status.lastError?.code == code)
                #expect(client.status.lastClose?.code == .tlsFailed)
                #expect(failure?.isRetryable == false)
            }
        }

        @Test("after a first greeting a wrong certificate is retried, says so, and its mending is noticed")
        func laterFailure() async throws {
            var port = 0
            let client = Box<SenteClient?>(nil)
            try await withServer(certificates.server) { opened in
                port = opened
                let one = try self.client(opened)
                client.value = one
                try await one.connect()
            }
            let one = try #require(client.value)
            try await withServer(certificates.expired, port: port) { _ in
                try await eventually("the error shows") {
                    one.status.lastError?.code == .certificateExpired && one.state == .reconnecting
                }
            }
            try await withServer(certificates.server, port: port) { _ in
                one.reconnect()
                try await eventually("it is open again") {
                    if one.state == .reconnecting { one.reconnect() }
                    return one.state == .open
                }
                await one.disconnect()
            }
        }

        @Test("settings that cannot be used are named: pins at once, files at the first attempt")
        func misconfigured() async throws {
            let pin = await error { () throws(SenteError) in
                _ = try self.client(1) { $0.tls.pinnedKeys = ["sha256/short"] }
            }
            #expect(pin?.code == .invalidArgument)
            #expect(pin?.message.contains("`tls.pinnedKeys[0]`") == true)
            let client = try self.client(1) { $0.tls.roots = .only(.file("/nowhere.pem")) }
            let file = await error { () throws(SenteError) in try await client.connect() }
            #expect(file?.code == .invalidArgument)
            #expect(file?.message.contains("`tls.roots`") == true)
            #expect(client.state == .failed)
        }

        @Test("a pinned key that differs, and a server that speaks no TLS, have codes of their own")
        func otherCodes() async throws {
            let pin = try certificates.pin(certificates.stranger.certificate)
            try await withServer(certificates.server) { port in
                let client = try self.client(port) { $0.tls.pinnedKeys = [pin] }
                let failure = await error { () throws(SenteError) in try await client.connect() }
                #expect(failure?.code == .pinnedKeyDiffers)
                #expect(client.state == .failed)
            }
            try await Loopback.withServer { _, port in
                let client = try self.client(port)
                let failure = await error { () throws(SenteError) in try await client.connect() }
                #expect(failure?.code == .tlsFailed)
                #expect(failure?.message.contains("does not speak TLS") == true, "\(failure?.message ?? "")")
            }
        }
    }
}
