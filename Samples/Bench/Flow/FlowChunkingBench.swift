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
        let sink = try Listener(loop: try EventLoop()) { _ in Sink(size) }
        let echo = try Listener(loop: try EventLoop()) { _ in EchoServer() }
        let client = try await peers.client(.only(chunking: ChunkPolicy())) {
            $0.dialect = .sente
            $0.format = .senteMessagePack
            room(&$0)
        }
        var (up, down): ([Double], [Double]) = ([], [])
        for _ in 0..<effort.rounds {
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
    private static func bareUp(_ port: Int, _ size: Int) async throws -> Double {
        let connection = try await WebSocketConnection.open(
            "ws://127.0.0.1:\(port)/", on: try EventLoop.shared())
        let message = Message.binary([UInt8](repeating: 0x61, count: part))
        let seconds = await FlowBench.seconds {
            connection.send([Message](repeating: message, count: size / part))
            _ = await connection.receive()
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

    /// Answers once, when so many bytes have come.
    private final class Sink: ServerConnectionObserver, @unchecked Sendable {
        private var missing: Int

        init(_ size: Int) {
            missing = size
        }

        func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
            connection.accept()
        }
        func connectionOpened(_ connection: ServerConnection) {}

        func connection(_ connection: ServerConnection, received messages: [Message]) {
            missing -= messages.reduce(0) { $0 + $1.bytes.count }
            if missing <= 0 { connection.send(.text("all")) }
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
        var ratios: [Double] = []
        for _ in 0..<effort.rounds {
            let alone = try await FlowBench.seconds {
                _ = try WireFormat.json.decode(
                    try WireFormat.json.encode(data, limits: limits), limits: limits)
            }
            ratios.append(
                alone / (try await FlowBench.seconds { try await client.publish(data, to: "large") }))
        }
        await client.disconnect()
        await peers.server.stop()
        output.show(
            FlowBar(
                "one JSON text of \(size >> 20) MiB in parts : encoding and decoding it alone",
                FlowBench.median(ratios), "×", .atLeast(0.7)))
    }
}
