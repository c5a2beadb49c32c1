// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// What an app calls of a client: the type to hold where a test is to stand in for the server.
///
/// ```swift
/// final class Chat {
///     let client: any RealtimeClient  // a SenteClient in the app, a StubClient of SenteTestKit in a test
/// }
/// ```
///
/// The sequences are those of ``SenteClient`` themselves, so that a loop is written once. What each call does is told there.
public protocol RealtimeClient: AnyObject, Sendable {
    /// Everything the client says of its connection.
    var status: ConnectionStatus { get }
    /// Each status from the current one on, for any number of consumers.
    var states: States { get }
    /// Runs `body` at each change of the status, in order.
    @discardableResult
    func onStateChange(
        _ body: @escaping @Sendable (_ old: ConnectionStatus, _ new: ConnectionStatus) -> Void
    ) -> Registration

    /// Connects, and waits until the client is open.
    func connect(timeout: Duration?) async throws(SenteError)
    /// Disconnects, and returns when the client is closed.
    func disconnect() async
    /// Connects anew at once, whatever the backoff says.
    func reconnect()

    /// The channels wished for, in the order of wishing.
    var subscriptions: [String] { get }
    /// Wishes for a channel, and gives a handle to its messages.
    func subscribe(_ channel: String, history: ChannelHistory) async throws(SenteError) -> Subscription
    /// Follows a channel from a place in the stream that keeps it.
    func subscribe(_ channel: String, from start: ChannelStart) async throws(SenteError) -> Subscription
    /// Ends the wish for a channel, and the sequences of all its handles.
    func unsubscribe(_ channel: String) async throws(SenteError)
    /// Runs `body` for each message of a channel, in order.
    @discardableResult
    func onMessage(
        in channel: String, _ body: @escaping @Sendable (ChannelMessage) -> Void
    ) -> Registration
    /// Publishes to a channel, and waits for the server's answer where its dialect has one.
    @discardableResult
    func publish(
        _ data: Value, to channel: String, excludeSender: Bool, timeout: Duration?, options: SendOptions
    ) async throws(SenteError) -> PublishReceipt
    /// Publishes to a channel that a stream keeps, and returns when the stream has acknowledged it.
    @discardableResult
    func publish(
        _ data: Value, to channel: String, stored: StoredPublish, timeout: Duration?, options: SendOptions
    ) async throws(SenteError) -> PublishReceipt
    /// Asks whoever serves a channel, and waits for the answer.
    func request(
        _ data: Value, on channel: String, timeout: Duration?, options: SendOptions
    ) async throws(SenteError) -> Value
    /// Serves the requests of a channel.
    @discardableResult
    func respond(
        on channel: String, concurrency: Int, options: SendOptions,
        _ body: @escaping @Sendable (Value) async throws -> Value
    ) async throws(SenteError) -> Registration

    /// Follows who is present in a channel.
    func presence<T: Codable & Sendable>(
        in channel: String, as type: T.Type, settings: PresenceSettings
    ) async throws(SenteError) -> Presence<T>

    /// Every application event, for any number of consumers.
    var events: Events { get }
    /// Runs `body` for each event of an id, in order.
    @discardableResult
    func on(_ id: Keyword, _ body: @escaping @Sendable (Event) -> Void) -> Registration
    /// Sends an event, and returns when it was handed to the network.
    func send(_ event: Event, options: SendOptions) async throws(SenteError)
    /// Sends an event, and waits for the server's reply to it.
    func send(_ event: Event, timeout: Duration, options: SendOptions) async throws(SenteError) -> Value
}

extension SenteClient: RealtimeClient {}

/// The shorter forms, with the defaults of ``SenteClient``.
extension RealtimeClient {
    /// Where the client stands.
    public var state: ConnectionState { status.state }

    /// Connects, and waits until the client is open, 30 s at most.
    public func connect() async throws(SenteError) {
        try await connect(timeout: .seconds(30))
    }

    /// Wishes for a channel, and gives a handle to its messages, which begins with what the server kept.
    public func subscribe(_ channel: String) async throws(SenteError) -> Subscription {
        try await subscribe(channel, history: .all)
    }

    /// Serves the requests of a channel, by default 16 at once.
    @discardableResult
    public func respond(
        on channel: String, concurrency: Int = 16, _ body: @escaping @Sendable (Value) async throws -> Value
    ) async throws(SenteError) -> Registration {
        try await respond(on: channel, concurrency: concurrency, options: SendOptions(), body)
    }

    /// Follows who is present in a channel, with the settings that all have.
    public func presence<T: Codable & Sendable>(
        in channel: String, as type: T.Type
    ) async throws(SenteError) -> Presence<T> {
        try await presence(in: channel, as: type, settings: PresenceSettings())
    }

    /// Publishes to a channel, by default the client's own subscription included.
    @discardableResult
    public func publish(
        _ data: Value, to channel: String, excludeSender: Bool = false, timeout: Duration? = nil
    ) async throws(SenteError) -> PublishReceipt {
        try await publish(
            data, to: channel, excludeSender: excludeSender, timeout: timeout, options: SendOptions())
    }

    /// Publishes to a channel that a stream keeps, by default for as long as electing a leader takes.
    @discardableResult
    public func publish(
        _ data: Value, to channel: String, stored: StoredPublish, timeout: Duration? = nil
    ) async throws(SenteError) -> PublishReceipt {
        try await publish(data, to: channel, stored: stored, timeout: timeout, options: SendOptions())
    }

    /// Asks whoever serves a channel, and waits for the answer by default as long as the client's settings say.
    public func request(
        _ data: Value, on channel: String, timeout: Duration? = nil
    ) async throws(SenteError) -> Value {
        try await request(data, on: channel, timeout: timeout, options: SendOptions())
    }

    /// Sends an event, and returns when it was handed to the network.
    public func send(_ event: Event) async throws(SenteError) {
        try await send(event, options: SendOptions())
    }

    /// Sends an event, and waits for the server's reply to it.
    public func send(_ event: Event, timeout: Duration) async throws(SenteError) -> Value {
        try await send(event, timeout: timeout, options: SendOptions())
    }
}
