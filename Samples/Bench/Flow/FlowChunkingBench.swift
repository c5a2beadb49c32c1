// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer
import SenteSocket
import SenteTransport
import SenteWire

/// A large message in parts, beside the same bytes as small messages over the bare transport, and beside its coding alone.
enum FlowChunkingBench {
    private static let part = 65_536
    private static let piece = 1 << 20
    /// A round takes some 50 ms, in which one machine gives a half or twice the rate of the next round.
    private static let many = 6

    static func run(_ effort: FlowBench.Effort) async throws {
        let size = effort.isSmoke ? 1 << 20 : 16 << 20
        try await bytes(size, effort)
        try await text(size, effort)
    }

    private static func room(_ configuration: inout SenteClient.Configuration) {
        configuration.outbox.maximumBytes = 64 << 20
        configuration.timeouts.request = .seconds(60)
    }

    // MARK: Bytes

    private static func bytes(_ size: Int, _ effort: FlowBench.Effort) async throws {
        let large = Value.bytes([UInt8](repeating: 0x61, count: size))
        let peers = try await FlowPeers.start(.sente) {
            $0.format = .senteMessagePack
            $0.maximumUnwrittenBytes = 64 << 20
            $0.flow.compression = nil
        } hook: { _, message in
            message.arrayValue?.first == .keyword("bench/get") ? large : 1
        }
        let sink = try Listener(loop: try EventLoop()) { _ in Sink() }
        let echo = try Listener(loop: try EventLoop()) { _ in EchoServer() }
        let client = try await peers.client(.only(chunking: ChunkPolicy())) {
            $0.dialect = .sente
            $0.format = .senteMessagePack
            room(&$0)
        }
        var (up, down): ([Double], [Double]) = ([], [])
        for _ in 0..<effort.rounds * many {
            let barely = try await bareUp(Int(sink.port), size)
            up.append(
                barely
                    / (try await FlowBench.seconds {
                        _ = try await client.send(Event(id: "bench/put", data: large), timeout: .seconds(60))
                    }))
            let flooded = try await bareDown(Int(echo.port), size)
            var value = Value.null
            down.append(
                flooded
                    / (try await FlowBench.seconds {
                        value = try await client.send(
                            Event(id: "bench/get", data: 1), timeout: .seconds(60))
                    }))
            guard value == large else { throw BenchFailure(message: "Other bytes came back.") }
        }
        await client.disconnect()
        await peers.server.stop()
        for listener in [sink, echo] { listener.stop() }
        let name = "\(size >> 20) MiB of bytes in parts : 64 KiB messages over the bare transport"
        output.show(FlowBar("client → server, " + name, FlowBench.median(up), "×", .atLeast(0.5)))
        output.show(FlowBar("server → client, " + name, FlowBench.median(down), "×", .atLeast(0.5)))
    }

    /// Seconds until all of it has come to the server, and its word back.
    ///
    /// Two pieces are on their way at most: all of it at once would measure how the queue grows.
    private static func bareUp(_ port: Int, _ size: Int) async throws -> Double {
        let connection = try await WebSocketConnection.open(
            "ws://127.0.0.1:\(port)/", on: try EventLoop.shared())
        let message = Message.binary([UInt8](repeating: 0x61, count: part))
        let messages = [Message](repeating: message, count: piece / part)
        let seconds = await FlowBench.seconds {
            var underWay = 0
            for _ in 0..<(size / piece) {
                connection.send(messages)
                underWay += 1
                guard underWay == 2 else { continue }
                _ = await connection.receive()
                underWay -= 1
            }
            for _ in 0..<underWay { _ = await connection.receive() }
        }
        connection.close()
        return seconds
    }

    private static func bareDown(_ port: Int, _ size: Int) async throws -> Double {
        let connection = try await WebSocketConnection.open(
            "ws://127.0.0.1:\(port)/flood", on: try EventLoop.shared())
        let seconds = await FlowBench.seconds {
            connection.send(.text("\(part) \(size / part)"))
            var received = 0
            while received < size / part, let messages = await connection.receiveAll() {
                received += messages.count
            }
        }
        connection.close()
        return seconds
    }

    /// Answers each piece that has come.
    private final class Sink: ServerConnectionObserver, @unchecked Sendable {
        private var unanswered = 0

        func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
            connection.accept()
        }
        func connectionOpened(_ connection: ServerConnection) {}

        func connection(_ connection: ServerConnection, received messages: [Message]) {
            unanswered += messages.reduce(0) { $0 + $1.bytes.count }
            while unanswered >= piece {
                unanswered -= piece
                connection.send(.text("a piece"))
            }
        }

        func connection(_ connection: ServerConnection, closed end: LinkEnd) {}
    }

    // MARK: Text

    private static func text(_ size: Int, _ effort: FlowBench.Effort) async throws {
        let data: Value = ["text": .string(String(repeating: "all of it, ", count: size / 11))]
        let peers = try await FlowPeers.start { $0.flow.compression = nil }
        await peers.server.createChannel("large")
        let client = try await peers.client(.only(chunking: ChunkPolicy()), room)
        var limits = WireLimits()
        limits.maximumBytes = 64 << 20
        let echo = try Listener(loop: try EventLoop()) { _ in EchoServer() }
        var (ratios, carried): ([Double], [Double]) = ([], [])
        for _ in 0..<effort.rounds * many {
            let alone = try await FlowBench.seconds {
                _ = try WireFormat.json.decode(
                    try WireFormat.json.encode(data, limits: limits), limits: limits)
            }
            let barely = try await bareDown(Int(echo.port), size)
            let whole = try await FlowBench.seconds { try await client.publish(data, to: "large") }
            ratios.append(alone / whole)
            carried.append((alone + barely) / whole)
        }
        await client.disconnect()
        await peers.server.stop()
        echo.stop()
        let name = "one JSON text of \(size >> 20) MiB in parts : encoding and decoding it alone"
        output.show(FlowBar(name, FlowBench.median(ratios), "×", .atLeast(0.7)))
        output.show(
            FlowBar("… : the same and as many bytes over the bare transport", FlowBench.median(carried), "×"))
    }
}
