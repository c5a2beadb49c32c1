// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    @Suite("Providers and endpoints")
    struct ProviderTests {
        private struct Locked403: Error {}

        @Test("a token provider that throws costs the attempt, and what waits is sent afterwards")
        func throwing() async throws {
            try await withServer { _, port in
                let calls = Locked(0)
                let client = try client(port) {
                    $0.tokenProvider = { _ in
                        let call = calls.withLock { count in
                            count += 1
                            return count
                        }
                        if call == 2 { throw Locked403() }
                        return "token"
                    }
                }
                try await client.connect()
                let statuses = client.collectStatuses()
                client.reconnect()
                let delivery = try client.enqueue(Event(id: "app", data: ["n": 1]))
                let seen = try await statuses.first("the failure") { $0.lastError?.code == .providerFailed }
                #expect(seen.lastError?.underlying?.contains("Locked403") == true)
                #expect(await delivery.outcome == .written)
                #expect(calls.withLock { $0 } == 3)
                await client.disconnect()
            }
        }

        @Test(
            "a provider that never returns meets the limit, and its late answer changes nothing",
            arguments: [0, 1, 2])
        func hanging(kind: Int) async throws {
            try await withServer { _, port in
                let hanging = Locked<[CheckedContinuation<Void, Never>]>([])
                let calls = Locked(0)
                // Deaf to cancellation, as a provider may be.
                let hang: @Sendable () async -> Void = {
                    let call = calls.withLock { count in
                        count += 1
                        return count
                    }
                    guard call == 2 else { return }
                    await withCheckedContinuation { continuation in
                        hanging.withLock { $0.append(continuation) }
                    }
                }
                let client = try client(port) {
                    $0.timeouts.connect = .milliseconds(500)
                    switch kind {
                    case 0:
                        $0.tokenProvider = { _ in
                            await hang()
                            return "token"
                        }
                    case 1:
                        $0.parametersProvider = { _ in
                            await hang()
                            return ["csrf-token": "token"]
                        }
                    default:
                        $0.endpointProvider = EndpointProvider {
                            await hang()
                            return try #require(URL(string: "ws://127.0.0.1:\(port)/"))
                        }
                    }
                }
                try await client.connect()
                let statuses = client.collectStatuses()
                client.reconnect()
                let delivery = try client.enqueue(Event(id: "app", data: ["n": 1]))
                let seen = try await statuses.first("the failure") { $0.lastError?.code == .timedOut }
                #expect(seen.lastError?.message.contains("provider") == true)
                #expect(await delivery.outcome == .written)
                hanging.withLock { waiting in
                    for continuation in waiting { continuation.resume() }
                    waiting = []
                }
                _ = try await client.ping()
                #expect(client.state == .open)
                await client.disconnect()
            }
        }

        @Test("providers are asked before every attempt, and anew when the server refused them")
        func refused() async throws {
            let heads = Collector<String>()
            let server = try RawServer { connection, number in
                let head = connection.readHead()
                heads.append(head)
                if number == 1 {
                    connection.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                } else {
                    connection.upgrade(head: head)
                    connection.greet()
                    _ = connection.readToEnd()
                }
            }
            defer { server.stop() }
            let client = try client(server.port) {
                $0.parameters = ["b": "ü", "a": "1"]
                $0.makesClientID = false
                $0.parametersProvider = { reason in ["csrf-token": "+\(reason.rawValue)"] }
                $0.tokenProvider = { reason in reason == .refused ? "new" : "old" }
            }
            try await client.connect()
            client.reconnect()
            let seen = try await heads.wait("three requests") { $0.count == 3 }
            for (head, reason) in zip(seen, ["connecting", "connecting", "refused"]) {
                #expect(head.hasPrefix("GET /?b=%C3%BC&a=1&csrf-token=%2B\(reason) HTTP/1.1\r\n"))
                #expect(head.contains("Authorization: Bearer \(reason == "refused" ? "new" : "old")\r\n"))
            }
            await client.disconnect()
        }

        @Test("the next URL of the list is tried when one fails, even for good; the last good one first")
        func endpoints() async throws {
            let requests = Collector<String>()
            let missing = try RawServer { connection, _ in
                connection.readHead()
                requests.append("missing")
                connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            }
            defer { missing.stop() }
            try await withServer { server, port in
                // The discard port: nobody listens there.
                let client = try client(9) {
                    $0.endpoints = ["ws://127.0.0.1:\(missing.port)/", "ws://127.0.0.1:\(port)/"]
                }
                try await client.connect()
                #expect(client.metrics.connection.attempts == 3)
                #expect(requests.elements == ["missing"])
                client.reconnect()
                try await eventually("the second connection") {
                    client.metrics.connection.reconnects == 1
                }
                #expect(client.metrics.connection.attempts == 4)
                #expect(requests.elements == ["missing"])
                await client.disconnect()
            }
        }

        @Test("when every URL of the list fails for good, the client does")
        func allFail() async throws {
            let server = try RawServer { connection, _ in
                connection.readHead()
                connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            }
            defer { server.stop() }
            let client = try client(server.port) {
                $0.endpoints = ["ws://127.0.0.1:\(server.port)/b", "ws://127.0.0.1:\(server.port)/c"]
                $0.endpointOrder = .shuffled
            }
            let failure = await error { () throws(SenteError) in try await client.connect() }
            #expect(failure?.httpStatus == 404)
            #expect(client.state == .failed)
            #expect(client.metrics.connection.attempts == 3)
            await client.disconnect()
        }
    }
}
