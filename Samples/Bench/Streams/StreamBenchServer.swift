// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer
import SenteTransport

/// The other end of streams that are measured: it takes uploads and forgets them, and gives as many bytes as it is asked for.
enum StreamBenchServer {
    /// Requests for downloads.
    static let channel = "bytes"

    static func run() async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.flow = .all
        configuration.flow.streaming = StreamPolicy()
        configuration.answeringChannels = ["echo"]
        let owner = LockedValue<ReferenceServer?>(nil)
        var service = ServerService()
        service.onStream = { _ in StreamEnds(sink: Sink()) }
        service.onRequest = { request, order in
            Task {
                let size = UInt64(request.data["size"]?.integerValue ?? 0)
                let offer = StreamOffer(.download, channel: channel, totalSize: size)
                _ = await owner.withLock({ $0 })?.openStream(offer, to: .connection(request.connection)) {
                    StreamEnds(source: Source(size: size))
                }
                order(.answer(.null, requestID: request.id, isError: false))
            }
        }
        let loop = try EventLoop.shared()
        let server = try ReferenceServer(configuration, service: service, on: loop)
        owner.withLock { $0 = server }
        let port = try await server.start()
        await server.perform(.serve(channel: .string(channel)))
        let echo = try Listener(loop: loop, compression: nil) { _ in EchoServer() }
        try BenchServer.live(saying: [port, Int(echo.port)])
        await server.stop()
    }

    private struct Sink: StreamSink {
        private var bytes: UInt64 = 0

        mutating func take(_ bytes: ArraySlice<UInt8>) { self.bytes += UInt64(bytes.count) }
        func finish() -> Value { .integer(Int64(bytes)) }
        func abandon() {}
    }

    /// 64 KiB that do not shrink, as those of a film or an archive.
    static let block: [UInt8] = {
        var state: UInt64 = 1
        return (0..<65_536).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    /// The same again and again.
    private struct Source: StreamSource {
        let size: UInt64
        let canGoBack = true

        func bytes(at place: UInt64, most: Int) -> StreamSupply {
            guard place < size else { return .end }
            let start = Int(place % UInt64(block.count))
            return .bytes(block[start...].prefix(min(most, Int(clamping: size - place))))
        }
    }
}
