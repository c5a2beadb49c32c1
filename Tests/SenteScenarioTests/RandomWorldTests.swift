// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteServer
import SenteWire
import Testing

@Suite("Random worlds")
struct RandomWorldTests {
    /// `SENTE_SEED=n` runs one world and prints its log; `SENTE_SEEDS=n` runs so many.
    private static let replayed = number("SENTE_SEED")
    private static let seeds = number("SENTE_SEEDS").map { Int($0) } ?? (isOptimized ? 2_000 : 200)

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    private static var isOptimized: Bool {
        #if DEBUG
        false
        #else
        true
        #endif
    }

    private static let transitions = [
        "closed → connecting", "connecting → open", "connecting → reconnecting", "connecting → failed",
        "connecting → closing", "connecting → closed", "open → closing", "open → reconnecting",
        "open → closed", "closing → closed", "reconnecting → connecting", "reconnecting → closed",
        "reconnecting → failed", "failed → connecting", "failed → closed",
    ]

    private static let everything = [
        "transition": transitions,
        "fault": Fault.allCases.map(\.rawValue),
        "effect": [
            "openLink", "transmit", "closeLink", "abandonLink", "pingLink", "pauseReading", "resumeReading",
            "ask",
            "cancelAsk", "ready", "finish", "resolve", "publish", "subscription", "record",
        ],
        "outcome": Outcome.allCases.map(\.rawValue) + [
            "answered", "subscribed", "subscribed unconfirmed", "round trip", "listed", "done",
            "failed without a message",
        ],
        "drop": [
            "outboxFull", "expired", "dropped", "superseded", "cancelled", "timedOut", "disconnected",
            "messageTooLarge", "unencodable", "notConnected",
        ],
        "error": [
            "rejected", "noSubscribers", "remoteError", "busy", "noReply", "timedOut", "connectionLost",
            "unreachable", "silent", "serverUnavailable", "unauthorized", "refused", "untrusted",
            "protocolViolation", "providerFailed", "notConnected", "disconnected", "cancelled",
        ],
        "signal": [
            "missed", "undecodable", "serverError", "opened", "reopened", "roundTrip", "requestSent",
            "requestAnswered", "requestFailed", "responseSent",
        ],
        "sent": [
            "subscribe", "unsubscribe", "publish", "request", "answer", "ping", "pong", "event",
            "listChannels", "listSubscriptions",
        ],
    ]

    /// What a dialect has no word for cannot happen in its worlds.
    private static let impossible: [Dialect: [String: Set<String>]] = {
        let withoutRequests: [String: Set<String>] = [
            "outcome": ["listed"], "error": ["noSubscribers", "remoteError", "busy"],
            "signal": ["serverError", "requestSent", "requestAnswered", "requestFailed", "responseSent"],
            "sent": ["request", "answer", "listChannels", "listSubscriptions"],
            // What a service answers when there is no link any more.
            "drop": ["notConnected"],
        ]
        let withoutChannels: [String: Set<String>] = [
            "outcome": ["acknowledged", "subscribed", "subscribed unconfirmed"],
            "error": ["rejected", "noReply"], "sent": ["subscribe", "unsubscribe", "publish"],
            "effect": ["subscription"],
        ]
        return [
            // Of its calls only an unsubscribe could be passed by a later answer: too rare to be insisted on.
            .senteLiteVectors: withoutRequests.merging(["error": ["noReply"]]) { $0.union($1) },
            .sente: withoutRequests.merging(withoutChannels) { $0.union($1) },
        ]
    }()

    /// What must have happened; in few worlds the rarest errors and reasons may not.
    private static func expected(_ dialect: Dialect) -> [String: [String]] {
        var expected = everything.filter { seeds >= 2_000 || !["drop", "error"].contains($0.key) }
        expected["fault"] = Fault.allCases.filter { $0.exists(in: dialect) }.map(\.rawValue)
        for (kind, names) in impossible[dialect] ?? [:] { expected[kind]?.removeAll { names.contains($0) } }
        return expected
    }

    @Test(
        "The rules hold in thousands of worlds of ten minutes each, and everything that can happen does",
        arguments: Dialect.detected)
    func rules(_ dialect: Dialect) async {
        if let seed = Self.replayed { return replay(seed, dialect, isWhole: true) }
        // Worlds know nothing of one another: a few at a time use every core.
        let runs = await withTaskGroup(of: (coverage: Coverage, failed: UInt64?).self) { group in
            let strides = 4
            for first in 1...strides {
                group.addTask { await run(stride(from: first, through: Self.seeds, by: strides), dialect) }
            }
            return await group.reduce(into: (coverage: Coverage(), failed: UInt64?.none)) {
                $0.coverage.add($1.coverage)
                $0.failed = [$0.failed, $1.failed].compactMap(\.self).min()
            }
        }
        if let seed = runs.failed { return replay(seed, dialect, isWhole: false) }
        let (table, zeros) = runs.coverage.table(expecting: Self.expected(dialect))
        print("\(Self.seeds) worlds of \(dialect), of 600 s and 160 s of healing\n\(table)")
        #expect(zeros.isEmpty, "These never happened, so nothing was learned of them.")
    }

    private func run(
        _ seeds: StrideThrough<Int>, _ dialect: Dialect
    ) async -> (coverage: Coverage, failed: UInt64?) {
        var coverage = Coverage()
        for seed in seeds {
            // A world takes its thread for long, and others have time limits.
            await Task.yield()
            let random = RandomWorld(seed: UInt64(seed), dialect)
            random.advance(by: .seconds(600))
            coverage.count("format", random.world.wire.format.name)
            if dialect == .sente { coverage.count("release", random.world.wire.version.rawValue) }
            coverage.add(random.world.coverage)
            if !random.world.violations.isEmpty { return (coverage, UInt64(seed)) }
        }
        return (coverage, nil)
    }

    private func replay(_ seed: UInt64, _ dialect: Dialect, isWhole: Bool) {
        let random = RandomWorld(seed: seed, dialect, isRecording: true)
        random.advance(by: .seconds(600))
        if isWhole { print(random.world.logLines.joined(separator: "\n")) }
        for violation in random.world.violations.prefix(1) { Issue.record("\(violation)") }
        print("Replay it with SENTE_SEED=\(seed), in the worlds of \(dialect).")
    }
}
