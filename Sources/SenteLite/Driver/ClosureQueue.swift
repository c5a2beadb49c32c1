// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire

/// Runs a client's closures: in order, one at a time, on the ordinary executor.
///
/// One inbox hears everything that any closure listens to; changes of the status stand in the same queue.
final class ClosureQueue: InboxReceiver {
    typealias Handler<Element> = @Sendable (Element) async -> Void
    typealias StatusChange = (old: ConnectionStatus, new: ConnectionStatus)

    /// The inbox of every client's closures.
    static let inbox = InboxID(0)

    private enum Item: Sendable {
        case element(InboxElement)
        /// The next of `changes`.
        case statusChange
        case work(@Sendable () -> Void)
    }

    private struct State {
        var handlers: [InboxFilter: [(id: UInt64, body: Handler<InboxElement>)]] = [:]
        var statusHandlers: [(id: UInt64, body: Handler<StatusChange>)] = []
        var changes: [StatusChange] = []
        /// What this turn of the driver brought.
        var held: [Item] = []
        var lastHandler: UInt64 = 0
        var isRunning = false
        var isFinished = false
    }

    private let state = Guarded(State())
    private let mailbox = Mailbox<Item>()
    private let intake: Intake

    init(_ intake: Intake) {
        self.intake = intake
    }

    // MARK: Registering, on any thread

    func register(_ filter: InboxFilter, _ body: @escaping Handler<InboxElement>) -> Registration {
        guard let id = add({ $0.handlers[filter, default: []].append(($1, body)) }) else {
            return Registration()
        }
        intake.post(.listen(Self.inbox, filter))
        return Registration { [self] in
            let isOver = state.withLock { state in
                state.handlers[filter]?.removeAll { $0.id == id }
                if state.handlers[filter]?.isEmpty == true { state.handlers[filter] = nil }
                return state.isFinished
            }
            if !isOver { intake.post(.unlisten(Self.inbox, filter)) }
        }
    }

    func register(_ body: @escaping Handler<StatusChange>) -> Registration {
        guard let id = add({ $0.statusHandlers.append(($1, body)) }) else { return Registration() }
        return Registration { [self] in
            state.withLock { $0.statusHandlers.removeAll { $0.id == id } }
        }
    }

    /// The new handler's id; nil when the client is gone.
    private func add(_ change: (inout State, UInt64) -> Void) -> UInt64? {
        let (id, starts) = state.withLock { state -> (UInt64?, Bool) in
            guard !state.isFinished else { return (nil, false) }
            state.lastHandler += 1
            change(&state, state.lastHandler)
            defer { state.isRunning = true }
            return (state.lastHandler, !state.isRunning)
        }
        if starts { Task { await run() } }
        return id
    }

    // MARK: Filling, on the loop

    func receive(_ elements: [InboxElement]) {
        state.withLock { $0.held += elements.lazy.map(Item.element) }
    }

    func statusChanged(_ old: ConnectionStatus, _ new: ConnectionStatus) {
        state.withLock { state in
            guard !state.statusHandlers.isEmpty else { return }
            // A closure that never returns must not pile up changes.
            if state.changes.count >= StatusBoard.bound, var last = state.changes.popLast() {
                last.new = new
                state.changes.append(last)
                return
            }
            state.changes.append((old, new))
            state.held.append(.statusChange)
        }
    }

    /// Runs `work` in order with what this turn brings; on the loop.
    func hold(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.held.append(.work(work)) }
    }

    /// Runs `work` after what was handed over already; on any thread.
    ///
    /// Something must be registered, and whoever calls bounds how often.
    func run(_ work: @escaping @Sendable () -> Void) {
        mailbox.put([.work(work)])
    }

    /// Hands over what was held: at the end of a turn, when whoever runs can read what it is told of.
    func flush() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        mailbox.put(held)
    }

    /// The client is gone: no closure starts any more, and all are released.
    func finish() {
        state.withLock { state in
            state.isFinished = true
            state.handlers = [:]
            state.statusHandlers = []
            state.changes = []
        }
        mailbox.finish()
    }

    // MARK: Running

    private func run() async {
        while true {
            let batch = await mailbox.take(isolation: nil)
            guard !batch.isEmpty else { return }
            var consumed = 0
            for item in batch {
                switch item {
                case .element(let element):
                    consumed += 1
                    for body in handlers(of: element) { await body(element) }
                case .statusChange:
                    guard let (change, handlers) = nextChange() else { continue }
                    for body in handlers { await body(change) }
                case .work(let body): body()
                }
            }
            if consumed > 0 { intake.post([.input(.consumed(Self.inbox, consumed))]) }
        }
    }

    private func handlers(of element: InboxElement) -> [Handler<InboxElement>] {
        state.withLock { state in
            switch element {
            case .message(let message):
                (state.handlers[.channel(WireName(message.channel))] ?? []).map(\.body)
            case .event(let event, _):
                ((state.handlers[.event(event.id)] ?? []) + (state.handlers[.allEvents] ?? [])).map(\.body)
            case .request: []
            }
        }
    }

    private func nextChange() -> (StatusChange, [Handler<StatusChange>])? {
        state.withLock { state in
            guard !state.changes.isEmpty else { return nil }
            return (state.changes.removeFirst(), state.statusHandlers.map(\.body))
        }
    }
}
