// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteBase
import SenteTransport

/// What a compressed connection costs this side in memory, when it has just been used and when it is idle.
enum CompressionMemory {
    private static let connections = 500

    private enum Kind: String, CaseIterable {
        case plain
        case forgetful
        case keeping

        var policy: CompressionPolicy? {
            switch self {
            case .plain: nil
            case .forgetful: CompressionPolicy(keepsIncomingContext: false)
            case .keeping: CompressionPolicy()
            }
        }

        var name: String {
            switch self {
            case .plain: "uncompressed"
            case .forgetful: "compressed, no incoming context"
            case .keeping: "compressed, both contexts kept"
            }
        }
    }

    /// Measures each kind in a process of its own, for one would leave its free memory to the next.
    static func runEach(port: Int) throws {
        for kind in Kind.allCases {
            BenchOutput.standard.progress("memory of \(connections) connections, \(kind.name); half a minute")
            let process = BenchServerProcess.another(["compression", String(port), kind.rawValue])
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let text = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            let line = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            BenchOutput.standard.show(sentence: line)
        }
    }

    /// Reads `PORT KIND` and measures it.
    static func run(_ arguments: [String]) async throws {
        guard let port = Int(arguments[0]), let kind = Kind(rawValue: arguments[1]) else {
            throw UsageError("Write bench compression; the words behind it are for its own processes.")
        }
        let loop = try EventLoop.shared()
        // The first connection pays for the loop's thread and for code that is read in only now.
        var open = [try await echoed(port, kind, 0, loop)]
        let base = Measure.residentKiB()
        for number in 1...connections { open.append(try await echoed(port, kind, number, loop)) }
        let busy = each(since: base)
        // No timer is left once all that can be freed is, between 10 and 20 s later.
        while await timers(loop) > 0 { try await Task.sleep(for: .milliseconds(100)) }
        Measure.giveBackMemory()
        let idle = each(since: base)
        print("  \(kind.name): \(busy) KiB a connection that has just echoed 40 KiB, \(idle) KiB idle")
        withExtendedLifetime(open) {}
    }

    private static func echoed(
        _ port: Int, _ kind: Kind, _ number: Int, _ loop: EventLoop
    ) async throws -> WebSocketConnection {
        let connection = try await WebSocketConnection.open(
            "ws://127.0.0.1:\(port)/", compression: kind.policy, on: loop)
        // More than a window holds.
        for message in 0..<40 {
            connection.send(CompressionBench.Stream.noisy.json(number + message))
            _ = await connection.receive()
        }
        return connection
    }

    private static func timers(_ loop: EventLoop) async -> Int {
        await withCheckedContinuation { continuation in
            loop.post { continuation.resume(returning: loop.timerCount) }
        }
    }

    private static func each(since base: Int) -> Double {
        CompressionBench.hundredths(Double(Measure.residentKiB() - base) / Double(connections))
    }
}
