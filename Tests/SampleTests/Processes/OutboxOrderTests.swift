// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTestSupport
import SenteLite
import Testing

extension SampleProcesses {
    /// What the console's outbox asks of the system, as `strace` sees it.
    @Suite(
        "The order in which the console's outbox reaches the disk",
        .enabled(if: Strace.isAllowed, "There is no strace here that may trace."))
    struct OutboxOrderTests {
        /// Writes, names and brings to the disk: each call with the end of its file's name, from a console that is told one thing.
        private static func calls(_ command: String, in folder: URL) async throws -> [String] {
            let trace = folder.appendingPathExtension("trace")
            defer { try? FileManager.default.removeItem(at: trace) }
            let (process, input) = (Process(), Pipe())
            process.executableURL = Strace.program
            process.arguments =
                ["-f", "-y", "-e", "trace=pwrite64,fsync,rename", "-o", trace.path]
                + [try SampleProcess.executable("console").path, "ws://127.0.0.1:1/"]
                + ["--outbox", folder.path, "--client-id", "c"]
            process.standardInput = input
            process.standardOutput = FileHandle.nullDevice
            let ended = AsyncStream<Void>.makeStream()
            process.terminationHandler = { _ in ended.continuation.yield() }
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data((command + "\n").utf8))
            try input.fileHandleForWriting.close()
            for await _ in ended.stream { break }
            return try String(contentsOf: trace, encoding: .utf8).split(separator: "\n").compactMap { line in
                guard line.contains(folder.path), let call = line.firstMatch(of: /([a-z]+)(64)?\(/) else {
                    return nil
                }
                let name =
                    line.contains("/outbox.new") ? "new" : line.contains("/outbox") ? "outbox" : "folder"
                return "\(call.output.1) \(name)"
            }
        }

        @Test(
            "A message is on the disk when it was said, and so is its file's name; a new file before it has the name"
        )
        func order() async throws {
            let folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("sente-console-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let said = try await Self.calls("publish --durable room {}\nwait 0.2\ndisconnect", in: folder)
            #expect(
                said == [
                    "pwrite outbox", "fsync outbox", "fsync folder", "pwrite outbox", "fsync outbox",
                ])
            do {
                let store = try FileOutboxStore(directory: folder.path)
                let id = try #require(try store.load(for: "c").messages.first?.id)
                try store.append(
                    StoredMessage(
                        id: "2", clientID: "c",
                        content: .publish(2, channel: "room", excludeSender: false)))
                try store.remove(id, .acknowledged, error: nil)
            }
            let opened = try await Self.calls("status", in: folder)
            #expect(opened == ["pwrite new", "fsync new", "rename new", "fsync folder"])
        }
    }
}

/// The program that shows what another asks of the system.
private enum Strace {
    static let program = URL(fileURLWithPath: "/usr/bin/strace")

    static var isAllowed: Bool {
        guard FileManager.default.isExecutableFile(atPath: program.path) else { return false }
        let process = Process()
        process.executableURL = program
        process.arguments = ["-f", "-y", "-o", "/dev/null", "/bin/true"]
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
