// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteTestSupport
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A program of the system that stands between a client and a server, on a port and in a folder of its own.
final class Intermediary: Sendable {
    enum Program: String {
        case nginx
        case haproxy
        case stunnel
        case tinyproxy
        case microsocks
        /// No intermediary, but a server that is run as they are.
        case natsServer = "nats-server"

        /// An ordinary user's path often leaves out what only administrators are thought to need.
        fileprivate var executable: URL? {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
            // Debian's stunnel has its number in its name.
            let names = self == .stunnel ? ["stunnel4", "stunnel"] : [rawValue]
            return folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
                .first { FileManager.default.isExecutableFile(atPath: $0) }
                .map { URL(fileURLWithPath: $0) }
        }

        /// Why no test can use it; nil when they can.
        fileprivate var problem: String? {
            guard executable != nil else { return "\(rawValue) is not installed" }
            switch self {
            case .nginx, .haproxy, .stunnel: return Certificates.problem
            case .tinyproxy, .microsocks, .natsServer: return nil
            }
        }
    }

    /// Where one of them runs.
    struct Workspace {
        let folder: String
        let port: Int
    }

    /// How one of them is run: its arguments, and the files it needs by their names.
    struct Setup {
        let program: Program
        var arguments: [String]
        var files: [String: String] = [:]
    }

    private struct Running {
        let id: Int32
        let exits: Collector<Int32>
    }

    let port: Int
    private let folder: URL
    private let executable: URL
    private let arguments: [String]
    private let running = Locked<Running?>(nil)

    private init(_ setup: (Workspace) throws -> Setup) async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("intermediary-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // A server had it a moment ago, and nobody came.
        let free = Locked(0)
        try await Loopback.withServer { _, port in free.withLock { $0 = port } }
        port = free.withLock { $0 }
        let setup = try setup(Workspace(folder: folder.path, port: port))
        for (name, text) in setup.files {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        executable = try #require(setup.program.executable)
        arguments = setup.arguments
    }

    /// Runs the program for the time that `body` runs.
    static func with(_ setup: (Workspace) throws -> Setup, _ body: (Intermediary) async throws -> Void)
        async throws
    {
        let intermediary = try await Intermediary(setup)
        defer { try? FileManager.default.removeItem(at: intermediary.folder) }
        do {
            try await intermediary.start()
            try await body(intermediary)
        } catch {
            try await intermediary.stop()
            throw error
        }
        try await intermediary.stop()
    }

    /// Starts it, and waits until it takes connections.
    func start() async throws {
        let said = folder.appendingPathComponent("said")
        try Data().write(to: said)
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        let output = try FileHandle(forWritingTo: said)
        process.standardOutput = output
        process.standardError = output
        let exits = Collector<Int32>()
        process.terminationHandler = { exits.append($0.terminationStatus) }
        try process.run()
        let id = process.processIdentifier
        running.withLock { $0 = Running(id: id, exits: exits) }
        let port = port
        try await eventually("\(executable.lastPathComponent) takes connections, or ends") {
            guard exits.elements.isEmpty else { return true }
            guard let connection = RawConnection(port: port) else { return false }
            connection.close()
            return true
        }
        let log = (try? String(contentsOf: said, encoding: .utf8)) ?? ""
        try #require(exits.elements.isEmpty, "\(executable.lastPathComponent) says: \(log)")
    }

    /// Tells it something.
    func signal(_ number: Int32) {
        guard let (id, exits) = running.withLock({ $0.map { ($0.id, $0.exits) } }), exits.elements.isEmpty
        else { return }
        _ = kill(id, number)
    }

    /// Ends it, with everything that goes through it.
    func stop() async throws {
        guard let (id, exits) = running.withLock({ $0.map { ($0.id, $0.exits) } }) else { return }
        // The process is our own child, and not waited for before `exits` says so. It inherits which signals the thread that
        // started it blocks, so that no gentler one need reach it; the kernel closes its connections.
        if exits.elements.isEmpty { _ = kill(id, SIGKILL) }
        _ = try await exits.first("the end of the process") { _ in true }
        running.withLock { $0 = nil }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, with the reason, where the program is missing.
    static func needs(_ program: Intermediary.Program) -> Self {
        let problem = program.problem
        return .enabled(if: problem == nil, "\(problem ?? "")")
    }
}
