// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// A handle to a channel's messages, as a sequence.
///
/// Messages wait in the handle's inbox (`Configuration.inbox`) from the moment it is made. Several loops over
/// one handle share its messages: each goes to one of them; leaving a loop loses none. The sequence ends when
/// the channel is unsubscribed, by `cancel()`, and for a loop whose task is cancelled; it goes on over
/// reconnects.
///
/// A handle keeps its client. Dropping it closes its inbox and leaves the wish, but for one that follows a channel from a place
/// in its stream, which is a wish of its own.
public struct Subscription: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = ChannelMessage
    /// The sequence never fails.
    public typealias Failure = Never

    /// The channel.
    public let channel: String
    private let source: any SubscriptionSource

    package init(_ channel: String, _ source: any SubscriptionSource) {
        self.channel = channel
        self.source = source
    }

    /// Whether the server has confirmed the channel on the current connection.
    public var isConfirmed: Bool { source.status(of: channel)?.isConfirmed ?? false }

    /// Why the server refused the channel, if it did.
    ///
    /// It is not asked again until `subscribe` is called again.
    public var rejection: SenteError? { source.status(of: channel)?.rejection }

    /// Where the channel stands, as a sequence: the current state first, then every change until it has ended.
    ///
    /// ```swift
    /// for await state in subscription.states {
    ///     if case .gap(let gap) = state { print("out of reach for \(gap.duration)") }
    /// }
    /// ```
    public var states: SubscriptionStates {
        SubscriptionStates { [channel, source] in source.states(of: channel) }
    }

    /// Ends this handle's sequence.
    ///
    /// The wish stays, and `unsubscribe` ends it; that of a handle that follows a channel from a place ends with it.
    public func cancel() {
        source.close()
    }

    /// Takes messages one by one.
    public typealias Iterator = MailboxIterator<ChannelMessage>

    /// Starts to take messages.
    public func makeAsyncIterator() -> Iterator {
        source.makeIterator()
    }
}

/// Where a handle's messages come from, for as long as the handle is kept.
package protocol SubscriptionSource: AnyObject, Sendable {
    func status(of channel: String) -> SubscriptionStatus?
    /// Ends the handle's sequence.
    func close()
    func makeIterator() -> MailboxIterator<ChannelMessage>
    func states(of channel: String) -> MailboxIterator<SubscriptionState>
}

extension InboxHandle: SubscriptionSource {
    func status(of channel: String) -> SubscriptionStatus? {
        client.driver.board.channel(wish ?? channel)
    }

    /// A channel that is wished for anew is another subscription's.
    func states(of channel: String) -> MailboxIterator<SubscriptionState> {
        mailbox.isFinished
            ? StatusBoard.ended.makeIterator() : client.driver.board.states(of: wish ?? channel)
    }

    func makeIterator() -> MailboxIterator<ChannelMessage> {
        makeIterator { element in
            if case .message(let message) = consume element { message } else { nil }
        } wrap: {
            .message($0)
        }
    }
}
