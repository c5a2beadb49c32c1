// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteServer

/// Runs the reference server until it is told to end.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
enum ServeConsole {
    static func run(_ configuration: ServerConfiguration, _ output: Output) async throws {
        let server =
            configuration.dialect == .sente
            ? try ServeRelay.start(configuration) : try ReferenceServer(configuration)
        let (endings, ending) = AsyncStream.makeStream(of: String.self)
        let termination = Termination { ending.yield($0) }
        defer { termination.stopListening() }
        let port = try await server.start()
        output.write(
            .status,
            [
                "state": "running", "host": Value(configuration.host), "port": Value(port),
                "url": Value(url(configuration, port) + (configuration.path ?? "")),
                "mode": Value(configuration.dialect.rawValue), "format": Value(configuration.format.name),
            ])
        if Termination.inputCanEnd {
            Task {
                let input = InputLines()
                for await _ in input.lines { input.taken() }
                ending.yield("end of input")
            }
        }
        for await reason in endings {
            let connections = await server.stats.connections.count
            await server.stop()
            output.write(
                .status,
                ["state": "stopped", "reason": Value(reason), "connections": Value(connections)])
            break
        }
    }

    /// An address that listens everywhere is reached at this machine's own.
    private static func url(_ configuration: ServerConfiguration, _ port: Int) -> String {
        let host =
            switch configuration.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host: host.contains(":") ? "[\(host)]" : host
            }
        return "\(configuration.tls == nil ? "ws" : "wss")://\(host):\(port)/"
    }
}

extension ServerConfiguration {
    /// What stands behind the first slash of an address for clients; Sente's have a path by habit.
    fileprivate var path: String? {
        dialect == .sente ? String((sente.path ?? "/chsk").drop { $0 == "/" }) : nil
    }
}
