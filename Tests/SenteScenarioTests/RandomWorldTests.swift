// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import Testing

@Suite("Random worlds")
struct RandomWorldTests {
    /// `SENTE_SEED=n` lives through one world and writes its story down; `SENTE_SEEDS=n` lives through so many.
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

    /// What must have happened; in few worlds the rarest errors and reasons may not.
    private static let expected = seeds >= 2_000 ? all : all.filter { !["drop", "error"].contains($0.key) }

    private static let all = [
        "transition": transitions,
        "fault": Fault.allCases.map(\.rawValue),
        "effect": [
            "openLink", "transmit", "closeLink", "abandonLink", "pauseReading", "resumeReading", "ask",
            "cancelAsk", "ready", "finish", "resolve", "publish", "subscription", "record",
        ],
        "outcome": Outcome.allCases.map(\.rawValue) + [
            "answered", "subscribed", "subscribed unconfirmed", "round trip", "listed", "done",
            "failed without a message",
        ],
        "drop": [
            "outboxFull", "expired", "dropped", "superseded", "cancelled", "timedOut", "disconnected",
            "messageTooLarge", "unsayable", "notConnected",
        ],
        "error": [
            "rejected", "noSubscribers", "remoteError", "busy", "noReply", "timedOut", "connectionLost",
            "unreachable", "silent", "serverUnavailable", "unauthorized", "refused", "untrusted",
            "protocolViolation", "providerFailed", "notConnected", "disconnected", "cancelled",
        ],
        "signal": ["missed", "undecodable", "serverError", "opened", "reopened", "roundTrip"],
        "sent": [
            "subscribe", "unsubscribe", "publish", "request", "answer", "ping", "pong", "event",
            "listChannels",
            "listSubscriptions",
        ],
    ]

    @Test("The rules hold in thousands of worlds of ten minutes each, and everything that can happen does")
    func rules() async {
        if let seed = Self.replayed { return replay(seed, isWhole: true) }
        // Worlds know nothing of one another: a few at a time use every core.
        let ages = await withTaskGroup(of: (tally: Tally, failed: UInt64?).self) { group in
            let strides = 4
            for first in 1...strides {
                group.addTask { live(stride(from: first, through: Self.seeds, by: strides)) }
            }
            return await group.reduce(into: (tally: Tally(), failed: UInt64?.none)) {
                $0.tally.add($1.tally)
                $0.failed = [$0.failed, $1.failed].compactMap(\.self).min()
            }
        }
        if let seed = ages.failed { return replay(seed, isWhole: false) }
        let (table, zeros) = ages.tally.table(expecting: Self.expected)
        print("\(Self.seeds) worlds of 600 s and 160 s of healing\n\(table)")
        #expect(zeros.isEmpty, "These never happened, so nothing was learned of them.")
    }

    private func live(_ seeds: StrideThrough<Int>) -> (tally: Tally, failed: UInt64?) {
        var tally = Tally()
        for seed in seeds {
            let life = RandomLife(seed: UInt64(seed))
            life.run(for: .seconds(600))
            tally.add(life.world.tally)
            if !life.world.violations.isEmpty { return (tally, UInt64(seed)) }
        }
        return (tally, nil)
    }

    private func replay(_ seed: UInt64, isWhole: Bool) {
        let life = RandomLife(seed: seed, isRecording: true)
        life.run(for: .seconds(600))
        if isWhole { print(life.world.story.joined(separator: "\n")) }
        for violation in life.world.violations.prefix(1) { Issue.record("\(violation)") }
        print("Replay it with SENTE_SEED=\(seed).")
    }
}
