// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite

/// The whole pipeline in one go: two apps, and a collector that is restarted while they work.
struct Demo {
    let folder: URL
    let rate: Double
    /// How many signals each app raises.
    let count: Int

    private static let apps = ["north", "south"]

    /// Whether every signal was kept.
    func run() async throws -> Bool {
        let screen = Screen(prompt: "")
        func say(_ text: String) { screen.show(text) }
        let files = folder.appendingPathComponent("collected")
        let first = try Child(["collect", "--folder", files.path], folder: folder)
        let port = try await first.port()
        say("A collector listens on port \(port).")
        let apps = try Self.apps.map { name in
            try Child(
                [
                    "app", "ws://127.0.0.1:\(port)/chsk", "--name", name, "--rate", "\(rate)", "--count",
                    "\(count)", "--folder", folder.path,
                ], folder: folder)
        }
        say("\(apps.count) apps raise \(count) signals each.")
        try await Task.sleep(for: .seconds(Double(count) / rate / 3))
        _ = await first.end()
        say("The collector is gone; the apps keep what they raise.")
        try await Task.sleep(for: .seconds(Double(count) / rate / 3))
        let second = try Child(["collect", "--folder", files.path, "--port", "\(port)"], folder: folder)
        _ = try await second.port()
        say("A collector is back.")
        for app in apps { _ = await app.exit() }
        let lines = await second.end()
        if let table = lines.last { say("Its last table: \(table)") }

        var isWhole = true
        for name in Self.apps {
            let kept = try numbers(of: name, in: files)
            let local = try numbers(of: name, in: folder)
            let missing = Set(1...count).subtracting(kept).subtracting(local)
            let twice = kept.count - Set(kept).count
            isWhole = isWhole && missing.isEmpty && twice == 0
            say(
                "\(name): \(Set(kept).count) of \(count) in the collector's files, \(local.count) kept by the app itself, "
                    + "\(missing.count) missing, \(twice) twice.")
        }
        say("The files are in \(folder.path).")
        await screen.end()
        return isWhole
    }

    /// The numbers of an app's signals in all files of a folder.
    private func numbers(of app: String, in folder: URL) throws -> [Int] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "log" }
            .flatMap { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
            .compactMap { line -> Int? in
                guard let value = try? WireFormat.json.decode(Array(line.utf8)),
                    value["ctx"]?["app"]?.stringValue == app
                else { return nil }
                return value["data"]?["n"]?.integerValue.map { Int($0) }
            }
    }
}

/// This program in another role, as a process of its own.
private final class Child: Sendable {
    private let id: Int32
    private let lines: AsyncStream<String>
    private let exits: AsyncStream<Int32>

    init(_ arguments: [String], folder: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        let (exits, exit) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            exit.yield($0.terminationStatus)
            exit.finish()
        }
        try process.run()
        id = process.processIdentifier
        self.exits = exits
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        self.lines = lines
        let reading = output.fileHandleForReading
        Thread.detachNewThread {
            var rest = Data()
            while true {
                let data = reading.availableData
                guard !data.isEmpty else { break }
                rest += data
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    line.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            line.finish()
        }
    }

    /// The port that a collector says first.
    func port() async throws -> Int {
        for await line in lines {
            if let port = (try? WireFormat.json.decode(Array(line.utf8)))?["listening"]?.integerValue {
                return Int(port)
            }
        }
        throw SenteError(code: .unreachable, message: "The collector did not start.")
    }

    /// Waits for its end.
    func exit() async -> Int32 {
        for await status in exits { return status }
        return 0
    }

    /// Asks it to end; what it said since.
    func end() async -> [String] {
        kill(id, SIGTERM)
        _ = await exit()
        var said: [String] = []
        for await line in lines { said.append(line) }
        return said
    }
}
