// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import Testing

/// Rule 13: while the gap is shorter than the window and neither side had to let go or give up, no counted message is lost, doubled or
/// reordered, and no acknowledged call was carried out twice; otherwise it is told.
@Suite("A session over links that break")
struct ResumptionWorldTests {
    /// `SENTE_SEED=n` runs one world and prints its log; `SENTE_SEEDS=n` runs so many.
    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    private static var seeds: UInt64 {
        #if DEBUG
        number("SENTE_SEEDS") ?? 50
        #else
        number("SENTE_SEEDS") ?? 200
        #endif
    }

    @Test(
        "nothing is lost, doubled or reordered but what is told",
        arguments: Dialect.detected, [false, true])
    func promise(_ dialect: Dialect, packs: Bool) async {
        var counts: [String: Int] = [:]
        for seed in Self.number("SENTE_SEED").map({ $0...$0 }) ?? 1...Self.seeds {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            var world = ResumptionWorld(seed: seed, dialect, packs: packs)
            world.run(steps: 600)
            counts.merge(world.counts) { $0 + $1 }
            if Self.number("SENTE_SEED") != nil { print(world.log.joined(separator: "\n")) }
            guard let violation = world.violations.first else { continue }
            Issue.record("Seed \(seed): \(violation)")
            break
        }
        print(
            "\(Self.seeds) worlds of \(dialect)\(packs ? ", packing" : ""): \(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
        )
        for kind in [
            "cut", "taken over", "resumed", "sent again", "missed", "fresh", "closed 4001",
            "acknowledged", "settled", "restarted", "disconnected", "reconnect()",
        ] + (dialect == .senteLiteMaps && Self.seeds >= 150 ? ["skipped"] : [])
            + (packs ? ["batched", "compressed", "in parts", "worked"] : [])
        {
            if Self.number("SENTE_SEED") != nil { break }
            #expect(counts[kind, default: 0] > 0, "\(kind) never happened, so nothing was learned of it.")
        }
    }
}
