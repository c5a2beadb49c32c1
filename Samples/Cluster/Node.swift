// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteServer

/// A nats-server of the system that runs as a process of ours.
final class Node {
    let name: String
    let port: Int
    private let folder: URL
    private let executable: URL
    private var process: Process?

    private init(name: String, port: Int, folder: URL, executable: URL) {
        self.name = name
        self.port = port
        self.folder = folder
        self.executable = executable
    }

    var url: String { "ws://127.0.0.1:\(port)/" }

    /// Three that know one another, in folders of their own under `home`; none runs yet.
    static func cluster(in home: URL) async throws -> [Node] {
        let executable = try NATSServerProgram.find()
        let ports = try await freePorts(6)
        let routes = ports[3...].map { "\"nats://127.0.0.1:\($0)\"" }.joined(separator: ", ")
        return try (0..<3).map { index in
            let name = "n\(index + 1)"
            let folder = home.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let configuration = """
                server_name: \(name)
                host: 127.0.0.1
                port: -1
                jetstream { store_dir: "\(folder.path)/streams" }
                websocket { host: 127.0.0.1, port: \(ports[index]), no_tls: true }
                cluster { name: sample, host: 127.0.0.1, port: \(ports[3 + index]), routes: [\(routes)] }
                """
            try Data(configuration.utf8).write(to: folder.appendingPathComponent("nats.conf"))
            return Node(name: name, port: ports[index], folder: folder, executable: executable)
        }
    }

    func start() throws {
        waitForEnd()
        let process = Process()
        process.executableURL = executable
        process.arguments = ["-c", folder.appendingPathComponent("nats.conf").path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// As `kill -9`: it says goodbye to nobody.
    func kill() {
        guard let process, process.isRunning else { return }
        _ = Foundation.kill(process.processIdentifier, SIGKILL)
    }

    /// Waits until it is gone, whom `kill()` does not keep waiting.
    func waitForEnd() {
        process?.waitUntilExit()
        process = nil
    }

    /// Others have them all, or this process may have none.
    struct NoPorts: Error, CustomStringConvertible {
        let description =
            "There are no free ports on 127.0.0.1 from 20000 to 31999 for three nodes: stop what has them."
    }

    /// Servers had them a moment ago, all at once, and nobody came.
    ///
    /// They are below those that systems give away by themselves (Linux from 32,768 on, others from 49,152): a connection of
    /// some other program would take one while its node is down.
    private static func freePorts(_ count: Int) async throws -> [Int] {
        var servers: [ReferenceServer] = []
        var ports: [Int] = []
        for candidate in (20_000..<32_000).shuffled() where ports.count < count {
            var settings = ServerConfiguration()
            settings.port = candidate
            let server = try ReferenceServer(settings)
            guard let port = try? await server.start() else { continue }
            ports.append(port)
            servers.append(server)
        }
        for server in servers { await server.stop() }
        guard ports.count == count else { throw NoPorts() }
        return ports
    }
}
