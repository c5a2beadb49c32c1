// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// What a client does and meets, as data, for any number of consumers.
///
/// Each iterator hears what comes from its making on. The client never waits for a consumer: of one that does not keep up
/// the oldest are lost, 1,024 wait for it. The sequence does not keep the client, and ends when that is gone and its
/// connection has ended. While nobody follows, no signal is made.
public struct Signals: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = ClientSignal
    /// The sequence never fails.
    public typealias Failure = Never

    private let hub: SignalHub

    init(_ hub: SignalHub) {
        self.hub = hub
    }

    /// Takes signals one by one.
    public typealias Iterator = MailboxIterator<ClientSignal>

    /// Starts to listen.
    public func makeAsyncIterator() -> Iterator {
        hub.makeIterator()
    }
}
