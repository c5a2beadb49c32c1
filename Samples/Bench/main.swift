// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteBase

// What the package costs on this machine: `bench --help`.

let output = BenchOutput.standard

do {
    let command = try BenchCommand(Array(CommandLine.arguments.dropFirst()))
    #if DEBUG
    if command.measures {
        output.warn("Built for debug, so these figures mean little: swift run -c release bench …")
    }
    #endif
    switch command {
    case .help: print(BenchCommand.usage)
    case .instructions(let words):
        // Before anything is awaited: what is counted runs on this thread, which ends here.
        try InstructionBench.run(words[...])
        exit(0)
    case .telemetryCalls(let count):
        TelemetryAllocations.raise(count)
        exit(0)
    case .all: try await SelfBench.run()
    case .serve(let flow): try await BenchServer.run(flow: flow)
    case .flow(let words): try await FlowBench.run(words)
    case .compression(let words):
        if words.isEmpty { try await CompressionBench.run() } else { try await CompressionMemory.run(words) }
    case .client(let port, let mode, let count):
        guard let mode = ClientBench.Mode(rawValue: mode) else { break }
        output.glimpse("\(count) × \(mode.rawValue)")
        output.show(try await ClientBench.run(port: port, mode, count: count))
    case .tls(let folder): try await TLSBench.run(folder)
    case .tlsServe(let folder): try await TLSBench.serve(folder)
    case .formats(let folder): try FormatBench.run(folder)
    case .large(let serves): try await serves ? LargeBench.serve() : LargeBench.run()
    case .streams(let serves, let isSmoke):
        try await serves ? StreamBenchServer.run() : StreamBench.run(isSmoke: isSmoke)
    case .nats(let role): try await NATSBench.run(role)
    case .telemetry: try await TelemetryBench.run()
    case .load(let words):
        let load = try Load.read(words)
        output.glimpse("\(load.count) × \(load.mode.rawValue)")
        output.show(try await TransportBench.run(load))
    }
} catch {
    let message =
        (error as? LinkFailure)?.message ?? (error as? BenchFailure)?.message ?? (error as? UsageError)?
        .message
        ?? "\(error)"
    output.fail(message)
    exit(error is UsageError ? 2 : 1)
}
