// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite
import SenteServer

/// A server in this process: a file of random bytes goes there and back, over a connection that breaks.
struct TransferDemo: Sendable {
    let arguments: TransferArguments
    let display: TransferDisplay

    func run() async throws -> Bool {
        let home = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-transfer-\(UUID().uuidString)")
        let (stored, back) = (home.appendingPathComponent("server"), home.appendingPathComponent("back"))
        for folder in [stored, back] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(at: home) }
        let original = home.appendingPathComponent("random.bin")
        try Self.write(arguments.size, to: original)

        var policy = StreamFolder.Policy()
        policy.totalBytes = UInt64(arguments.size) * 2
        let folder = try StreamFolder(stored.path, policy)
        var service = ServerService()
        service.onStream = { (request) throws(StreamRefusal) in
            StreamEnds(sink: try folder.sink(for: request.offer))
        }
        let owner = Owner()
        service.onRequest = { request, order in
            Task {
                await owner.open(folder, to: request.connection)
                order(.answer(.null, requestID: request.id, isError: false))
            }
        }
        var settings = ServerConfiguration()
        settings.port = 0
        settings.flow = .all
        settings.flow.streaming = StreamPolicy()
        let server = try ReferenceServer(settings, service: service)
        await owner.own(server)
        var arguments = arguments
        arguments.url = "ws://127.0.0.1:\(try await server.start())/"
        await server.perform(.serve(channel: "files"))
        // Quick, so that the cuts are short; the default spreads clients over seconds.
        arguments.configuration.reconnect = .exponential(
            initial: .milliseconds(50), multiplier: 1.5, maximum: .seconds(1), attempts: nil)
        let transfer = Transfer(arguments, display)
        let client = try await transfer.connect()
        display.say(
            "\(TransferDisplay.size(UInt64(arguments.size))) to a server at \(arguments.url), and back")

        let upload = try await client.upload(
            .file(original), to: "files", metadata: ["filename": "random.bin"])
        let cutting = cut(upload, server)
        try await transfer.finish(upload, "up")
        cutting.cancel()

        let download = try await transfer.ask(client, for: "random.bin")
        let cuttingAgain = cut(download, server)
        let copy = try await transfer.save(download, as: "down", in: back)
        cuttingAgain.cancel()

        let isSame = FileManager.default.contentsEqual(atPath: original.path, andPath: copy.path)
        let metrics = client.metrics
        display.say(
            "\(isSame ? "The same bytes" : "OTHER BYTES") came back, over \(metrics.connection.reconnects + 1) "
                + "connections.", isSame ? .green : .red)
        await client.disconnect()
        await server.stop()
        return isSame
    }

    /// The server, for what answers its requests.
    private actor Owner {
        private weak var server: ReferenceServer?

        func own(_ server: ReferenceServer) { self.server = server }

        /// Opens a download of what was sent.
        func open(_ folder: StreamFolder, to connection: ConnectionID) async {
            guard let source = try? folder.source(of: "random.bin") else { return }
            let offer = StreamOffer(.download, channel: "files", totalSize: source.size)
            _ = await server?.openStream(offer, to: .connection(connection)) { StreamEnds(source: source) }
        }
    }

    /// Breaks the connection so many times, each after another part of the whole has moved.
    private func cut(_ stream: any SenteStream, _ server: ReferenceServer) -> Task<Void, Never> {
        Task { [arguments] in
            let step = UInt64(arguments.size / (arguments.cuts + 1))
            var next = step
            var left = arguments.cuts
            for await progress in stream.progress where left > 0 && progress.bytes >= next {
                guard !progress.state.isFinal else { return }
                left -= 1
                next = progress.bytes + step
                await server.drop()
            }
        }
    }

    private static func write(_ size: Int, to url: URL) throws {
        guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
            throw SenteError(.invalidArgument, "The file \(url.path) cannot be written.")
        }
        let file = try FileHandle(forWritingTo: url)
        defer { try? file.close() }
        var random = SystemRandomNumberGenerator()
        let block = (0..<(1 << 17)).map { _ in random.next() as UInt64 }
        let data = block.withUnsafeBytes { Data($0) }
        var left = size
        while left > 0 {
            let part = min(left, data.count)
            try file.write(contentsOf: data.prefix(part))
            left -= part
        }
    }
}
