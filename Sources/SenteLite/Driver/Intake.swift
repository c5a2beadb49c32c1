// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// The way from the app's threads to the driver: an array under a lock, and one post when it was empty.
final class Intake: Sendable {
    enum Entry: Sendable {
        case input(Input)
        case call(CallID, Waiter, Command)
        /// A call whose message counts in the outbox's bounds.
        case submission(CallID, Waiter, Command, weight: Int)
        case receiver(InboxID, any InboxReceiver)
        case observer(any ClientObserver)
        /// The client is gone.
        case end
    }

    fileprivate struct State {
        var entries: [Entry] = []
        /// Before it there is no submission in `entries`.
        var firstSubmission = 0
        var bounds: IntakeBounds
        /// Why nothing can be submitted, as after the last turn.
        var refusal: SenteError?
        /// How many wishes to connect the driver has not seen, and has not acted on.
        var postedConnects = 0
        var takenConnects = 0
        var lastCall: UInt64 = 0
        var lastInbox = ClosureQueue.inbox.number
        weak var driver: Driver?
    }

    private let state: Guarded<State>
    private let host: any Host

    init(host: any Host, policy: OutboxPolicy) {
        self.host = host
        state = Guarded(State(bounds: IntakeBounds(policy: policy)))
    }

    deinit {
        for entry in state.withLock({ $0.entries }) { entry.drop() }
    }

    /// Names the driver that takes.
    ///
    /// Called once, before anything is posted.
    func connect(to driver: Driver) {
        state.withLock { $0.driver = driver }
    }

    func makeCall() -> CallID {
        state.withLock {
            $0.lastCall += 1
            return CallID($0.lastCall)
        }
    }

    func makeInbox() -> InboxID {
        state.withLock {
            $0.lastInbox += 1
            return InboxID($0.lastInbox)
        }
    }

    // MARK: Posting, on any thread

    func post(_ command: Command) {
        post([.input(.command(command))])
    }

    /// Entries posted together are handled together, in order.
    func post(_ entries: [Entry]) {
        let (driver, wakes) = state.withLock { state in
            let wasEmpty = state.entries.isEmpty
            guard let driver = state.driver else { return (nil as Driver?, false) }
            for entry in entries where entry.connects { state.postedConnects += 1 }
            state.entries += entries
            return (driver, wasEmpty)
        }
        guard let driver else { return entries.forEach { $0.drop() } }
        if wakes { host.post { driver.turn() } }
    }

    /// Posts a message for the outbox, or says why not.
    ///
    /// A message that the policy drops is accepted and resolves *not sent*.
    func submit(_ call: CallID, _ waiter: Waiter, _ command: Command, weight: Int) -> SenteError? {
        let entry = Entry.submission(call, waiter, command, weight: weight)
        var dropped: [Entry] = []
        let (driver, wakes, error) = state.withLock { state -> (Driver?, Bool, SenteError?) in
            guard let driver = state.driver else { return (nil, false, .clientIsGone) }
            if let refusal = state.refusal, state.postedConnects + state.takenConnects == 0 {
                return (nil, false, refusal)
            }
            switch state.bounds.verdict(on: weight) {
            case .accepted: break
            case .rejected: return (nil, false, .outboxFull(state.bounds.policy))
            case .dropped:
                dropped.append(entry)
                return (nil, false, nil)
            case .replacesOldest:
                while state.bounds.verdict(on: weight) == .replacesOldest, let oldest = state.dropOldest() {
                    dropped.append(oldest)
                }
            }
            let wasEmpty = state.entries.isEmpty
            state.entries.append(entry)
            state.bounds.posted.messages += 1
            state.bounds.posted.bytes += weight
            return (driver, wasEmpty, nil)
        }
        if let driver, wakes { host.post { driver.turn() } }
        for entry in dropped { entry.drop(.droppedByPolicy) }
        return error
    }

    // MARK: Taking, on the loop

    func take() -> [Entry] {
        state.withLock { state in
            let entries = state.entries
            state.entries = []
            state.firstSubmission = 0
            state.bounds.taken = state.bounds.taken + state.bounds.posted
            state.bounds.posted = IntakeBounds.Load()
            state.takenConnects += state.postedConnects
            state.postedConnects = 0
            return entries
        }
    }

    /// Everything taken has been handled.
    ///
    /// `refusal` is nil when it has not changed.
    func handled(outbox: IntakeBounds.Load, refusal: SenteError??) {
        state.withLock { state in
            state.bounds.taken = IntakeBounds.Load()
            state.bounds.outbox = outbox
            state.takenConnects = 0
            if let refusal { state.refusal = refusal }
        }
    }
}

extension Intake.State {
    /// Takes the oldest submission out; its place stays, as an entry that does nothing.
    fileprivate mutating func dropOldest() -> Intake.Entry? {
        while firstSubmission < entries.count {
            defer { firstSubmission += 1 }
            guard case .submission(let call, _, _, let weight) = entries[firstSubmission] else { continue }
            let dropped = entries[firstSubmission]
            entries[firstSubmission] = .input(.command(.cancel(call)))
            bounds.posted.messages -= 1
            bounds.posted.bytes -= weight
            return dropped
        }
        return nil
    }
}

extension Intake.Entry {
    fileprivate var connects: Bool {
        switch self {
        case .call(_, _, .connect), .input(.command(.reconnect)): true
        default: false
        }
    }

    /// Ends an entry that no driver will handle.
    fileprivate func drop(_ error: SenteError = .clientIsGone) {
        switch self {
        case .call(_, let waiter, _), .submission(_, let waiter, _, _): waiter.resume(.failure(error))
        case .receiver(_, let receiver): receiver.finish()
        case .input, .observer, .end: break
        }
    }
}

extension SenteError {
    static let clientIsGone = SenteError(
        .disconnected, "The client was released: keep it for as long as it is to be used.", outcome: .notSent)

    fileprivate static let droppedByPolicy = SenteError(
        .dropped, "The outbox was full, and its policy dropped the message.", outcome: .notSent)

    fileprivate static func outboxFull(_ policy: OutboxPolicy) -> SenteError {
        SenteError(
            .outboxFull,
            "The outbox is full (\(policy.maximumMessages) messages or \(policy.maximumBytes) bytes): slow down.",
            outcome: .notSent)
    }
}
