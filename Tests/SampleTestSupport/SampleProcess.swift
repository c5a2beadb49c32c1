// SPDX-License-Identifier: Apache-2.0

public import Foundation
public import SenteLite
import SenteTestSupport

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A sample as a process of its own, told what to do and heard line by line; the console unless another is named.
public final class SampleProcess: Sendable {
    private let values = Collector<Value>()
    private let written = Collector<String>()
    private let exits = Collector<Int32>()
    /// The number the system knows it by.
    public let id: Int32
    private let input: FileHandle
    private let lineCount = Locked(0)

    /// Starts it, with more in its environment; another sample if that is named; before a terminal of its own if that is asked,
    /// which Python makes; its standard error among its lines if that is asked.
    public init(
        _ arguments: [String], environment: [String: String] = [:], sample: String = "console",
        terminal: Bool = false, withErrors: Bool = false
    ) throws {
        // Writing to a process that is gone is a failed call, not a signal.
        signal(SIGPIPE, SIG_IGN)
        let process = Process()
        let executable = try Self.executable(sample)
        process.executableURL = terminal ? URL(fileURLWithPath: "/usr/bin/env") : executable
        process.arguments =
            terminal ? ["python3", "-c", Self.beforeTerminal, executable.path] + arguments : arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        if withErrors { process.standardError = output }
        process.terminationHandler = { [exits] in exits.append($0.terminationStatus) }
        try process.run()
        id = process.processIdentifier
        self.input = input.fileHandleForWriting
        let reading = output.fileHandleForReading
        Thread.detachNewThread { [values, written] in
            var rest: [UInt8] = []
            while true {
                let data = reading.availableData
                guard !data.isEmpty else { return }
                rest += data
                let parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                written.append(contentsOf: parts.dropLast().map { String(decoding: $0, as: UTF8.self) })
                values.append(
                    contentsOf: parts.dropLast().map { (try? WireFormat.json.decode(Array($0))) ?? .null })
                rest = Array(parts.last ?? [])
            }
        }
    }

    /// Runs what it is given before a terminal, and ends as that does.
    private static let beforeTerminal =
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"

    /// The tests' executable stands beside it.
    public static func executable(_ sample: String) throws -> URL {
        let places = [Bundle.main.executableURL] + Bundle.allBundles.map(\.bundleURL)
        let found = places.compactMap { $0?.deletingLastPathComponent().appendingPathComponent(sample) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let found else { throw CocoaError(.fileNoSuchFile) }
        return found
    }

    /// A client that comes back fast and never gives up.
    public static func client(_ port: Int, _ options: String...) throws -> SampleProcess {
        try SampleProcess(
            [
                "ws://127.0.0.1:\(port)/", "--backoff-initial", "0.05", "--backoff-maximum", "0.3",
                "--attempts",
                "1000000",
            ] + options)
    }

    // MARK: What it is told

    /// Writes a line to its standard input; its number among them, which the answers to it name.
    @discardableResult
    public func write(_ command: String) -> Int {
        let number = lineCount.withLock { count in
            count += 1
            return count
        }
        try? input.write(contentsOf: Data((command + "\n").utf8))
        return number
    }

    /// What comes of a command.
    public func ask(_ command: String) async throws -> Value {
        let number = Value(write(command))
        return try await first("an answer to \(command)") { $0["line"] == number }
    }

    /// Presses a key with Control.
    public func press(control letter: Character) {
        try? input.write(contentsOf: Data([(letter.asciiValue ?? 0) & 0x1F]))
    }

    /// Ends its standard input.
    public func endInput() { try? input.close() }

    /// Ends its input, which ends it; the exit status.
    public func quit() async throws -> Int32 {
        endInput()
        return try await exits.first("the end of the process") { _ in true }
    }

    /// Ends it with no chance to clean up.
    public func kill() async throws { _ = try await end(by: SIGKILL) }

    /// Asks it to end; the exit status.
    public func terminate() async throws -> Int32 { try await end(by: SIGTERM) }

    private func end(by signal: Int32) async throws -> Int32 {
        // The process is our own child, and not waited for before `exits` says so.
        if exits.elements.isEmpty { _ = signalProcess(id, signal) }
        return try await exits.first("the end of the process") { _ in true }
    }

    // MARK: What it wrote

    /// Every line of its standard output so far; null where it is no JSON.
    public var lines: [Value] { values.elements }
    /// The same lines as they stand, for samples that write for people.
    public var texts: [String] { written.elements }

    /// The first line for which `condition` holds.
    @discardableResult
    public func first(
        _ what: String, where condition: @escaping @Sendable (Value) -> Bool
    ) async throws -> Value {
        try await values.first(what, where: condition)
    }

    /// Waits for a line of text.
    public func says(_ what: String, where condition: @escaping @Sendable (String) -> Bool) async throws {
        _ = try await written.first(what, where: condition)
    }

    /// So many lines for which `condition` holds.
    @discardableResult
    public func wait(
        for count: Int, _ what: String, where condition: @escaping @Sendable (Value) -> Bool
    ) async throws -> [Value] {
        try await values.wait(what) { $0.count { condition($0) } >= count }.filter(condition)
    }

    /// Waits until it has written so many lines.
    public func wait(forLines count: Int, within limit: Duration) async throws {
        try await values.wait("\(count) lines", within: limit) { $0.count >= count }
    }

    /// Waits until the client was open so often.
    public func open(_ times: Int = 1) async throws {
        try await wait(for: times, "open for the \(times). time") {
            $0["kind"] == "state" && $0["state"] == "open"
        }
    }

    /// The data of the messages of a channel.
    public func messages(_ count: Int) async throws -> [Value] {
        try await wait(for: count, "\(count) messages") { $0["kind"] == "message" }
            .compactMap { $0["data"] }
    }
}

private func signalProcess(_ id: Int32, _ number: Int32) -> Int32 {
    kill(id, number)
}
