// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteTestKit
import SenteWire

/// A client with streams and a server that takes them, in a world of their own.
struct StreamStage {
    let world = TestWorld()
    let client: SenteClient

    /// The server's chunks have 64 KiB, so whoever takes them has to take so much.
    init(chunkSize: Int = 1_024, _ change: (inout SenteClient.Configuration) -> Void = { _ in }) throws {
        world.server.takesStreams()
        client = try Self.client(in: world, chunkSize: chunkSize, change)
    }

    static func client(
        in world: TestWorld, chunkSize: Int = 1_024,
        _ change: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws -> SenteClient {
        var configuration = SenteClient.Configuration()
        configuration.flow.streaming = StreamingPolicy(chunkSize: chunkSize)
        change(&configuration)
        return try world.client(configuration: configuration)
    }

    /// Connects, and runs the body in the world's time.
    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await world.run { [client] in
            try await client.connect()
            for await status in client.states where status.features?.streaming == true { break }
            try await body()
        }
    }

    /// Bytes of which none says where it stands.
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// A folder that is gone after the test.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "sente-streams-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Every file in it, hidden ones too.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }

    func write(_ bytes: [UInt8], as name: String) throws -> URL {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: url.appendingPathComponent(name)))
    }
}

extension Download {
    /// All of it.
    func collect() async throws(SenteError) -> [UInt8] {
        var bytes: [UInt8] = []
        var pieces = makeAsyncIterator()
        while let piece = try await pieces.next() { bytes += piece.bytes }
        return bytes
    }
}
