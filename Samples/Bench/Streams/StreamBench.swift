// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTransport
import SenteWire

/// What streams reach, beside the bare transport and the checksum alone, in one run; the server is a process of its own.
enum StreamBench {
    static let serveWord = "--serve"
    private static let chunk = 65_536

    static func run(isSmoke: Bool) async throws {
        let server = try BenchServerProcess.start(["streams", serveWord])
        defer { server.stop() }
        let size: UInt64 = isSmoke ? 4 << 20 : 1 << 30
        let floor = try await floor(server.echoPort, isSmoke ? 4 << 20 : 256 << 20)
        for way in Way.allCases {
            let size = way == .binary ? size : size / 4
            let bound = FlowBar.Bound.atLeast(way == .text ? 0.3 : 0.7)
            for kind in [StreamKind.upload, .download] {
                output.progress("streams: \(kind.rawValue), \(way.rawValue)")
                let (rate, grown) = try await move(kind, size, way, port: server.port)
                output.show(FlowBar("\(kind.rawValue), \(way.rawValue)", rate / 1e6, "MB/s"))
                output.show(FlowBar("the same, of transport or SHA-256", rate / floor, "×", bound))
                output.show(FlowBar("the same, memory of the client grew by", grown, "MiB", .atMost(8)))
            }
        }
        try await cuts(size / 4, port: server.port)
        try await many(isSmoke ? 1 << 20 : 16 << 20, port: server.port)
        try await stall(isSmoke ? .milliseconds(200) : .seconds(10), size, server)
        try await credits(size / 4, rounds: isSmoke ? 1 : 5, port: server.port)
    }

    /// How chunks go.
    private enum Way: String, CaseIterable {
        case binary = "binary chunks"
        /// Of bytes that do not shrink.
        case deflated = "binary chunks, permessage-deflate"
        case text = "base64 in JSON"
    }

    // MARK: The floor

    /// The slower of the transport and the checksum alone, in bytes a second.
    private static func floor(_ port: Int, _ size: Int) async throws -> Double {
        let load = Load(
            "ws://127.0.0.1:\(port)/flood", mode: .flood, size: chunk, count: size / chunk, window: 1,
            handOver: .async)
        let transport = try await TransportBench.run(load).figure("msgs_s") * Double(chunk)
        let block = [UInt8](repeating: 0x61, count: chunk)
        let seconds = FlowBench.secondsOf {
            var digest = DigestFunction.system.begin()
            for _ in 0..<(size / chunk) { block.withUnsafeBytes { digest.update($0) } }
            _ = digest.finish()
        }
        let checksum = Double(size) / seconds
        output.show(FlowBar("the transport, messages of 64 KiB", transport / 1e6, "MB/s"))
        output.show(FlowBar("SHA-256", checksum / 1e6, "MB/s"))
        return min(transport, checksum)
    }

    // MARK: One

    private static func configuration() -> SenteClient.Configuration {
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        // As the bare transport does; zlib would be measured otherwise.
        configuration.compression = nil
        configuration.reconnect = .exponential(
            initial: .milliseconds(5), multiplier: 1, maximum: .milliseconds(5), attempts: nil)
        return configuration
    }

    private static func client(
        _ port: Int, _ change: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws -> SenteClient {
        var configuration = configuration()
        change(&configuration)
        let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
        try await client.connect()
        for await status in client.states where status.features != nil { break }
        return client
    }

    /// Bytes a second, and how many MiB the process grew by.
    private static func move(
        _ kind: StreamKind, _ size: UInt64, _ way: Way, port: Int
    ) async throws -> (rate: Double, grown: Double) {
        let client = try await client(port) {
            $0.flow.usesBinaryEnvelope = way != .text
            if way == .deflated { $0.compression = CompressionPolicy() }
        }
        Measure.giveBackMemory()
        let before = Measure.residentKiB()
        var most = before
        let seconds = try await FlowBench.seconds {
            if kind == .upload {
                let upload = try await client.upload(.sequence(Blocks(size: size), size: size), to: "up")
                for await _ in upload.progress { most = max(most, Measure.residentKiB()) }
                _ = try await upload.value
            } else {
                for try await piece in try await download(size, client) where piece.index % 1_024 == 0 {
                    most = max(most, Measure.residentKiB())
                }
            }
        }
        await client.disconnect()
        return (Double(size) / seconds, Double(most - before) / 1_024)
    }

    private static func download(_ size: UInt64, _ client: SenteClient) async throws -> Download {
        var downloads = client.downloads(on: StreamBenchServer.channel).makeAsyncIterator()
        _ = try await client.request(
            ["size": .integer(Int64(size))], on: StreamBenchServer.channel)
        guard let download = await downloads.next() else { throw BenchFailure(message: "No download came.") }
        return download
    }

    // MARK: Cuts

    /// What goes again when the link is cut twenty times, at every twentieth of what the source gives.
    private static func cuts(_ size: UInt64, port: Int) async throws {
        output.progress("streams: twenty cuts")
        let loop = try EventLoop.shared()
        let transport = CountingTransport(on: loop)
        let client = try SenteClient(
            "ws://127.0.0.1:\(port)/", configuration: configuration(), host: loop, transport: transport)
        try await client.connect()
        for await status in client.states where status.features != nil { break }
        let blocks = Blocks(size: size, every: size / 21) { transport.cut() }
        let upload = try await client.upload(.sequence(blocks, size: size), to: "up")
        var sent: UInt64 = 0
        for await _ in upload.progress { sent += await bytesSent(transport) }
        let receipt = try await upload.value
        sent += await bytesSent(transport)
        let again = (Double(sent) - Double(size)) / 20 / Double(chunk)
        output.show(
            FlowBar(
                "cut 20 times, arrived of what was sent", Double(receipt.bytes) / Double(size), "×",
                .atLeast(1)))
        output.show(FlowBar("sent again each time", again, "chunks", .atMost(10)))
        output.show(
            FlowBar("links that it took", Double(client.metrics.connection.reconnects + 1), "", .atLeast(21)))
        await client.disconnect()
    }

    private static func bytesSent(_ transport: CountingTransport) async -> UInt64 {
        await transport.take().sent.filter { StreamChunk.isBinary($0.bytes) }
            .reduce(0) { $0 + UInt64($1.bytes.count) }
    }

    // MARK: Many

    /// Fifty at once share alike, and a ping beside them waits for none of them.
    private static func many(_ size: UInt64, port: Int) async throws {
        output.progress("streams: fifty at once")
        let client = try await client(port)
        let quiet = try await pings(client, 200)
        let start = Measure.nanoseconds()
        let (times, busy) = try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    let upload = try await client.upload(
                        .sequence(Blocks(size: size), size: size), to: "up")
                    _ = try await upload.value
                    return Double(Measure.nanoseconds() - start) / 1e9
                }
            }
            let busy = try await pings(client, 50)
            return (try await group.reduce(into: [Double]()) { $0.append($1) }, busy)
        }
        let share = (times.max() ?? 1) / 50
        // Were all alike, each would take as long as all together.
        let fair = times.reduce(0, +) / Double(times.count)
        output.show(FlowBar("fifty at once", Double(size) / share / 1e6, "MB/s"))
        output.show(FlowBar("the slowest, of a fair share", fair / (times.max() ?? 1), "×", .atLeast(0.5)))
        output.show(FlowBar("a ping beside them, of a quiet one", busy / quiet, "×", .atMost(3)))
        await client.disconnect()
    }

    /// Microseconds that half of them take at most.
    private static func pings(_ client: SenteClient, _ count: Int) async throws -> Double {
        var times: [Double] = []
        for _ in 0..<count { times.append(Double(try await client.ping().components.attoseconds) / 1e12) }
        return FlowBench.median(times)
    }

    // MARK: Nobody reads

    private static func stall(
        _ pause: Duration, _ size: UInt64, _ server: BenchServerProcess
    ) async throws {
        output.progress("streams: a consumer that sleeps")
        let client = try await client(server.port)
        var pieces = try await download(size, client).makeAsyncIterator()
        _ = try await pieces.next()
        try await Task.sleep(for: .milliseconds(100))
        Measure.giveBackMemory()
        let before = (Measure.residentKiB(), Measure.residentKiB(of: server.processID))
        try await Task.sleep(for: pause)
        let after = (Measure.residentKiB(), Measure.residentKiB(of: server.processID))
        let name = "a consumer that sleeps \(pause), memory grew by"
        output.show(FlowBar(name, Double(after.0 - before.0) / 1_024, "MiB", .atMost(0.64)))
        output.show(FlowBar("the server's", Double(after.1 - before.1) / 1_024, "MiB", .atMost(0.64)))
        await client.disconnect()
    }

    // MARK: Credits

    /// What giving credits costs the client: beside downloads whose first credits are enough, by turns.
    private static func credits(_ size: UInt64, rounds: Int, port: Int) async throws {
        output.progress("streams: what credits cost")
        var costs: (counted: [Double], free: [Double]) = ([], [])
        for _ in 0..<rounds {
            costs.counted.append(try await processorTime(size, credits: 10, port: port))
            costs.free.append(try await processorTime(size, credits: Int(size) / chunk + 1, port: port))
        }
        let more = FlowBench.median(costs.counted) / FlowBench.median(costs.free) - 1
        output.show(FlowBar("what credits add to the client's time", more * 100, "%", .atMost(2)))
    }

    /// Nanoseconds that the client's process took for a download.
    private static func processorTime(_ size: UInt64, credits: Int, port: Int) async throws -> Double {
        let client = try await client(port) { $0.flow.streaming?.flowControl = .credits(credits) }
        let start = Measure.processorNanoseconds()
        for try await _ in try await download(size, client) {}
        let time = Measure.processorNanoseconds() - start
        await client.disconnect()
        return Double(time)
    }
}

/// The same 64 KiB, which do not shrink, again and again; and something to be done whenever so many more were given.
private struct Blocks: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    private static let block = StreamBenchServer.block

    let size: UInt64
    var every = UInt64.max
    var action: @Sendable () -> Void = {}

    func makeAsyncIterator() -> Iterator { Iterator(left: size, blocks: self, isDue: every) }

    struct Iterator: AsyncIteratorProtocol {
        var left: UInt64
        let blocks: Blocks
        var isDue: UInt64

        mutating func next() async -> [UInt8]? {
            guard left > 0 else { return nil }
            if blocks.size - left >= isDue {
                isDue += blocks.every
                blocks.action()
            }
            let block =
                left >= UInt64(Blocks.block.count) ? Blocks.block : Array(Blocks.block.prefix(Int(left)))
            left -= UInt64(block.count)
            return block
        }
    }
}

extension FlowBench {
    /// Seconds that something takes which waits for nothing.
    static func secondsOf(_ body: () -> Void) -> Double {
        let start = Measure.nanoseconds()
        body()
        return Double(Measure.nanoseconds() - start) / 1e9
    }
}
