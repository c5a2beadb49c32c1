// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTestSupport
import SenteWire

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The sample `console` as a process of its own: a client or a server, told what to do and heard line by line; or another
/// sample.
final class ConsoleProcess: Sendable {
    /// Every line of its standard output.
    let lines = Collector<Value>()
    /// The same lines as they stand, for samples that write for people.
    let texts = Collector<String>()
    private let exits = Collector<Int32>()
    let id: Int32
    private let input: FileHandle
    private let written = Locked(0)

    /// Starts it, with more in its environment; another sample if that is named; before a terminal of its own if that is asked,
    /// which Python makes; its standard error among its lines if that is asked.
    init(
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
        Thread.detachNewThread { [lines, texts] in
            var rest: [UInt8] = []
            while true {
                let data = reading.availableData
                guard !data.isEmpty else { return }
                rest += data
                let parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                texts.append(contentsOf: parts.dropLast().map { String(decoding: $0, as: UTF8.self) })
                lines.append(
                    contentsOf: parts.dropLast().map { (try? WireFormat.json.decode(Array($0))) ?? .null })
                rest = Array(parts.last ?? [])
            }
        }
    }

    /// Runs what it is given before a terminal, and ends as that does.
    private static let beforeTerminal =
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"

    /// The tests' executable stands beside it.
    private static func executable(_ sample: String) throws -> URL {
        let places = [Bundle.main.executableURL] + Bundle.allBundles.map(\.bundleURL)
        let found = places.compactMap { $0?.deletingLastPathComponent().appendingPathComponent(sample) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let found else { throw CocoaError(.fileNoSuchFile) }
        return found
    }

    /// A server on a free port, or another.
    static func server(_ options: [String] = [], port: Int = 0) async throws -> (ConsoleProcess, port: Int) {
        let server = try ConsoleProcess(["serve", "--port", "\(port)"] + options)
        let line = try await server.first("the server's port") { $0["kind"] != nil }
        guard let port = line["port"]?.integerValue else { throw Overdue(what: "\(line)", limit: .zero) }
        return (server, Int(port))
    }

    /// A client that comes back fast and never gives up.
    static func client(_ port: Int, _ options: String...) throws -> ConsoleProcess {
        try ConsoleProcess(
            [
                "ws://127.0.0.1:\(port)/", "--backoff-initial", "0.05", "--backoff-maximum", "0.3",
                "--attempts",
                "1000000",
            ] + options)
    }

    /// Its number among the lines of the input, which the answers to it name.
    @discardableResult
    func write(_ command: String) -> Int {
        let number = written.withLock { written in
            written += 1
            return written
        }
        try? input.write(contentsOf: Data((command + "\n").utf8))
        return number
    }

    /// What comes of a command.
    func ask(_ command: String) async throws -> Value {
        let number = Value(write(command))
        return try await first("an answer to \(command)") { $0["line"] == number }
    }

    /// The first line for which `condition` holds.
    @discardableResult
    func first(
        _ what: String, where condition: @escaping @Sendable (Value) -> Bool
    ) async throws -> Value {
        try await lines.first(what, where: condition)
    }

    /// Waits for a line of text.
    func says(_ what: String, where condition: @escaping @Sendable (String) -> Bool) async throws {
        _ = try await texts.first(what, where: condition)
    }

    /// So many lines for which `condition` holds.
    @discardableResult
    func wait(
        for count: Int, _ what: String, where condition: @escaping @Sendable (Value) -> Bool
    ) async throws -> [Value] {
        try await lines.wait(what) { $0.count { condition($0) } >= count }.filter(condition)
    }

    /// Waits until the client was open so often.
    func open(_ times: Int = 1) async throws {
        try await wait(for: times, "open for the \(times). time") {
            $0["kind"] == "state" && $0["state"] == "open"
        }
    }

    /// The data of the messages of a channel.
    func messages(_ count: Int) async throws -> [Value] {
        try await wait(for: count, "\(count) messages") { $0["kind"] == "message" }
            .compactMap { $0["data"] }
    }

    /// Presses a key with Control.
    func press(control letter: Character) {
        try? input.write(contentsOf: Data([(letter.asciiValue ?? 0) & 0x1F]))
    }

    func endInput() { try? input.close() }

    /// Ends its input, which ends it; the exit status.
    func quit() async throws -> Int32 {
        endInput()
        return try await exits.first("the end of the process") { _ in true }
    }

    /// Ends it with no chance to clean up.
    func kill() async throws { _ = try await end(by: SIGKILL) }

    /// Asks it to end; the exit status.
    func terminate() async throws -> Int32 { try await end(by: SIGTERM) }

    private func end(by signal: Int32) async throws -> Int32 {
        // The process is our own child, and not waited for before `exits` says so.
        if exits.elements.isEmpty { _ = signalProcess(id, signal) }
        return try await exits.first("the end of the process") { _ in true }
    }
}

private func signalProcess(_ id: Int32, _ number: Int32) -> Int32 {
    kill(id, number)
}

/// A file for a port, in a place of its own, for as long as `body` runs.
func withPortFile(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("port-\(UUID().uuidString)").path
    do {
        try await body(path)
        try? FileManager.default.removeItem(atPath: path)
    } catch {
        try? FileManager.default.removeItem(atPath: path)
        throw error
    }
}
