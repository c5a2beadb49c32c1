// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport

/// Server and client in one process, raw TCP first: figures that need no other program, and their ratios.
enum SelfBench {
    static func run() async throws {
        let floor = RawTCP.pingPong(size: 64, count: 8000)
        print(floor.json)
        let serverLoop = try EventLoop()
        defer { serverLoop.shutDown() }
        let listener = try Listener(loop: serverLoop) { _ in EchoServer() }
        func load(_ mode: Load.Mode, _ count: Int, _ handOver: Load.HandOver) -> Load {
            Load(
                host: "127.0.0.1", port: Int(listener.port), mode: mode, size: 64, count: count, window: 64,
                handOver: handOver)
        }
        for handOver in [Load.HandOver.callback, .async, .loop] {
            let result = try await TransportBench.run(load(.pingpong, 8000, handOver))
            print(result.json)
            let ratio = result.figure("p50_us") / floor.figure("p50_us")
            print("  p50 is \((ratio * 100).rounded() / 100) of raw TCP's")
        }
        for mode in [Load.Mode.pipeline, .flood] {
            for handOver in [Load.HandOver.callback, .async, .loop] {
                print(try await TransportBench.run(load(mode, 200_000, handOver)).json)
            }
        }
    }
}

/// Echoes, or on `/flood` sends what the first message asks for.
private final class EchoServer: ServerConnectionObserver, @unchecked Sendable {
    private var floods = false

    func connection(_ connection: ServerConnection, requested request: HTTPRequest) {
        floods = request.path == "/flood"
        connection.accept()
    }

    func connectionOpened(_ connection: ServerConnection) {}

    func connection(_ connection: ServerConnection, received messages: [Message]) {
        for message in messages {
            guard floods else {
                connection.send(message)
                continue
            }
            let numbers = message.string.split(separator: " ").compactMap { Int($0) }
            guard numbers.count == 2 else { return }
            let answer = Message.binary([UInt8](repeating: 0x61, count: numbers[0]))
            for _ in 0..<numbers[1] { connection.send(answer) }
        }
    }

    func connection(_ connection: ServerConnection, closed end: LinkEnd) {}
}
