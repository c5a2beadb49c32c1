// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Channels: subscriptions, messages, requests.
extension SenteClient {
    /// The channels wished for, in the order of wishing; those that the server rejected are not among them.
    public var subscriptions: [String] {
        let names = driver.board.subscriptions
        guard configuration.dialect == .nats else { return names }
        var seen: Set<WireName> = []
        return names.map { NATSWish(name: $0) }.filter {
            !$0.isShare && seen.insert(WireName($0.subject)).inserted
        }
        .map(\.subject)
    }

    /// Wishes for a channel in every state, and gives a handle to its messages.
    ///
    /// While open it returns when the server has confirmed, or after `timeouts.request` with `isConfirmed`
    /// false; else at once. The wish outlives handles and connections; `unsubscribe` ends it. Two subscribes
    /// to one channel share a wish, and each handle gets every message.
    ///
    /// The handle begins with what the server kept of the channel, where it keeps any, whether the channel was subscribed
    /// already or not. No handle gets a kept message twice that has an id.
    ///
    /// On the dialect `senteLiteVectors` a name that begins with a colon is a keyword.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - history: How much of what the server kept the handle begins with. The default is all.
    /// - Returns: The handle.
    /// - Throws: `invalidArgument` for a name no server takes, `rejected` with the server's reason,
    ///   `unsupported` on the dialect `sente`, which has no channels, `cancelled`.
    public func subscribe(
        _ channel: String, history: ChannelHistory = .all
    ) async throws(SenteError) -> Subscription {
        try check(.subscribe(channel: channel))
        return try await subscribe(channel, as: channel, scoped: false, history)
    }

    /// Subscribes for the time that `body` runs.
    ///
    /// Afterwards, also when it threw or was cancelled, the handle ends; the wish ends with it unless
    /// somebody else holds it.
    ///
    /// - Throws: What `subscribe` throws, and what `body` throws.
    public func withSubscription<R>(
        _ channel: String, history: ChannelHistory = .all, isolation: isolated (any Actor)? = #isolation,
        _ body: (Subscription) async throws -> R
    ) async throws -> R {
        try check(.subscribe(channel: channel))
        let subscription = try await subscribe(channel, as: channel, scoped: true, history)
        defer { subscription.cancel() }
        return try await body(subscription)
    }

    /// A handle to a channel that has been checked, by the name that the session knows its wish by.
    func subscribe(
        _ channel: String, as wish: String, scoped: Bool, _ history: ChannelHistory
    ) async throws(SenteError) -> Subscription {
        let handle = InboxHandle(self) { .endScope($0) }
        let answer = try await call(receiver: (handle.inbox, handle.mailbox)) {
            .subscribe($0, channel: wish, handle.inbox, scoped: scoped, history: history)
        }
        guard case .subscribed = answer else { throw .mismatched(answer) }
        return Subscription(channel, handle)
    }

    /// Ends the wish for a channel whoever made it, and the sequences of all its handles.
    ///
    /// While open it returns when the server has answered.
    ///
    /// - Throws: `invalidArgument`, `timedOut` after `timeouts.request`, `cancelled`. The wish has ended all
    ///   the same.
    public func unsubscribe(_ channel: String) async throws(SenteError) {
        try check(.unsubscribe(channel: channel))
        _ = try await call { .unsubscribe($0, channel: channel) }
    }

    /// Runs `body` for each message of a channel, in order, one closure of the client at a time, never on the
    /// loop.
    ///
    /// It records no wish: `subscribe` does. To use the client inside, capture it weakly, or it is never
    /// released.
    @discardableResult
    public func onMessage(
        in channel: String, _ body: @escaping @Sendable (ChannelMessage) -> Void
    ) -> Registration {
        driver.closures.register(.channel(WireName(channel))) { element in
            if case .message(let message) = element { body(message) }
        }
    }

    /// Runs `body` on the main actor for each message of a channel, in order.
    ///
    /// It records no wish: `subscribe` does.
    @discardableResult
    public func onMessage(
        in channel: String, mainActor body: @escaping @MainActor @Sendable (ChannelMessage) -> Void
    ) -> Registration {
        driver.closures.register(
            .channel(WireName(channel)),
            awaited: { element in
                if case .message(let message) = element { await body(message) }
            })
    }

    /// Publishes to a channel, and waits for the server's answer where its dialect has one.
    ///
    /// While the client connects the message waits in the outbox, for `outbox.timeToLive` at most; from when it has left, the
    /// answer has `timeouts.request` to come.
    ///
    /// - Parameters:
    ///   - data: What to publish: a map or nothing.
    ///   - channel: The channel; one need not be subscribed to it.
    ///   - excludeSender: Whether this client's own subscription is left out. The default is false.
    ///   - timeout: One limit for all of it instead, queueing included. The default is nil.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: What the server said.
    /// - Throws: `notConnected`, `outboxFull`, `expired` when it never left, `invalidArgument`, `messageTooLarge`, `rejected`,
    ///   `timedOut`, `connectionLost`, `disconnected`, `cancelled`; the error's `outcome` says what became of it.
    @discardableResult
    public func publish(
        _ data: Value, to channel: String, excludeSender: Bool = false, timeout: Duration? = nil,
        options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        let outbound = Outbound.publish(channel: channel, data: data, excludeSender: excludeSender)
        // Where the dialect answers no publish, the session is content when it is written.
        let answer = try await submit(
            outbound, options, limit: timeout,
            answerLimit: timeout == nil ? requestLimit : nil,
            awaits: .reply)
        switch answer {
        case .published(let receipt): return receipt
        case .written: return PublishReceipt(outcome: .written)
        default: throw .mismatched(answer)
        }
    }

    /// Publishes without waiting, in the order of the calls.
    ///
    /// The limits are those of `publish`.
    ///
    /// - Parameters:
    ///   - data: What to publish: a map or nothing.
    ///   - channel: The channel; one need not be subscribed to it.
    ///   - excludeSender: Whether this client's own subscription is left out. The default is false.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: What tells the outcome, for those who want to know.
    /// - Throws: `notConnected`, `outboxFull`, `invalidArgument`, `messageTooLarge`, `storeFailed`; nothing was sent then.
    @discardableResult
    public func enqueue(
        publish data: Value, to channel: String, excludeSender: Bool = false,
        options: SendOptions = SendOptions()
    ) throws(SenteError) -> Delivery {
        try enqueue(
            .publish(channel: channel, data: data, excludeSender: excludeSender), options,
            answerLimit: requestLimit, awaits: .reply, DeliveryResult())
    }

    /// Asks whoever serves a channel, and waits for the answer.
    ///
    /// - Parameters:
    ///   - data: What to ask; `senteLiteMaps` takes a map or nothing.
    ///   - channel: The channel that is served.
    ///   - timeout: How long to wait, queueing included; nil for `timeouts.request`. The default is nil.
    ///   - options: How it is sent. The default is as any other.
    /// - Returns: The answer.
    /// - Throws: What `publish` throws, `noSubscribers` when nobody serves the channel, `busy` when the
    ///   service has too much to do, `remoteError` when it answers with an error, which the error's `remoteError` has.
    public func request(
        _ data: Value, on channel: String, timeout: Duration? = nil, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> Value {
        let limit = timeout ?? requestLimit
        let outbound = Outbound.request(channel: channel, data: data, limit: max(1, limit.wholeMilliseconds))
        let answer = try await submit(outbound, options, limit: limit, awaits: .reply)
        guard case .value(let value) = answer else { throw .mismatched(answer) }
        return value
    }

    /// The server's channels, as it tells them.
    ///
    /// - Throws: What `request` throws.
    public func listChannels() async throws(SenteError) -> [ChannelInfo] {
        let answer = try await submit(.listChannels, limit: requestLimit, awaits: .reply)
        guard case .channels(let channels) = answer else { throw .mismatched(answer) }
        return channels
    }

    /// The channels this connection is subscribed to, as the server tells them.
    ///
    /// - Throws: What `request` throws.
    public func confirmedSubscriptions() async throws(SenteError) -> [String] {
        let answer = try await submit(
            .listSubscriptions, limit: requestLimit, awaits: .reply)
        guard case .names(let names) = answer else { throw .mismatched(answer) }
        return names
    }
}
