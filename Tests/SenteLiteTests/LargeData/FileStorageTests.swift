// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteTestSupport
import SenteWire
import Testing

@Suite("A folder for large data")
struct FileStorageTests {
    private static func reference(_ name: String, size: Int = 3) -> LargeDataReference {
        LargeDataReference(storage: "file", reference: name, size: size, sha256: [], metadata: [:])
    }

    private static func sha256(_ bytes: [UInt8]) -> String {
        Base16.text(DigestFunction.sha256.digest(of: bytes[...]))
    }

    @Test("has each thing once, under its checksum, and gives it back", arguments: [0, 1, 300_000])
    func roundTrip(count: Int) async throws {
        let folder = try TemporaryFolder()
        let storage = try FileStorage(directory: folder.url.appendingPathComponent("new").path)
        let bytes = StreamStage.bytes(count)
        let name = try await storage.store(bytes, metadata: [:])
        #expect(name == Self.sha256(bytes))
        #expect(try await storage.store(bytes, metadata: ["a": "b"]) == name)
        #expect(try await storage.fetch(Self.reference(name, size: count), limit: count) == bytes)
        let inner = folder.url.appendingPathComponent("new").path
        #expect(try FileManager.default.contentsOfDirectory(atPath: inner) == [name])
    }

    @Test(
        "takes no name but one of its own for a name",
        arguments: [
            "", "../secret", "/etc/passwd", "secret", String(repeating: "g", count: 64),
            String(repeating: "A", count: 64), "../" + String(repeating: "a", count: 61),
            String(repeating: "a", count: 63) + "/", String(repeating: "a", count: 65),
            String(repeating: "a", count: 63) + "\u{0}",
        ])
    func hostile(name: String) async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write([1], as: "secret")
        let storage = try FileStorage(directory: folder.url.path)
        let failure = await error { () throws(SenteError) in
            _ = try await storage.fetch(Self.reference(name), limit: 100)
        }
        #expect(failure?.code == .invalidReference)
    }

    @Test("opens no link and no folder, and says what is not there or larger than its reference")
    func others() async throws {
        let folder = try TemporaryFolder()
        let outside = try TemporaryFolder()
        let storage = try FileStorage(directory: folder.url.path)
        let secret = try outside.write([1, 2, 3], as: "secret")
        let manager = FileManager.default
        let (link, inner, gone) = (
            String(repeating: "a", count: 64), String(repeating: "b", count: 64),
            String(repeating: "c", count: 64)
        )
        try manager.createSymbolicLink(
            at: folder.url.appendingPathComponent(link), withDestinationURL: secret)
        try manager.createDirectory(
            at: folder.url.appendingPathComponent(inner), withIntermediateDirectories: false)
        let whole = try await storage.store([1, 2, 3], metadata: [:])
        for (name, limit) in [(link, 100), (inner, 100), (gone, 100), (whole, 2)] {
            let failure = await error { () throws(SenteError) in
                _ = try await storage.fetch(Self.reference(name), limit: limit)
            }
            #expect(failure?.code == .storageFailed)
        }
    }

    @Test("writes through no link that somebody laid under the name, and replaces what is no whole file")
    func laid() async throws {
        let folder = try TemporaryFolder()
        let outside = try TemporaryFolder()
        let storage = try FileStorage(directory: folder.url.path)
        let victim = try outside.write([9], as: "victim")
        let bytes: [UInt8] = [1, 2, 3]
        let name = Self.sha256(bytes)
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent(name), withDestinationURL: victim)
        #expect(try await storage.store(bytes, metadata: [:]) == name)
        #expect(try outside.read("victim") == [9])
        #expect(try await storage.fetch(Self.reference(name), limit: 3) == bytes)
    }

    @Test("leaves nothing of what found no room on the disk, and says so")
    func full() async throws {
        let folder = try TemporaryFolder()
        let written = Locked(0)
        let storage = try FileStorage(directory: folder.url.path) { descriptor, bytes in
            guard written.withLock({ $0 }) < 100_000 else {
                errno = ENOSPC
                return -1
            }
            let count = write(descriptor, bytes.baseAddress, min(bytes.count, 40_000))
            written.withLock { $0 += count }
            return count
        }
        let failure = await error { () throws(SenteError) in
            _ = try await storage.store(StreamStage.bytes(300_000), metadata: [:])
        }
        #expect(failure?.code == .storageFailed)
        #expect(failure?.message.contains("make room") == true)
        #expect(folder.names.isEmpty)
    }

    @Test("a place where no folder can be is refused when the storage is made")
    func noFolder() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write([1], as: "file")
        #expect(throws: SenteError.self) { try FileStorage(directory: file.path) }
        let missing = folder.url.appendingPathComponent("a/b/c").path
        let failure = #expect(throws: SenteError.self) { try FileStorage(directory: missing) }
        #expect(failure?.code == .invalidArgument)
    }
}
