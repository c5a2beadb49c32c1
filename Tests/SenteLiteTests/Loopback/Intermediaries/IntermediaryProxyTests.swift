// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteWire
import Testing

extension Loopback {
    /// Proxies that others wrote, as the system's packages have them.
    @Suite("Proxies of the system")
    struct IntermediaryProxyTests {
        private func client(_ server: Int, through proxy: String) throws -> SenteClient {
            var configuration = SenteClient.Configuration()
            configuration.reconnect = .never
            configuration.proxy = .url(proxy)
            return try SenteClient("ws://localhost:\(server)/", configuration: configuration)
        }

        private func work(_ server: Int, through proxy: String) async throws {
            let client = try client(server, through: proxy)
            try await client.connect()
            let news = try await client.subscribe("news")
            let text = String(repeating: "x", count: 300_000)
            try await client.publish(["text": .string(text)], to: "news")
            #expect(try await news.take(1).first?.data == ["text": .string(text)])
            await client.disconnect()
        }

        /// Why a client does not get through.
        private func failure(_ server: Int, through proxy: String) async throws -> SenteError? {
            let client = try client(server, through: proxy)
            let failure = await error { () throws(SenteError) in try await client.connect() }
            #expect(client.state == .failed)
            return failure
        }

        // MARK: tinyproxy

        @Test("tinyproxy lets through who has the password, and tells who has not", .needs(.tinyproxy))
        func tinyproxyLogin() async throws {
            try await withServer { _, port in
                let rules = ["BasicAuth user secret", "ConnectPort \(port)"]
                try await Intermediary.with {
                    .tinyproxy($0, rules)
                } _: { intermediary in
                    try await work(port, through: "http://user:secret@127.0.0.1:\(intermediary.port)")
                    // Of the two it answers 407 to a missing password only, and 401 to a wrong one.
                    for (login, status) in [("", 407), ("user:wrong@", 401)] {
                        let failure = try await failure(
                            port, through: "http://\(login)127.0.0.1:\(intermediary.port)")
                        #expect(failure?.code == .proxyUnauthorized)
                        #expect(failure?.proxy == .status(status))
                        #expect(failure?.httpStatus == status)
                        #expect(failure?.message.contains("wrong") == false)
                    }
                }
            }
        }

        @Test(
            "A port or a host that tinyproxy forbids is refused with its own error", .needs(.tinyproxy),
            arguments: [(["ConnectPort 1"], ""), ([], "^localhost$")])
        func tinyproxyForbids(rules: [String], filter: String) async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    .tinyproxy($0, rules, filter: filter)
                } _: { intermediary in
                    let failure = try await failure(port, through: "http://127.0.0.1:\(intermediary.port)")
                    #expect(failure?.code == .proxyRefused)
                    #expect(failure?.proxy == .status(403))
                    #expect(failure?.httpStatus == 403)
                }
            }
        }

        // MARK: SOCKS

        @Test(
            "A SOCKS server without a password leads to the server, whose name it looks up",
            .needs(.microsocks))
        func socks() async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    .microsocks($0)
                } _: { intermediary in
                    try await work(port, through: "socks5://127.0.0.1:\(intermediary.port)")
                    // The discard port: nobody listens there.
                    let failure = try await failure(9, through: "socks5://127.0.0.1:\(intermediary.port)")
                    #expect(failure?.code == .unreachable)
                    #expect(failure?.proxy == .reply(5))
                }
            }
        }

        @Test("A SOCKS server with a password tells a missing one and a wrong one apart", .needs(.microsocks))
        func socksLogin() async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    .microsocks($0, ["-u", "user", "-P", "secret"])
                } _: { intermediary in
                    try await work(port, through: "socks5://user:secret@127.0.0.1:\(intermediary.port)")
                    let missing = try await failure(port, through: "socks5://127.0.0.1:\(intermediary.port)")
                    #expect(missing?.code == .proxyUnauthorized)
                    #expect(missing?.proxy == .noAcceptableMethod)
                    let wrong = try await failure(
                        port, through: "socks5://user:wrong@127.0.0.1:\(intermediary.port)")
                    #expect(wrong?.code == .proxyUnauthorized)
                    #expect(wrong?.proxy == .credentialsRefused)
                    #expect(wrong?.message.contains("wrong") == false)
                }
            }
        }
    }
}
