// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import Testing

@Suite("Random worlds of NATS")
struct NATSWorldTests {
    /// `SENTE_SEED=n` runs one world and prints its log; `SENTE_SEEDS=n` runs so many.
    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    private static var seeds: UInt64 {
        #if DEBUG
        number("SENTE_SEEDS") ?? 2
        #else
        number("SENTE_SEEDS") ?? 200
        #endif
    }

    /// How many worlds at once: one takes its thread for seconds in debug, where others run beside it.
    private static var strides: UInt64 {
        #if DEBUG
        1
        #else
        4
        #endif
    }

    private static let expected: [String: [String]] = [
        "fault": RandomNATSWorld.Fault.allCases.map(\.rawValue) + ["told to leave"],
        "transition": [
            "closed → connecting", "connecting → open", "connecting → reconnecting", "open → closing",
            "open → reconnecting", "closing → closed", "reconnecting → connecting",
        ],
        "publish": ["acknowledged", "notSent", "unknown"], "request": ["acknowledged", "notSent", "unknown"],
        "store": ["acknowledged", "notSent", "unknown"],
        "written": ["connect", "ping", "pong", "subscribe", "unsubscribe", "publish"],
        "rule": [
            "delivered", "followed", "gap told", "other stream told", "stored again", "known already",
            "permission taken", "drained", "asked while leaving", "served while leaving",
        ],
        "error": [
            "rejected", "noSubscribers", "timedOut", "connectionLost", "unreachable", "silent",
            "serverUnavailable", "unauthorized", "protocolViolation",
        ],
    ]

    @Test("The rules hold on a cluster whatever befalls it, and everything that can happen does")
    func rules() async {
        if let seed = Self.number("SENTE_SEED") { return replay(seed, isWhole: true) }
        let runs = await withTaskGroup(of: (coverage: Coverage, failed: UInt64?).self) { group in
            for first in 1...Self.strides {
                group.addTask { await run(stride(from: first, through: Self.seeds, by: Int(Self.strides))) }
            }
            return await group.reduce(into: (coverage: Coverage(), failed: UInt64?.none)) {
                $0.coverage.add($1.coverage)
                $0.failed = [$0.failed, $1.failed].compactMap(\.self).min()
            }
        }
        if let seed = runs.failed { return replay(seed, isWhole: false) }
        let (table, zeros) = runs.coverage.table(expecting: Self.expected)
        print("\(Self.seeds) worlds of NATS, of 90 s and 105 s of healing\n\(table)")
        // A few worlds do not see all of it.
        guard Self.seeds >= 100 else { return }
        #expect(zeros.isEmpty, "These never happened, so nothing was learned of them.")
    }

    private func run(_ seeds: StrideThrough<UInt64>) async -> (coverage: Coverage, failed: UInt64?) {
        var coverage = Coverage()
        for seed in seeds {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            let random = RandomNATSWorld(seed: seed)
            random.run(for: .seconds(90))
            coverage.add(random.world.coverage)
            if !random.world.violations.isEmpty { return (coverage, seed) }
        }
        return (coverage, nil)
    }

    private func replay(_ seed: UInt64, isWhole: Bool) {
        let random = RandomNATSWorld(seed: seed, isRecording: true)
        random.run(for: .seconds(90))
        if isWhole { print(random.world.logLines.joined(separator: "\n")) }
        for violation in random.world.violations.prefix(1) { Issue.record("\(violation)") }
        print("Replay it with SENTE_SEED=\(seed), in the worlds of NATS.")
    }
}
