// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// Where a subscription stands, as a sequence for any number of consumers.
///
/// Each iterator gets the current state first and then every change, in order; after a connection that was lost,
/// `gap` comes right before `subscribed`. It ends with `ended`, when nobody wishes for the channel any more, and with the
/// client, which it keeps as its handle does. One that does not keep up misses the oldest: 256 wait for it.
public struct SubscriptionStates: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = SubscriptionState
    /// The sequence never fails.
    public typealias Failure = Never

    private let follow: @Sendable () -> Iterator

    init(_ follow: @escaping @Sendable () -> Iterator) {
        self.follow = follow
    }

    /// Takes states one by one.
    public typealias Iterator = MailboxIterator<SubscriptionState>

    /// Starts with the current state.
    public func makeAsyncIterator() -> Iterator {
        follow()
    }
}
