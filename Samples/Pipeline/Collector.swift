// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteServer
import SenteTelemetry

/// Takes what apps tell: one file a session, and a table of all.
struct Collector {
    private let telemetry = Telemetry()
    private let server: ReferenceServer
    private let table: BoardHandler
    private let screen = Screen(prompt: "")

    init(_ settings: PipelineArguments, folder: URL) throws {
        var configuration = ServerConfiguration(.sente)
        configuration.port = settings.port
        configuration.takesSignals = true
        // An app that was cut off sends much at once.
        configuration.signalLimit = RateLimit(100_000, per: .seconds(1))
        var service = ServerService()
        service.onRemoteSignals = { [telemetry] signals in signals.forEach(telemetry.record) }
        server = try ReferenceServer(configuration, service: service)
        table = BoardHandler()
        telemetry.minimumLevel = nil
        // On the thread that answers: what is answered is written.
        telemetry.add(SessionFiles(folder: folder.path), as: "files", HandlerOptions(mode: .synchronous))
        telemetry.add(table, as: "table", HandlerOptions(mode: .sliding))
    }

    func run() async throws {
        let port = try await server.start()
        show(["listening": Value(port)], "Listening at ws://127.0.0.1:\(port)/chsk")
        let (ends, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let termination = Termination { _ in end.finish() }
        defer { termination.stopListening() }
        let showing = Task {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(1)) } catch { break }
                showTable()
            }
        }
        for await _ in ends {}
        showing.cancel()
        await server.stop()
        await telemetry.stop()
        showTable()
        await screen.end()
    }

    private func showTable() {
        let board = table.board
        let second = BoardHandler.second
        guard !board.rows.isEmpty else { return }
        show(["table": board.value(at: second)], board.lines(at: second).joined(separator: "\n") + "\n")
    }

    private func show(_ value: Value, _ text: String) {
        screen.show(
            screen.isLive ? text : String(decoding: (try? WireFormat.json.encode(value)) ?? [], as: UTF8.self)
        )
    }
}

/// Counts signals for the table.
final class BoardHandler: TelemetryHandler {
    private let lock = NSLock()
    nonisolated(unsafe) private var counted = Board()

    var board: Board { lock.withLock { counted } }

    func handle(_ batch: SignalBatch) {
        let second = Self.second
        lock.withLock {
            for signal in batch { counted.add(signal, at: second) }
        }
    }

    static var second: Int64 { Telemetry.now / 1_000_000_000 }
}
