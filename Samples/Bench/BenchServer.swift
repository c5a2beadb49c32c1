// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteLite
import SenteServer
import SenteTransport

/// One process with everything the measurements talk to: the reference server, a plain echo, and a service.
///
/// Its only line of output holds the two ports: the reference server's, then the echo's.
enum BenchServer {
    /// Requests here are answered by the server itself.
    static let hooked = "hooked"
    /// Requests here are forwarded to a client of the server, which answers them.
    static let served = "served"

    /// With flow it announces all there is beyond plain messages.
    static func run(flow: Bool) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.maximumConnections = 20_000
        configuration.answeringChannels = [.string(hooked)]
        configuration.allowsFlood = true
        if flow { configuration.flow = .all }
        let loop = try EventLoop.shared()
        let server = try ReferenceServer(configuration, on: loop)
        let port = try await server.start()
        let echo = try Listener(loop: loop, compression: CompressionPolicy()) { _ in EchoServer() }
        let service = try SenteClient("ws://127.0.0.1:\(port)/")
        try await service.connect()
        try await service.respond(on: served) { $0 }
        try live(saying: [port, Int(echo.port)])
        await service.disconnect()
        await server.stop()
    }

    /// Says the ports, and lives until its standard input ends: with the process that started it.
    static func live(saying ports: [Int]) throws {
        let line = ports.map { "\($0)" }.joined(separator: " ") + "\n"
        FileHandle.standardOutput.write(Data(line.utf8))
        while try FileHandle.standardInput.read(upToCount: 1)?.isEmpty == false {}
    }
}

/// This program's servers in a process of their own.
struct BenchServerProcess {
    let ports: [Int]
    private let process: Process
    private let input: Pipe

    static func start(
        _ arguments: [String] = ["serve"], sayingPorts count: Int = 2
    ) throws -> BenchServerProcess {
        let process = another(arguments)
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8),
            !byte.isEmpty
        {
            line += byte
        }
        let ports = String(decoding: line, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        guard ports.count == count else {
            throw LinkFailure(.unreachable, "The server's process did not say its ports.")
        }
        return BenchServerProcess(ports: ports, process: process, input: input)
    }

    /// This program once more, not started yet.
    static func another(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
        if let path = Bundle.main.executablePath { process.executableURL = URL(fileURLWithPath: path) }
        process.arguments = arguments
        return process
    }

    /// The reference server's.
    var port: Int { ports[0] }
    var echoPort: Int { ports[1] }
    var processID: Int32 { process.processIdentifier }

    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
