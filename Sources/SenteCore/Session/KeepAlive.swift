// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Watches one open link for silence: a probe after `interval`, dead `limit` later.
///
/// Any inbound bytes count as life.
struct KeepAlive: Sendable {
    enum Verdict: Equatable {
        case fine
        case probe
        case dead
    }

    private let heartbeat: Heartbeat
    private var lastLife: Instant
    private var probedAt: Instant?
    /// While the app keeps us from reading, silence says nothing about the peer.
    private var isSuspended = false

    init(_ heartbeat: Heartbeat, at now: Instant) {
        self.heartbeat = heartbeat
        lastLife = now
    }

    var deadline: Instant? {
        if isSuspended { return nil }
        if let probedAt { return probedAt.advanced(by: heartbeat.limit) }
        return lastLife.advanced(by: heartbeat.interval)
    }

    mutating func life(at now: Instant) {
        lastLife = now
        probedAt = nil
    }

    mutating func check(at now: Instant) -> Verdict {
        guard let deadline, deadline <= now else { return .fine }
        if probedAt != nil { return .dead }
        probedAt = now
        return .probe
    }

    /// Asks for a sign of life now, whatever the interval says.
    ///
    /// False when one is already awaited.
    mutating func probeNow(at now: Instant) -> Bool {
        guard probedAt == nil, !isSuspended else { return false }
        probedAt = now
        return true
    }

    mutating func suspend() {
        isSuspended = true
    }

    mutating func resume(at now: Instant) {
        isSuspended = false
        life(at: now)
    }
}
