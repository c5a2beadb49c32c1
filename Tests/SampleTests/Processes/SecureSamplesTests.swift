// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteTestKit
import Testing

extension SampleProcesses {
    @Suite(
        "The samples over TLS",
        .enabled(if: SampleCertificate.problem == nil, "\(SampleCertificate.problem ?? "")"))
    struct SecureSamplesTests {
        private let certificate: SampleCertificate
        private let server: LoopbackServer

        init() throws {
            certificate = try SampleCertificate()
            server = try LoopbackServer(identity: certificate.identity)
        }

        @Test("console trusts whom --ca names, and anyone where it is told to")
        func console() async throws {
            try await server.start()
            let client = try SampleProcess([server.url, "--ca", certificate.authority])
            try await client.open()
            #expect(try await client.ask("subscribe news")["confirmed"] == true)
            #expect(try await client.quit() == 0)
            let stranger = try SampleProcess([server.url])
            try await stranger.first("the refusal") { $0["state"] == "failed" }
            _ = try await stranger.quit()
            let careless = try SampleProcess([server.url, "--dangerously-trust-anyone"])
            try await careless.open()
            #expect(try await careless.quit() == 0)
            await server.stop()
        }

        @Test("who speaks ws: to a port of TLS is told, and who speaks wss: to one without")
        func otherScheme() async throws {
            try await server.start()
            let plain = try LoopbackServer()
            try await plain.start()
            let secure = server.url.replacing("wss:", with: "ws:")
            for (url, advice) in [(secure, "use wss:"), ("wss:" + plain.url.dropFirst(3), "Use ws:")] {
                let client = try SampleProcess([url, "--reconnect", "never"])
                let failed = try await client.first("the refusal") { $0["state"] == "failed" }
                #expect(failed["error"]?["message"]?.stringValue?.contains(advice) == true, "\(failed)")
                _ = try await client.quit()
            }
            await server.stop()
            await plain.stop()
        }

        @Test("echo and bench take the same options")
        func options() async throws {
            try await server.start()
            let echo = try SampleProcess(
                [
                    server.url, "--ca", certificate.authority, "--pin", certificate.pin, "--token", "secret",
                    "--count", "2",
                ], sample: "echo")
            try await echo.says("what came back") { $0.contains("2 of 2") }
            #expect(try await echo.quit() == 0)
            let bench = try SampleProcess(
                [
                    server.url, "idle", "0", "3", "1", "--ca", certificate.authority,
                    "--header=Authorization=Bearer secret",
                ], sample: "bench")
            try await bench.first("its figures") { $0["kib_per_conn"] != nil }
            #expect(try await bench.quit() == 0)
            for sample in ["echo", "bench"] {
                let refused = try SampleProcess([server.url, "idle", "0", "1", "1", "--pin"], sample: sample)
                #expect(try await refused.quit() == 2)
            }
            await server.stop()
        }

        @Test("SSL_CERT_FILE and SSL_CERT_DIR replace the system's authorities")
        func environment() async throws {
            try await server.start()
            let nowhere = ["SSL_CERT_FILE": "/nowhere/ca.pem", "SSL_CERT_DIR": "/nowhere"]
            for place in [
                ["SSL_CERT_FILE": certificate.authority], ["SSL_CERT_DIR": certificate.authorityFolder],
            ] {
                let client = try SampleProcess([server.url], environment: nowhere.merging(place) { $1 })
                try await client.open()
                #expect(try await client.quit() == 0)
            }
            let stranger = try SampleProcess([server.url], environment: nowhere)
            try await stranger.first("the refusal") { $0["state"] == "failed" }
            _ = try await stranger.quit()
            await server.stop()
        }
    }
}
