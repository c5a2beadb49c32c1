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
        for isBinary in [true, false] {
            let size = isBinary ? size : size / 4
            let bound = FlowBar.Bound.atLeast(isBinary ? 0.7 : 0.3)
            let name = isBinary ? "binary chunks" : "base64 in JSON"
            for kind in [StreamKind.upload, .download] {
                output.progress("streams: \(kind.rawValue), \(name)")
                let (rate, grown) = try await move(kind, size, isBinary: isBinary, port: server.port)
                output.show(FlowBar("\(kind.rawValue), \(name)", rate / 1e6, "MB/s"))
                output.show(FlowBar("the same, of transport or SHA-256", rate / floor, "×", bound))
                output.show(FlowBar("the same, memory of the client grew by", grown, "MiB", .atMost(8)))
            }
        }
        try await cuts(size / 4, port: server.port)
        try await many(isSmoke ? 1 << 20 : 16 << 20, port: server.port)
        try await stall(isSmoke ? .milliseconds(200) : .seconds(10), size, port: server.port)
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

    private static func client(_ port: Int, isBinary: Bool = true) async throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        configuration.flow.usesBinaryEnvelope = isBinary
        // As the bare transport does; zlib would be measured otherwise.
        configuration.compression = nil
        configuration.reconnect = .exponential(
            initial: .milliseconds(5), multiplier: 1, maximum: .milliseconds(5), attempts: nil)
        let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
        try await client.connect()
        for await status in client.states where status.features != nil { break }
        return client
    }

    /// Bytes a second, and how many MiB the process grew by.
    private static func move(
        _ kind: StreamKind, _ size: UInt64, isBinary: Bool, port: Int
    ) async throws -> (rate: Double, grown: Double) {
        let client = try await client(port, isBinary: isBinary)
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

    /// What goes again when the connection is replaced twenty times.
    private static func cuts(_ size: UInt64, port: Int) async throws {
        output.progress("streams: twenty cuts")
        let loop = try EventLoop.shared()
        let transport = CountingTransport(on: loop)
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        let client = try SenteClient(
            "ws://127.0.0.1:\(port)/", configuration: configuration, host: loop, transport: transport)
        try await client.connect()
        let upload = try await client.upload(.sequence(Blocks(size: size), size: size), to: "up")
        var sent: UInt64 = 0
        var cuts = 0
        for await progress in upload.progress {
            sent += await bytesSent(transport)
            guard cuts < 20, progress.bytes > size / 22 * UInt64(cuts + 1) else { continue }
            cuts += 1
            client.reconnect()
        }
        let receipt = try await upload.value
        sent += await bytesSent(transport)
        let again = Double(sent) - Double(size)
        output.show(
            FlowBar(
                "cut \(cuts) times, arrived of what was sent", Double(receipt.bytes) / Double(size), "×",
                .atLeast(1)))
        output.show(
            FlowBar(
                "sent again each time", again / Double(max(1, cuts)) / Double(chunk), "chunks", .atMost(10)))
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

    private static func stall(_ pause: Duration, _ size: UInt64, port: Int) async throws {
        output.progress("streams: a consumer that sleeps")
        let client = try await client(port)
        var pieces = try await download(size, client).makeAsyncIterator()
        _ = try await pieces.next()
        try await Task.sleep(for: .milliseconds(100))
        Measure.giveBackMemory()
        let before = Measure.residentKiB()
        try await Task.sleep(for: pause)
        let grown = Double(Measure.residentKiB() - before) / 1_024
        output.show(FlowBar("a consumer that sleeps \(pause), memory grew by", grown, "MiB", .atMost(0.64)))
        await client.disconnect()
    }
}

/// The same 64 KiB again and again.
private struct Blocks: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    private static let block = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }

    let size: UInt64

    func makeAsyncIterator() -> Iterator { Iterator(left: size) }

    struct Iterator: AsyncIteratorProtocol {
        var left: UInt64

        mutating func next() async -> [UInt8]? {
            guard left > 0 else { return nil }
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
