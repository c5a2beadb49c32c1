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

    static func run() async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.maximumConnections = 20_000
        configuration.answeringChannels = [hooked]
        configuration.allowsFlood = true
        let loop = try EventLoop.shared()
        let server = try ReferenceServer(configuration, on: loop)
        let port = try await server.start()
        let echo = try Listener(loop: loop, compression: CompressionPolicy()) { _ in EchoServer() }
        let service = try SenteClient("ws://127.0.0.1:\(port)/")
        try await service.connect()
        try await service.respond(on: served) { $0 }
        FileHandle.standardOutput.write(Data("\(port) \(echo.port)\n".utf8))
        // Lives until its standard input ends: with the process that started it.
        while try FileHandle.standardInput.read(upToCount: 1)?.isEmpty == false {}
        await service.disconnect()
        await server.stop()
    }
}

/// A `BenchServer` in a process of its own.
struct BenchServerProcess {
    let port: Int
    let echoPort: Int
    private let process: Process
    private let input: Pipe

    static func start() throws -> BenchServerProcess {
        let process = another(["serve"])
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
        guard ports.count == 2 else {
            throw LinkFailure(.unreachable, "The server's process did not say its ports.")
        }
        return BenchServerProcess(port: ports[0], echoPort: ports[1], process: process, input: input)
    }

    /// This program once more, not started yet.
    static func another(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
        if let path = Bundle.main.executablePath { process.executableURL = URL(fileURLWithPath: path) }
        process.arguments = arguments
        return process
    }

    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
