// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite(
        "Secure links", .timeLimit(.minutes(5)),
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct SecureLinkTests {
        @Test(
            "messages of every size come through TLS in order, both ways",
            arguments: EventLoop.Polling.allCases)
        func echo(polling: EventLoop.Polling) async throws {
            try await SecureServer.with(\.server, polling: polling) { server in
                let connection = try await server.open()
                let sizes = [0, 1, 125, 126, 4_000, 16_384, 70_000, 1_000_000]
                let sent = sizes.map { Message.binary([UInt8](repeating: UInt8($0 & 255), count: $0)) }
                for message in sent { #expect(connection.send(message) == .queued) }
                for message in sent { #expect(await connection.receive() == message) }
                connection.close(.normal, reason: "bye")
                #expect(await connection.receive() == nil)
                #expect(connection.end == .closed(code: .normal, reason: ""))
                #expect(
                    await server.scripted.ends.wait { $0.count == 1 } == [
                        .closed(code: .normal, reason: "bye")
                    ])
            }
        }

        @Test("sends of many threads all arrive, each thread's in order, and both loops write meanwhile")
        func stress() async throws {
            try await SecureServer.with(\.server) { server in
                let connection = try await server.open()
                async let senders: Void = withTaskGroup(of: Void.self) { group in
                    for thread in 0..<6 {
                        group.addTask {
                            for number in 0..<500 {
                                let size = number.isMultiple(of: 50) ? 40_000 : 3
                                var bytes = [UInt8](repeating: 0, count: size)
                                bytes[0] = UInt8(thread)
                                bytes[1] = UInt8(number >> 8)
                                bytes[2] = UInt8(number & 255)
                                connection.send(.binary(bytes))
                            }
                        }
                    }
                }
                var next = [Int](repeating: 0, count: 6)
                for _ in 0..<3000 {
                    let bytes = try #require(await connection.receive()).bytes
                    #expect(next[Int(bytes[0])] == Int(bytes[1]) << 8 | Int(bytes[2]))
                    next[Int(bytes[0])] += 1
                }
                await senders
                #expect(next == [Int](repeating: 500, count: 6))
            }
        }

        @Test("a message counts as written once the kernel has taken all of what it became in TLS")
        func written() async throws {
            try await SecureServer.with(\.server) { server in
                var request = server.loop.request(server.port, host: "localhost")
                request.url = server.url()
                request.tls = server.trusting
                let recorder = LinkRecorder.open(request, on: server.loop)
                await recorder.untilOpen()
                server.scripted.received = { _, _ in }
                let big = Message.binary([UInt8](repeating: 1, count: 1 << 20))
                recorder.onLoop { link in
                    link.send(
                        (1...8).map { Transmission(SendID($0), big) } + [Transmission(SendID(9), .text("x"))])
                }
                let reports = await recorder.reports.wait { $0.flatMap(\.writes).count == 9 }
                #expect(reports.flatMap(\.writes) == (1...9).map { SendID($0) })
                recorder.onLoop { $0.abandon() }
            }
        }

        @Test("RFC 6455 §4.1: the server is told the name before any byte of HTTP, and an address never")
        func serverName() async throws {
            try await SecureServer.with(\.server) { server in
                for (host, name) in [
                    ("localhost", "localhost"), ("LOCALHOST", "localhost"), ("127.0.0.1", nil),
                ] {
                    let seen = Collector<TLSAgreement?>()
                    server.scripted.opened = { seen.append($0.agreement) }
                    let connection = try await server.open(host)
                    let agreement = try #require(await seen.wait { $0.count == 1 }[0])
                    #expect(agreement.serverName == name)
                    #expect(agreement.applicationProtocol == "http/1.1")
                    #expect(agreement.version == 0x0304)
                    connection.close()
                    #expect(await connection.receive() == nil)
                }
            }
        }

        @Test(
            "certificates that are not accepted are told apart, and not a byte of HTTP is sent to their owners"
        )
        func certificates() async throws {
            struct Case: Sendable {
                var pair: @Sendable (Certificates) -> Certificates.Pair
                var host = "localhost"
                var kind: LinkFailure.Kind
                var word: String
            }
            let cases = [
                Case(pair: \.stranger, kind: .tls(.unknownAuthority), word: "stranger-ca"),
                Case(pair: \.elsewhere, kind: .tls(.wrongHost), word: "name localhost"),
                Case(pair: \.elsewhere, host: "127.0.0.1", kind: .tls(.wrongHost), word: "address 127.0.0.1"),
                Case(pair: \.nameless, kind: .tls(.wrongHost), word: "subjectAltName"),
                Case(pair: \.expired, kind: .tls(.certificateExpired), word: "2020-02-01"),
                Case(pair: \.future, kind: .tls(.certificateNotYetValid), word: "2045-01-01"),
                Case(pair: \.selfSigned, kind: .tls(.selfSigned), word: "/CN=self"),
                Case(pair: \.client, kind: .tls(.untrusted), word: "purpose"),
            ]
            for one in cases {
                try await SecureServer.with(one.pair) { server in
                    let requests = Collector<HTTPRequest>()
                    server.scripted.requested = {
                        requests.append($1); $0.accept()
                    }
                    let failure = await server.failure(one.host)
                    #expect(failure?.kind == one.kind)
                    #expect(failure?.message.contains(one.word) == true, "\(failure?.message ?? "none")")
                    // The same server is taken by who asks for no proof.
                    let careless = TLSConfiguration(
                        roots: .only(server.certificates.authority), verification: .dangerouslyDisabled)
                    let connection = try await server.open(one.host, tls: careless)
                    connection.close()
                    #expect(await connection.receive() == nil)
                    #expect(requests.elements.count == 1)
                }
            }
        }

        @Test("the system's authorities do not vouch for the test's own; what is added to them does")
        func roots() async throws {
            try await SecureServer.with(\.server) { server in
                let system = await server.failure(tls: TLSConfiguration())
                #expect(system.map { [.tls(.unknownAuthority), .missingLibrary].contains($0.kind) } == true)
                for roots in [
                    TLSConfiguration.Roots.only(
                        .bytes(try server.certificates.bytes(server.certificates.authority))),
                    .systemAnd(server.certificates.authority), .only(server.certificates.server.certificate),
                ]
                where system?.kind == .tls(.unknownAuthority)
                    || roots != .systemAnd(server.certificates.authority)
                {
                    _ = try await server.open(tls: TLSConfiguration(roots: roots))
                }
                #expect(
                    await server.failure(
                        tls: TLSConfiguration(roots: .only(server.certificates.strangersAuthority)))?
                        .kind == .tls(.unknownAuthority))
            }
            try await SecureServer.with(\.selfSigned) { server in
                let own = TLSConfiguration(roots: .only(server.certificates.selfSigned.certificate))
                _ = try await server.open(tls: own)
            }
        }

        @Test("a file is read at every attempt: what is replaced there counts from the next one")
        func replacedFile() async throws {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("roots-\(UUID()).pem")
            defer { try? FileManager.default.removeItem(at: file) }
            try await SecureServer.with(\.server) { server in
                let made = server.certificates
                let tls = TLSConfiguration(roots: .only(.file(file.path)))
                #expect(await server.failure(tls: tls)?.kind == .misconfigured)
                for authority in [made.authority, made.strangersAuthority, made.authority] {
                    try Data(try made.bytes(authority)).write(to: file)
                    let failure = await server.failure(tls: tls)
                    #expect(failure?.kind == (authority == made.authority ? nil : .tls(.unknownAuthority)))
                }
            }
        }

        @Test("one of the pinned keys must be in the chain, be it the server's or its authority's")
        func pins() async throws {
            try await SecureServer.with(\.server) { server in
                var tls = server.trusting
                let made = server.certificates
                let (own, above, other) = (
                    try made.pin(made.server.certificate), try made.pin(made.authority),
                    try made.pin(made.stranger.certificate)
                )
                for pins in [[own], ["sha256/\(above)"], [other, "sha256//\(own)"]] {
                    tls.pinnedKeys = pins
                    _ = try await server.open(tls: tls)
                }
                tls.pinnedKeys = [other]
                for verification in [TLSConfiguration.Verification.full, .dangerouslyDisabled] {
                    tls.verification = verification
                    let failure = await server.failure(tls: tls)
                    #expect(failure?.kind == .tls(.pinnedKeyDiffers))
                    #expect(failure?.message.contains(own) == true)
                }
                tls.pinnedKeys = [own]
                _ = try await server.open(tls: tls)
            }
        }

        @Test("a server that wants to know the client is shown its certificate", arguments: [false, true])
        func identity(isLimitedToVersion12: Bool) async throws {
            try await SecureServer.with(
                \.server,
                {
                    $0.clientRoots = $1.authority
                    $0.isLimitedToVersion12 = isLimitedToVersion12
                }
            ) { server in
                let made = server.certificates
                var tls = server.trusting
                let nobody = await server.failure(tls: tls)
                #expect(nobody?.kind == .tls(.clientCertificateRefused))
                #expect(
                    nobody?.message.contains("set `tls.identity`") == true, "\(nobody?.message ?? "none")")
                tls.identity = TLSConfiguration.Identity(
                    certificates: made.strangersClient.certificate, key: made.strangersClient.key)
                let stranger = await server.failure(tls: tls)
                #expect(stranger?.kind == .tls(.clientCertificateRefused))
                #expect(
                    stranger?.message.contains("did not accept") == true, "\(stranger?.message ?? "none")")
                tls.identity = TLSConfiguration.Identity(
                    certificates: made.client.certificate, key: made.client.key)
                _ = try await server.open(tls: tls)
                tls.identity = TLSConfiguration.Identity(
                    certificates: made.client.certificate, key: made.lockedClientKey, passphrase: "secret")
                _ = try await server.open(tls: tls)
            }
        }

        @Test("a setting that cannot be used is named, at the first attempt")
        func misconfigured() async throws {
            try await SecureServer.with(\.server) { server in
                let made = server.certificates
                let pair = made.client
                func identity(
                    _ certificates: TLSConfiguration.PEM, _ key: TLSConfiguration.PEM,
                    _ passphrase: String? = nil
                ) -> TLSConfiguration {
                    TLSConfiguration(
                        roots: .only(made.authority),
                        identity: .init(certificates: certificates, key: key, passphrase: passphrase))
                }
                var damaged = try made.bytes(made.authority)
                damaged.replaceSubrange(100..<104, with: Array("????".utf8))
                let cut = try made.bytes(made.authority) + Array("\n".utf8) + damaged
                let cases: [(TLSConfiguration, String)] = [
                    (TLSConfiguration(roots: .only(.bytes([]))), "`tls.roots` holds no certificate"),
                    (TLSConfiguration(roots: .only(.bytes(Array("-----".utf8)))), "`tls.roots`"),
                    (TLSConfiguration(roots: .systemAnd(.bytes([0, 255]))), "`tls.roots`"),
                    (TLSConfiguration(roots: .only(.bytes(damaged))), "`tls.roots`"),
                    (TLSConfiguration(roots: .only(.bytes(cut))), "damaged certificate"),
                    (TLSConfiguration(roots: .only(.file("/nowhere/ca.pem"))), "/nowhere/ca.pem"),
                    (TLSConfiguration(roots: .only(.file("/"))), "`tls.roots`"),
                    (identity(pair.key, pair.key), "`tls.identity.certificates`"),
                    (identity(pair.certificate, pair.certificate), "`tls.identity.key`"),
                    (identity(pair.certificate, made.server.key), "is not the key"),
                    (identity(pair.certificate, made.lockedClientKey), "passphrase"),
                    (identity(pair.certificate, made.lockedClientKey, "wrong"), "passphrase"),
                ]
                for (tls, word) in cases {
                    let failure = await server.failure(tls: tls)
                    if failure?.kind == .missingLibrary, case .systemAnd = tls.roots { continue }
                    #expect(failure?.kind == .misconfigured, "\(word)")
                    #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "none")")
                }
            }
        }

        @Test("a server's certificate or key that cannot be used is an error when it starts to listen")
        func misconfiguredServer() async throws {
            let made = try Certificates.made.get()
            try await withLoop(.standard) { loop in
                for tls in [
                    ServerTLS(certificates: made.client.certificate, key: made.server.key),
                    ServerTLS(certificates: .bytes([]), key: made.server.key),
                ] {
                    #expect(throws: LinkFailure.self) {
                        _ = try EchoServer.listen(on: loop, tls: tls)
                    }
                }
            }
        }

        @Test("without the library a wss: link says what to install, and a ws: link never asks for it")
        func missingLibrary() async throws {
            let asked = Collector<TLSConfiguration>()
            let contexts = TLSContexts { configuration in
                asked.append(configuration)
                do throws(LinkFailure) {
                    _ = try TLSLibrary(names: ["libssl.so.0"])
                    return .failure(LinkFailure(.lost, "It was there."))
                } catch {
                    return .failure(error)
                }
            }
            let transport = SocketTransport(contexts: contexts)
            try await withLoop(.standard) { loop in
                let (_, listener) = try EchoServer.listen(on: loop)
                let plain = LinkRecorder.open(loop.request(listener.port), on: loop, transport: transport)
                await plain.untilOpen()
                #expect(asked.elements.isEmpty)
                var request = loop.request(listener.port)
                request.url = "wss://127.0.0.1:\(listener.port)/"
                let failure = await LinkRecorder.open(request, on: loop, transport: transport).untilEnd()
                    .last?
                    .failure
                #expect(failure?.kind == .missingLibrary)
                #expect(failure?.message.contains("libssl.so.0") == true)
                #expect(failure?.message.contains("Install libssl3") == true)
                plain.onLoop { $0.abandon() }
            }
        }

        @Test("a want of descriptors is told as that, and the next attempt loads the library")
        func shortage() throws {
            let made = MadeOnce<TLSLibrary>()
            for errno in [EMFILE, ENFILE, ENOMEM] {
                let text = String(cString: strerror(errno))
                var asked: [String] = []
                let answer = made.result { () throws(LinkFailure) in
                    try TLSLibrary(names: TLSLibrary.names) {
                        asked.append($0)
                        return .failed("\($0): cannot open shared object file: \(text)")
                    }
                }
                guard case .failure(let failure) = answer else {
                    Issue.record("It was loaded.")
                    continue
                }
                #expect(failure.kind == .unavailable)
                #expect(failure.message.contains(text))
                #expect(asked == [TLSLibrary.names[0]])
            }
            let load = { () throws(LinkFailure) in try TLSLibrary(names: TLSLibrary.names) }
            let library = try made.get(load)
            #expect(try made.get(load) === library)
        }

        @Test("a link that is closed or abandoned while certificates are read says so, or nothing")
        func closedWhilePreparing() async throws {
            let gate = Collector<Void>()
            let contexts = TLSContexts { _ in
                .failure(LinkFailure(.misconfigured, "late"))
            }
            try await withLoop(.standard) { loop in
                var request = loop.request(1)
                request.url = "wss://127.0.0.1:1/"
                let transport = SocketTransport(contexts: contexts)
                let closed = LinkRecorder.open(request, on: loop, transport: transport)
                closed.onLoop {
                    $0.close(.normal, reason: "")
                    gate.append(())
                }
                let reports = await closed.untilEnd()
                #expect(reports.count == 1)
                let abandoned = LinkRecorder.open(request, on: loop, transport: transport)
                abandoned.onLoop { $0.abandon() }
                _ = await loop.run { true }
                #expect(await loop.run { loop.descriptorCount } == 0)
            }
        }
    }
}
