// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteLite
import SenteTransport
public import SenteWire

extension StubClient {
    /// What it was told to show.
    public var status: ConnectionStatus { content.withLock { $0.status } }

    /// What it was told to show, from the current status on.
    public var states: States { States { [statuses] in statuses.makeIterator() } }

    /// Runs `body` within each `shows(_:)`.
    @discardableResult
    public func onStateChange(
        _ body: @escaping @Sendable (_ old: ConnectionStatus, _ new: ConnectionStatus) -> Void
    ) -> Registration {
        register(\.statusHandlers, body)
    }

    /// Shows `open`, unless calls fail.
    public func connect(timeout: Duration? = .seconds(30)) async throws(SenteError) {
        try note(.connect)
        shows(ConnectionStatus(state: .open, attempt: 1))
    }

    /// Shows `closed`.
    public func disconnect() async {
        content.withLock { $0.calls.append(.disconnect) }
        shows(ConnectionStatus())
    }

    /// Is noted.
    public func reconnect() {
        content.withLock { $0.calls.append(.reconnect) }
    }

    /// The channels wished for.
    public var subscriptions: [String] { content.withLock { $0.wishes } }

    /// A handle that gets what is delivered.
    public func subscribe(
        _ channel: String, history: ChannelHistory
    ) async throws(SenteError) -> Subscription {
        try note(.subscribe(channel))
        return try wish(for: channel)
    }

    /// A handle that gets what is delivered, wherever it begins; its cursors and gaps are those of the messages.
    public func subscribe(
        _ channel: String, from start: ChannelStart
    ) async throws(SenteError) -> Subscription {
        try note(.follow(channel, from: start))
        return try wish(for: channel)
    }

    private func wish(for channel: String) throws(SenteError) -> Subscription {
        let source = StubSource(channel)
        let rejection = content.withLock { state -> SenteError? in
            if let rejection = state.rejections[channel] { return rejection }
            if !state.wishes.contains(channel) { state.wishes.append(channel) }
            state.sources.append(source)
            return nil
        }
        if let rejection { throw rejection }
        return Subscription(channel, source)
    }

    /// Ends the channel's handles.
    public func unsubscribe(_ channel: String) async throws(SenteError) {
        try note(.unsubscribe(channel))
        let ended = content.withLock { state in
            state.wishes.removeAll { $0 == channel }
            defer { state.sources.removeAll { $0.channel == channel } }
            return state.sources.filter { $0.channel == channel }
        }
        for source in ended { source.close() }
    }

    /// Runs `body` within each `deliver(_:)` for the channel.
    @discardableResult
    public func onMessage(
        in channel: String, _ body: @escaping @Sendable (ChannelMessage) -> Void
    ) -> Registration {
        register(\.messageHandlers) { if $0.channel == channel { body($0) } }
    }

    /// Is noted, and gets its receipt.
    @discardableResult
    public func publish(
        _ data: Value, to channel: String, excludeSender: Bool = false, timeout: Duration? = nil,
        options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        try note(.publish(data, to: channel))
        return content.withLock { $0.receipt }(data, channel)
    }

    /// Is noted, and gets its receipt, which says that a stream keeps it.
    @discardableResult
    public func publish(
        _ data: Value, to channel: String, stored: StoredPublish, timeout: Duration? = nil,
        options: SendOptions = SendOptions()
    ) async throws(SenteError) -> PublishReceipt {
        try note(.store(data, to: channel, stored))
        var receipt = content.withLock { $0.receipt }(data, channel)
        receipt.acknowledgement = .stored
        return receipt
    }

    /// Is noted, and gets the answer of `answersRequests(on:_:)`.
    public func request(
        _ data: Value, on channel: String, timeout: Duration? = nil, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> Value {
        try note(.request(data, on: channel))
        guard let body = content.withLock({ $0.requests[channel] }) else { return data }
        return try await Self.answer { try await body(data) }
    }

    /// Serves what `asks(_:on:)` asks.
    @discardableResult
    public func respond(
        on channel: String, concurrency: Int, options: SendOptions = SendOptions(),
        _ body: @escaping @Sendable (Value) async throws -> Value
    ) async throws(SenteError) -> Registration {
        try note(.respond(on: channel))
        content.withLock { $0.responders[channel] = body }
        return Registration { [weak self] in
            self?.content.withLock { $0.responders[channel] = nil }
        }
    }

    /// Shows those of `shows(present:in:)`, and the app itself once it enters.
    public func presence<T: Codable & Sendable>(
        in channel: String, as type: T.Type, settings: PresenceSettings = PresenceSettings()
    ) async throws(SenteError) -> Presence<T> {
        try note(.presence(in: channel))
        let (presence, members) = content.withLock { state in
            let presence = StubPresence(channel, self, isCurrent: state.status.state == .open)
            state.presences.append(presence)
            return (presence, state.present[channel])
        }
        if let members { presence.shows(members) }
        return Presence(channel, settings, presence)
    }

    /// Every event that is pushed.
    public var events: Events { Events { [allEvents] in allEvents.makeIterator() } }

    /// Runs `body` within each `push(_:)` of the id.
    @discardableResult
    public func on(_ id: Keyword, _ body: @escaping @Sendable (Event) -> Void) -> Registration {
        register(\.eventHandlers) { if $0.id == id { body($0) } }
    }

    /// Is noted.
    public func send(_ event: Event, options: SendOptions = SendOptions()) async throws(SenteError) {
        try note(.send(event))
    }

    /// Is noted, and gets the reply of `answersEvents(_:_:)`.
    public func send(
        _ event: Event, timeout: Duration, options: SendOptions = SendOptions()
    ) async throws(SenteError) -> Value {
        try note(.send(event))
        guard let body = content.withLock({ $0.replies[event.id] }) else { return event.data }
        return try await Self.answer { try await body(event) }
    }

    // MARK: Helpers

    func notes(_ call: Call) { content.withLock { $0.calls.append(call) } }

    func ended(_ presence: StubPresence) {
        content.withLock { $0.presences.removeAll { $0 === presence } }
    }

    private func note(_ call: Call) throws(SenteError) {
        let failure = content.withLock { state in
            state.calls.append(call)
            return state.failure
        }
        if let failure { throw failure }
    }

    /// What is no `SenteError` comes as a service's own errors do.
    private static func answer(_ body: () async throws -> Value) async throws(SenteError) -> Value {
        do {
            return try await body()
        } catch let error as SenteError {
            throw error
        } catch {
            throw SenteError(
                code: .remoteError, message: "The service answered with an error.", outcome: .acknowledged,
                underlying: String(describing: error))
        }
    }

    private func register<Body: Sendable>(
        _ roster: any (WritableKeyPath<State, Roster<Body>> & Sendable), _ body: Body
    ) -> Registration {
        let number = content.withLock { $0[keyPath: roster].add(body) }
        return Registration { [weak self] in
            self?.content.withLock { $0[keyPath: roster].remove(number) }
        }
    }
}

/// A handle's messages, as they are delivered.
final class StubSource: SubscriptionSource {
    let channel: String
    let mailbox = BoundedMailbox<ChannelMessage>()
    private let states = Broadcast(BoundedQueue(latest: 256), current: SubscriptionState.subscribed)

    init(_ channel: String) {
        self.channel = channel
    }

    func status(of channel: String) -> SubscriptionStatus? { SubscriptionStatus(isConfirmed: true) }
    func close() {
        states.send([.ended])
        states.finish()
        mailbox.finish()
    }
    func states(of channel: String) -> MailboxIterator<SubscriptionState> { states.makeIterator() }
    func makeIterator() -> MailboxIterator<ChannelMessage> { mailbox.makeIterator(keeping: self) }
}
