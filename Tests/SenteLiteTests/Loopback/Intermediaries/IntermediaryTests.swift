// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// What stands in front of servers on the real network, as the system's packages have it.
    @Suite("Programs in front of the server")
    struct IntermediaryTests {
        private func client(
            _ intermediary: Intermediary, _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
        ) throws -> SenteClient {
            var configuration = SenteClient.Configuration()
            configuration.reconnect = .exponential(
                initial: .milliseconds(20), maximum: .milliseconds(100), attempts: nil)
            configuration.tls = TLSConfiguration(roots: .only(try Certificates.made.get().authority))
            configure(&configuration)
            return try SenteClient("wss://127.0.0.1:\(intermediary.port)/", configuration: configuration)
        }

        /// Works, stops the program, has something to send, starts it again, and works.
        private func survive(restartOf intermediary: Intermediary) async throws {
            let client = try client(intermediary)
            try await client.connect()
            let first = client.status.identity
            let news = try await client.subscribe("news")
            let text = String(repeating: "x", count: 300_000)
            try await client.publish(["text": .string(text)], to: "news")
            #expect(try await news.take(1).first?.data == ["text": .string(text)])

            let statuses = client.collectStatuses()
            try await intermediary.stop()
            let seen = try await statuses.first("the loss") { $0.state == .reconnecting }
            #expect(seen.lastError?.code == .connectionLost)
            let delivery = try client.enqueue(Event(id: "app", data: ["n": 2]))
            _ = try await statuses.first("an attempt in vain") { $0.lastError?.code == .unreachable }
            try await intermediary.start()
            #expect(await delivery.outcome == .written)
            try await client.publish(["n": 3], to: "news")
            #expect(try await news.take(1).first?.data == ["n": 3])
            #expect(client.status.identity != first)
            await client.disconnect()
        }

        // MARK: nginx

        @Test(
            "A client behind nginx works over wss, and again after nginx was stopped and started",
            .needs(.nginx))
        func nginxRestart() async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    try .nginx($0, to: port)
                } _: {
                    try await survive(restartOf: $0)
                }
            }
        }

        @Test(
            "While nginx finds no server behind it the client is told 502, and comes back with it",
            .needs(.nginx))
        func nginxAlone() async throws {
            try await withServer { server, port in
                try await Intermediary.with {
                    try .nginx($0, to: port)
                } _: { intermediary in
                    let client = try client(intermediary)
                    try await client.connect()
                    let statuses = client.collectStatuses()
                    await server.stop()
                    let delivery = try client.enqueue(Event(id: "app", data: ["n": 1]))
                    let seen = try await statuses.first("nginx's answer") { $0.lastError?.httpStatus == 502 }
                    #expect(seen.lastError?.code == .serverUnavailable)
                    try await server.start(port: port)
                    try await client.reaches(.open)
                    #expect(await delivery.outcome == .written)
                    await client.disconnect()
                }
            }
        }

        @Test(
            "A link on which the heartbeat is slower than nginx's patience is cut, comes back, and loses nothing",
            .needs(.nginx))
        func nginxImpatient() async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    try .nginx($0, to: port, readTimeout: 2)
                } _: { intermediary in
                    try await lose(2, with: client(intermediary))
                }
            }
        }

        // MARK: haproxy

        @Test(
            "Where haproxy cuts idle links, one with a faster heartbeat stays, and one without comes back with all it had to send",
            .needs(.haproxy))
        func haproxyIdle() async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    try .haproxy($0, to: port, tunnelTimeout: 2)
                } _: { intermediary in
                    let lively = try client(intermediary) {
                        $0.heartbeat = Heartbeat(interval: .milliseconds(500))
                    }
                    try await lively.connect()
                    let statuses = lively.collectStatuses()
                    try await lose(3, with: client(intermediary))
                    #expect(statuses.elements == [])
                    #expect(lively.state == .open)
                    await lively.disconnect()
                }
            }
        }

        /// Waits for cuts of the idle link, that many; what is sent after each must arrive, and the wish must be restored.
        private func lose(_ count: Int, with client: SenteClient) async throws {
            let arrivals = Collector<Value?>()
            client.on("echo") { arrivals.append($0.data["original"]?["n"]) }
            try await client.connect()
            let news = try await client.subscribe("news")
            let statuses = client.collectStatuses()
            for cut in 1...count {
                let seen = try await statuses.wait("loss \(cut)") {
                    $0.count { $0.state == .reconnecting } >= cut
                }
                let loss = seen.last { $0.state == .reconnecting }
                #expect(loss?.lastError?.code == .connectionLost)
                #expect(loss?.lastClose?.code == .abnormal)
                let deliveries = try (0..<10).map {
                    try client.enqueue(Event(id: "app", data: ["n": Value(cut * 10 + $0)]))
                }
                for delivery in deliveries { #expect(await delivery.outcome == .written) }
                try await client.publish(["cut": Value(cut)], to: "news")
                #expect(try await news.take(1).first?.data == ["cut": Value(cut)])
            }
            try await arrivals.wait("the last of them") { $0.count >= count * 10 }
            #expect(arrivals.elements == (10..<10 + count * 10).map { Value($0) })
            await client.disconnect()
        }

        // MARK: stunnel

        @Test(
            "A client behind stunnel works, and again after stunnel was stopped and started", .needs(.stunnel)
        )
        func stunnelRestart() async throws {
            try await withServer { _, port in
                try await Intermediary.with {
                    try .stunnel($0, to: port)
                } _: {
                    try await survive(restartOf: $0)
                }
            }
        }

        @Test(
            "A client that trusts another authority than stunnel's is told so, and gives up", .needs(.stunnel)
        )
        func stunnelStranger() async throws {
            let authority = try Certificates.made.get().strangersAuthority
            try await withServer { _, port in
                try await Intermediary.with {
                    try .stunnel($0, to: port)
                } _: { intermediary in
                    let client = try client(intermediary) {
                        $0.tls = TLSConfiguration(roots: .only(authority))
                    }
                    let failure = await error { () throws(SenteError) in try await client.connect() }
                    #expect(failure?.code == .unknownAuthority)
                    #expect(client.state == .failed)
                }
            }
        }
    }
}
