// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import Testing

@Suite("Random worlds")
struct RandomWorldTests {
    private static let replayed = ProcessInfo.processInfo.environment["SENTE_SEED"].flatMap { UInt64($0) }

    #if DEBUG
    private static let seeds = 200
    #else
    private static let seeds = ProcessInfo.processInfo.environment["SENTE_SEEDS"].flatMap { Int($0) } ?? 2_000
    #endif

    private static let transitions = [
        "closed → connecting", "connecting → open", "connecting → reconnecting", "connecting → failed",
        "connecting → closing", "connecting → closed", "open → closing", "open → reconnecting",
        "open → closed", "closing → closed", "reconnecting → connecting", "reconnecting → closed",
        "reconnecting → failed", "failed → connecting", "failed → closed",
    ]

    private static let expected = [
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
