// SPDX-License-Identifier: Apache-2.0

import SampleTestSupport
import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

extension Loopback {
    @Suite("Proxies")
    struct ProxyTests {
        private func client(
            _ port: Int, through proxy: String,
            _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
        ) throws(SenteError) -> SenteClient {
            var configuration = SenteClient.Configuration()
            configuration.reconnect = .exponential(
                initial: .milliseconds(20), maximum: .milliseconds(100), attempts: nil)
            configuration.proxy = .url(proxy)
            configure(&configuration)
            return try SenteClient("ws://server.test:\(port)/", configuration: configuration)
        }

        /// The end of a first attempt that is not tried again.
        private func failure(through proxy: String, to port: Int = 1) async throws -> SenteError? {
            let client = try client(port, through: proxy) { $0.reconnect = .never }
            let failure = await error { () throws(SenteError) in try await client.connect() }
            #expect(client.state == .failed)
            await client.disconnect()
            return failure
        }

        @Test(
            "a client works through either kind, with and without a login, and the proxy looks the name up",
            arguments: TestProxy.Kind.allCases, [nil, "us%40er:p:w"])
        func through(kind: TestProxy.Kind, login: String?) async throws {
            try await withServer { _, port in
                let expected = login.map { $0.replacing("%40", with: "@") }
                let proxy = try TestProxy(kind, login: expected) { _ in .lead(port: port) }
                defer { proxy.stop() }
                let client = try client(port, through: proxy.url(login))
                try await client.connect()
                let news = try await client.subscribe("news")
                let text = String(repeating: "x", count: 300_000)
                try await client.publish(["text": .string(text)], to: "news")
                #expect(try await news.take(1).first?.data["text"] == .string(text))
                #expect(
                    proxy.requests.elements == [
                        TestProxy.Request(host: "server.test", port: port, login: expected)
                    ])
                await client.disconnect()
            }
        }

        @Test(
            "TLS goes through the tunnel, and its checks are the server's",
            .enabled(if: Certificates.problem == nil, "\(Certificates.problem ?? "")"),
            arguments: TestProxy.Kind.allCases)
        func secure(kind: TestProxy.Kind) async throws {
            let certificates = try Certificates.made.get()
            let pair = certificates.server
            let tls = ServerTLS(certificates: pair.certificate, key: pair.key)
            try await withServer({ $0.tls = tls }) { _, port in
                let proxy = try TestProxy(kind, login: "user:secret") { _ in .lead(port: port) }
                defer { proxy.stop() }
                var configuration = SenteClient.Configuration()
                configuration.proxy = .url(proxy.url("user:secret"))
                configuration.tls = TLSConfiguration(roots: .only(certificates.authority))
                let client = try SenteClient("wss://www.example.test:\(port)/", configuration: configuration)
                try await client.connect()
                let text = String(repeating: "x", count: 300_000)
                try await client.send(Event(id: "app", data: ["text": .string(text)]))
                _ = try await client.ping()
                #expect(proxy.requests.elements.map(\.host) == ["www.example.test"])
                await client.disconnect()
                configuration.reconnect = .never
                let stranger = try SenteClient("wss://other.test:\(port)/", configuration: configuration)
                let failure = await error { () throws(SenteError) in try await stranger.connect() }
                #expect(failure?.code == .wrongHost)
                #expect(failure?.proxy == nil)
                await stranger.disconnect()
            }
        }

        @Test("the proxy's login is not shown to the server", arguments: TestProxy.Kind.allCases)
        func secrecy(kind: TestProxy.Kind) async throws {
            let heads = Collector<String>()
            let server = try RawServer { connection, _ in heads.append(connection.readHead()) }
            defer { server.stop() }
            let proxy = try TestProxy(kind, login: "user:secret") { _ in .lead(port: server.port) }
            defer { proxy.stop() }
            _ = try await failure(through: proxy.url("user:secret"), to: server.port)
            let head = try await heads.first("the request") { _ in true }
            #expect(head.hasPrefix("GET /?client-id="))
            #expect(head.contains(" HTTP/1.1\r\nHost: server.test:\(server.port)\r\n"))
            #expect(!head.lowercased().contains("authorization"))
            #expect(!head.contains("user"))
        }

        @Test(
            "each refusal has its own error",
            arguments: [
                (TestProxy.Kind.http, 403, ProxyFailure.status(403), SenteError.Code.proxyRefused),
                (.http, 404, .status(404), .proxyRefused), (.http, 502, .status(502), .unreachable),
                (.http, 503, .status(503), .unreachable), (.socks5, 1, .reply(1), .unreachable),
                (.socks5, 2, .reply(2), .proxyRefused), (.socks5, 3, .reply(3), .unreachable),
                (.socks5, 4, .reply(4), .unreachable), (.socks5, 5, .reply(5), .unreachable),
                (.socks5, 6, .reply(6), .unreachable), (.socks5, 7, .reply(7), .proxyRefused),
                (.socks5, 8, .reply(8), .proxyRefused),
            ])
        func refusals(kind: TestProxy.Kind, code: Int, reason: ProxyFailure, error: SenteError.Code)
            async throws
        {
            let proxy = try TestProxy(kind) { _ in .refuse(code) }
            defer { proxy.stop() }
            let failure = try await failure(through: proxy.url())
            #expect(failure?.code == error)
            #expect(failure?.proxy == reason)
            #expect(failure?.httpStatus == (kind == .http ? code : nil))
            #expect(failure?.message.contains("127.0.0.1:\(proxy.port)") == true)
        }

        @Test(
            "a missing login and a wrong one are told apart, and neither is tried again before the first greeting",
            arguments: [
                (TestProxy.Kind.http, nil, ProxyFailure.status(407)), (.http, "user:wrong", .status(407)),
                (.socks5, nil, .noAcceptableMethod), (.socks5, "user:wrong", .credentialsRefused),
            ])
        func logins(kind: TestProxy.Kind, login: String?, reason: ProxyFailure) async throws {
            let proxy = try TestProxy(kind, login: "user:secret") { _ in .refuse(1) }
            defer { proxy.stop() }
            let client = try client(1, through: proxy.url(login))
            let failure = await error { () throws(SenteError) in try await client.connect() }
            #expect(failure?.code == .proxyUnauthorized)
            #expect(failure?.proxy == reason)
            #expect(failure?.message.contains("wrong") == false)
            #expect(client.state == .failed)
            #expect(proxy.requests.elements.isEmpty)
            await client.disconnect()
        }

        @Test(
            "a proxy that is not there is told apart from a server that is not there",
            arguments: TestProxy.Kind.allCases)
        func unreachable(kind: TestProxy.Kind) async throws {
            // The discard port: nobody listens there.
            let noProxy = try await failure(through: "\(kind.rawValue)://127.0.0.1:9")
            #expect(noProxy?.code == .proxyUnreachable)
            #expect(noProxy?.proxy == .unreachable)
            let proxy = try TestProxy(kind) { _ in .lead(port: 9) }
            defer { proxy.stop() }
            let noServer = try await failure(through: proxy.url())
            #expect(noServer?.code == .unreachable)
            #expect(noServer?.proxy == (kind == .http ? .status(502) : .reply(5)))
        }

        @Test("exceptions are reached directly")
        func exceptions() async throws {
            try await withServer { _, port in
                let client = try Loopback.client(port) {
                    $0.proxy = .url("http://127.0.0.1:9", except: ["127.0.0.0/8"])
                }
                try await client.connect()
                await client.disconnect()
            }
        }

        @Test("the console takes a proxy, which its environment gives as well")
        func console() async throws {
            try await withServer { _, port in
                let proxy = try TestProxy(.socks5) { _ in .lead(port: port) }
                defer { proxy.stop() }
                let client = try SampleProcess(["ws://server.test:\(port)/", "--proxy", proxy.url()])
                try await client.open()
                #expect(proxy.requests.elements.map(\.host) == ["server.test"])
                #expect(try await client.quit() == 0)
                let other = try SampleProcess(
                    ["ws://other.test:\(port)/"], environment: ["http_proxy": proxy.url()])
                try await other.open()
                #expect(proxy.requests.elements.map(\.host) == ["server.test", "other.test"])
                #expect(try await other.quit() == 0)
                let direct = try SampleProcess(
                    ["ws://127.0.0.1:\(port)/", "--proxy", "none"], environment: ["all_proxy": proxy.url()])
                try await direct.open()
                #expect(try await direct.quit() == 0)
                #expect(proxy.requests.elements.count == 2)
            }
        }

        @Test(
            "a proxy's URL that is none is refused at the start, and its password is not shown",
            arguments: [
                "https://u:secret@127.0.0.1:1", "ftp://h", "http://u:secret@h:x", "http://u%:secret@h", "",
            ])
        func wrongURL(proxy: String) {
            let failure = #expect(throws: SenteError.self) { _ = try client(1, through: proxy) }
            #expect(failure?.code == .invalidArgument)
            #expect(failure?.message.contains("secret") == false)
        }

        // MARK: Bad proxies

        struct Trouble: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let kind: TestProxy.Kind
            let reason: ProxyFailure
            let code: SenteError.Code
            let act: @Sendable (RawConnection) -> Void

            init(
                _ name: String, _ kind: TestProxy.Kind, _ reason: ProxyFailure, _ code: SenteError.Code,
                _ act: @escaping @Sendable (RawConnection) -> Void
            ) {
                testDescription = "\(kind): \(name)"
                self.kind = kind
                self.reason = reason
                self.code = code
                self.act = act
            }
        }

        static let troubles: [Trouble] =
            TestProxy.Kind.allCases.flatMap { kind in
                [
                    Trouble("nothing at all", kind, .silent, .timedOut) { _ in },
                    Trouble("the end at once", kind, .ended, .proxyUnreachable) { $0.endWriting() },
                    Trouble("noise", kind, .malformed, .protocolMismatch) {
                        $0.write((0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) })
                    },
                    Trouble("another protocol", kind, .malformed, .protocolMismatch) {
                        $0.write("SSH-2.0-OpenSSH_9.2\r\n")
                    },
                ]
            } + [
                Trouble("an answer that is cut", .http, .ended, .proxyUnreachable) {
                    $0.write("HTTP/1.1 200 Conn")
                    $0.endWriting()
                },
                Trouble("an endless head", .http, .malformed, .protocolMismatch) {
                    $0.write("HTTP/1.1 200 OK\r\n")
                    for number in 0..<2_000 {
                        $0.write("X-\(number): \(String(repeating: "x", count: 64))\r\n")
                    }
                },
                Trouble("an answer that is cut", .socks5, .ended, .proxyUnreachable) {
                    $0.write([5, 0, 5, 0, 0, 3, 200, 1])
                    $0.endWriting()
                },
                Trouble("a method that was not offered", .socks5, .malformed, .protocolMismatch) {
                    $0.write([5, 2])
                },
            ]

        @Test(
            "a proxy in trouble has a clear end within the limit, and what waits is sent afterwards",
            arguments: troubles)
        func trouble(_ trouble: Trouble) async throws {
            try await withServer { _, port in
                // The second attempt of three: a client that was greeted once does not give up.
                let proxy = try TestProxy(trouble.kind, trouble: (1, trouble.act)) { _ in .lead(port: port) }
                defer { proxy.stop() }
                let client = try client(port, through: proxy.url()) {
                    $0.timeouts.connect = trouble.reason == .silent ? .milliseconds(500) : .seconds(30)
                }
                try await client.connect()
                let statuses = client.collectStatuses()
                client.reconnect()
                let delivery = try client.enqueue(Event(id: "app", data: ["n": 1]))
                let seen = try await statuses.first("the trouble") { $0.lastError?.proxy == trouble.reason }
                #expect(seen.lastError?.code == trouble.code)
                #expect(await delivery.outcome == .written)
                await client.disconnect()
            }
        }
    }
}
