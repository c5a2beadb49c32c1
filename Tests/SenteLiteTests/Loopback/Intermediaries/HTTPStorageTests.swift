// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// A server that others wrote, for what is put and got over HTTP.
    @Suite("Storage over HTTP")
    struct HTTPStorageTests {
        private static func storage(
            _ base: String, proxy: ProxySetting = .none, tls: TLSConfiguration? = nil,
            timeout: Duration = .seconds(20)
        ) -> HTTPStorage {
            HTTPStorage(timeout: timeout, tls: tls, proxy: proxy) { upload in
                .init(reference: upload.sha256, url: "\(base)/\(upload.sha256)", headers: ["X-Kind": "large"])
            } get: { reference in
                .init(url: "\(base)/\(reference.reference)")
            }
        }

        /// Stores and fetches by way of a client, which needs no server of its own for that.
        private static func check(_ storage: HTTPStorage, tls: TLSConfiguration = .init()) async throws {
            for count in [0, 1, 3_000_000] {
                let bytes = StreamStage.bytes(count)
                let digest = DigestFunction.sha256.digest(of: bytes[...])
                let name = try await storage.store(bytes, metadata: ["sha256": Base16.text(digest)])
                #expect(name == Base16.text(digest))
                let reference = LargeDataReference(
                    storage: "http", reference: name, size: count, sha256: digest, metadata: [:])
                #expect(try await storage.fetch(reference, limit: count) == bytes)
                if count > 0 {
                    await #expect(throws: SenteError.self) {
                        try await storage.fetch(reference, limit: count - 1)
                    }
                }
            }
            let missing = LargeDataReference(
                storage: "http", reference: "missing", size: 1, sha256: [], metadata: [:])
            let failure = await #expect(throws: SenteError.self) {
                try await storage.fetch(missing, limit: 1)
            }
            #expect(failure?.code == .storageFailed)
            #expect(failure?.httpStatus == 404)
        }

        @Test("nginx keeps what is PUT and gives it with GET", .needs(.nginx))
        func plain() async throws {
            try await Intermediary.with({ .webDAV($0) }) { server in
                try await Self.check(Self.storage("http://127.0.0.1:\(server.port)"))
            }
        }

        @Test(
            "nginx over TLS does, by the client's own authorities, and a stranger is refused", .needs(.nginx))
        func secure() async throws {
            let certificates = try Certificates.made.get()
            try await Intermediary.with({ try .webDAV($0, secure: true) }) { server in
                let base = "https://localhost:\(server.port)"
                try await Self.check(
                    Self.storage(base, tls: TLSConfiguration(roots: .only(certificates.authority))))
                let stranger = Self.storage(
                    base, tls: TLSConfiguration(roots: .only(certificates.strangersAuthority)))
                let failure = await #expect(throws: SenteError.self) {
                    try await stranger.store([1], metadata: [:])
                }
                #expect(failure?.code == .unknownAuthority)
                #expect(failure?.message.hasPrefix("The storage could not be asked.") == true)
            }
        }

        @Test(
            "nginx is reached through tinyproxy, plain and over TLS, and a proxy that says no is told",
            .needs(.nginx), .needs(.tinyproxy), arguments: [false, true])
        func proxied(secure: Bool) async throws {
            let certificates = try Certificates.made.get()
            try await Intermediary.with({ try .webDAV($0, secure: secure) }) { server in
                let base = "\(secure ? "https" : "http")://localhost:\(server.port)"
                let tls = TLSConfiguration(roots: .only(certificates.authority))
                try await Intermediary.with({ .tinyproxy($0, ["ConnectPort \(server.port)"]) }) { proxy in
                    let setting = ProxySetting.url("http://127.0.0.1:\(proxy.port)")
                    try await Self.check(Self.storage(base, proxy: setting, tls: tls))
                }
                try await Intermediary.with({ .tinyproxy($0, ["ConnectPort 1"]) }) { proxy in
                    let storage = Self.storage(
                        base, proxy: .url("http://127.0.0.1:\(proxy.port)"), tls: tls)
                    let failure = await #expect(throws: SenteError.self) {
                        try await storage.store([1], metadata: [:])
                    }
                    #expect(failure?.code == .proxyRefused)
                }
            }
        }

        @Test(
            "a client's publish goes by way of nginx to another client, by the settings of both",
            .needs(.nginx))
        func endToEnd() async throws {
            let certificates = try Certificates.made.get()
            try await Intermediary.with({ try .webDAV($0, secure: true) }) { files in
                let base = "https://localhost:\(files.port)"
                let storage = HTTPStorage { upload in
                    .init(reference: upload.sha256, url: "\(base)/\(upload.sha256)")
                } get: { reference in
                    .init(url: "\(base)/\(reference.reference)")
                }
                try await Loopback.withServer { _, port in
                    let configure = { @Sendable (configuration: inout SenteClient.Configuration) in
                        configuration.tls = TLSConfiguration(roots: .only(certificates.authority))
                        configuration.largeData = LargeDataPolicy(
                            storage: storage, referenceFrom: 1 << 20, delivery: .automatic)
                    }
                    let (sender, listener) = (
                        try Loopback.client(port, configure), try Loopback.client(port, configure)
                    )
                    for client in [sender, listener] { try await client.connect() }
                    let handle = try await listener.subscribe("bulk")
                    let data: Value = ["bytes": .bytes(StreamStage.bytes(2_000_000))]
                    try await sender.publish(data, to: "bulk")
                    #expect(try await handle.take(1)[0].data == data)
                    for client in [sender, listener] { await client.disconnect() }
                }
            }
        }

        @Test(
            "a server that says no, redirects or talks nonsense is told with its status and words",
            arguments: [
                (
                    "HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\nIt is signed\n", 403 as Int?,
                    SenteError.Code.storageFailed, "It is signe"
                ),
                (
                    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302,
                    .storageFailed, "redirects"
                ),
                ("HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n", 507, .storageFailed, "no room"),
                ("SSH-2.0-x\r\n", nil, .protocolMismatch, "not HTTP"),
                ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", nil, .protocolViolation, "complete"),
                ("", nil, .protocolViolation, "ended"),
            ])
        func says(answer: String, status: Int?, code: SenteError.Code, words: String) async throws {
            let server = try RawServer { connection in
                _ = connection.readHead()
                connection.write(answer)
            }
            defer { server.stop() }
            let storage = Self.storage("http://127.0.0.1:\(server.port)")
            let reference = LargeDataReference(
                storage: "http", reference: "r", size: 100, sha256: [], metadata: [:])
            let failure = await #expect(throws: SenteError.self) {
                try await storage.fetch(reference, limit: 100)
            }
            #expect(failure?.code == code)
            #expect(failure?.httpStatus == status)
            #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
        }

        @Test("a URL that cannot be asked is refused with a sentence, and nothing is dialed")
        func wrongURL() async {
            let failure = await #expect(throws: SenteError.self) {
                try await Self.storage("ftp://files.test").store([], metadata: [:])
            }
            #expect(failure?.code == .invalidArgument)
        }

        @Test("a server that says nothing is left in time, and at once by who is cancelled")
        func silent() async throws {
            let begun = Collector<Int>()
            let server = try RawServer(isConcurrent: true) { connection, number in
                _ = connection.readHead()
                begun.append(number)
                connection.drain()
            }
            defer { server.stop() }
            let base = "http://127.0.0.1:\(server.port)"
            let reference = LargeDataReference(
                storage: "http", reference: "r", size: 100, sha256: [], metadata: [:])
            let late = await #expect(throws: SenteError.self) {
                try await Self.storage(base, timeout: .milliseconds(200)).fetch(reference, limit: 100)
            }
            #expect(late?.code == .timedOut)
            let task = Task { try await Self.storage(base).fetch(reference, limit: 100) }
            await begun.wait { $0.count == 2 }
            task.cancel()
            let cancelled = await #expect(throws: SenteError.self) { try await task.value }
            #expect(cancelled?.code == .cancelled)
        }
    }
}

extension Intermediary.Setup {
    /// A server for files that takes PUT (RFC 4918), in its folder.
    fileprivate static func webDAV(_ workspace: Intermediary.Workspace, secure: Bool) throws -> Self {
        let pair = try Certificates.made.get().server
        guard secure, case .file(let certificate) = pair.certificate, case .file(let key) = pair.key else {
            return webDAV(workspace)
        }
        return webDAV(
            workspace, listen: "ssl", also: "ssl_certificate \(certificate); ssl_certificate_key \(key);")
    }

    fileprivate static func webDAV(
        _ workspace: Intermediary.Workspace, listen: String = "", also: String = ""
    ) -> Self {
        nginx(
            workspace,
            serving: """
                listen 127.0.0.1:\(workspace.port) \(listen);
                \(also)
                root \(workspace.folder)/files;
                client_max_body_size 64m;
                location / {
                    dav_methods PUT;
                    create_full_put_path on;
                }
                """)
    }
}
