// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    /// The places of authorities that the variables of the environment name are tested with processes that have them.
    @Suite(
        "The system's certificate authorities",
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct SystemRootsTests {
        private let library: TLSLibrary
        private let authority: String

        init() throws {
            library = try TLSLibrary.shared.get()
            guard case .file(let path) = try Certificates.made.get().authority else {
                throw LinkFailure(.misconfigured, "The tests' authority is no file.")
            }
            authority = path
        }

        /// How many there are; why there are none as an error.
        private func count(
            _ bundles: [String], environment: [String: String] = [:]
        ) throws(LinkFailure) -> Int {
            // The store, of a few certificates, is left to the process.
            SystemRoots.count(
                try SystemRoots.load(library, ownPlaces: .folder(nil), bundles: bundles) { environment[$0] },
                library)
        }

        private func failure(_ bundles: [String], environment: [String: String] = [:]) -> LinkFailure? {
            do throws(LinkFailure) {
                _ = try count(bundles, environment: environment)
                return nil
            } catch {
                return error
            }
        }

        @Test("where OpenSSL has none of its own, the first bundle that holds some is taken")
        func fallback() throws {
            #expect(try count(["/nowhere.pem", "/dev/null", authority, authority]) == 1)
        }

        @Test("none at all is an error that says what to install; a variable that leads nowhere is named")
        func none() throws {
            let missing = try #require(failure(["/nowhere.pem"]))
            #expect(missing.kind == .missingLibrary)
            #expect(missing.message.contains("Install ca-certificates"))
            let named = try #require(failure([authority], environment: ["SSL_CERT_FILE": "/nowhere.pem"]))
            #expect(named.kind == .misconfigured)
            #expect(named.message.contains("/nowhere.pem"))
            // A folder is looked into only when a certificate asks for it.
            #expect(try count([authority], environment: ["SSL_CERT_DIR": "/nowhere"]) == 0)
        }

        @Test("authorities beside those of the system leave those in that stand in a folder")
        func besideFolder() async throws {
            let folder = try Certificates.made.get().folderOfAuthority()
            let contexts = TLSContexts { configuration in
                do throws(LinkFailure) {
                    return .success(
                        try TLSContext.client(configuration) { library throws(LinkFailure) in
                            try SystemRoots.load(library, ownPlaces: .folder(folder), bundles: []) { _ in
                                folder
                            }
                        })
                } catch {
                    return .failure(error)
                }
            }
            for pair in [\Certificates.server, \.stranger] {
                try await SecureServer.with({ $0[keyPath: pair] }) { server in
                    var request = server.loop.request(server.port)
                    request.url = server.url()
                    request.tls.roots = .systemAnd(server.certificates.strangersAuthority)
                    let recorder = LinkRecorder.open(
                        request, on: server.loop, transport: SocketTransport(contexts: contexts))
                    await recorder.untilOpen()
                    #expect(recorder.reports.elements.contains { $0.isOpened })
                    recorder.onLoop { $0.abandon() }
                }
            }
        }
    }
}
