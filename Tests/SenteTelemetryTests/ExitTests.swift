// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTelemetry
import Testing

#if os(Linux)
/// Keeps what it is given until it is stopped, and then writes how much that was.
private final class LastWords: TelemetryHandler, @unchecked Sendable {
    private let file: URL
    /// Touched by one thread at a time.
    private var count = 0
    private var isFlushed = false

    init(_ file: URL) {
        self.file = file
    }

    func handle(_ batch: SignalBatch) { count += batch.count }

    func flush() { isFlushed = true }

    func stop() { try? Data("\(count)\(isFlushed ? " flushed" : "")".utf8).write(to: file) }
}

@Suite("A process that ends without a stop", .timeLimit(.minutes(5)))
struct ExitTests {
    private static let childVariable = "SENTE_TELEMETRY_EXIT"

    @Test(
        "(child) it ends with no word",
        .enabled(if: ProcessInfo.processInfo.environment[childVariable] != nil))
    func child() {
        let folder = URL(fileURLWithPath: ProcessInfo.processInfo.environment[Self.childVariable] ?? "")
        let telemetry = Telemetry()
        for threads in 0...1 {
            telemetry.add(
                LastWords(folder.appendingPathComponent("\(threads)")), as: "\(threads)",
                HandlerOptions(threads: threads))
        }
        // This one has no thread that keeps it.
        let synchronous = Telemetry()
        synchronous.add(
            LastWords(folder.appendingPathComponent("synchronous")), as: "synchronous",
            HandlerOptions(mode: .synchronous))
        for _ in 0..<500 {
            telemetry.info("a/b")
            synchronous.info("a/b")
        }
        withExtendedLifetime(synchronous) { exit(0) }
    }

    @Test(
        "its handlers get what was raised, and end",
        .enabled(if: ProcessInfo.processInfo.environment[childVariable] == nil))
    func drained() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "exit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["--testing-library", "swift-testing", "--filter", "ExitTests/child"]
        child.environment = ProcessInfo.processInfo.environment.merging(
            [Self.childVariable: folder.path], uniquingKeysWith: { $1 })
        (child.standardOutput, child.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try child.run()
        child.waitUntilExit()
        for name in ["0", "1", "synchronous"] {
            let words = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            #expect(words == "500 flushed", "\(name)")
        }
    }
}
#endif
