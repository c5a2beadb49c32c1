// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite("HTTP client", .timeLimit(.minutes(5)))
    struct HTTPClientTests {
        @Test("a large body goes and comes whole, and a bad answer is an answer")
        func exchange() async throws {
            let body = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let received = Locked<[UInt8]>([])
            let server = try RawServer(isConcurrent: true) { connection, number in
                let head = connection.readHead()
                if head.hasPrefix("PUT") {
                    received.withLock { $0 = connection.take(body.count) ?? [] }
                    return connection.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
                }
                guard head.hasPrefix("GET /whole ") else {
                    return connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
                }
                connection.write("HTTP/1.1 200 OK\r\n\r\n")
                connection.write(body)
            }
            defer { server.stop() }
            try await withLoop(.poll) { loop in
                let client = HTTPClient(on: loop)
                let base = "http://127.0.0.1:\(server.port)"
                let put = try await client.put(body, to: "\(base)/x", timeout: .seconds(60))
                #expect(put.status == 201)
                #expect(received.withLock { $0 } == body)
                let got = try await client.get("\(base)/whole", limit: body.count, timeout: .seconds(60))
                #expect(got.body == body)
                let missing = try await client.get("\(base)/missing", limit: 1, timeout: .seconds(60))
                #expect(missing.status == 404)
                #expect(missing.body == Array("no".utf8))
            }
        }

        @Test("what cannot be asked, reached or waited for is a failure of its kind")
        func failures() async throws {
            try await withLoop(.poll) { loop in
                let client = HTTPClient(on: loop)
                let wrong = await #expect(throws: LinkFailure.self) {
                    try await client.get("ws://127.0.0.1/", limit: 1, timeout: .seconds(60))
                }
                #expect(wrong?.kind == .misconfigured)
                let nobody = await #expect(throws: LinkFailure.self) {
                    try await client.get("http://127.0.0.1:1/", limit: 1, timeout: .seconds(60))
                }
                #expect(nobody?.kind == .unreachable)
            }
            let loop = try EventLoop()
            loop.shutDown()
            let late = await #expect(throws: LinkFailure.self) {
                try await HTTPClient(on: loop).get("http://127.0.0.1:1/", limit: 1, timeout: .seconds(60))
            }
            #expect(late?.kind == .unavailable)
        }

        @Test("who is cancelled before it began asks nothing")
        func cancelled() async throws {
            try await withLoop(.poll) { loop in
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await HTTPClient(on: loop).get(
                        "http://127.0.0.1:1/", limit: 1, timeout: .seconds(60))
                }
                await #expect(throws: LinkFailure.self) { try await task.value }
            }
        }
    }
}
