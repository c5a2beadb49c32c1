// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Watches one open link for silence.
///
/// After `interval` without a byte the server is asked in its dialect; when half the `limit` has brought nothing, the
/// WebSocket is asked as well (RFC 6455 §5.5.2), and when the whole has brought nothing, the link is dead. Without a
/// limit it is asked each `interval` and never dead. A server whose WebSocket lives while its dialect answers no ping
/// (Sente 1.17) is asked by WebSocket pings alone from then on.
///
/// Any inbound bytes count as life.
package struct KeepAlive: Sendable {
    package enum Action: Equatable {
        case wait
        case ask(Ping)
        case giveUp
    }

    package enum Ping: Equatable, Sendable {
        case dialect
        case webSocket
    }

    private let heartbeat: Heartbeat
    /// When something is to be done; every message moves it and every step asks for it.
    package private(set) var deadline: Instant?
    private var lastLife: Instant
    /// What was asked first since the last life, and when.
    private var asked: (ping: Ping, at: Instant)?
    /// Both were asked since the last life.
    private var isAskedTwice = false
    /// A ping of the dialect is out, whatever else has come since.
    private var awaitsDialect = false
    /// While the app keeps us from reading, silence says nothing about the peer.
    private var isSuspended = false

    package init(_ heartbeat: Heartbeat, at now: Instant) {
        self.heartbeat = heartbeat
        lastLife = now
        setDeadline()
    }

    private mutating func setDeadline() {
        guard !isSuspended else { return deadline = nil }
        guard let asked else { return deadline = lastLife.advanced(by: heartbeat.interval) }
        guard let limit = heartbeat.limit else {
            return deadline = asked.at.advanced(by: heartbeat.interval)
        }
        let isHalfway = asked.ping == .dialect && !isAskedTwice
        deadline = asked.at.advanced(by: isHalfway ? limit / 2 : limit)
    }

    /// How long nothing has come.
    package func silence(at now: Instant) -> Duration { lastLife.duration(to: now) }

    package mutating func life(at now: Instant) {
        // Bytes and the message they make are told one by one.
        if lastLife != now || asked != nil { restart(at: now) }
    }

    private mutating func restart(at now: Instant) {
        lastLife = now
        asked = nil
        isAskedTwice = false
        setDeadline()
    }

    /// The server answered a ping of its dialect.
    package mutating func answered() {
        awaitsDialect = false
    }

    package mutating func check(at now: Instant) -> Action {
        guard let deadline, deadline <= now else { return .wait }
        guard let asked, heartbeat.limit != nil else { return .ask(ask(at: now)) }
        guard asked.ping == .dialect, !isAskedTwice else { return .giveUp }
        isAskedTwice = true
        setDeadline()
        return .ask(.webSocket)
    }

    /// What to ask for a sign of life now, whatever the interval says; nil when one is already awaited.
    package mutating func askNow(at now: Instant) -> Ping? {
        asked == nil && !isSuspended ? ask(at: now) : nil
    }

    private mutating func ask(at now: Instant) -> Ping {
        let ping = awaitsDialect ? Ping.webSocket : .dialect
        awaitsDialect = true
        asked = (ping, now)
        setDeadline()
        return ping
    }

    package mutating func suspend() {
        isSuspended = true
        setDeadline()
    }

    package mutating func resume(at now: Instant) {
        isSuspended = false
        restart(at: now)
    }
}
