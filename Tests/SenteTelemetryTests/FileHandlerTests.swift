// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteSignals
import SenteTelemetry
import SenteWire
import Testing

/// Touched by one thread only.
private final class Zlib: @unchecked Sendable {
    var isBroken = false
}

@Suite("Signals in a file")
struct FileHandlerTests {
    private static func batch(_ texts: String...) -> SignalBatch { batch(texts) }

    private static func batch(_ texts: [String], level: SignalLevel = .info) -> SignalBatch {
        SignalBatch(texts.map { Signal(time: 0, level: level, namespace: "a", message: $0) })
    }

    /// The line of a text has so many bytes more.
    private static let frame = "1970-01-01T00:00:00.000Z INFO [a] - \n".utf8.count

    @Test("lines are appended to what is there, and its folders are made")
    func append() throws {
        let folder = Folder()
        let file = try folder.handler("logs/deep/app.log")
        try file.handle(Self.batch("one", "two"))
        file.stop()
        try folder.handler("logs/deep/app.log").handle(Self.batch("three"))
        #expect(folder.texts("logs/deep/app.log") == ["one", "two", "three"])
        #expect(try folder.permissions("logs/deep/app.log") == 0o600)
    }

    @Test("by size, files are put aside before the line that would not fit, and so many are kept")
    func rotation() throws {
        let folder = Folder()
        let file = try folder.handler("app.log", rotation: .size(2 * (Self.frame + 1)), keep: 2)
        try file.handle(Self.batch("1", "2", "3"))
        #expect(folder.texts("app.log") == ["3"])
        #expect(folder.texts("app.log.1") == ["1", "2"])
        try file.handle(Self.batch("4", "5", "6", "7", "8", "9"))
        #expect(folder.texts("app.log") == ["9"])
        #expect(folder.texts("app.log.1") == ["7", "8"])
        #expect(folder.texts("app.log.2") == ["5", "6"])
        #expect(folder.names == ["app.log", "app.log.1", "app.log.2"])
    }

    @Test("files that were put aside are compressed, one that cannot be stays, and both grow old")
    func compressed() throws {
        let folder = Folder()
        let zlib = Zlib()
        let compressor = Compressor { bytes, output throws(WireError) in
            if zlib.isBroken { throw WireError(.unavailable, "There is no zlib.") }
            output += Array("packed ".utf8) + bytes
        } decompress: { _, _, _ throws(WireError) in
        }
        let file = try folder.handler(
            "app.log", rotation: .size(Self.frame + 1), keep: 3, compressor: compressor)
        try file.handle(Self.batch("1", "2"))
        #expect(folder.names == ["app.log", "app.log.1.gz"])
        #expect(folder.lines("app.log.1.gz").first?.hasPrefix("packed 1970-") == true)
        #expect(try folder.permissions("app.log.1.gz") == 0o600)
        zlib.isBroken = true
        try file.handle(Self.batch("3"))
        #expect(folder.names == ["app.log", "app.log.1", "app.log.2.gz"])
        zlib.isBroken = false
        try file.handle(Self.batch("4"))
        #expect(folder.names == ["app.log", "app.log.1.gz", "app.log.2", "app.log.3.gz"])
        try file.handle(Self.batch("5"))
        #expect(folder.names == ["app.log", "app.log.1.gz", "app.log.2.gz", "app.log.3"])
        #expect(folder.texts("app.log.3") == ["2"])
        try file.handle(Self.batch("6"))
        #expect(folder.names == ["app.log", "app.log.1.gz", "app.log.2.gz", "app.log.3.gz"])
    }

    @Test("a file that was put aside stays when its compressed one cannot be made")
    func cannotCompress() throws {
        let folder = Folder()
        try folder.make("app.log.1.gz.part")
        let compressor = Compressor { bytes, output throws(WireError) in
            output += Array(bytes)
        } decompress: { _, _, _ throws(WireError) in
        }
        let file = try folder.handler("app.log", rotation: .size(Self.frame + 1), compressor: compressor)
        try file.handle(Self.batch("1", "2"))
        #expect(folder.texts("app.log.1") == ["1"])
        #expect(folder.names == ["app.log", "app.log.1", "app.log.1.gz.part"])
    }

    @Test("a file of more than 64 MiB is not compressed, which would hold it in memory")
    func tooLargeToCompress() throws {
        let folder = Folder()
        try folder.write("", "app.log")
        try folder.extend("app.log", to: 64 << 20 + 1)
        let compressor = Compressor { _, output throws(WireError) in
            output += [0]
        } decompress: { _, _, _ throws(WireError) in
        }
        let file = try folder.handler("app.log", rotation: .size(1), compressor: compressor)
        try file.handle(Self.batch("1"))
        #expect(folder.names == ["app.log", "app.log.1"])
    }

    @Test("what a file held before counts")
    func sizeAtOpen() throws {
        let folder = Folder()
        try folder.handler("app.log").handle(Self.batch("1", "2"))
        try folder.handler("app.log", rotation: .size(2 * (Self.frame + 1))).handle(Self.batch("3"))
        #expect(folder.texts("app.log") == ["3"])
        #expect(folder.texts("app.log.1") == ["1", "2"])
    }

    @Test("by day, a file is put aside with the first line of the next, and goes on when the clock goes back")
    func daily() throws {
        let folder = Folder()
        folder.clock.set(days: 3)
        let file = try folder.handler("app.log", rotation: .daily)
        try file.handle(Self.batch("1"))
        folder.clock.set(days: 2)
        try file.handle(Self.batch("2"))
        folder.clock.set(days: 3)
        try file.handle(Self.batch("3"))
        #expect(folder.texts("app.log.1") == ["1", "2"])
        #expect(folder.texts("app.log") == ["3"])
    }

    @Test("a file of another day is put aside with the first line after it is opened")
    func dayAtOpen() throws {
        let folder = Folder()
        folder.clock.set(days: 3)
        try folder.handler("app.log").handle(Self.batch("old"))
        try folder.setChanged("app.log", days: 2)
        try folder.handler("app.log", rotation: .daily).handle(Self.batch("new"))
        #expect(folder.texts("app.log.1") == ["old"])
        #expect(folder.texts("app.log") == ["new"])
    }

    @Test("a file that others renamed is noticed within a second, and when told at once")
    func renamed() throws {
        let folder = Folder()
        let hangups = Hangups.count
        let file = try folder.handler("app.log")
        try file.handle(Self.batch("1"))
        try folder.move("app.log", to: "old.log")
        folder.clock.advance(.milliseconds(999))
        try file.handle(Self.batch("2"))
        folder.clock.advance(.milliseconds(1))
        try file.handle(Self.batch("3"))
        try folder.move("app.log", to: "older.log")
        file.reopen()
        try file.handle(Self.batch("4"))
        // The test of SIGHUP beside this one has every file opened anew.
        guard Hangups.count == hangups else { return }
        #expect(folder.texts("old.log") == ["1", "2"])
        #expect(folder.texts("older.log") == ["3"])
        #expect(folder.texts("app.log") == ["4"])
    }

    @Test("a file that another handler has put aside is not put aside again")
    func twoRotate() throws {
        let folder = Folder()
        let limit = 2 * (Self.frame + 1)
        let (left, right) = (
            try folder.handler("app.log", rotation: .size(limit)),
            try folder.handler("app.log", rotation: .size(limit))
        )
        try left.handle(Self.batch("1", "2"))
        try right.handle(Self.batch("3", "4"))
        try left.handle(Self.batch("5"))
        try right.handle(Self.batch("6"))
        #expect(folder.texts("app.log.1") == ["1", "2", "3", "4"])
        #expect(folder.texts("app.log") == ["5", "6"])
        #expect(folder.names == ["app.log", "app.log.1"])
    }

    @Test(
        "a folder that disappears fails the lines until it is back, with one complaint, and without trying for a second"
    )
    func folderDisappears() throws {
        let folder = Folder()
        let file = try folder.handler("logs/app.log")
        try folder.remove("logs")
        folder.clock.advance(.seconds(1))
        for _ in 0..<3 {
            #expect(throws: FileError(folder.path("logs/app.log"), .folderMissing)) {
                try file.handle(Self.batch("lost"))
            }
        }
        #expect(folder.complaints == ["\(FileError(folder.path("logs/app.log"), .folderMissing))"])
        try folder.make("logs")
        #expect(throws: FileError.self) { try file.handle(Self.batch("lost")) }
        folder.clock.advance(.seconds(1))
        try file.handle(Self.batch("kept"))
        #expect(folder.texts("logs/app.log") == ["kept"])
        #expect(folder.complaints.count == 1)
    }

    @Test("a clock that is set back does not keep a handler from trying")
    func clockGoesBack() throws {
        let folder = Folder()
        folder.clock.set(days: 9)
        let file = try folder.handler("logs/app.log")
        try folder.remove("logs")
        folder.clock.advance(.seconds(1))
        #expect(throws: FileError.self) { try file.handle(Self.batch("lost")) }
        try folder.make("logs")
        folder.clock.set(days: 1)
        try file.handle(Self.batch("kept"))
        #expect(folder.texts("logs/app.log") == ["kept"])
    }

    @Test("paths that are none are told of when the handler is made")
    func badPaths() throws {
        let folder = Folder()
        try folder.make("folder")
        try folder.write("plain", "file")
        func reason(_ path: String) -> FileError.Reason? {
            do {
                _ = try FileHandler(path)
                return nil
            } catch {
                #expect("\(error)".hasSuffix("."))
                return error.reason
            }
        }
        #expect(reason(folder.path("folder")) == .notAFile)
        #expect(reason(folder.path("file/app.log")) == .folderMissing)
        #expect(reason("") == .invalidPath)
        #expect(reason(folder.path("a\0b")) == .invalidPath)
        #expect(reason(folder.path("folder/")) == .notAFile)
        #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
        #expect(reason(folder.path("pipe")) != nil)
    }

    #if os(Linux)
    @Test("a full disk fails the lines, complains once, and is tried again after a second")
    func fullDisk() throws {
        let folder = Folder()
        try folder.link("app.log", to: "/dev/full")
        let file = try folder.handler("app.log", rotation: .size(1))
        for _ in 0..<5 {
            #expect(throws: FileError(folder.path("app.log"), .full)) { try file.handle(Self.batch("lost")) }
            folder.clock.advance(.milliseconds(600))
        }
        #expect(folder.complaints.count == 1)
    }

    @Test("what a handler wrote in part when it failed gets its end, though another has the file open")
    func repairAfterFailure() throws {
        let folder = Folder()
        let other = try folder.handler("shared.log")
        try folder.link("app.log", to: "/dev/full")
        let file = try folder.handler("app.log")
        #expect(throws: FileError.self) { try file.handle(Self.batch("lost")) }
        try folder.append("los", "shared.log")
        try folder.remove("app.log")
        try folder.link("app.log", to: folder.path("shared.log"))
        folder.clock.advance(.seconds(1))
        try file.handle(Self.batch("kept"))
        #expect(folder.texts("app.log") == ["?los", "kept"])
        other.stop()
    }

    @Test("a disk that has room again takes new lines alone, and the next time it is full is told anew")
    func roomAgain() throws {
        let folder = Folder()
        try folder.link("app.log", to: "/dev/full")
        let file = try folder.handler("app.log")
        #expect(throws: FileError.self) { try file.handle(Self.batch("lost")) }
        try folder.remove("app.log")
        folder.clock.advance(.seconds(1))
        try file.handle(Self.batch("kept"))
        #expect(folder.texts("app.log") == ["kept"])
        try folder.remove("app.log")
        try folder.link("app.log", to: "/dev/full")
        folder.clock.advance(.seconds(1))
        #expect(throws: FileError.self) { try file.handle(Self.batch("lost")) }
        #expect(folder.complaints.count == 2)
    }

    @Test("a handler that was stopped holds no file open")
    func closes() throws {
        let folder = Folder()
        let file = try folder.handler("app.log")
        func isOpen() throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").contains { number in
                let path = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: "/proc/self/fd/" + number)
                return path == folder.path("app.log")
            }
        }
        #expect(try isOpen())
        file.stop()
        #expect(try !isOpen())
    }
    #endif

    @Test("a device is written and never put aside")
    func device() throws {
        let folder = Folder()
        // By a link, so that what would be put aside is not the system's own.
        try folder.link("app.log", to: "/dev/null")
        let file = try folder.handler("app.log", rotation: .size(1), sync: .level(.info))
        try file.handle(Self.batch("1", "2", "3"))
        try file.flush()
        #expect(folder.names == ["app.log"])
        #expect(folder.complaints.isEmpty)
    }

    @Test("an unfinished last line gets its end before the next one")
    func repair() throws {
        let folder = Folder()
        try folder.write("1970-01-01T00:00:00.000Z INFO [a] - whole\n1970-01-01T00:0", "app.log")
        try folder.handler("app.log").handle(Self.batch("next"))
        #expect(folder.lines("app.log").map(\.count) == [41, 15, 40])
        #expect(folder.texts("app.log").last == "next")
    }

    @Test("a line that another handler may just be writing is not taken for an unfinished one")
    func sharedRepair() throws {
        let folder = Folder()
        let (writer, other) = (try folder.handler("app.log"), try folder.handler("app.log"))
        try folder.append("half a l", "app.log")
        let late = try folder.handler("app.log")
        try folder.append("ine\n", "app.log")
        try late.handle(Self.batch("next"))
        #expect(folder.lines("app.log").map(\.count) == [11, 40])
        for handler in [writer, other, late] { handler.stop() }
        try folder.append("half", "app.log")
        try folder.handler("app.log").handle(Self.batch("last"))
        #expect(folder.lines("app.log").map(\.count) == [11, 40, 4, 40])
    }

    @Test("a file that cannot be put aside is written on, and that is told")
    func cannotRotate() throws {
        let folder = Folder()
        try folder.make("app.log.1")
        try folder.write("x", "app.log.1/inside")
        let file = try folder.handler("app.log", rotation: .size(Self.frame + 1), keep: 1)
        try file.handle(Self.batch("1", "2"))
        #expect(folder.texts("app.log") == ["1", "2"])
        #expect(folder.complaints.count == 1)
    }

    @Test("a message of ten megabytes makes one line of bounded length")
    func giant() throws {
        let folder = Folder()
        let file = try folder.handler("app.log")
        try file.handle(Self.batch("small", String(repeating: "\n", count: 10 << 20), "small"))
        let lines = folder.lines("app.log")
        #expect(lines.count == 3)
        #expect(lines[1].utf8.count < 64 << 10)
    }

    @Test("a batch far larger than the room for lines arrives whole")
    func greatBatch() throws {
        let folder = Folder()
        let file = try folder.handler("app.log")
        let texts = (0..<20_000).map { "line number \($0) of many" }
        try file.handle(Self.batch(texts))
        #expect(folder.texts("app.log") == texts)
    }

    @Test("handlers that share a path never mix within a line")
    func sharedPath() async throws {
        let folder = Folder()
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    guard let file = try? folder.handler("app.log") else { return }
                    for number in 0..<200 {
                        let text = "\(writer):\(number):" + String(repeating: "\(writer)", count: number * 3)
                        try? file.handle(Self.batch(Array(repeating: text, count: 3)))
                    }
                }
            }
        }
        let texts = folder.texts("app.log")
        #expect(texts.count == 4 * 200 * 3)
        for text in texts {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            #expect(
                parts.count == 3
                    && parts[2] == String(repeating: String(parts[0]), count: (Int(parts[1]) ?? -1) * 3))
        }
    }

    #if os(Linux)
    @Test("SIGHUP has files opened anew")
    func hangup() throws {
        let folder = Folder()
        FileHandler.reopenOnHangup()
        let file = try folder.handler("app.log")
        try file.handle(Self.batch("1"))
        try folder.move("app.log", to: "old.log")
        // The system hands it to any thread, when it likes.
        let before = Hangups.count
        kill(getpid(), SIGHUP)
        while Hangups.count == before { sched_yield() }
        try file.handle(Self.batch("2"))
        #expect(folder.texts("app.log") == ["2"])
    }

    private static let childVariable = "SENTE_TELEMETRY_CHILD"

    @Test(
        "(child) it writes until it is killed",
        .enabled(if: ProcessInfo.processInfo.environment[childVariable] != nil))
    func child() throws {
        let path = ProcessInfo.processInfo.environment[Self.childVariable] ?? ""
        let file = try FileHandler(path, format: .text, rotation: .none)
        var number = 0
        while true {
            let texts = (number..<number + 50).map { "\($0) " + String(repeating: "x", count: $0 % 300) }
            try file.handle(Self.batch(texts))
            number += 50
        }
    }

    @Test(
        "of a process that is killed while it writes all lines but the last are whole, and that one gets its end",
        .enabled(if: ProcessInfo.processInfo.environment[childVariable] == nil))
    func killed() throws {
        let folder = Folder()
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["--testing-library", "swift-testing", "--filter", "FileHandlerTests/child"]
        child.environment = ProcessInfo.processInfo.environment.merging(
            [Self.childVariable: folder.path("app.log")], uniquingKeysWith: { $1 })
        child.standardOutput = FileHandle.nullDevice
        child.standardError = FileHandle.nullDevice
        try child.run()
        while child.isRunning, folder.size("app.log") < 1 << 20 { sched_yield() }
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        #expect(child.terminationReason == .uncaughtSignal)

        let file = try folder.handler("app.log")
        try file.handle(Self.batch("after"))
        let texts = folder.texts("app.log")
        #expect(texts.last == "after")
        for (number, text) in texts.dropLast(2).enumerated() {
            #expect(text == "\(number) " + String(repeating: "x", count: number % 300))
        }
        #expect(texts.count > 1_000)
    }
    #endif
}
