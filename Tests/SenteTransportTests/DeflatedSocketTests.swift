// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite("permessage-deflate over sockets", .timeLimit(.minutes(5)))
    struct DeflatedSocketTests {
        /// An echo that takes what the client offers, and what the client's request said of extensions.
        private func withEcho(
            compression: CompressionPolicy? = CompressionPolicy(),
            _ body: (EventLoop, String, EchoServer, EventLoop) async throws -> Void
        ) async throws -> [String?] {
            let serverLoop = try EventLoop()
            defer { serverLoop.shutDown() }
            let offers = Collector<String?>()
            let (server, listener) = try EchoServer.listen(
                on: serverLoop, compression: compression
            ) { server in
                server.requested = { connection, request in
                    offers.append(request.header("Sec-WebSocket-Extensions"))
                    connection.accept()
                }
            }
            try await withLoop(.standard) {
                try await body($0, "ws://127.0.0.1:\(listener.port)/", server, serverLoop)
            }
            return offers.elements
        }

        private let messages: [Message] = (0..<40).map { number in
            let count = [3, 300, 5_000, 60_000][number % 4]
            let text = String(repeating: "{\"number\":\(number),\"水\":true}", count: count / 20 + 1)
            return number.isMultiple(of: 3) ? .binary(Array(text.utf8)) : .text(text)
        }

        @Test("messages of all sizes are echoed, one by one and at once, from the loop and from elsewhere")
        func echoes() async throws {
            let offers = try await withEcho { loop, url, _, _ in
                for policy in [CompressionPolicy(), CompressionPolicy(keepsIncomingContext: false)] {
                    let connection = try await WebSocketConnection.open(url, compression: policy, on: loop)
                    for message in messages {
                        #expect(connection.send(message) == .queued)
                        #expect(await connection.receive() == message)
                    }
                    await loop.run { for message in messages { connection.send(message) } }
                    for message in messages { #expect(await connection.receive() == message) }
                    #expect(connection.send(messages) == .queued)
                    for message in messages { #expect(await connection.receive() == message) }
                    connection.close()
                    #expect(await connection.receive() == nil)
                    #expect(connection.end == .closed(code: .normal, reason: ""))
                }
            }
            #expect(
                offers == [
                    "permessage-deflate; client_max_window_bits",
                    "permessage-deflate; server_no_context_takeover; client_max_window_bits",
                ])
        }

        @Test("a side that does not compress and one that does understand each other")
        func oneSided() async throws {
            for (ours, theirs) in [(CompressionPolicy(), nil), (nil, CompressionPolicy())] {
                _ = try await withEcho(compression: theirs) { loop, url, _, _ in
                    let connection = try await WebSocketConnection.open(url, compression: ours, on: loop)
                    for message in messages {
                        #expect(connection.send(message) == .queued)
                        #expect(await connection.receive() == message)
                    }
                }
            }
        }

        @Test("streams that are not used any more are freed, and then no timer is left")
        func idle() async throws {
            var policy = CompressionPolicy()
            policy.idleTime = .milliseconds(5)
            _ = try await withEcho(compression: policy) { loop, url, _, serverLoop in
                let connection = try await WebSocketConnection.open(
                    url, compression: CompressionPolicy(), on: loop)
                for _ in 0..<2 {
                    #expect(connection.send(messages[1]) == .queued)
                    #expect(await connection.receive() == messages[1])
                    while await serverLoop.run({ serverLoop.timerCount }) > 0 { await Task.yield() }
                }
            }
        }

        @Test("the loop learns of a stream that another thread's send has made, though nothing else wakes it")
        func foreign() async throws {
            _ = try await withEcho { loop, url, server, serverLoop in
                await serverLoop.run { server.received = { _, _ in } }
                let connection = try await WebSocketConnection.open(
                    url, compression: CompressionPolicy(), on: loop)
                while await loop.run({ loop.timerCount }) > 0 { await Task.yield() }
                #expect(connection.send(messages[1]) == .queued)
                while await loop.run({ loop.timerCount }) == 0 { await Task.yield() }
            }
        }

        @Test("a bomb ends the connection with 1009, and the next is served")
        func bomb() async throws {
            _ = try await withEcho { loop, url, server, _ in
                let connection = try await WebSocketConnection.open(
                    url, compression: CompressionPolicy(), messageLimits: MessageLimits(both: 32 << 20),
                    on: loop)
                #expect(connection.send(.binary([UInt8](repeating: 0, count: 32 << 20))) == .queued)
                #expect(await connection.receive() == nil)
                guard case .closed(let code, _) = connection.end else {
                    Issue.record("\(String(describing: connection.end))")
                    return
                }
                #expect(code == .messageTooBig)
                let next = try await WebSocketConnection.open(url, compression: CompressionPolicy(), on: loop)
                #expect(next.send(messages[2]) == .queued)
                #expect(await next.receive() == messages[2])
            }
        }
    }
}
