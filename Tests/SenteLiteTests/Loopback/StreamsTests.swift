// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteServer
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    @Suite("Streams over sockets")
    struct StreamsTests {
        private func withStreams(
            _ folder: TemporaryFolder,
            _ body: (ReferenceServer, SenteClient, StreamFolder) async throws -> Void
        ) async throws {
            var configuration = ServerConfiguration()
            configuration.port = 0
            configuration.flow = .all
            configuration.flow.streaming = StreamPolicy()
            let files = try StreamFolder(folder.url.appendingPathComponent("server").path)
            var service = ServerService()
            service.onStream = { (request) throws(StreamRefusal) in
                StreamEnds(sink: try files.sink(for: request.offer))
            }
            let server = try ReferenceServer(configuration, service: service)
            let port = try await server.start()
            let client = try client(port) {
                $0.clientID = "me"
                $0.flow.streaming = StreamingPolicy()
            }
            do {
                try await client.connect()
                for await status in client.states where status.features?.streaming == true { break }
                try await body(server, client, files)
            } catch {
                await server.stop()
                throw error
            }
            await client.disconnect()
            await server.stop()
        }

        @Test("a file goes up and comes down as it was, over connections that are cut")
        func file() async throws {
            let folder = try TemporaryFolder()
            let bytes = StreamStage.bytes(3_000_000)
            let file = try folder.write(bytes, as: "there.bin")
            try await withStreams(folder) { server, client, files in
                let upload = try await client.upload(
                    .file(file), to: "files", metadata: ["filename": "back.bin"])
                for await progress in upload.progress where progress.bytes > 0 { break }
                await client.replacesLink()
                #expect(try await upload.value.bytes == 3_000_000)
                #expect(try folder.read("server/back.bin") == bytes)

                await server.openStream(
                    StreamOffer(
                        .download, channel: "files", totalSize: 3_000_000, metadata: ["filename": "back.bin"]),
                    to: .everyone
                ) { StreamEnds(source: try? files.source(of: "back.bin")) }
                var downloads = client.downloads(on: "files").makeAsyncIterator()
                let download = try #require(await downloads.next())
                let saving = Task { try await download.save(to: folder.url) }
                for await progress in download.progress where progress.bytes > 0 { break }
                await client.replacesLink()
                _ = try await saving.value
                #expect(try folder.read("back.bin") == bytes)
                #expect(client.metrics.streaming.completed == 2)
            }
        }

        @Test("a broadcast comes to who is subscribed to its channel, and cannot be gone on with elsewhere")
        func broadcast() async throws {
            let bytes = StreamStage.bytes(200_000)
            try await withStreams(TemporaryFolder()) { server, client, _ in
                _ = try await client.subscribe("news")
                var downloads = client.downloads(on: "news").makeAsyncIterator()
                _ = await server.beginBroadcast(of: BytesSource(bytes), on: "news")
                let download = try #require(await downloads.next())
                #expect(download.kind == .broadcast)
                #expect(download.position == nil)
                #expect(try await download.collect() == bytes)
            }
        }
    }
}
