// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteLite
import SenteTestSupport
import Testing

extension ServeProcesses {
    @Suite(
        "Its certificate", .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct ServeTLSTests {
        @Test("with --cert and --key it speaks TLS")
        func certificate() async throws {
            let certificates = try Certificates.made.get()
            guard case .file(let certificate) = certificates.server.certificate,
                case .file(let key) = certificates.server.key
            else { return }
            let (server, port) = try await SampleProcess.serve(["--cert", certificate, "--key", key])
            #expect(server.lines.first?["url"] == "wss://127.0.0.1:\(port)/")
            let client = try SampleProcess(
                ["wss://127.0.0.1:\(port)/", "--ca", certificates.authorityPath])
            try await client.open()
            #expect(try await client.ask("subscribe news")["confirmed"] == true)
            #expect(try await client.quit() == 0)
            #expect(try await server.quit() == 0)
        }
    }
}
