// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// The client on top of the transport, in v1 JSON, against a `BenchServer`.
enum ClientBench {
    enum Mode: String, CaseIterable {
        /// A request that the server answers itself.
        case request
        /// A request that the server forwards to a service.
        case forwarded
        /// A publish, until its own delivery has come.
        case publish
        /// The server delivers to one subscription, we consume.
        case receive
        /// Clients that are open and do nothing.
        case idle
    }

    /// Small enough for a v1 delivery of about 100 bytes.
    private static let data: Value = ["number": 1, "text": "hello"]

    static func run(
        port: Int, _ mode: Mode, count: Int, _ configuration: SenteClient.Configuration = .init()
    ) async throws -> BenchResult {
        let body: (SenteClient) async throws -> BenchResult
        var configuration = configuration
        switch mode {
        case .request: body = { try await requests($0, on: BenchServer.hooked, mode, count) }
        case .forwarded: body = { try await requests($0, on: BenchServer.served, mode, count) }
        case .publish: body = { try await publishes($0, count) }
        case .receive:
            // Room for all of it, so that what is counted was also consumed.
            configuration.inbox = InboxPolicy(maximumMessages: count, maximumBytes: count << 10)
            body = { try await receives($0, count) }
        case .idle: return try await idle(port: port, count: count)
        }
        return try await opened(port, configuration, body)
    }

    private static func opened(
        _ port: Int, _ configuration: SenteClient.Configuration,
        _ body: (SenteClient) async throws -> BenchResult
    ) async throws -> BenchResult {
        let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
        try await client.connect()
        // Else what is measured first would go plain.
        _ = try await client.ping()
        let result = try await body(client)
        await client.disconnect()
        return result
    }

    private static func requests(
        _ client: SenteClient, on channel: String, _ mode: Mode, _ count: Int
    ) async throws -> BenchResult {
        try await roundTrips(mode, count) { _ = try await client.request(data, on: channel) }
    }

    private static func publishes(_ client: SenteClient, _ count: Int) async throws -> BenchResult {
        let subscription = try await client.subscribe("bench")
        var messages = subscription.makeAsyncIterator()
        return try await roundTrips(.publish, count) {
            try await client.publish(data, to: "bench")
            _ = await messages.next()
        }
    }

    private static func roundTrips(
        _ mode: Mode, _ count: Int, _ body: () async throws -> Void
    ) async throws -> BenchResult {
        let load = load(mode, count)
        var watch = Stopwatch()
        for round in 0..<load.warmUp + count {
            if round == load.warmUp { watch.start(expecting: count) }
            let start = Measure.nanoseconds()
            try await body()
            if round >= load.warmUp { watch.record(Measure.nanoseconds() - start) }
        }
        return watch.result("sente-client-\(mode.rawValue)", load)
    }

    private static func receives(_ client: SenteClient, _ count: Int) async throws -> BenchResult {
        let subscription = try await client.subscribe("flood")
        var messages = subscription.makeAsyncIterator()
        let order: Value = ["channel-id": "flood", "count": .integer(Int64(count)), "data": data]
        var watch = Stopwatch()
        watch.start(expecting: 0)
        try await client.send(Event(id: "flood", data: order))
        var received = 0
        while received < count, let message = await messages.next() { received += 1 + message.missed }
        var result = watch.result("sente-client-receive", load(.receive, count))
        result.figures.append(("missed", Double(client.metrics.missed)))
        return result
    }

    private static func idle(port: Int, count: Int) async throws -> BenchResult {
        // The first client pays for the loop's thread and for code that is read in only now.
        var clients = [try await connected(port)]
        let base = Measure.residentKiB()
        for _ in 0..<count { clients.append(try await connected(port)) }
        let resident = Measure.residentKiB()
        let each = Double(resident - base) / Double(count)
        for client in clients { await client.disconnect() }
        return BenchResult(
            client: "sente-client", mode: "idle", size: 0, count: count,
            figures: [("rss_base_kib", Double(base)), ("rss_kib", Double(resident)), ("kib_per_conn", each)])
    }

    private static func connected(_ port: Int) async throws -> SenteClient {
        let client = try SenteClient("ws://127.0.0.1:\(port)/")
        try await client.connect()
        return client
    }

    private static func load(_ mode: Mode, _ count: Int) -> Load {
        Load(
            "", mode: mode == .receive ? .flood : .pingpong, size: 64, count: count, window: 1,
            handOver: .async)
    }
}
