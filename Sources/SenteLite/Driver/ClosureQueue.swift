// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport
import SenteWire

/// Runs a client's closures: in order, one at a time, on the ordinary executor.
///
/// One inbox hears everything that any closure listens to; changes of the status stand in the same queue.
struct ClosureQueue: Sendable {
    /// A closure of the app's.
    ///
    /// Only what must be awaited is: a call that may suspend takes four more frames from the task, a twentieth of what a
    /// delivery costs.
    enum Handler<Element: Sendable>: Sendable {
        case plain(@Sendable (Element) -> Void)
        /// It goes elsewhere, to the main actor.
        case awaited(@Sendable (Element) async -> Void)
    }

    typealias StatusChange = (old: ConnectionStatus, new: ConnectionStatus)

    /// The inbox of every client's closures.
    static let inbox = InboxID(0)

    enum Item: Sendable {
        case elements([InboxElement])
        /// The next of the changes that were noted.
        case statusChange
        case work(@Sendable () -> Void)
    }

    private struct State {
        var handlers: [InboxFilter: Roster<Handler<InboxElement>>] = [:] {
            didSet { latest = nil }
        }
        /// Those of the message that came last: what comes together is mostly of one channel.
        var latest: (filter: InboxFilter, handlers: [Handler<InboxElement>])?
        var statusHandlers = Roster<Handler<StatusChange>>()
        var changes: [StatusChange] = []
        var mailbox: BoundedMailbox<Item>?
        var isRunning = false
        var isFinished = false
    }

    private let state = LockedValue(State())
    private let submissions: SubmissionQueue
    private let readsTraces: Bool

    init(_ submissions: SubmissionQueue, readsTraces: Bool) {
        self.submissions = submissions
        self.readsTraces = readsTraces
    }

    // MARK: Registering, on any thread

    func register(
        _ filter: InboxFilter, _ body: @escaping @Sendable (InboxElement) -> Void
    ) -> Registration {
        register(filter, .plain(body))
    }

    func register(
        _ filter: InboxFilter, awaited body: @escaping @Sendable (InboxElement) async -> Void
    ) -> Registration {
        register(filter, .awaited(body))
    }

    private func register(_ filter: InboxFilter, _ handler: Handler<InboxElement>) -> Registration {
        guard let number = add({ $0.handlers[filter, default: Roster()].add(handler) }) else {
            return Registration()
        }
        // Who registers nothing needs no inbox; one that is open already stays as it is.
        submissions.post([
            .input(.command(.openInbox(Self.inbox))), .input(.command(.listen(Self.inbox, filter))),
        ])
        return Registration { [self] in
            let isOver = state.withLock { state in
                state.handlers[filter]?.remove(number)
                if state.handlers[filter]?.isEmpty == true { state.handlers[filter] = nil }
                return state.isFinished
            }
            if !isOver { submissions.post(.unlisten(Self.inbox, filter)) }
        }
    }

    func register(_ handler: Handler<StatusChange>) -> Registration {
        guard let number = add({ $0.statusHandlers.add(handler) }) else { return Registration() }
        return Registration { [self] in
            state.withLock { $0.statusHandlers.remove(number) }
        }
    }

    /// The new handler's number; nil when the client is gone.
    private func add(_ change: (inout State) -> UInt64) -> UInt64? {
        let (number, starts) = state.withLock { state -> (UInt64?, Bool) in
            guard !state.isFinished else { return (nil, false) }
            defer { state.isRunning = true }
            return (change(&state), !state.isRunning)
        }
        if starts { submissions.host.startUntraced { await self.run() } }
        return number
    }

    // MARK: Filling

    /// Notes a change; whether it needs an item of its own.
    ///
    /// A closure that never returns must not pile up changes: the last one then grows.
    func note(_ change: StatusChange) -> Bool {
        state.withLock { state in
            guard !state.statusHandlers.isEmpty else { return false }
            guard state.changes.count >= StatusBoard.bound, var last = state.changes.popLast() else {
                state.changes.append(change)
                return true
            }
            last.new = change.new
            state.changes.append(last)
            return false
        }
    }

    /// What a turn brought: at its end, when whoever runs can read what it is told of.
    func put(_ items: [Item]) {
        if !items.isEmpty { mailbox.put(items) }
    }

    /// Runs `work` after what was handed over already; on any thread.
    ///
    /// Something must be registered, and whoever calls bounds how often.
    func run(_ work: @escaping @Sendable () -> Void) {
        mailbox.put(.work(work))
    }

    /// Made when it is needed first: most of many clients have no closures.
    private var mailbox: BoundedMailbox<Item> {
        state.withLock { state in
            if let known = state.mailbox { return known }
            let new = BoundedMailbox<Item>()
            if state.isFinished { new.finish() }
            state.mailbox = new
            return new
        }
    }

    /// The client is gone: no closure starts any more, and all are released.
    func finish() {
        let mailbox = state.withLock { state in
            state.isFinished = true
            state.handlers = [:]
            state.statusHandlers = Roster()
            state.changes = []
            return state.mailbox
        }
        mailbox?.finish()
    }

    // MARK: Running

    private func run() async {
        let mailbox = mailbox
        while true {
            var batch = await mailbox.take(isolation: nil)
            guard !batch.isEmpty else { return }
            var items = batch.takeReversed()
            while let item = items.popLast() {
                switch consume item {
                case .elements(var elements):
                    let count = elements.count
                    var rest = elements.takeReversed()
                    while let element = rest.popLast() {
                        let handlers = handlers(of: element)
                        guard readsTraces, let trace = element.trace else {
                            for handler in handlers { await handler.run(element) }
                            continue
                        }
                        await within(trace) { for handler in handlers { await handler.run(element) } }
                    }
                    submissions.consumed(count, from: Self.inbox)
                case .statusChange:
                    guard let (change, handlers) = nextChange() else { continue }
                    for handler in handlers { await handler.run(change) }
                case .work(let body): body()
                }
            }
        }
    }

    private func handlers(of element: InboxElement) -> [Handler<InboxElement>] {
        state.withLock { state in
            switch element {
            case .message(let message):
                let filter = InboxFilter.channel(WireName(message.channel))
                if let latest = state.latest, latest.filter == filter { return latest.handlers }
                let handlers = state.handlers[filter]?.members ?? []
                state.latest = (filter, handlers)
                return handlers
            case .event(let event, _):
                let all = state.handlers[.allEvents]?.members ?? []
                guard let own = state.handlers[.event(event.id)]?.members else { return all }
                return all.isEmpty ? own : own + all
            case .request: return []
            }
        }
    }

    private func nextChange() -> (StatusChange, [Handler<StatusChange>])? {
        state.withLock { state in
            guard !state.changes.isEmpty else { return nil }
            return (state.changes.removeFirst(), state.statusHandlers.members)
        }
    }
}

extension ClosureQueue.Handler {
    @inline(__always)
    fileprivate func run(_ element: Element) async {
        switch self {
        case .plain(let body): body(element)
        case .awaited(let body): await body(element)
        }
    }
}
