// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteLite
import SenteServer
import Testing
import console

@Suite("What console serve does with streams")
struct ServeStreamsTests {
    private static func serving(_ arguments: [String]) throws -> ServerConfiguration {
        try ServeSettings.read(arguments, environment: [:]).configuration
    }

    @Test("Streams are announced with --streams only, with or without the rest of flow")
    func announced() throws {
        #expect(try Self.serving([]).flow.streaming == nil)
        #expect(try Self.serving(["--streams", "in"]).flow.streaming == StreamPolicy())
        for arguments in [["--streams", "in", "--no-flow"], ["--flow", "batching", "--streams", "in"]] {
            #expect(try Self.serving(arguments).flow.streaming == StreamPolicy())
            #expect(try Self.serving(arguments).flow.resumption == nil)
        }
        let strict = try Self.serving(["--max-upload", "99", "--max-streams", "3", "--streams", "in"])
        #expect(strict.flow.streaming?.uploadBytes == 99)
        #expect(strict.flow.streaming?.streams == 3)
    }

    @Test("A question for what cannot be given is answered with a sentence")
    func answers() async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        let streams = ServeStreams(try StreamFolder(url.path))
        try Data("abc".utf8).write(to: url.appendingPathComponent("a.txt"))
        let questions: [Value] = [
            .null, ["follow": true], "none.txt", "../a.txt", ["name": "/etc/passwd"], "a.txt",
        ]
        for question in questions {
            let (data, isError) = await streams.answer(question, to: ConnectionID(1))
            #expect(isError)
            #expect(data["code"] == "refused")
            #expect(data["message"]?.stringValue?.isEmpty == false)
        }
    }

    @Test("A file goes up under its name, and comes down to whoever asks for it", .timeLimit(.minutes(2)))
    func bothWays() async throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("sente-streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        var serving = ServerConfiguration()
        serving.port = 0
        serving.flow.streaming = StreamPolicy()
        var service = ServerService()
        let streams = ServeStreams(try StreamFolder(url.path))
        streams.take(into: &service)
        let server = try ReferenceServer(serving, service: service)
        let port = try await server.start()
        await streams.begin(on: server)
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy()
        let client = try SenteClient("ws://127.0.0.1:\(port)/", configuration: configuration)
        try await client.connect()
        for await status in client.states where status.features?.streaming == true { break }

        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) }
        for name in ["../q3.pdf", "../q3.pdf"] {
            _ = try await client.upload(.bytes(bytes), to: "reports", metadata: ["filename": .string(name)])
                .value
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
        #expect(names == ["_._q3-1.pdf", "_._q3.pdf"])

        var downloads = client.downloads(on: "files").makeAsyncIterator()
        let answer = try await client.request(["name": "_._q3.pdf"], on: "files")
        #expect(answer["size"] == 1_000_000)
        let download = try #require(await downloads.next())
        #expect(download.metadata == ["filename": "_._q3.pdf"])
        var received: [UInt8] = []
        for try await piece in download { received += piece.bytes }
        #expect(received == bytes)

        let call = try await client.openBidirectional(on: "video")
        try await call.write([1, 2, 3])
        var pieces = call.makeAsyncIterator()
        #expect(try await pieces.next().map { Array($0.bytes) } == [1, 2, 3])
        call.cancel()
        await client.disconnect()
        await server.stop()
    }
}
