// SPDX-License-Identifier: Apache-2.0

/// Which way a stream's bytes go.
public enum StreamKind: String, Hashable, Sendable, CaseIterable {
    /// From the client to the server.
    case upload
    /// From the server to the client.
    case download
    /// Both ways.
    case bidirectional
    /// From the server to every subscriber of a channel; who comes later gets what comes later.
    case broadcast

    /// Whether the client sends bytes.
    var isSentByClient: Bool { self == .upload || self == .bidirectional }

    /// Whether the client receives bytes.
    var isReceivedByClient: Bool { self != .upload }
}

/// Where a stream stands.
///
///     initializing → negotiating → active ⇄ paused
///          ↑              ↑           ↓
///          └── the link is lost ──────┤
///                                 completing → completed          failed and cancelled follow on any
public enum StreamState: String, Hashable, Sendable, CaseIterable {
    /// There is no link that it could use; what has come and gone is remembered.
    case initializing
    /// The other end was asked and has not answered.
    case negotiating
    /// Bytes may move.
    case active
    /// One end has stopped it for a while.
    case paused
    /// All bytes have been sent, and the receiver has not confirmed them.
    case completing
    /// All bytes have come.
    case completed
    /// It ended before its time; an error says why.
    case failed
    /// One end called it off.
    case cancelled

    /// Whether nothing will happen to it any more.
    public var isFinal: Bool { self == .completed || self == .failed || self == .cancelled }
}
