// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("A folder that streams are written into and read from")
struct StreamFolderTests {
    /// A folder in a folder, which goes with the test.
    private final class Place {
        let outer: URL
        let inner: URL

        init() throws {
            outer = FileManager.default.temporaryDirectory
                .appendingPathComponent("sente-streams-\(UUID().uuidString)")
            inner = outer.appendingPathComponent("in")
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: outer) }

        func folder(_ change: (inout StreamFolder.Policy) -> Void = { _ in }) throws -> StreamFolder {
            var policy = StreamFolder.Policy()
            change(&policy)
            return try StreamFolder(inner.path, policy)
        }

        /// What is in the folder, and beside it.
        var names: [String] { Self.names(inner) }
        var outerNames: [String] { Self.names(outer) }

        private static func names(_ url: URL) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
        }

        func write(_ text: String, to name: String) throws {
            try Data(text.utf8).write(to: inner.appendingPathComponent(name))
        }

        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: inner.appendingPathComponent(name)), as: UTF8.self)
        }
    }

    private static func offer(_ name: String?, size: UInt64? = nil) -> StreamOffer {
        StreamOffer(
            .upload, totalSize: size, metadata: name.map { ["filename": .string($0)] } ?? .null)
    }

    @discardableResult
    private static func store(_ text: String, as name: String?, in folder: StreamFolder) throws -> Value {
        var sink = try folder.sink(for: offer(name))
        try sink.take(Array(text.utf8)[...])
        return try sink.finish()
    }

    private static func refusal(_ body: () throws -> Void) -> StreamRefusal? {
        do {
            try body()
            return nil
        } catch {
            return error as? StreamRefusal
        }
    }

    // MARK: Uploads

    @Test("an upload has its name once it is whole, and the receipt says so")
    func upload() throws {
        let place = try Place()
        let folder = try place.folder()
        var sink = try folder.sink(for: Self.offer("q3.pdf"))
        try sink.take(Array("abc".utf8)[...])
        #expect(place.names.count == 1 && place.names[0].hasPrefix(".upload-"))
        try sink.take(Array("def".utf8)[...])
        #expect(try sink.finish() == ["name": "q3.pdf", "size": 6])
        #expect(place.names == ["q3.pdf"])
        #expect(try place.text("q3.pdf") == "abcdef")
        #expect(folder.bytes == 6)
    }

    @Test(
        "whatever its client calls it, a file stands in the folder and nowhere else",
        arguments: [
            ("../../etc/passwd", "_._.._etc_passwd"), ("/etc/passwd", "_etc_passwd"), ("..", "_."),
            (".", "_"), (".bashrc", "_bashrc"), ("a\u{0}b", "a_b"), ("a\nb", "a_b"), ("..\\c", "_._c"),
            ("", "unnamed"), ("übung.pdf", "übung.pdf"),
        ])
    func names(name: String, expected: String) throws {
        let place = try Place()
        let folder = try place.folder()
        let receipt = try Self.store("abc", as: name, in: folder)
        #expect(place.names.count == 1)
        #expect(place.outerNames == ["in"])
        let stored = try #require(receipt["name"]?.stringValue)
        #expect(!stored.hasPrefix(".") && !stored.contains("/"))
        #expect(stored == expected)
    }

    @Test("a name that is too long is cut, and one that is none or missing has another")
    func longNames() throws {
        let place = try Place()
        let folder = try place.folder()
        try Self.store("a", as: String(repeating: "ä", count: 5_000), in: folder)
        #expect(place.names[0].utf8.count == 200)
        #expect(try Self.store("a", as: nil, in: folder)["name"] == "unnamed")
    }

    @Test("no file is written over another unless that was asked for")
    func collisions() throws {
        let place = try Place()
        try place.write("old", to: "q3.pdf")
        #expect(try Self.store("new", as: "q3.pdf", in: place.folder())["name"] == "q3-1.pdf")
        #expect(try Self.store("new", as: "q3.pdf", in: place.folder())["name"] == "q3-2.pdf")
        #expect(try place.text("q3.pdf") == "old")
        let strict = try place.folder { $0.collision = .refuses }
        #expect(Self.refusal { _ = try strict.sink(for: Self.offer("q3.pdf")) }?.code == "refused")
        // Also one that has come meanwhile.
        let sink = try strict.sink(for: Self.offer("q4.pdf"))
        try place.write("old", to: "q4.pdf")
        #expect(Self.refusal { _ = try sink.finish() }?.code == "refused")
        sink.abandon()
        #expect(try place.text("q4.pdf") == "old")
        let lax = try place.folder { $0.collision = .replaces }
        #expect(try Self.store("newer", as: "q3.pdf", in: lax)["name"] == "q3.pdf")
        #expect(try place.text("q3.pdf") == "newer")
        #expect(lax.bytes == 14)
        #expect(place.names == ["q3-1.pdf", "q3-2.pdf", "q3.pdf", "q4.pdf"])
    }

    @Test("an upload that is given up, or whose sink is forgotten, leaves nothing")
    func abandoned() throws {
        let place = try Place()
        let folder = try place.folder()
        var sink = try folder.sink(for: Self.offer("a"))
        try sink.take([1, 2, 3])
        sink.abandon()
        #expect(place.names.isEmpty)
        #expect(folder.bytes == 0)
        do {
            var forgotten = try folder.sink(for: Self.offer("b"))
            try forgotten.take([1])
            #expect(folder.bytes == 1)
        }
        #expect(place.names.isEmpty)
        #expect(folder.bytes == 0)
    }

    @Test("what a killed server left is removed, but not what another one writes, nor a file of such a name")
    func forgotten() throws {
        let place = try Place()
        try place.write("left", to: ".upload-1.part")
        try place.write("mine", to: "upload-1.part")
        let folder = try place.folder()
        #expect(place.names == ["upload-1.part"] && folder.bytes == 4)
        var sink = try folder.sink(for: Self.offer("a"))
        try sink.take([1, 2, 3])
        let other = try place.folder()
        #expect(place.names.count == 2 && other.bytes == 7)
        #expect(try sink.finish()["name"] == "a")
    }

    @Test("the folder holds no more than it may, what was there before included")
    func total() throws {
        let place = try Place()
        try place.write("0123456789", to: "old")
        let folder = try place.folder { $0.totalBytes = 16 }
        #expect(Self.refusal { _ = try folder.sink(for: Self.offer("a", size: 7)) }?.code == "quota-exceeded")
        #expect(
            Self.refusal { _ = try folder.sink(for: Self.offer("a", size: .max)) }?.code == "quota-exceeded")
        var sink = try folder.sink(for: Self.offer("a"))
        try sink.take([1, 2, 3, 4, 5, 6])
        #expect(Self.refusal { try sink.take([7]) }?.code == "quota-exceeded")
        sink.abandon()
        #expect(folder.bytes == 10)
        try Self.store("abcdef", as: "b", in: folder)
        #expect(folder.bytes == 16)
    }

    @Test(
        "a disk that is full is a quota",
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
    func fullDisk() throws {
        let place = try Place()
        let folder = try place.folder()
        var sink = FileSink(
            TemporaryFile(open("/dev/full", O_WRONLY), ".upload-none.part", in: folder), name: "a")
        let refusal = Self.refusal { try sink.take([1, 2, 3]) }
        #expect(refusal?.code == "quota-exceeded")
        #expect(refusal?.message.hasPrefix("the file cannot be written: ") == true)
        sink.abandon()
        #expect(folder.bytes == 0)
    }

    // MARK: Downloads

    @Test("a file is given from any place, and ends where it ended when it was opened")
    func download() throws {
        let place = try Place()
        try place.write("0123456789", to: "a.txt")
        let source = try place.folder().source(of: "a.txt")
        try place.write("0123456789abc", to: "a.txt")
        #expect(source.canGoBack)
        #expect(source.size == 10)
        #expect(try source.bytes(at: 0, most: 4) == .bytes(Array("0123".utf8)[...]))
        #expect(try source.bytes(at: 8, most: 4) == .bytes(Array("89".utf8)[...]))
        #expect(try source.bytes(at: 2, most: 3) == .bytes(Array("234".utf8)[...]))
        #expect(try source.bytes(at: 10, most: 4) == .end)
        #expect(try source.bytes(at: .max, most: 4) == .end)
    }

    @Test("what is no file of the folder is not given, nor what a link in it points to")
    func missing() throws {
        let place = try Place()
        let folder = try place.folder()
        try Data("secret".utf8).write(to: place.outer.appendingPathComponent("secret"))
        try FileManager.default.createSymbolicLink(
            at: place.inner.appendingPathComponent("link"),
            withDestinationURL: place.outer.appendingPathComponent("secret"))
        try FileManager.default.createDirectory(
            at: place.inner.appendingPathComponent("folder"), withIntermediateDirectories: true)
        mkfifo(place.inner.appendingPathComponent("pipe").path, 0o600)
        try place.write("hidden", to: ".hidden")
        for name in ["../secret", "/etc/passwd", "..", ".", "", "link", "folder", "pipe", ".hidden", "none"] {
            #expect(Self.refusal { _ = try folder.source(of: name) }?.code == "refused", "\(name)")
        }
    }

    @Test("a file that has become shorter fails its stream")
    func shortened() throws {
        let place = try Place()
        try place.write("0123456789", to: "a.txt")
        let source = try place.folder().source(of: "a.txt")
        #expect(truncate(place.inner.appendingPathComponent("a.txt").path, 5) == 0)
        #expect(Self.refusal { _ = try source.bytes(at: 5, most: 4) }?.code == "source-failed")
    }

    @Test("a file that is followed goes on as it grows, and ends when it is removed")
    func followed() throws {
        let place = try Place()
        try place.write("abc", to: "log")
        let path = place.inner.appendingPathComponent("log")
        let source = try place.folder().source(of: "log", follows: true)
        #expect(source.size == nil)
        #expect(try source.bytes(at: 0, most: 8) == .bytes(Array("abc".utf8)[...]))
        #expect(try source.bytes(at: 3, most: 8) == .later(.milliseconds(200)))
        let handle = try FileHandle(forWritingTo: path)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("def".utf8))
        #expect(try source.bytes(at: 3, most: 8) == .bytes(Array("def".utf8)[...]))
        try FileManager.default.removeItem(at: path)
        #expect(try source.bytes(at: 6, most: 8) == .end)
        try handle.truncate(atOffset: 2)
        #expect(Self.refusal { _ = try source.bytes(at: 6, most: 8) }?.code == "source-failed")
    }

    @Test("only so many files are open at once, and what is let go of makes room")
    func openFiles() throws {
        let place = try Place()
        try place.write("abc", to: "a")
        let folder = try place.folder { $0.openFiles = 3 }
        var sinks = try (0..<2).map { try folder.sink(for: Self.offer("u\($0)")) }
        let source = try folder.source(of: "a")
        #expect(Self.refusal { _ = try folder.source(of: "a") }?.code == "quota-exceeded")
        #expect(Self.refusal { _ = try folder.sink(for: Self.offer("b")) }?.code == "quota-exceeded")
        #expect(try source.bytes(at: 0, most: 3) == .bytes(Array("abc".utf8)[...]))
        sinks.removeAll()
        #expect(folder.openFiles == 1)
        for name in ["none", "../a", "a"] { _ = try? folder.source(of: name) }
        #expect(folder.openFiles == 1)
        _ = try folder.sink(for: Self.offer("b"))
        #expect(place.names == ["a"])
    }

    @Test("a folder that cannot be opened says what to do")
    func unopenable() {
        #expect(throws: LinkFailure.self) { try StreamFolder("/dev/null/streams") }
    }
}
