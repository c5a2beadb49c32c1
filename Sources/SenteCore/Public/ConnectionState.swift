// SPDX-License-Identifier: Apache-2.0

/// Where a client stands.
///
/// ```
///              connect()            greeting
///   closed ───────────▶ connecting ─────────▶ open ──────┐ disconnect()
///     ▲                  │  │   ▲               │         ▼
///     │   disconnect()   │  │   │ time is up    │ lost  closing
///     ├──────────────────┘  │   │               ▼         │
///     │                     └─▶ reconnecting ◀──┘         │
///     │          gave up ▼          │                     │
///     └───────────── failed ◀───────┘      closed ◀───────┘
/// ```
public enum ConnectionState: String, Sendable, CaseIterable {
    /// No connection is wanted: at first, after `disconnect()`, or after the end of a link with reconnecting off.
    case closed
    /// A link is being opened, or is open and the server has not greeted yet.
    case connecting
    /// The server has greeted; messages flow.
    case open
    /// `disconnect()` was called and the closing handshake runs, bounded in time.
    case closing
    /// Waiting for the next attempt; the status says which, and when.
    case reconnecting
    /// Gave up: attempts used up, or a failure that trying again cannot mend. `connect()` starts anew.
    case failed
}
