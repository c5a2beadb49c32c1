// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport
public import SenteWire

/// Handles one event; it may wait, and it may throw.
public typealias EventHandler = @Sendable (EventMessage) async throws -> Void

/// Calls a handler for each event that comes, Sente's `start-client-chsk-router!`.
///
/// Events of one id are handled one after the other, in order; those of different ids side by side, at most 64 ids at
/// once. The handler runs on the ordinary executor, never inside a transition, so it may wait for whatever it likes.
/// What it throws goes to the error channel, and the next event is handled.
///
/// Events that wait for their handler are bounded (`Configuration.inbox`). When it is reached, the id with most of them
/// loses its oldest, and `missed` says how many.
///
/// - Parameters:
///   - chRecv: Where the events come from.
///   - handler: Gets each of them.
/// - Returns: What stops the router. A running router keeps the connection.
@discardableResult
public func startRouter(_ chRecv: ReceiveChannel, _ handler: @escaping EventHandler) -> Router {
    Router(chRecv, handler)
}

/// The same with a handler for each id.
///
/// - Parameters:
///   - chRecv: Where the events come from.
///   - handlers: By the event's id.
///   - fallback: For every other id, also `:chsk/…`. The default is to do nothing.
/// - Returns: What stops the router.
@discardableResult
public func startRouter(
    _ chRecv: ReceiveChannel, _ handlers: [Keyword: EventHandler],
    default fallback: EventHandler? = nil
) -> Router {
    Router(chRecv) { message in
        try await (handlers[message.id] ?? fallback)?(message)
    }
}

/// Starts a router that gives every event to one step function, in the order they came.
///
/// - Returns: What stops the router.
@discardableResult
public func startRouter<State>(_ chRecv: ReceiveChannel, _ step: StepHandler<State>) -> Router {
    Router(chRecv, keepsOrder: true, step.handler)
}

/// A running router.
///
/// Dropping it changes nothing: it runs, and keeps the connection, until `stop()`.
public final class Router: Sendable {
    private let lanes: RouterLanes

    /// `keepsOrder`: events wait for one another whatever their ids.
    fileprivate init(
        _ chRecv: ReceiveChannel, keepsOrder: Bool = false, _ handler: @escaping EventHandler
    ) {
        lanes = RouterLanes(chRecv.socket, keepsOrder: keepsOrder, handler)
        lanes.start()
    }

    /// Stops: no handler is started any more, though a run under way goes to its end.
    ///
    /// Stopping again does nothing.
    public func stop() {
        lanes.stop()
    }
}

/// The tasks of a router: as many as ids have something to do, up to a limit.
private final class RouterLanes: ReceiveHub.Listener {
    private struct State {
        var queue: RouterQueue<EventMessage>
        /// Kept for as long as it runs.
        var socket: ChannelSocket?
        var listener: UInt64?
    }

    /// How many ids are handled at once.
    private static let width = 64

    /// The lane of every event when all of them are to keep their order.
    private static let only: Keyword = "all"

    private let state: LockedValue<State>
    private let keepsOrder: Bool
    private let handler: EventHandler
    private let hub: ReceiveHub

    init(_ socket: ChannelSocket, keepsOrder: Bool, _ handler: @escaping EventHandler) {
        hub = socket.hub
        state = LockedValue(
            State(
                queue: RouterQueue(policy: socket.hub.configuration.inbox, maximumWorkers: Self.width),
                socket: socket))
        self.keepsOrder = keepsOrder
        self.handler = handler
    }

    func start() {
        guard let hub = state.withLock({ $0.socket })?.hub, let listener = hub.add(self) else { return }
        state.withLock { $0.listener = listener }
    }

    func stop() {
        let (socket, listener) = state.withLock { state in
            state.queue.removeAll()
            defer { (state.socket, state.listener) = (nil, nil) }
            return (state.socket, state.listener)
        }
        if let listener { socket?.hub.removeListener(listener) }
    }

    func put(_ message: EventMessage, size: Int) {
        let starts = state.withLock { state in
            guard state.socket != nil else { return false }
            return state.queue.add(message, id: keepsOrder ? Self.only : message.id, size: size)
        }
        if starts { hub.host.startUntraced { await self.work() } }
    }

    func finish() {
        stop()
    }

    private func work() async {
        while let (id, message) = state.withLock({ $0.queue.next() }) {
            do {
                let trace = hub.configuration.tracing ? message.event.trace : nil
                try await within(trace) { try await handler(message) }
            } catch {
                hub.report(error, .handle, event: message.event)
            }
            state.withLock { $0.queue.finished(id) }
        }
    }
}
