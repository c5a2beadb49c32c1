// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// A handle to a channel's messages, as a sequence.
///
/// Messages wait in the handle's inbox (`Configuration.inbox`) from the moment it is made. Several loops over
/// one handle share its messages: each goes to one of them; leaving a loop loses none. The sequence ends when
/// the channel is unsubscribed, by `cancel()`, and for a loop whose task is cancelled; it goes on over
/// reconnects.
///
/// A handle keeps its client. Dropping it closes its inbox and leaves the wish.
public struct Subscription: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = ChannelMessage
    /// The sequence never fails.
    public typealias Failure = Never

    /// The channel.
    public let channel: String
    private let handle: InboxHandle

    init(_ channel: String, _ handle: InboxHandle) {
        self.channel = channel
        self.handle = handle
    }

    /// Whether the server has confirmed the channel on the current connection.
    public var isConfirmed: Bool { handle.client.driver.board.channel(channel)?.isConfirmed ?? false }

    /// Why the server refused the channel, if it did.
    ///
    /// It is not asked again until `subscribe` is called again.
    public var rejection: SenteError? { handle.client.driver.board.channel(channel)?.rejection }

    /// Where the channel stands, as a sequence: the current state first, then every change until it has ended.
    ///
    /// ```swift
    /// for await state in subscription.states {
    ///     if case .gap(let gap) = state { print("out of reach for \(gap.duration)") }
    /// }
    /// ```
    public var states: SubscriptionStates {
        let mailbox = handle.mailbox
        return SubscriptionStates(channel, handle.client.driver.board) { mailbox.isFinished }
    }

    /// Ends this handle's sequence.
    ///
    /// The wish stays; `unsubscribe` ends it.
    public func cancel() {
        handle.close()
    }

    /// Takes messages one by one.
    public typealias Iterator = MailboxIterator<ChannelMessage>

    /// Starts to take messages.
    public func makeAsyncIterator() -> Iterator {
        handle.makeIterator {
            if case .message(let message) = $0 { message } else { nil }
        } wrap: {
            .message($0)
        }
    }
}
