// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteLite
import SenteTransport
public import SenteWire

/// A client without a server: it notes what it is asked, and answers as it is told.
///
/// ```swift
/// let client = StubClient()
/// client.answersRequests(on: "time") { _ in ["hour": 12] }
/// let app = App(client)
/// client.deliver(["text": "hello"], to: "chat")
/// client.shows(ConnectionStatus(state: .reconnecting, attempt: 2))
/// ```
///
/// It stands open and says yes to everything until it is told otherwise. Everything happens within the call, and no time
/// passes: for what a network does, take a ``TestWorld``.
public final class StubClient: RealtimeClient {
    /// One call that was made.
    public enum Call: Sendable, Hashable {
        /// `connect(timeout:)`
        case connect
        /// `disconnect()`
        case disconnect
        /// `reconnect()`
        case reconnect
        /// `subscribe(_:)`
        case subscribe(String)
        /// `subscribe(_:from:)`
        case follow(String, from: ChannelStart)
        /// `unsubscribe(_:)`
        case unsubscribe(String)
        /// `publish(_:to:excludeSender:timeout:)`
        case publish(Value, to: String)
        /// `publish(_:to:stored:timeout:)`
        case store(Value, to: String, StoredPublish)
        /// `request(_:on:timeout:)`
        case request(Value, on: String)
        /// `respond(on:_:)`
        case respond(on: String)
        /// `presence(in:as:settings:)`
        case presence(in: String)
        /// `Presence.enter(_:)`
        case enter(Value, in: String)
        /// `Presence.update(_:)`
        case update(Value, in: String)
        /// `Presence.leave()`
        case leave(String)
        /// `send(_:)` and `send(_:timeout:)`
        case send(Event)
    }

    typealias Answer<Question> = @Sendable (Question) async throws -> Value

    struct State {
        var status = ConnectionStatus(state: .open, attempt: 1)
        var calls: [Call] = []
        var failure: SenteError?
        var rejections: [String: SenteError] = [:]
        var receipt: @Sendable (Value, String) -> PublishReceipt = { _, _ in PublishReceipt() }
        var requests: [String: Answer<Value>] = [:]
        var replies: [Keyword: Answer<Event>] = [:]
        var responders: [String: Answer<Value>] = [:]
        var wishes: [String] = []
        var sources: [StubSource] = []
        var presences: [StubPresence] = []
        var present: [String: KeyValuePairs<String, Value>] = [:]
        var messageHandlers = Roster<@Sendable (ChannelMessage) -> Void>()
        var eventHandlers = Roster<@Sendable (Event) -> Void>()
        var statusHandlers = Roster<@Sendable (ConnectionStatus, ConnectionStatus) -> Void>()
    }

    let content = LockedValue(State())
    let statuses: Broadcast<ConnectionStatus>
    let allEvents = Broadcast<Event>(BoundedQueue(latest: .max))

    /// Makes a client that is open.
    public init() {
        statuses = Broadcast(BoundedQueue(latest: .max), current: ConnectionStatus(state: .open, attempt: 1))
    }

    // MARK: What it was asked

    /// Every call so far, in order.
    public var calls: [Call] { content.withLock { $0.calls } }

    /// What was published to a channel so far, stored or not, in order.
    public func published(to channel: String) -> [Value] {
        calls.compactMap {
            switch $0 {
            case .publish(let data, channel), .store(let data, channel, _): data
            default: nil
            }
        }
    }

    /// The events sent so far, in order.
    public var sent: [Event] { calls.compactMap { if case .send(let event) = $0 { event } else { nil } } }

    // MARK: What it does from now on

    /// Requests on a channel are answered with what `body` returns or throws.
    ///
    /// Others are answered with their own data.
    public func answersRequests(
        on channel: String, _ body: @escaping @Sendable (Value) async throws -> Value
    ) {
        content.withLock { $0.requests[channel] = body }
    }

    /// Events of an id that want a reply get what `body` returns or throws.
    ///
    /// Others get their own data.
    public func answersEvents(
        _ id: Keyword, _ body: @escaping @Sendable (Event) async throws -> Value
    ) {
        content.withLock { $0.replies[id] = body }
    }

    /// Publishes get this receipt; `body` is given the data and the channel.
    ///
    /// Those that are stored say so in it whatever `body` does.
    public func receipts(_ body: @escaping @Sendable (Value, String) -> PublishReceipt) {
        content.withLock { $0.receipt = body }
    }

    /// Every call that can fail throws this, until `accepts()`.
    public func fails(_ error: SenteError) {
        content.withLock { $0.failure = error }
    }

    /// Calls succeed again.
    public func accepts() {
        content.withLock { state in
            state.failure = nil
            state.rejections = [:]
        }
    }

    /// Subscribing to a channel is refused, until `accepts()`.
    public func rejects(
        _ channel: String,
        _ error: SenteError = SenteError(code: .rejected, message: "The server refused the channel.")
    ) {
        content.withLock { $0.rejections[channel] = error }
    }

    // MARK: What happens to it

    /// Takes a status, and tells everybody who follows.
    public func shows(_ status: ConnectionStatus) {
        let (old, handlers, presences) = content.withLock { state in
            defer { state.status = status }
            return (state.status, state.statusHandlers.members, state.presences)
        }
        statuses.send([status])
        for presence in presences { presence.shows(isCurrent: status.state == .open) }
        for body in handlers { body(old, status) }
    }

    /// A message comes for everybody who listens to the channel.
    public func deliver(_ data: Value, to channel: String) {
        deliver(ChannelMessage(channel: channel, data: data))
    }

    /// A message comes for everybody who listens to its channel.
    public func deliver(_ message: ChannelMessage) {
        let (sources, handlers) = content.withLock { state in
            (state.sources.filter { $0.channel == message.channel }, state.messageHandlers.members)
        }
        for source in sources { source.mailbox.put(message) }
        for body in handlers { body(message) }
    }

    /// These are present in a channel, beside the app itself, by name and with what each says of itself; whoever is not among
    /// them has gone.
    public func shows(present members: KeyValuePairs<String, Value>, in channel: String) {
        let presences = content.withLock { state in
            state.present[channel] = members
            return state.presences.filter { $0.channel == channel }
        }
        for presence in presences { presence.shows(members) }
    }

    /// An event comes.
    public func push(_ event: Event) {
        let handlers = content.withLock { $0.eventHandlers.members }
        allEvents.send([event])
        for body in handlers { body(event) }
    }

    /// A request comes on a channel; what the app's responder answers.
    ///
    /// - Throws: What the responder throws; `noSubscribers` when the app serves no such channel.
    public func asks(_ data: Value, on channel: String) async throws -> Value {
        guard let body = content.withLock({ $0.responders[channel] }) else {
            throw SenteError(
                code: .noSubscribers, message: "The app does not serve \(channel): it calls respond(on:).")
        }
        return try await body(data)
    }
}
