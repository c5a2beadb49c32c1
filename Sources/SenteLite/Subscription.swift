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

    /// Ends this handle's sequence.
    ///
    /// The wish stays; `unsubscribe` ends it.
    public func cancel() {
        handle.close()
    }

    /// Starts to take messages.
    public func makeAsyncIterator() -> Iterator {
        Iterator(handle: handle, cursor: handle.cursor())
    }

    /// Takes messages one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        fileprivate let handle: InboxHandle
        fileprivate let cursor: Cursor<InboxElement>

        /// The next message; nil when the sequence is over or the task was cancelled.
        ///
        /// Returns without suspending while messages wait.
        public mutating func next() async -> ChannelMessage? {
            await cursor.nextMessage(isolation: nil)
        }

        /// The next message, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> ChannelMessage? {
            await cursor.nextMessage(isolation: actor)
        }
    }
}

extension Cursor<InboxElement> {
    fileprivate func nextMessage(isolation: isolated (any Actor)?) async -> ChannelMessage? {
        while let element = await next(isolation: isolation) {
            if case .message(let message) = element { return message }
        }
        return nil
    }
}
