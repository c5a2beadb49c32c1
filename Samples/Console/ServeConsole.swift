// SPDX-License-Identifier: Apache-2.0

import SampleTerminal
import SenteBase
import SenteLite
import SenteServer
import SenteTelemetry

/// Runs the reference server until it is told to end.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
enum ServeConsole {
    static func run(_ settings: ServeSettings, _ output: Output) async throws {
        let configuration = settings.configuration
        var service = ServerService()
        // The loop must not wait for whoever reads the lines.
        let (accesses, access) = AsyncStream.makeStream(of: ServerAccess.self)
        if !settings.isQuiet { service.onAccess = { access.yield($0) } }
        let accessPrinter = Task {
            for await access in accesses { output.write(access: access) }
        }
        let telemetry = Telemetry()
        if let folder = settings.signalFolder {
            telemetry.minimumLevel = nil
            telemetry.add(SessionFiles(folder: folder), as: "files", HandlerOptions(mode: .dropping))
            service.onRemoteSignals = { signals in
                Telemetry.neverWaitOnThisThread()
                signals.forEach(telemetry.record)
            }
        }
        let streams = try settings.streamFolder.map {
            ServeStreams(try StreamFolder($0, settings.streamFiles))
        }
        streams?.take(into: &service)
        let server =
            configuration.dialect == .sente
            ? try ServeRelay.start(configuration, service, streams)
            : try ReferenceServer(configuration, service: service)
        let (endings, ending) = AsyncStream.makeStream(of: String.self)
        let termination = Termination { ending.yield($0) }
        defer { termination.stopListening() }
        let port = try await start(server)
        await streams?.begin(on: server)
        output.write(serving: configuration, port: port)
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
            access.finish()
            await accessPrinter.value
            await telemetry.stop()
            output.write(
                .status,
                ["state": "stopped", "reason": Value(reason), "connections": Value(connections)])
            break
        }
    }

    private static func start(_ server: ReferenceServer) async throws(LinkFailure) -> Int {
        do throws(LinkFailure) {
            return try await server.start()
        } catch {
            throw LinkFailure(
                error.kind, error.message + " --port chooses another port, and 0 takes a free one.")
        }
    }
}
