// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// The same calls for types of your own, as ``SenteClient`` has them.
extension RealtimeClient {
    /// Wishes for a channel, and gives a handle to its messages that decodes them.
    public func subscribe<T: Decodable & Sendable>(
        _ channel: String, as type: T.Type, history: ChannelHistory = .all
    ) async throws(SenteError) -> TypedSubscription<T> {
        TypedSubscription(try await subscribe(channel, history: history), counting: nil)
    }

    /// Follows a channel from a place in the stream that keeps it, with messages that are decoded.
    public func subscribe<T: Decodable & Sendable>(
        _ channel: String, as type: T.Type, from start: ChannelStart
    ) async throws(SenteError) -> TypedSubscription<T> {
        TypedSubscription(try await subscribe(channel, from: start), counting: nil)
    }

    /// Runs `body` for each message of a channel, decoded; in order.
    @discardableResult
    public func onMessage<T: Decodable & Sendable>(
        in channel: String, as type: T.Type, _ body: @escaping @Sendable (TypedMessage<T>) -> Void
    ) -> Registration {
        onMessage(in: channel) { body(TypedMessage($0, counting: nil)) }
    }

    /// Runs `body` for each event of an id, decoded; in order.
    @discardableResult
    public func on<T: Decodable & Sendable>(
        _ id: Keyword, as type: T.Type, _ body: @escaping @Sendable (TypedEvent<T>) -> Void
    ) -> Registration {
        on(id) { body(TypedEvent($0, counting: nil)) }
    }

    /// Publishes an encodable value to a channel.
    @discardableResult
    public func publish(
        encoding data: some Encodable, to channel: String, excludeSender: Bool = false,
        timeout: Duration? = nil, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        try await publish(
            Value(encoding: data), to: channel, excludeSender: excludeSender, timeout: timeout,
            options: options)
    }

    /// Publishes an encodable value to a channel that a stream keeps.
    @discardableResult
    public func publish(
        encoding data: some Encodable, to channel: String, stored: StoredPublish, timeout: Duration? = nil,
        options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        try await publish(
            Value(encoding: data), to: channel, stored: stored, timeout: timeout, options: options)
    }

    /// Asks whoever serves a channel with an encodable value; the answer is decoded.
    public func request<Reply: Decodable>(
        encoding data: some Encodable, on channel: String, as type: Reply.Type = Reply.self,
        timeout: Duration? = nil, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> Reply {
        try await request(Value(encoding: data), on: channel, timeout: timeout, options: options)
            .decoded(as: type)
    }

    /// Serves the requests of a channel with types of your own.
    @discardableResult
    public func respond<Request: Decodable & Sendable, Answer: Encodable & Sendable>(
        on channel: String, as type: Request.Type, concurrency: Int = 16,
        options: SendOptions = SendOptions(),
        _ body: @escaping @Sendable (Request) async throws -> Answer
    ) async throws(SenteError) -> Registration {
        try await respond(on: channel, concurrency: concurrency, options: options, typed(body, counting: nil))
    }

    /// Sends an encodable value as an event's data.
    public func send(
        encoding data: some Encodable, as id: Keyword, options: SendOptions = SendOptions()
    ) async throws(SenteError) {
        try await send(Event(id: id, data: Value(encoding: data)), options: options)
    }
}
