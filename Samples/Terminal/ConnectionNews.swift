// SPDX-License-Identifier: Apache-2.0

public import SenteLite

/// What a change of a connection's status tells a person; the reasons are sentences.
public enum ConnectionNews: Sendable, Equatable {
    case connecting(attempt: Int)
    case connected
    /// An open connection is gone.
    case lost(String)
    /// An attempt failed, and not for the reason of the one before.
    case unreachable(String)
    case gaveUp(String)
    case closed

    /// Nil for a change that is no news; the first status that somebody sees has none before it.
    public init?(from old: ConnectionStatus?, to new: ConnectionStatus) {
        guard old?.state != new.state else { return nil }
        let why = (new.lastError?.description ?? "").printable
        switch new.state {
        case .connecting: self = .connecting(attempt: new.attempt)
        case .open: self = .connected
        case .reconnecting where old?.state == .open: self = .lost(why)
        case .reconnecting where old?.lastError?.message != new.lastError?.message: self = .unreachable(why)
        case .reconnecting, .closing: return nil
        case .failed: self = .gaveUp(why)
        case .closed:
            guard old != nil else { return nil }
            self = .closed
        }
    }
}
