// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteLite
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

@Suite("A download to a file", .timeLimit(.minutes(5)))
struct DownloadSaveTests {
    private func download(_ bytes: [UInt8], _ metadata: Value, _ stage: StreamStage) async throws -> Download
    {
        stage.world.server.offersDownload(bytes, on: "exports", metadata: metadata)
        var downloads = stage.client.downloads(on: "exports").makeAsyncIterator()
        return try #require(await downloads.next())
    }

    @Test("has the name that the server says, and nothing else stays in the folder")
    func named() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        let bytes = StreamStage.bytes(150_000)
        try await stage.run {
            let file = try await download(bytes, ["filename": "all.csv"], stage).save(to: folder.url)
            #expect(file.lastPathComponent == "all.csv")
            #expect(try folder.read("all.csv") == bytes)
            #expect(folder.names == ["all.csv"])
        }
        #expect(stage.client.metrics.streaming.completed == 1)
    }

    @Test("without bytes is an empty file, under the name that the app gives")
    func empty() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        try await stage.run {
            let target = folder.url.appendingPathComponent("mine.txt")
            let saved = try await download([], ["filename": "theirs.txt"], stage).save(to: target)
            #expect(saved == target)
            #expect(folder.names == ["mine.txt"])
        }
    }

    @Test("stays in its folder, whatever the server calls it")
    func hostile() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        let inner = folder.url.appendingPathComponent("inner")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        try await stage.run {
            for name in ["../../escaped", "/etc/escaped", "..", "a\u{0}b", "..\\..\\escaped"] {
                _ = try? await download([1], ["filename": Value(name)], stage).save(
                    to: inner, overwrite: true)
            }
        }
        #expect(folder.names == ["inner"])
        let names = try FileManager.default.contentsOfDirectory(atPath: inner.path)
        #expect(names.contains("escaped"))
        #expect(names.contains("ab"))
        #expect(names.count == 3, "what has no name has the stream's")
    }

    @Test(
        "takes nothing but a name of a text",
        arguments: [
            ("q3.pdf", "q3.pdf"), ("../../etc/passwd", "passwd"), ("..", nil), (".", nil), ("", nil),
            ("/", nil),
            ("a/", "a"), ("C:\\temp\\x.txt", "x.txt"), (".bashrc", "bashrc"), ("  a b  ", "a b"),
            ("a\u{0}\n\u{202E}b", "ab"), ("...", nil), ("\u{1F600}.txt", "\u{1F600}.txt"),
        ])
    func names(text: String, name: String?) {
        #expect(Download.fileName(of: text) == name)
    }

    @Test("a long name is cut where a character ends")
    func longName() throws {
        let name = try #require(Download.fileName(of: String(repeating: "é", count: 400)))
        #expect(name == String(repeating: "é", count: 100))
    }

    @Test("leaves a file that is there as it is, unless it is to be overwritten")
    func existing() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        _ = try folder.write([9], as: "all.csv")
        try await stage.run {
            let refused = try await download([1, 2], ["filename": "all.csv"], stage)
            let error = await error { () throws(SenteError) in _ = try await refused.save(to: folder.url) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("all.csv") == true)
            #expect(try folder.read("all.csv") == [9])
            let taken = try await self.download([1, 2], ["filename": "all.csv"], stage)
            _ = try await taken.save(to: folder.url, overwrite: true)
            #expect(try folder.read("all.csv") == [1, 2])
            #expect(folder.names == ["all.csv"])
        }
    }

    @Test("does not write through a link that lies where its unfinished file would be")
    func linked() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        try await stage.run {
            let download = try await download([1, 2], ["filename": "all.csv"], stage)
            let victim = try folder.write([9], as: "victim")
            let part = DownloadFile.partName(of: "all.csv", stream: download.id)
            try FileManager.default.createSymbolicLink(
                at: folder.url.appendingPathComponent(part), withDestinationURL: victim)
            _ = try await download.save(to: folder.url)
            #expect(try folder.read("victim") == [9])
            #expect(folder.names == ["all.csv", "victim"])
        }
    }

    @Test("says that the disk is full, calls the stream off, and leaves nothing")
    func full() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        try await stage.run {
            let download = try await download(StreamStage.bytes(150_000), ["filename": "all.csv"], stage)
            let error = await error { () throws(SenteError) in
                _ = try await download.save(to: folder.url) { descriptor, bytes in
                    if lseek(descriptor, 0, SEEK_CUR) < 70_000 {
                        return DownloadFile.system(descriptor, bytes)
                    }
                    errno = ENOSPC
                    return -1
                }
            }
            #expect(error?.code == .streamFailed)
            #expect(error?.message.contains("the disk is full") == true)
            #expect(folder.names.isEmpty)
            await #expect { try await download.value } throws: { ($0 as? SenteError)?.code == .streamFailed }
        }
        #expect(stage.client.metrics.streaming.active == 0)
    }

    @Test("leaves nothing when it is called off in the middle")
    func cancelled() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        try await stage.run {
            let download = try await download(StreamStage.bytes(150_000), ["filename": "all.csv"], stage)
            download.pause()
            let saving = Task { try await download.save(to: folder.url) }
            try await stage.world.clock.sleep(for: .seconds(1))
            #expect(folder.names.count == 1)
            saving.cancel()
            await #expect { try await saving.value } throws: { ($0 as? SenteError)?.code == .cancelled }
            #expect(folder.names.isEmpty)
        }
    }

    @Test("goes on in another process behind what was written, and the whole is checked")
    func resumed() async throws {
        let stage = try StreamStage(chunkSize: 65_536) { $0.clientID = "me" }
        let folder = try TemporaryFolder()
        let bytes = StreamStage.bytes(250_000)
        try await stage.run {
            let world = stage.world
            let download = try await download(bytes, ["filename": "all.csv"], stage)
            // The first process: it dies when two pieces are written.
            let written = Collector<Void>()
            let first = Task {
                try await download.save(to: folder.url) { descriptor, bytes in
                    let count = DownloadFile.system(descriptor, bytes)
                    written.append(())
                    if written.elements.count == 2 { download.pause() }
                    return count
                }
            }
            try await world.clock.sleep(for: .seconds(1))
            let position = try #require(download.position)
            #expect(position.bytes == 131_072)
            let stored = try JSONEncoder().encode(position)
            let part = try #require(folder.names.first)
            let kept = try folder.read(part)
            world.goOffline()
            world.server.cut()
            try await world.clock.sleep(for: .seconds(1))
            first.cancel()
            _ = await first.result
            await stage.client.disconnect()
            _ = try folder.write(kept, as: part)
            world.goOnline()

            let other = try StreamStage.client(in: world, chunkSize: 65_536) { $0.clientID = "me" }
            try await other.connect()
            let resumed = try other.resumeDownload(JSONDecoder().decode(StreamPosition.self, from: stored))
            _ = try await resumed.save(to: folder.url, name: "all.csv")
            #expect(try folder.read("all.csv") == bytes)
            #expect(folder.names == ["all.csv"])
            #expect(try await resumed.value.checksum != nil)
        }
    }

    @Test("cannot go on where what was written is gone")
    func gone() async throws {
        let stage = try StreamStage(chunkSize: 65_536)
        let folder = try TemporaryFolder()
        try await stage.run {
            let text =
                #"{"id":"x","kind":"download","bytes":70000,"index":2,"chunkSize":65536,"isChecked":true,"checksChunks":false}"#
            let position = try JSONDecoder().decode(StreamPosition.self, from: Data(text.utf8))
            let download = try stage.client.resumeDownload(position)
            let error = await error { () throws(SenteError) in
                _ = try await download.save(to: folder.url, name: "all.csv")
            }
            #expect(error?.code == .notResumable)
            await #expect(
                "the server knows nothing of it",
                performing: { try await download.collect() },
                throws: { ($0 as? SenteError)?.code == .notResumable })
        }
    }
}
