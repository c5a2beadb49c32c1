// SPDX-License-Identifier: Apache-2.0

public import SenteCore
public import SenteWire

/// Everything that comes through a channel socket, Sente's `ch-recv`: the server's events, and the socket's own.
///
/// The socket's own are, in Sente's order:
/// - `:chsk/state`, data `[old new open-changed?]`, at each change of the state map;
/// - `:chsk/handshake`, data `[uid nil handshake-data first?]`, each time the server has greeted, after the state;
/// - `:chsk/ws-ping`, when the server pinged; it was answered already;
/// - `:chsk/error`, data a map with `:code`, `:message`, `:operation`, `:attempt`, when a connection or an attempt
///   failed, or the error policy escalated.
///
/// Handlers (`on`, `once`) run in the order they were added, one closure of the client at a time, never on the loop. As a
/// sequence it gives every message to any number of consumers, each with a queue of its own (`Configuration.inbox`;
/// when it is full the oldest go, `missed` says how many, and reading is never paused). For handlers that may wait,
/// use a router.
///
/// The socket connects as soon as it is made. What comes before anybody listens waits for the first handler, sequence or
/// router: the last 2,048 events, as in Sente (`:recv-buf-or-n`). To hear the first events in more than one place, use a
/// router.
public struct ReceiveChannel: Sendable {
    /// Stands for every event, as Sente-lite's `:*`.
    public enum Every: Sendable {
        /// Every event.
        case all
    }

    let socket: ChannelSocket

    init(_ socket: ChannelSocket) {
        self.socket = socket
    }

    // MARK: Persistent handlers

    /// Runs `body` for each event of an id.
    ///
    /// What it throws goes to the error channel. The registration's `cancel()`, or `off`, ends it; so does the client.
    @discardableResult
    public func on(
        _ id: Keyword, _ body: @escaping @Sendable (EventMessage) throws -> Void
    ) -> Registration {
        on(.id(id), nil, body)
    }

    /// Runs `body` for each event.
    @discardableResult
    public func on(
        _ every: Every, _ body: @escaping @Sendable (EventMessage) throws -> Void
    ) -> Registration {
        on(.all, nil, body)
    }

    /// Runs `body` for each event for which `predicate` holds.
    @discardableResult
    public func on(
        where predicate: @escaping @Sendable (EventMessage) -> Bool,
        _ body: @escaping @Sendable (EventMessage) throws -> Void
    ) -> Registration {
        on(.predicate, predicate, body)
    }

    private func on(
        _ filter: HandlerTable.Filter, _ predicate: (@Sendable (EventMessage) -> Bool)?,
        _ body: @escaping @Sendable (EventMessage) throws -> Void
    ) -> Registration {
        add(filter, ReceiveHub.Handler(predicate: predicate) { try body($0.get()) })
    }

    // MARK: Handlers of one event

    /// Runs `body` once: for the next event of an id, or with the error why it does not come.
    ///
    /// It is taken out before it runs. When the time is up it gets `timedOut`, when the connection closes first
    /// `connectionLost`, or `disconnected` after `disconnect()`. Register before sending what it is the answer to.
    ///
    /// - Throws: `invalidArgument` for a time-out of zero.
    @discardableResult
    public func once(
        _ id: Keyword, timeout: Duration? = nil,
        _ body: @escaping @Sendable (Result<EventMessage, SenteError>) throws -> Void
    ) throws(SenteError) -> Registration {
        try once(.id(id), nil, timeout, body)
    }

    /// Runs `body` once: for the next event for which `predicate` holds, or with the error why it does not come.
    ///
    /// - Throws: `invalidArgument` for a time-out of zero.
    @discardableResult
    public func once(
        where predicate: @escaping @Sendable (EventMessage) -> Bool, timeout: Duration? = nil,
        _ body: @escaping @Sendable (Result<EventMessage, SenteError>) throws -> Void
    ) throws(SenteError) -> Registration {
        try once(.predicate, predicate, timeout, body)
    }

    private func once(
        _ filter: HandlerTable.Filter, _ predicate: (@Sendable (EventMessage) -> Bool)?, _ timeout: Duration?,
        _ body: @escaping @Sendable (Result<EventMessage, SenteError>) throws -> Void
    ) throws(SenteError) -> Registration {
        try check(timeout)
        return add(
            filter, isOnce: true, timeout: timeout, ReceiveHub.Handler(predicate: predicate, run: body))
    }

    /// Waits for the next event of an id, from this call on: `await` its `message`.
    ///
    /// - Throws: `invalidArgument` for a time-out of zero.
    public func take(_ id: Keyword, timeout: Duration? = nil) throws(SenteError) -> TakenEvent {
        try take(.id(id), nil, timeout)
    }

    /// Waits for the next event for which `predicate` holds, from this call on: `await` its `message`.
    ///
    /// ```swift
    /// let answer = try chRecv.take(where: { $0.data["request-id"] == 7 }, timeout: .seconds(5))
    /// try sendFn(Event("app/ask", ["request-id": 7]))
    /// print(try await answer.message.data)
    /// ```
    ///
    /// - Throws: `invalidArgument` for a time-out of zero.
    public func take(
        where predicate: @escaping @Sendable (EventMessage) -> Bool, timeout: Duration? = nil
    ) throws(SenteError) -> TakenEvent {
        try take(.predicate, predicate, timeout)
    }

    private func take(
        _ filter: HandlerTable.Filter, _ predicate: (@Sendable (EventMessage) -> Bool)?, _ timeout: Duration?
    ) throws(SenteError) -> TakenEvent {
        let result = OneShot<Result<EventMessage, SenteError>>()
        return TakenEvent(result, try once(filter, predicate, timeout) { result.resolve($0) })
    }

    private func check(_ timeout: Duration?) throws(SenteError) {
        guard let timeout, timeout <= .zero else { return }
        throw socket.client.counted(
            SenteError(.invalidArgument, "`timeout` is \(timeout): give more than 0, or nil for no limit."))
    }

    private func add(
        _ filter: HandlerTable.Filter, isOnce: Bool = false, timeout: Duration? = nil,
        _ handler: ReceiveHub.Handler
    ) -> Registration {
        guard let id = socket.hub.add(filter, isOnce: isOnce, timeout: timeout, handler) else {
            return Registration()
        }
        return Registration { [weak hub = socket.hub] in hub?.remove(id) }
    }

    // MARK: Ends

    /// Removes the handlers of an event's id.
    ///
    /// - Returns: Whether there were any.
    @discardableResult
    public func off(_ id: Keyword) -> Bool {
        socket.hub.removeAll(of: id)
    }

    /// Removes every handler, those of routers excepted.
    ///
    /// - Returns: Whether there were any.
    @discardableResult
    public func off(_ every: Every) -> Bool {
        socket.hub.removeAll()
    }

    /// Removes one handler, as its `cancel()` does.
    public func off(_ registration: Registration) {
        registration.cancel()
    }

    /// How many handlers there are.
    public var handlerCount: Int { socket.hub.handlerCount }

    /// Puts an event of your own among those that come, to be heard by everybody here; nothing is sent.
    ///
    /// At most 128 wait; then the oldest go.
    ///
    /// - Throws: `invalidArgument` for an id without namespace.
    public func put(_ event: Event) throws(SenteError) {
        try socket.client.counted { () throws(SenteError) in try event.checkID() }
        socket.hub.inject(event)
    }
}

/// One event that is waited for.
///
/// Releasing it ends the waiting.
public final class TakenEvent: Sendable {
    private let result: OneShot<Result<EventMessage, SenteError>>
    private let registration: Registration

    fileprivate init(_ result: OneShot<Result<EventMessage, SenteError>>, _ registration: Registration) {
        self.result = result
        self.registration = registration
    }

    deinit {
        registration.cancel()
    }

    /// The event, as soon as it is there.
    ///
    /// - Throws: `timedOut`, `connectionLost`, `disconnected`; `cancelled` when the task was cancelled, which ends the
    ///   waiting for everybody.
    public var message: EventMessage {
        get async throws(SenteError) {
            let outcome = await withTaskCancellationHandler {
                await result.wait()
            } onCancel: {
                cancel()
            }
            return try outcome.get()
        }
    }

    /// Ends the waiting.
    public func cancel() {
        registration.cancel()
        result.resolve(.failure(SenteError(.cancelled, "The waiting for the event was cancelled.")))
    }
}
