// SPDX-License-Identifier: Apache-2.0

import SenteBase

extension Session {
    /// Where the session stands, with what is true only there.
    ///
    /// It is read at every step, so what is large and rare is `indirect`.
    enum State: Sendable {
        /// No link wanted. Can move to: connecting.
        case closed
        /// A link is being opened, or awaits the greeting. Can move to: open, reconnecting, failed, closing, closed.
        indirect case connecting(Attempt)
        /// Greeted. Can move to: closing, reconnecting, closed.
        case open(Open)
        /// The closing handshake runs. Can move to: closed.
        case closing(Closing)
        /// Waiting for the next attempt. Can move to: connecting, closed, failed.
        case reconnecting(Waiting)
        /// Gave up. Can move to: connecting, closed.
        indirect case failed(SenteError)

        var name: ConnectionState {
            switch self {
            case .closed: .closed
            case .connecting: .connecting
            case .open: .open
            case .closing: .closing
            case .reconnecting: .reconnecting
            case .failed: .failed
            }
        }
    }

    /// One try to get a link open and greeted.
    struct Attempt: Sendable {
        var startedAt: Instant
        /// For everything: providers, dialing, handshake, greeting.
        var deadline: Instant
        /// Questions that must be answered before the link is opened.
        var asks: [AskID] = []
        var target: LinkTarget
        var link: LinkID?
        /// The opening handshake is done; the greeting is awaited.
        var isUpgraded = false
        /// Token and parameters were asked for anew because the server refused the last ones.
        var hasFreshToken = false
        /// Greeted, and asks to go on with an earlier link's session.
        var resuming: Resuming?
    }

    struct Open: Sendable {
        var link: LinkID
        var since: Instant
        /// Set while reading is paused: when that must end.
        var pausedUntil: Instant?
        /// The server said that it would stop.
        var departure: Departure?
    }

    /// A link's going before its server does.
    struct Departure: Sendable {
        /// When it begins, or with `stamp` is over whatever has been answered.
        var at: Instant
        /// Of the last ping, once that is sent.
        var stamp: Int64?
    }

    struct Closing: Sendable {
        var link: LinkID
        var deadline: Instant
        var waiters: [CallID]
        /// `connect()` was called meanwhile: start anew once closed.
        var connectsAgain = false
    }

    struct Waiting: Sendable {
        /// When the next attempt starts, or the custom policy's time to answer is up.
        var until: Instant
        /// The question to the custom policy.
        var ask: AskID?
    }
}
