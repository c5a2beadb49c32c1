// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import Testing

@Suite("One file a session")
struct SessionFilesTests {
    /// A folder for as long as `body` runs.
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "sessions-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func signal(_ session: String?, _ n: Int, time: Int64 = 1_000_000_000, text: String = "")
        -> Signal
    {
        var context = ValueMap()
        if let session { context[.keyword("session")] = Value(session) }
        return Signal(
            time: time, namespace: "app", id: "app/n",
            data: [.keyword("n"): Value(n), .keyword("t"): Value(text)], context: context)
    }

    private func lines(_ folder: URL) throws -> [String: [String]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return Dictionary(
            uniqueKeysWithValues: try names.map { name in
                let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                return (name, text.split(separator: "\n").map(String.init))
            })
    }

    @Test("each session's signals are in its file, in order, and nobody writes elsewhere")
    func separate() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path)
            try files.handle(
                SignalBatch([signal("ann", 1), signal("../../bob", 2), signal("ann", 3), signal(nil, 4)]))
            try files.handle(SignalBatch([signal("ann", 5, time: 99_000_000_000)]))
            files.stop()
            let lines = try lines(folder)
            #expect(lines.count == 3)
            #expect(lines["ann-1970-01-01T000001000Z.log"]?.count == 3)
            #expect(lines.values.joined().count == 5)
            #expect(
                !FileManager.default.fileExists(
                    atPath: folder.deletingLastPathComponent().appendingPathComponent("bob").path))
        }
    }

    @Test("a session whose file was closed goes on in it")
    func closed() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path, maximumOpen: 2)
            for n in 0..<30 {
                try files.handle(SignalBatch([signal("s\(n % 5)", n, time: Int64(n) * 1_000_000_000)]))
            }
            files.stop()
            let lines = try lines(folder)
            #expect(lines.count == 5)
            #expect(lines.values.allSatisfy { $0.count == 6 })
        }
    }

    @Test("a session whose file was closed a thousand sessions ago begins a new one")
    func forgotten() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path, maximumOpen: 1)
            for n in 0..<1_026 { try files.handle(SignalBatch([signal("s\(n)", n)])) }
            let later: Int64 = 2_000_000_000
            try files.handle(SignalBatch([signal("s0", 0, time: later), signal("s5", 0, time: later)]))
            files.stop()
            let lines = try lines(folder)
            #expect(lines.count == 1_027)
            #expect(lines["s0-1970-01-01T000002000Z.log"]?.count == 1)
            #expect(lines["s5-1970-01-01T000001000Z.log"]?.count == 2)
        }
    }

    @Test("files have the format that was asked for")
    func format() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path, format: .edn, maximumOpen: 0)
            for n in 0..<2 { try files.handle(SignalBatch([signal("ann", n)])) }
            files.stop()
            #expect(try lines(folder).values.first?.allSatisfy { $0.hasPrefix("{:time") } == true)
        }
    }

    #if os(Linux)
    /// The sessions whose files the process holds open.
    private func open(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { number in
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + number)
            guard let path, path.hasPrefix(folder.path + "/") else { return nil }
            return path.dropFirst(folder.path.count + 1).split(separator: "-").first.map(String.init)
        }.sorted()
    }

    @Test("only so many files are open, and room is made by the one whose last use is longest ago")
    func leastRecent() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path, maximumOpen: 2)
            for (n, session) in ["ann", "bob", "ann", "eve"].enumerated() {
                try files.handle(SignalBatch([signal(session, n)]))
            }
            #expect(try open(in: folder) == ["ann", "eve"])
            files.stop()
            #expect(try open(in: folder).isEmpty)
        }
    }
    #endif

    @Test("a session has only so many bytes, and the newest are kept")
    func bounded() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path, maximumBytes: 20_000)
            let text = String(repeating: "x", count: 1_000)
            for n in 0..<100 { try files.handle(SignalBatch([signal("ann", n, text: text)])) }
            files.stop()
            let lines = try lines(folder)
            #expect(lines.count == 2, "The older half is kept beside the newer.")
            #expect(lines.values.joined().reduce(0) { $0 + $1.utf8.count + 1 } <= 20_000)
            #expect(lines["ann-1970-01-01T000001000Z.log"]?.last?.contains(#""n":99"#) == true)
        }
    }

    @Test("one file that cannot be written does not keep the others from being")
    func failing() throws {
        try withFolder { folder in
            let files = SessionFiles(folder: folder.path)
            let name = "ann-1970-01-01T000001000Z.log"
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
            #expect(throws: FileError.self) {
                try files.handle(SignalBatch([signal("ann", 1), signal("bob", 2)]))
            }
            files.stop()
            try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            #expect(try lines(folder).count == 1)
        }
    }
}
