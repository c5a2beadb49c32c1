// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Streams of the reference server on real sockets", .serialized)
struct ReferenceServerStreamsTests {
    private static func words(_ client: AsyncRawClient, until name: String) async throws -> [Value] {
        var words: [Value] = []
        while words.last?["type"] != .string(name) {
            words.append(try WireFormat.json.decode(Array(try await client.readText().utf8)))
        }
        return words
    }

    private func withServer(
        _ service: ServerService, _ body: (ReferenceServer, AsyncRawClient) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.closeLimit = .seconds(2)
        configuration.heartbeatInterval = nil
        configuration.flow.streaming = StreamPolicy()
        let server = try ReferenceServer(configuration, service: service)
        let port = try await server.start()
        let (client, greeting) = try await AsyncRawClient.webSocket(port: port, "/?client-id=me")
        #expect(greeting.contains(#""streaming":true"#))
        try await client.sendText(#"{"type":"flow-handshake","capabilities":{"streaming":true}}"#)
        _ = try await client.readText()
        do {
            try await body(server, client)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test("an upload goes into a folder, and comes back as a download of many chunks")
    func folder() async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let folder = try StreamFolder(url.path)
        var service = ServerService()
        service.onStream = { (request) throws(StreamRefusal) in
            StreamEnds(sink: try folder.sink(for: request.offer))
        }
        try await withServer(service) { server, client in
            try await client.sendText(
                #"{"type":"flow-stream-init","message-id":"u","stream-type":"upload","stream":1,"chunk-size":2000,"metadata":{"filename":"a.bin"}}"#
            )
            let accepted = try await Self.words(client, until: "flow-stream-accept")
            #expect(accepted[0]["until"] == 10)
            let piece = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for index in 0..<10 {
                try await client.sendText(
                    #"{"type":"flow-stream-chunk","message-id":"u","chunk-index":\#(index),"data":"\#(Base64.text(piece))"}"#
                )
            }
            try await client.sendText(
                #"{"type":"flow-stream-complete","message-id":"u","total-chunks":10,"total-size":20000}"#)
            let receipt = try await Self.words(client, until: "flow-stream-complete").last?["receipt"]
            #expect(receipt == ["name": "a.bin", "size": 20_000])
            #expect(try Data(contentsOf: url.appendingPathComponent("a.bin")).count == 20_000)

            let source = try folder.source(of: "a.bin")
            let offer = StreamOffer(.download, channel: "files", totalSize: source.size)
            let names = await server.openStream(offer, to: .everyone) { StreamEnds(source: source) }
            #expect(names.count == 1)
            let id = names[0].id
            _ = try await Self.words(client, until: "flow-stream-init")
            try await client.sendText(
                #"{"type":"flow-stream-accept","message-id":"\#(id)","next":0,"bytes":0,"until":100}"#)
            let words = try await Self.words(client, until: "flow-stream-complete")
            let bytes = words.flatMap { Base64.bytes($0["data"]?.stringValue ?? "") ?? [] }
            #expect(bytes == (0..<10).flatMap { _ in piece })
            #expect(
                words.last?["checksum"] == .string(Base16.text(DigestFunction.sha256.digest(of: bytes[...]))))
            let figures = await server.stats.counters.streams
            #expect(figures.received.bytes == 20_000 && figures.sent.bytes == 20_000)
        }
    }

    @Test("what came in part is removed when the server stops")
    func stop() async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let folder = try StreamFolder(url.path)
        var service = ServerService()
        service.onStream = { (request) throws(StreamRefusal) in
            StreamEnds(sink: try folder.sink(for: request.offer))
        }
        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path) }
        try await withServer(service) { server, client in
            try await client.sendText(
                #"{"type":"flow-stream-init","message-id":"u","stream-type":"upload","stream":1,"chunk-size":4}"#
            )
            _ = try await Self.words(client, until: "flow-stream-accept")
            #expect(try names().count == 1)
            async let end: Void = server.stop()
            #expect(try await client.readClose() == 1001)
            try await client.sendClose(1001)
            await end
            #expect(try names().isEmpty)
        }
    }

    @Test("a followed file is given as it grows, without anybody asking")
    func followed() async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let folder = try StreamFolder(url.path)
        let log = url.appendingPathComponent("log")
        try Data("one\n".utf8).write(to: log)
        try await withServer(ServerService()) { server, client in
            let source = try folder.source(of: "log", follows: true)
            let names = await server.openStream(StreamOffer(.download), to: .everyone) {
                StreamEnds(source: source)
            }
            _ = try await Self.words(client, until: "flow-stream-init")
            try await client.sendText(
                #"{"type":"flow-stream-accept","message-id":"\#(names[0].id)","next":0,"bytes":0,"until":100}"#
            )
            func next() async throws -> String {
                let word = try await Self.words(client, until: "flow-stream-chunk").last
                return String(decoding: Base64.bytes(word?["data"]?.stringValue ?? "") ?? [], as: UTF8.self)
            }
            #expect(try await next() == "one\n")
            let handle = try FileHandle(forWritingTo: log)
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("two\n".utf8))
            #expect(try await next() == "two\n")
            await server.changeStream(names[0]) { $0.cancel("enough", at: $1) }
            _ = try await Self.words(client, until: "flow-stream-cancel")
        }
    }
}
