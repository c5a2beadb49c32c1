// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Watches one open link for silence: a probe after `interval`, dead `limit` later; without a limit, a probe each `interval`.
///
/// Any inbound bytes count as life.
package struct KeepAlive: Sendable {
    package enum Verdict: Equatable {
        case fine
        case probe
        case dead
    }

    private let heartbeat: Heartbeat
    private var lastLife: Instant
    private var probedAt: Instant?
    /// While the app keeps us from reading, silence says nothing about the peer.
    private var isSuspended = false

    package init(_ heartbeat: Heartbeat, at now: Instant) {
        self.heartbeat = heartbeat
        lastLife = now
    }

    package var deadline: Instant? {
        if isSuspended { return nil }
        if let probedAt { return probedAt.advanced(by: heartbeat.limit ?? heartbeat.interval) }
        return lastLife.advanced(by: heartbeat.interval)
    }

    /// How long nothing has come.
    package func silence(at now: Instant) -> Duration { lastLife.duration(to: now) }

    package mutating func life(at now: Instant) {
        lastLife = now
        probedAt = nil
    }

    package mutating func check(at now: Instant) -> Verdict {
        guard let deadline, deadline <= now else { return .fine }
        if probedAt != nil, heartbeat.limit != nil { return .dead }
        probedAt = now
        return .probe
    }

    /// Asks for a sign of life now, whatever the interval says.
    ///
    /// False when one is already awaited.
    package mutating func probeNow(at now: Instant) -> Bool {
        guard probedAt == nil, !isSuspended else { return false }
        probedAt = now
        return true
    }

    package mutating func suspend() {
        isSuspended = true
    }

    package mutating func resume(at now: Instant) {
        isSuspended = false
        life(at: now)
    }
}
