// SPDX-License-Identifier: Apache-2.0

public import SenteCore

/// A handle to a channel's messages, as a sequence of what they say.
///
/// It is a ``Subscription`` whose messages are decoded as they are taken, on the consumer's task. One that does not fit is an
/// element too, an error, and is counted in `metrics.errors`.
public struct TypedSubscription<T: Decodable & Sendable>: AsyncSequence, Sendable {
    /// What it yields.
    public typealias Element = TypedMessage<T>
    /// The sequence never fails.
    public typealias Failure = Never

    /// The same handle, for its messages as they come; both share them.
    public let subscription: Subscription
    private let submissions: SubmissionQueue?

    init(_ subscription: Subscription, counting submissions: SubmissionQueue?) {
        self.subscription = subscription
        self.submissions = submissions
    }

    /// The channel.
    public var channel: String { subscription.channel }

    /// Whether the server has confirmed the channel on the current connection.
    public var isConfirmed: Bool { subscription.isConfirmed }

    /// Why the server refused the channel, if it did.
    public var rejection: SenteError? { subscription.rejection }

    /// Ends this handle's sequence.
    ///
    /// The wish stays; `unsubscribe` ends it.
    public func cancel() {
        subscription.cancel()
    }

    /// Starts to take messages.
    public func makeAsyncIterator() -> Iterator {
        Iterator(messages: subscription.makeAsyncIterator(), submissions: submissions)
    }

    /// Takes messages one by one.
    public struct Iterator: AsyncIteratorProtocol {
        /// Taking never fails.
        public typealias Failure = Never

        var messages: Subscription.Iterator
        let submissions: SubmissionQueue?

        /// The next message; nil when the sequence is over or the task was cancelled.
        public mutating func next() async -> TypedMessage<T>? {
            await messages.next().map { TypedMessage($0, counting: submissions) }
        }

        /// The next message, without leaving the caller's actor.
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, *)
        public mutating func next(isolation actor: isolated (any Actor)?) async -> TypedMessage<T>? {
            await messages.next(isolation: actor).map { TypedMessage($0, counting: submissions) }
        }
    }
}
