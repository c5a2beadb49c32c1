// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    @Suite("Redirects")
    struct RedirectTests {
        /// A server that redirects what `place` names a place for, and greets everything else.
        ///
        /// `place` is given the target and the number of the connection.
        private func server(
            _ heads: Collector<String>, _ place: @escaping @Sendable (String, Int) -> (Int, String)?
        ) throws -> RawServer {
            try RawServer { connection, number in
                let head = connection.readHead()
                heads.append(head)
                let target = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
                if let (status, place) = place(target, number) {
                    connection.write(
                        "HTTP/1.1 \(status) Elsewhere\r\nLocation: \(place)\r\nContent-Length: 2\r\n\r\nno")
                } else {
                    connection.upgrade(head: head)
                    connection.greet()
                    _ = connection.readToEnd()
                }
            }
        }

        private func secrets(_ configuration: inout SenteClient.Configuration) {
            configuration.headers = ["User-Agent": "test", "X-Api-Key": "secret"]
            configuration.cookies = ["session": "secret", "theme": "dark"]
            configuration.parameters = ["client-id": "7"]
            configuration.tokenProvider = { _ in "secret" }
        }

        @Test(
            "redirects are followed, with credentials for the same origin", arguments: [301, 302, 307, 308])
        func sameOrigin(status: Int) async throws {
            let heads = Collector<String>()
            let server = try server(heads) { target, _ in
                target.hasPrefix("/?") ? (status, "chsk?moved=1") : nil
            }
            defer { server.stop() }
            let client = try client(server.port, secrets)
            try await client.connect()
            let (first, second) = (heads.elements[0], heads.elements[1])
            #expect(first.hasPrefix("GET /?client-id=7 HTTP/1.1\r\n"))
            #expect(second.hasPrefix("GET /chsk?moved=1 HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
            for head in [first, second] {
                #expect(head.contains("\r\nAuthorization: Bearer secret\r\n"))
                #expect(head.contains("\r\nCookie: session=secret; theme=dark\r\n"))
                #expect(head.contains("\r\nX-Api-Key: secret\r\n"))
            }
            #expect(client.metrics.connection.attempts == 1)
            await client.disconnect()
        }

        @Test("credentials do not go to another origin")
        func otherOrigin() async throws {
            let heads = Collector<String>()
            let other = try server(heads) { _, _ in nil }
            defer { other.stop() }
            let first = try server(Collector()) { _, _ in (302, "http://127.0.0.1:\(other.port)/there") }
            defer { first.stop() }
            let client = try client(first.port, secrets)
            try await client.connect()
            #expect(heads.elements[0].hasPrefix("GET /there HTTP/1.1\r\nHost: 127.0.0.1:\(other.port)\r\n"))
            #expect(heads.elements[0].contains("\r\nUser-Agent: test\r\n"))
            #expect(!heads.elements[0].contains("secret"))
            await client.disconnect()
        }

        @Test(
            "a loop, a long way and a wrong place have a clear end, and what waits is sent afterwards",
            arguments: [
                ("/?", "loop"), ("/x", "more than 5"), ("ftp://127.0.0.1/", "ftp"),
                ("", "loop"),
            ])
        func loops(place: String, words: String) async throws {
            // Attempts from the second one on are redirected, until the time has come.
            let isMended = Locked(false)
            let isGreeted = Locked(false)
            let heads = Collector<String>()
            let server = try server(heads) { target, number in
                if isGreeted.withLock({
                    let was = $0; $0 = true; return !was
                }) {
                    return nil
                }
                if isMended.withLock({ $0 }) { return nil }
                return (302, place == "/x" ? "/\(number)" : place == "/?" ? target : place)
            }
            defer { server.stop() }
            let client = try client(server.port)
            try await client.connect()
            let statuses = client.collectStatuses()
            client.reconnect()
            let delivery = try client.enqueue(Event(id: "app", data: ["n": 1]))
            let seen = try await statuses.first("the refusal") {
                $0.state == .reconnecting && $0.lastError?.httpStatus == 302
            }
            #expect(seen.lastError?.code == .refused)
            #expect(seen.lastError?.message.contains(words) == true, "\(String(describing: seen.lastError))")
            isMended.withLock { $0 = true }
            #expect(await delivery.outcome == .written)
            await client.disconnect()
        }

        @Test("a loop before the first greeting is final")
        func finalLoop() async throws {
            let heads = Collector<String>()
            let server = try server(heads) { target, _ in (308, target == "/" ? "/b" : "/") }
            defer { server.stop() }
            let client = try client(server.port) { $0.makesClientID = false }
            let failure = await error { () throws(SenteError) in try await client.connect() }
            #expect(failure?.code == .refused)
            #expect(failure?.message.contains("loop") == true)
            #expect(heads.elements.count == 2)
            #expect(client.state == .failed)
            await client.disconnect()
        }
    }
}
