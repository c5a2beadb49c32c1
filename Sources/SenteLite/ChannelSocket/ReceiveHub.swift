// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport
import SenteWire

/// Takes each event of a channel socket to whoever is to hear it: handlers first, in the order they were added, then
/// sequences and routers.
///
/// Everything passes here in one order, that of the client's closures: the server's events, the socket's own
/// (`+Connection`), and those of the app. It does not keep the socket; a message does, while somebody has it.
final class ReceiveHub: Sendable {
    /// A closure that waits for events.
    struct Handler: Sendable {
        /// Decides, when the handler's filter is a predicate.
        var predicate: (@Sendable (EventMessage) -> Bool)?
        /// For a single event: hears that it will not come, too.
        var run: @Sendable (Result<EventMessage, SenteError>) throws -> Void
    }

    /// Somebody beside the handlers, who hears everything; must not block.
    protocol Listener: AnyObject, Sendable {
        func put(_ message: EventMessage, size: Int)
        func finish()
    }

    /// An event that came while nobody had ever listened.
    ///
    /// A message would keep the socket.
    private struct Unheard: CountsMissed, Sendable {
        var event: Event
        var stateChange: ChannelSocketChange?
        var missed: Int
    }

    /// An event of the app's own, or of this client's.
    private struct Injection: CountsMissed, Sendable {
        var event: Event
        var missed = 0
    }

    /// An error that came up on the loop, where no code of the app runs.
    private struct HeldError: Sendable {
        var error: SenteError
        var operation: ErrorContext.Operation
        var event: Event?
    }

    private struct Content {
        weak var socket: ChannelSocket?
        var table = HandlerTable()
        var handlers: [HandlerID: Handler] = [:]
        var listeners = Roster<any Listener>()
        /// Waits for the first handler, sequence or router: the socket may be open before the app has any.
        var unheard: BoundedQueue<Unheard>
        var hasListened = false
        /// Both wait for the client's closures.
        var injections = BoundedQueue<Injection>(maximumCount: ReceiveHub.injectionBound)
        var errors = BoundedQueue<HeldError>(latest: ErrorLog.capacity)
        var alarmedFor: Instant?
        var isEnded = false
    }

    let state = ObservableState(ChannelSocketState())
    let errors: ErrorStore
    let closures: ClosureQueue
    let configuration: SenteClient.Configuration
    let token: LastToken
    let following = LockedValue(Following())
    let host: any Host
    private let content: LockedValue<Content>
    private let alarm: ClientTimer

    init(_ client: SenteClient, _ token: LastToken) {
        closures = client.driver.closures
        configuration = client.configuration
        host = client.host
        self.token = token
        content = LockedValue(
            Content(
                unheard: BoundedQueue(
                    maximumCount: Self.unheardBound, maximumBytes: configuration.inbox.maximumBytes)))
        errors = ErrorStore(policy: configuration.channelSocket.errorPolicy, closures: closures)
        alarm = ClientTimer(on: host)
    }

    /// How many events of the app's own wait, as in Sente's `internal` channel.
    private static let injectionBound = 128

    /// How many events wait for the first who listens, as in Sente's `ch-recv` (`:recv-buf-or-n`).
    private static let unheardBound = 2_048

    func start(for socket: ChannelSocket) {
        content.withLock { $0.socket = socket }
        let wraps = configuration.channelSocket.wrapsReceivedEvents
        _ = closures.register(.allEvents) { [weak self] element in
            guard case .event(var event, let missed) = element else { return }
            if wraps, event.id.namespace != "chsk" {
                event = Event(id: "chsk/recv", data: [.keyword(event.id), event.data])
            }
            self?.dispatch(event, missed: missed)
        }
        // What comes by this filter runs the closure above.
        _ = closures.register(.pings) { _ in }
        socket.client.driver.submissions.post([.observer(self)])
    }

    /// The socket is gone: nothing is heard any more, and who waits is told.
    func end() {
        let (waiting, listeners) = content.withLock { content in
            content.isEnded = true
            let waiting = content.table.endOnce().compactMap { content.handlers[$0] }
            content.handlers = [:]
            content.table = HandlerTable()
            _ = content.unheard.drain()
            return (waiting, content.listeners.removeAll())
        }
        for listener in listeners { listener.finish() }
        state.finish()
        errors.finish()
        alarm.set(nil) {}
        if !waiting.isEmpty { Task { [self] in fail(waiting, .clientIsGone) } }
    }

    // MARK: Dispatching, among the client's closures

    func dispatch(_ event: Event, stateChange: ChannelSocketChange? = nil, missed: Int = 0) {
        let waits = content.withLock { content in
            if content.hasListened, content.unheard.isEmpty { return false }
            content.unheard.append(
                Unheard(event: event, stateChange: stateChange, missed: missed), size: event.data.weight)
            return true
        }
        if waits { tellUnheard() } else { tell(event, stateChange, missed) }
    }

    /// Tells in order what came before anybody listened.
    private func tellUnheard() {
        while let next = content.withLock({ $0.hasListened ? $0.unheard.popFirst() : nil }) {
            tell(next.event, next.stateChange, next.missed)
        }
    }

    private func tell(_ event: Event, _ stateChange: ChannelSocketChange?, _ missed: Int) {
        let (socket, candidates, listeners) = content.withLock { content in
            (content.socket, content.table.candidates(for: event.id), content.listeners.members)
        }
        guard let socket else { return }
        let message = EventMessage(event, stateChange: stateChange, missed: missed, socket)
        for id in candidates {
            guard let handler = content.withLock({ $0.handlers[id] }) else { continue }
            if let predicate = handler.predicate, !predicate(message) { continue }
            guard claim(id) else { continue }
            run(handler, .success(message))
        }
        guard !listeners.isEmpty else { return }
        let size = event.data.weight
        for listener in listeners { listener.put(message, size: size) }
    }

    private func run(_ handler: Handler, _ result: Result<EventMessage, SenteError>) {
        do {
            try handler.run(result)
        } catch {
            report(error, .handle, event: try? result.get().event)
        }
    }

    private func fail(_ handlers: [Handler], _ error: SenteError) {
        for handler in handlers { run(handler, .failure(error)) }
    }

    /// Puts an event of this side among those that come.
    func inject(_ event: Event) {
        let isFirst = content.withLock { $0.injections.append(Injection(event: event)) }
        if isFirst { closures.run { [weak self] in self?.dispatchInjections() } }
    }

    /// What is injected from here on is behind what the closures have waiting by now.
    private func dispatchInjections() {
        for injection in content.withLock({ $0.injections.drain() }) {
            dispatch(injection.event, missed: injection.missed)
        }
    }

    // MARK: Errors

    /// Keeps and tells an error, and does what the policy decides; not on the loop.
    func report(
        _ error: any Error, _ operation: ErrorContext.Operation, event: Event? = nil, attempt: Int? = nil
    ) {
        let context = ErrorContext(operation, event: event, attempt: attempt ?? self.attempt)
        act(on: errors.add(error, context, at: host.now.wallMilliseconds))
    }

    /// The same, from the loop.
    func reportLater(_ error: SenteError, _ operation: ErrorContext.Operation, event: Event? = nil) {
        let held = HeldError(error: error, operation: operation, event: event)
        let isFirst = content.withLock { $0.errors.append(held) }
        if isFirst { closures.run { [weak self] in self?.reportHeld() } }
    }

    private func reportHeld() {
        for held in content.withLock({ $0.errors.drain() }) {
            report(held.error, held.operation, event: held.event)
        }
    }

    private func act(on report: ErrorReport) {
        // The session reconnects by itself, and its errors were told as events already.
        switch report.context.operation {
        case .connect, .connection, .giveUp: return
        default: break
        }
        switch report.action {
        case .skip, .drop: break
        case .reconnect:
            guard let client = content.withLock({ $0.socket })?.client, client.state == .open else { return }
            client.reconnect()
        case .escalate:
            // What goes wrong while an error is handled must not come round again.
            if report.context.event?.id != Self.errorEvent { inject(Self.event(of: report)) }
        }
    }

    static let errorEvent: Keyword = "chsk/error"

    static func event(of report: ErrorReport) -> Event {
        event(of: report.error, report.context)
    }

    static func event(of error: any Error, _ context: ErrorContext) -> Event {
        let known = error as? SenteError
        var map = (known?.value ?? [.keyword("message"): Value(String(describing: error))]).mapValue ?? [:]
        map[.keyword("operation")] = .keyword(Keyword(context.operation.rawValue))
        map[.keyword("attempt")] = Value(context.attempt)
        if let event = context.event { map[.keyword("event")] = [.keyword(event.id), event.data] }
        return Event(id: errorEvent, data: .map(map))
    }

    // MARK: Handlers, on any thread

    /// nil when the socket is gone.
    func add(
        _ filter: HandlerTable.Filter, isOnce: Bool = false, timeout: Duration? = nil, _ handler: Handler
    ) -> HandlerID? {
        let id = content.withLock { content -> HandlerID? in
            guard !content.isEnded else { return nil }
            let deadline = timeout.map { host.now.instant.advanced(by: $0) }
            let id = content.table.add(filter, isOnce: isOnce, deadline: deadline)
            content.handlers[id] = handler
            return id
        }
        if id != nil { listened() }
        if timeout != nil { setAlarm() }
        return id
    }

    /// False when it was gone already.
    @discardableResult
    func remove(_ id: HandlerID) -> Bool {
        content.withLock { content in
            content.handlers[id] = nil
            return content.table.remove(id)
        }
    }

    /// Those of one event's id, or all; what they were.
    func removeAll(of event: Keyword? = nil) -> Bool {
        content.withLock { content in
            let ids = content.table.removeAll(of: event)
            for id in ids { content.handlers[id] = nil }
            return !ids.isEmpty
        }
    }

    var handlerCount: Int { content.withLock { $0.table.count } }

    private func claim(_ id: HandlerID) -> Bool {
        content.withLock { content in
            guard content.table.claim(id) else { return false }
            if !content.table.contains(id) { content.handlers[id] = nil }
            return true
        }
    }

    /// Tells who waits for a single event that it will not come on this connection.
    func endOnce(_ error: SenteError) {
        fail(takeOut { $0.endOnce() }, error)
    }

    private func expire() {
        let now = host.now.instant
        fail(takeOut { $0.expire(at: now) }, SenteError(.timedOut, "The event did not come in time."))
        setAlarm()
    }

    private func takeOut(_ ids: (inout HandlerTable) -> [HandlerID]) -> [Handler] {
        content.withLock { content in
            ids(&content.table).compactMap { content.handlers.removeValue(forKey: $0) }
        }
    }

    private func setAlarm() {
        let deadline = content.withLock { content -> Instant?? in
            let deadline = content.table.deadline
            guard deadline != content.alarmedFor else { return nil }
            content.alarmedFor = deadline
            return .some(deadline)
        }
        guard let deadline else { return }
        alarm.set(deadline) { [weak self] in
            guard let self else { return }
            content.withLock { $0.alarmedFor = nil }
            closures.run { [weak self] in self?.expire() }
        }
    }

    // MARK: Listeners, on any thread

    /// nil when the socket is gone.
    func add(_ listener: any Listener) -> UInt64? {
        let number = content.withLock { $0.isEnded ? nil : $0.listeners.add(listener) }
        if number != nil { listened() }
        return number
    }

    /// Somebody listens, who gets what waits, among the client's closures as everything else.
    private func listened() {
        let waits = content.withLock { content in
            content.hasListened = true
            return !content.unheard.isEmpty
        }
        if waits { closures.run { [weak self] in self?.tellUnheard() } }
    }

    func removeListener(_ number: UInt64) {
        content.withLock { $0.listeners.remove(number) }
    }
}
