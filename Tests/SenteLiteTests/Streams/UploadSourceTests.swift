// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

@Suite("Sources of uploads", .timeLimit(.minutes(5)))
struct UploadSourceTests {
    private struct SensorBroke: Error, CustomStringConvertible {
        var description: String { "the sensor broke" }
    }

    private func sends(_ bytes: [UInt8], from source: UploadSource, totalBytes: UInt64?) async throws {
        let stage = try StreamStage()
        let (client, server) = (stage.client, stage.world.server)
        try await stage.run {
            let upload = try await client.upload(source, to: "reports")
            #expect(try await upload.value.bytes == UInt64(bytes.count))
            #expect(server.uploads.first?.bytes == bytes)
            for await progress in upload.progress { #expect(progress.totalBytes == totalBytes) }
        }
    }

    @Test("a file, larger than what is read of it at once")
    func file() async throws {
        let folder = try TemporaryFolder()
        let bytes = StreamStage.bytes(300_000)
        try await sends(bytes, from: .file(folder.write(bytes, as: "a")), totalBytes: 300_000)
    }

    @Test("bytes, and none at all", arguments: [0, 1, 1_024, 5_000])
    func bytes(count: Int) async throws {
        let bytes = StreamStage.bytes(count)
        try await sends(bytes, from: .bytes(bytes), totalBytes: UInt64(count))
    }

    @Test("a sequence of chunks, empty ones among them")
    func chunks() async throws {
        let bytes = StreamStage.bytes(9_000)
        let (chunks, continuation) = AsyncStream.makeStream(of: ArraySlice<UInt8>.self)
        for chunk in [bytes[..<10], [], bytes[10..<8_000], bytes[8_000...]] { continuation.yield(chunk) }
        continuation.finish()
        try await sends(bytes, from: .sequence(chunks), totalBytes: nil)
    }

    @Test("a sequence of bytes, what is left at its end too")
    func single() async throws {
        let bytes = StreamStage.bytes(20_000)
        let (single, continuation) = AsyncStream.makeStream(of: UInt8.self)
        for byte in bytes { continuation.yield(byte) }
        continuation.finish()
        try await sends(bytes, from: .sequence(single, size: 20_000), totalBytes: 20_000)
    }

    @Test("what is no file that can be read is refused at the call", arguments: ["", "missing"])
    func unreadable(name: String) async throws {
        let stage = try StreamStage()
        let folder = try TemporaryFolder()
        try await stage.run {
            let error = await error { () throws(SenteError) in
                _ = try await stage.client.upload(
                    .file(folder.url.appendingPathComponent(name)), to: "reports")
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("a source that throws ends its upload with what it threw")
    func throwing() async throws {
        let stage = try StreamStage()
        try await stage.run {
            let (chunks, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            let upload = try await stage.client.upload(.sequence(chunks), to: "reports")
            continuation.finish(throwing: SensorBroke())
            await #expect {
                try await upload.value
            } throws: { error in
                (error as? SenteError)?.code == .streamFailed
                    && (error as? SenteError)?.message.contains("the sensor broke") == true
            }
        }
    }

    @Test("a source of another size than it said ends its upload")
    func short() async throws {
        let stage = try StreamStage()
        try await stage.run {
            let (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self)
            continuation.yield([1, 2])
            continuation.finish()
            let upload = try await stage.client.upload(.sequence(chunks, size: 3), to: "reports")
            await #expect { try await upload.value } throws: { ($0 as? SenteError)?.code == .streamFailed }
        }
    }

    @Test(
        "an upload goes on in another process, from a source that can go back and from one that begins anew",
        arguments: [false, true])
    func resumed(isSequence: Bool) async throws {
        let stage = try StreamStage { $0.clientID = "me" }
        let bytes = StreamStage.bytes(30_000)
        try await stage.run {
            let world = stage.world
            let (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self)
            continuation.yield(Array(bytes[..<20_000]))
            let upload = try await stage.client.upload(.sequence(chunks, size: 30_000), to: "reports")
            try await world.clock.sleep(for: .seconds(1))
            let position = try #require(upload.position)
            #expect(position.bytes == 20_000)
            // The process dies: nothing is said any more.
            world.goOffline()
            await stage.client.disconnect()
            world.goOnline()

            let other = try StreamStage.client(in: world) { $0.clientID = "me" }
            try await other.connect()
            let again = AsyncStream<[UInt8]> { continuation in
                for start in stride(from: 0, to: 30_000, by: 7_500) {
                    continuation.yield(Array(bytes[start..<start + 7_500]))
                }
                continuation.finish()
            }
            let resumed = try await other.upload(
                isSequence ? .sequence(again) : .bytes(bytes), to: "reports", from: position)
            #expect(try await resumed.value.bytes == 30_000)
            #expect(world.server.uploads.first?.bytes == bytes)
            let moved = other.metrics.streaming.bytes
            #expect(moved < 30_000, "what had come did not go again: \(moved)")
        }
    }

    @Test("a server that has forgotten the stream says so")
    func forgotten() async throws {
        let stage = try StreamStage()
        try await stage.run {
            let stream = try await stage.client.openUpload(on: "sensor")
            try await stream.write([1, 2])
            stage.world.server.stop()
            stage.world.server.start()
            await #expect { try await stream.value } throws: { ($0 as? SenteError)?.code == .notResumable }
        }
    }
}
