// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// What only a `ChannelSocketClient` can be told when it is made.
public struct ChannelSocketOptions: Sendable {
    /// Whether the server's events come wrapped, as `[:chsk/recv [id data]]` (`:wrap-recv-evs?`).
    ///
    /// The events of the socket itself, `:chsk/…`, stay bare. The default is false.
    public var wrapsReceivedEvents = false
    /// What is done about errors.
    ///
    /// The default is `ErrorPolicy.default`.
    public var errorPolicy = ErrorPolicy.default

    /// The defaults.
    public init() {}
}
