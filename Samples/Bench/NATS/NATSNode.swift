// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions

/// A nats-server of the system that runs as a process of ours, on ports that are free.
final class NATSNode {
    /// Nothing of a flood is lost for a reader that is slow: it is the reader who is measured.
    private static let configuration = """
        server_name: bench
        host: 127.0.0.1
        port: -1
        max_pending: 1GB
        write_deadline: "120s"
        websocket { host: 127.0.0.1, port: -1, no_tls: true }
        """

    /// Where it takes NATS over TCP.
    let port: Int
    /// Where it takes WebSockets.
    let webSocketPort: Int
    private let process: Process
    private let folder: URL

    private init(port: Int, webSocketPort: Int, process: Process, folder: URL) {
        self.port = port
        self.webSocketPort = webSocketPort
        self.process = process
        self.folder = folder
    }

    var url: String { "ws://127.0.0.1:\(webSocketPort)/" }

    static func start() async throws -> NATSNode {
        let executable = try NATSServerProgram.find()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-nats-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("nats.conf")
        try Data(configuration.utf8).write(to: file)
        let process = Process()
        process.executableURL = executable
        process.arguments = ["-c", file.path, "--ports_file_dir", folder.path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        for _ in 0..<100 {
            if let ports = ports(in: folder) {
                return NATSNode(
                    port: ports.nats, webSocketPort: ports.webSocket, process: process, folder: folder)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        process.terminate()
        try? FileManager.default.removeItem(at: folder)
        throw BenchFailure(message: "nats-server did not say its ports within 5 s.")
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// What the file says that it writes when it is ready.
    private static func ports(in folder: URL) -> (nats: Int, webSocket: Int)? {
        struct Ports: Decodable {
            var nats: [URL]
            var websocket: [URL]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        guard let name = names.first(where: { $0.hasSuffix(".ports") }),
            let data = try? Data(contentsOf: folder.appendingPathComponent(name)),
            let ports = try? JSONDecoder().decode(Ports.self, from: data),
            let nats = ports.nats.first?.port, let webSocket = ports.websocket.first?.port
        else { return nil }
        return (nats, webSocket)
    }
}
