// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTestSupport
import SenteTransport
import Testing

extension TransportTests {
    @Suite("WebSocketConnection", .timeLimit(.minutes(5)))
    struct WebSocketConnectionTests {
        private func withEcho(
            _ body: (EventLoop, String) async throws -> Void
        ) async throws {
            let serverLoop = try EventLoop()
            defer { serverLoop.shutDown() }
            let (_, listener) = try EchoServer.listen(on: serverLoop)
            try await withLoop(.standard) { try await body($0, "ws://127.0.0.1:\(listener.port)/") }
        }

        @Test("messages are echoed in order, and nil follows the close")
        func echo() async throws {
            try await withEcho { loop, url in
                let connection = try await WebSocketConnection.open(url, on: loop)
                for number in 0..<500 { #expect(connection.send(.text("\(number)")) == .queued) }
                for number in 0..<500 { #expect(await connection.receive()?.string == "\(number)") }
                connection.close(.goingAway, reason: "")
                #expect(await connection.receive() == nil)
                #expect(connection.end == .closed(code: .goingAway, reason: ""))
                #expect(connection.send(.text("late")) == .notOpen)
                #expect(await connection.receive() == nil)
            }
        }

        @Test("messages sent and received in batches keep their order")
        func batches() async throws {
            try await withEcho { loop, url in
                let connection = try await WebSocketConnection.open(url, on: loop)
                let sent = (0..<300).map { Message.text("\($0)") }
                #expect(connection.send(sent) == .queued)
                var received: [Message] = []
                while received.count < 300, let batch = await connection.receiveAll() { received += batch }
                #expect(received == sent)
                let tooBig = Message.binary([UInt8](repeating: 0, count: 2 << 20))
                #expect(connection.send([.text("a"), tooBig, .text("never")]) == .tooBig)
                #expect(await connection.receive() == .text("a"))
                connection.close()
                #expect(await connection.receiveAll() == nil)
            }
        }

        @Test(
            "as a stream, what comes is handed on though it is larger than a message may be",
            arguments: [nil, CompressionPolicy()])
        func stream(compression: CompressionPolicy?) async throws {
            let serverLoop = try EventLoop()
            defer { serverLoop.shutDown() }
            let (_, listener) = try EchoServer.listen(on: serverLoop, compression: compression)
            try await withLoop(.standard) { loop in
                var request = loop.request(listener.port)
                request.payload = .stream
                request.compression = compression
                request.messageLimits = MessageLimits(incoming: 1_000)
                let connection = try await WebSocketConnection.open(request, on: loop)
                let sent = (0..<800_000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 7) }
                #expect(connection.send([.binary([7]), .binary(sent)]) == .queued)
                var received: [UInt8] = []
                var largest = 0
                while received.count < sent.count + 1, let pieces = await connection.receiveAll() {
                    for piece in pieces {
                        received += piece.bytes
                        if compression == nil { largest = max(largest, piece.bytes.count) }
                    }
                }
                #expect(received == [7] + sent)
                #expect(largest <= 256 << 10)
                connection.close()
                #expect(await connection.receive() == nil)
                #expect(connection.end == .closed(code: .normal, reason: ""))
            }
        }

        @Test("sends of many threads all arrive, each thread's in order")
        func stress() async throws {
            try await withEcho { loop, url in
                let connection = try await WebSocketConnection.open(url, on: loop)
                async let senders: Void = withTaskGroup(of: Void.self) { group in
                    for thread in 0..<8 {
                        group.addTask {
                            for number in 0..<1000 {
                                let size = number.isMultiple(of: 100) ? 20_000 : 4
                                var bytes = [UInt8](repeating: 0, count: size)
                                bytes[0] = UInt8(thread)
                                bytes[1] = UInt8(number >> 8)
                                bytes[2] = UInt8(number & 255)
                                connection.send(.binary(bytes))
                            }
                        }
                    }
                }
                var next = [Int](repeating: 0, count: 8)
                for _ in 0..<8000 {
                    let bytes = try #require(await connection.receive()).bytes
                    #expect(next[Int(bytes[0])] == Int(bytes[1]) << 8 | Int(bytes[2]))
                    next[Int(bytes[0])] += 1
                }
                await senders
                #expect(next == [Int](repeating: 1000, count: 8))
            }
        }

        @Test("threads may send while the connection ends under them")
        func sendingIntoTheEnd() async throws {
            try await withEcho { loop, url in
                for _ in 0..<20 {
                    let connection = try await WebSocketConnection.open(url, on: loop)
                    async let sender: Void = Task.detached {
                        while connection.send(.text("x")) == .queued { await Task.yield() }
                    }.value
                    connection.close()
                    while await connection.receive() != nil {}
                    await sender
                }
                while await loop.run({ loop.descriptorCount }) > 0 { await Task.yield() }
            }
        }

        @Test("a loop may be shut down while threads send on its connections")
        func shutDownWhileSending() async throws {
            let serverLoop = try EventLoop()
            defer { serverLoop.shutDown() }
            let (_, listener) = try EchoServer.listen(on: serverLoop) { $0.received = { _, _ in } }
            for _ in 0..<10 {
                let loop = try EventLoop()
                let connection = try await WebSocketConnection.open(
                    "ws://127.0.0.1:\(listener.port)/", on: loop)
                let sender = Task.detached { for _ in 0..<300 { connection.send(.text("x")) } }
                loop.shutDown()
                await sender.value
            }
        }

        @Test("a callback on the loop gets everything, and may send from there")
        func callback() async throws {
            try await withEcho { loop, url in
                let seen = Collector<Int>()
                let connection = try await WebSocketConnection.open(url, on: loop) { connection, messages in
                    #expect(loop.isCurrent)
                    for message in messages {
                        let number = Int(message.string) ?? 0
                        seen.append(number)
                        if number < 100 { connection.send(.text("\(number + 1)")) }
                    }
                }
                connection.send(.text("1"))
                #expect(await seen.wait { $0.count == 100 } == Array(1...100))
                connection.close()
            }
        }

        @Test("tasks on the loop can send and receive")
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        func onTheLoop() async throws {
            try await withEcho { loop, url in
                try await withTaskExecutorPreference(loop) {
                    let connection = try await WebSocketConnection.open(url, on: loop)
                    for number in 0..<100 {
                        connection.send(.text("\(number)"))
                        #expect(await connection.receive()?.string == "\(number)")
                    }
                    connection.close()
                    #expect(await connection.receive() == nil)
                }
            }
        }

        @Test("a server that cannot be reached, and a loop that is gone, are thrown")
        func failures() async throws {
            let loop = try EventLoop()
            await #expect(throws: LinkFailure.self) {
                try await WebSocketConnection.open("ws://127.0.0.1:1/", on: loop)
            }
            loop.shutDown()
            await #expect(throws: LinkFailure.self) {
                try await WebSocketConnection.open("ws://127.0.0.1:1/", on: loop)
            }
        }
    }
}
