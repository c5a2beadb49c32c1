// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite(
        "Hostile TLS", .timeLimit(.minutes(2)),
        .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"))
    struct HostileTLSTests {
        /// Why a `wss:` link to a raw server failed.
        private func failure(
            opening: Duration = .seconds(20), _ serve: @escaping @Sendable (RawConnection) -> Void
        ) async throws -> LinkFailure? {
            let server = try RawServer(serve)
            return try await withLoop(.standard) { loop in
                await failure(on: loop, port: UInt16(server.port), opening: opening)
            }
        }

        private func failure(
            on loop: EventLoop, port: UInt16, opening: Duration = .seconds(20)
        ) async -> LinkFailure? {
            var request = loop.request(port, opening: opening)
            request.url = "wss://localhost:\(port)/"
            request.tls.verification = .dangerouslyDisabled
            let reports = await LinkRecorder.open(request, on: loop).untilEnd()
            #expect(reports.count { $0.isLast } == 1)
            let held = await loop.run { (loop.descriptorCount, loop.timerCount) }
            #expect(held == (0, 0))
            return reports.last?.failure
        }

        @Test("a server that accepts and says nothing is given up at the limit of opening")
        func silence() async throws {
            let failure = try await failure(opening: .milliseconds(200)) { $0.drain() }
            #expect(failure?.kind == .timedOut)
            #expect(failure?.message == "The TLS handshake took too long.")
        }

        @Test(
            "a server that speaks no TLS is told apart",
            arguments: [
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
                "\u{0}\u{0}\u{0}\u{0}\u{0}",
                "220 mail ready\r\n",
            ])
        func plain(banner: String) async throws {
            let failure = try await failure {
                _ = $0.read()
                $0.write(Array(banner.utf8))
                $0.drain()
            }
            #expect(failure?.kind == .tls(.failed))
            #expect(failure?.message.contains("does not speak TLS") == true, "\(failure?.message ?? "none")")
        }

        @Test(
            "a server's alert is told",
            arguments: [
                (70, LinkFailure.Kind.tls(.failed), "TLS 1.2 or later"),
                (112, .tls(.failed), "no host of that name"),
                (40, .tls(.failed), "refused"), (120, .tls(.failed), "HTTP/1.1"), (80, .lost, "of its own"),
                (116, .tls(.clientCertificateRefused), "tls.identity"),
            ] as [(UInt8, LinkFailure.Kind, String)])
        func alerts(number: UInt8, kind: LinkFailure.Kind, word: String) async throws {
            let failure = try await failure {
                _ = $0.read()
                $0.write([21, 3, 3, 0, 2, 2, number])
                $0.drain()
            }
            #expect(failure?.kind == kind)
            #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "none")")
        }

        @Test("a server that chooses TLS 1.1 is refused")
        func oldVersion() async throws {
            let failure = try await failure {
                _ = $0.read()
                let hello: [UInt8] = [3, 2] + [UInt8](repeating: 7, count: 32) + [0, 0xC0, 0x13, 0]
                $0.write([22, 3, 2, 0, UInt8(hello.count + 4), 2, 0, 0, UInt8(hello.count)] + hello)
                $0.drain()
            }
            #expect(failure?.kind == .tls(.failed))
            #expect(failure?.message.contains("TLS 1.2 or later") == true, "\(failure?.message ?? "none")")
        }

        @Test("records of garbage end the link, whatever they claim to be")
        func garbage() async throws {
            let server = try RawServer { connection in
                var generator = SystemRandomNumberGenerator()
                _ = connection.read()
                let count = Int.random(in: 0...300, using: &generator)
                let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let type = UInt8.random(in: 20...24, using: &generator)
                connection.write([type, 3, 3, UInt8(count >> 8), UInt8(count & 255)] + body)
            }
            try await withLoop(.standard) { loop in
                for _ in 0..<60 {
                    let failure = await failure(on: loop, port: UInt16(server.port))
                    #expect(
                        failure.map {
                            [.tls(.failed), .lost, .tls(.clientCertificateRefused)].contains($0.kind)
                        }
                            == true)
                }
            }
        }

        @Test("an end or a reset in the middle is a connection that was lost", arguments: [false, true])
        func ended(byReset: Bool) async throws {
            let failure = try await failure {
                _ = $0.read(16)
                if byReset { $0.reset() }
            }
            #expect(failure?.kind == .lost)
            #expect(failure?.message.contains("TLS handshake") == true, "\(failure?.message ?? "none")")
        }

        @Test("cut after any number of bytes, a link ends once and leaves nothing behind")
        func cutAnywhere() async throws {
            try await SecureServer.with(\.server) { server in
                let more = Message.binary([UInt8](repeating: 1, count: 500))
                server.scripted.opened = { $0.send(more) }
                let limit = Locked(0)
                let relay = try RawServer {
                    $0.relay(to: Int(server.port), step: .max, limit: limit.withLock { $0 })
                }
                var opened = false
                for cut in stride(from: 0, to: 4_000, by: 37) where !opened {
                    limit.withLock { $0 = cut }
                    let failure = await failure(on: server.loop, port: UInt16(relay.port))
                    // Once the answer to the upgrade fits in, the link is open before it is cut.
                    #expect(failure?.kind == .lost, "\(cut): \(failure?.message ?? "none")")
                    opened = failure?.message == "The connection ended without a close frame."
                }
                #expect(opened)
            }
        }

        @Test("bytes that come one by one make the same connection")
        func oneByOne() async throws {
            try await SecureServer.with(\.server) { server in
                let relay = try RawServer { $0.relay(to: Int(server.port), step: 1, limit: .max) }
                let connection = try await WebSocketConnection.open(
                    "wss://localhost:\(relay.port)/", tls: server.trusting, on: server.loop)
                let message = Message.binary([UInt8](repeating: 9, count: 20_000))
                connection.send(message)
                #expect(await connection.receive() == message)
                connection.close()
                #expect(await connection.receive() == nil)
            }
        }

        @Test("a byte that is changed on the way ends the link, and its bytes are never believed")
        func changed() async throws {
            try await SecureServer.with(\.server) { server in
                let place = Locked(0)
                let relay = try RawServer {
                    $0.relay(to: Int(server.port), step: .max, limit: .max, flip: place.withLock { $0 })
                }
                for flip in stride(from: 0, to: 1_200, by: 61) {
                    place.withLock { $0 = flip }
                    // Flipped bits can turn a length so large that more is waited for: within the limit of opening.
                    let failure = await failure(
                        on: server.loop, port: UInt16(relay.port), opening: .milliseconds(500))
                    if let failure {
                        #expect(
                            [.tls(.failed), .lost, .timedOut, .tls(.clientCertificateRefused)].contains(
                                failure.kind),
                            "\(flip): \(failure.message)")
                    }
                }
            }
        }

        @Test("a server secured by TLS ends a client that speaks plain HTTP, one that is silent, and garbage")
        func hostileClients() async throws {
            var limits = LinkLimits()
            limits.handshake = .milliseconds(300)
            let made = try Certificates.made.get()
            let serverLoop = try EventLoop()
            defer { serverLoop.shutDown() }
            let tls = ServerTLS(certificates: made.server.certificate, key: made.server.key)
            let (scripted, listener) = try EchoServer.listen(on: serverLoop, limits: limits, tls: tls)
            for (bytes, kind) in [
                (Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), LinkFailure.Kind.tls(.failed)),
                ([], .timedOut),
                ([22, 3, 1, 0, 4, 1, 0, 0, 0], .tls(.failed)),
            ] as [([UInt8], LinkFailure.Kind)] {
                let before = scripted.ends.elements.count
                let client = try #require(RawConnection(port: Int(listener.port)))
                client.write(bytes)
                client.drain()
                client.close()
                let end = await scripted.ends.wait { $0.count > before }[before]
                guard case .failed(let failure) = end else {
                    Issue.record("\(end)")
                    continue
                }
                #expect(failure.kind == kind, "\(failure.message)")
            }
        }
    }
}
