// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer
import SenteTransport
import SenteWire

/// Messages together: bytes, frames, wake-ups, and what waiting for company costs.
enum FlowBatchingBench {
    private static let burst = 10
    private static let linger = Duration.milliseconds(10)

    static func run(_ effort: FlowBench.Effort) async throws {
        for (dialect, format, name) in [
            (ServerConfiguration.Dialect.maps, WireFormat.json, "JSON"),
            (.vectors, .transitJSON, "Transit"),
        ] {
            let alone = try await burst(dialect, format, batches: false)
            let together = try await burst(dialect, format, batches: true)
            show(name, "client → server", alone.out, together.out)
            show(name, "server → client", alone.in, together.in)
        }
        try await deliveries(effort)
        try await lone(effort)
    }

    // MARK: A burst of ten

    /// What ten messages are on the wire, and in how many frames and wake-ups they came.
    private struct Burst {
        var payload = 0
        var bytes = 0
        var frames = 0
        var wakeUps = 0
    }

    private static func burst(
        _ dialect: ServerConfiguration.Dialect, _ format: WireFormat, batches: Bool
    ) async throws -> (out: Burst, in: Burst) {
        let peers = try await FlowPeers.start(dialect) {
            $0.format = format
            $0.flow = .off
            if batches {
                $0.flow.batching = ServerConfiguration.Flow.Batching()
                $0.flow.batching?.linger = linger
            }
        }
        let loop = try EventLoop()
        let transport = CountingTransport(on: loop)
        let policy: FlowPolicy = batches ? .only(batching: BatchPolicy()) : .off
        let client = try await peers.client(policy, through: transport, on: loop)
        let message = message(format)
        let name = client.status.identity?.connectionID ?? ""
        _ = try await client.ping()
        _ = await transport.take()
        // In one turn, as an app does that says several things at once.
        let deliveries: [Delivery] = await withCheckedContinuation { continuation in
            loop.post {
                continuation.resume(
                    returning: (0..<Self.burst).compactMap { _ in try? client.enqueue(message) })
            }
        }
        for delivery in deliveries { _ = await delivery.outcome }
        let sent = await transport.take().sent
        // Its echoes come behind all of them.
        _ = try await client.ping()
        try await Task.sleep(for: linger * 3)
        _ = await transport.take()
        let value: Value =
            dialect == .maps
            ? ["type": Value(message.id.text), "text": message.data["text"] ?? .null]
            : [.keyword(message.id), message.data]
        for _ in 0..<Self.burst {
            await peers.server.send(value, to: name)
            try await Task.sleep(for: .microseconds(300))
        }
        try await Task.sleep(for: linger * 3)
        let came = await transport.take()
        await client.disconnect()
        await peers.server.stop()
        var pair = try LinkPair()
        let framed = (
            sent.reduce(0) { $0 + pair.fromClient($1).count },
            came.received.reduce(0) { $0 + pair.fromServer($1).count }
        )
        let payload = try format.encode(value).count * Self.burst
        return (
            Burst(payload: payload, bytes: framed.0, frames: sent.count, wakeUps: 0),
            Burst(payload: payload, bytes: framed.1, frames: came.received.count, wakeUps: came.wakeUps)
        )
    }

    /// One that is 64 bytes in JSON.
    private static func message(_ format: WireFormat) -> Event {
        Event(id: "bench/note", data: ["text": .string(String(repeating: "x", count: 33))])
    }

    private static func show(_ format: String, _ way: String, _ alone: Burst, _ together: Burst) {
        let overhead = (alone.bytes - alone.payload, together.bytes - together.payload)
        output.show(
            sentence:
                "\(format), \(way): ten messages of \(alone.payload / burst) bytes are \(alone.bytes) bytes alone, of which \(overhead.0) are overhead, and \(together.bytes) in \(together.frames) frames, \(overhead.1)"
        )
        let share = 100 * (1 - Double(together.bytes) / Double(alone.bytes))
        output.show(FlowBar("\(format), \(way): bytes saved", share, "%"))
        output.show(
            FlowBar(
                "\(format), \(way): frames alone : together",
                Double(alone.frames) / Double(max(1, together.frames)), "×", .atLeast(5)))
        guard alone.wakeUps > 0 else { return }
        output.show(
            FlowBar(
                "\(format), \(way): wake-ups alone : together",
                Double(alone.wakeUps) / Double(max(1, together.wakeUps)), "×", .atLeast(5)))
    }

    // MARK: Many

    private static func deliveries(_ effort: FlowBench.Effort) async throws {
        let plain = try PreparedFlood.listen(features: nil)
        let batched = try PreparedFlood.listen(features: #"{"batching":true}"#, batches: true)
        let policy = FlowPolicy.only(batching: BatchPolicy())
        var ratios: [Double] = []
        for _ in 0..<effort.rounds {
            let count = effort.count(200_000)
            let together = try await PreparedFlood.deliveries(port: batched.port, policy, count)
            ratios.append(together / (try await PreparedFlood.deliveries(port: plain.port, .off, count)))
        }
        for listener in [plain, batched] { listener.stop() }
        output.show(
            FlowBar("deliveries a second, batched : alone", FlowBench.median(ratios), "×", .atLeast(1.2)))
    }

    // MARK: One

    private static func lone(_ effort: FlowBench.Effort) async throws {
        let server = try BenchServerProcess.start(["serve", "--flow"])
        defer { server.stop() }
        let lingering = BatchPolicy(linger: linger, flushesOnIdle: false)
        let (usual, plain) = try await RoundTrips.inTurns(
            .request, port: server.port, .only(batching: BatchPolicy()), .off, effort)
        output.show(
            FlowBar(
                "p99 of a lone message, linger 0 : flow off", usual.latency(0.99) / plain.latency(0.99), "×",
                .atMost(1.03)))
        let slow = try await ClientBench.run(
            port: server.port, .request, count: effort.count(200), .bare(.only(batching: lingering)))
        let added = slow.figure("p99_us") / 1e3 - plain.latency(0.99) / 1e6
        output.show(FlowBar("p99 added by a linger of 10 ms", added, "ms", .atMost(15)))
    }
}
