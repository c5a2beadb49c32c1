// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// The way from the app's threads to the driver: arrays under a lock, and one turn asked for whatever comes before it.
final class SubmissionQueue: Sendable {
    enum Entry: Sendable {
        case input(Input)
        case call(CallID, Waiter, Command)
        /// A call whose message counts in the outbox's bounds.
        case submission(CallID, Waiter, Command, weight: Int)
        case receiver(InboxID, any InboxReceiver)
        case observer(any ClientObserver)
        /// A stream that the app opens.
        indirect case opening(StreamHandle, StreamCommand)
        /// The consumer of a stream asks for what comes next.
        case take(StreamHandle)
        /// The client is gone.
        case end
    }

    /// What one turn takes.
    struct Batch {
        var entries: [Entry] = []
        var consumed: [(inbox: InboxID, count: Int)] = []
        var signals = SignalTally()
        /// Somebody follows the signals from now on.
        var isWatched = false

        mutating func removeAll() {
            entries.removeAll(keepingCapacity: true)
            consumed.removeAll(keepingCapacity: true)
            signals = SignalTally()
            isWatched = false
        }
    }

    /// Where the client stands after a turn, as far as calls are judged by it.
    struct Standing {
        var outbox = OutboxPolicy.Load()
        /// Why nothing can be submitted, if so.
        var refusal: SenteError?
        /// Of the last greeting.
        var dialect: Dialect?
        /// The largest message that may go, where that is more than plain ones may have; else 0.
        var largestMessage = 0
        /// Something waits for what is consumed, so that it must not wait for the next turn.
        var awaitsConsumption = false

        /// Whether it was otherwise before.
        mutating func update(_ outbox: OutboxPolicy.Load, awaitsConsumption: Bool) -> Bool {
            guard outbox != self.outbox || awaitsConsumption != self.awaitsConsumption else { return false }
            self.outbox = outbox
            self.awaitsConsumption = awaitsConsumption
            return true
        }
    }

    fileprivate typealias Turn = @Sendable () -> Void

    fileprivate struct State {
        var batch = Batch()
        /// Before it there is no submission in the batch's entries.
        var firstSubmission = 0
        /// Submitted and not taken; taken, and not counted by the outbox yet.
        var posted = OutboxPolicy.Load()
        var taken = OutboxPolicy.Load()
        var standing = Standing()
        /// How many wishes to connect the driver has not seen, and has not acted on.
        var postedConnects = 0
        var takenConnects = 0
        var lastCall: UInt64 = 0
        var lastInbox = ClosureQueue.inbox.number
        /// What the host is to run for each batch; nil before the client stands, and once it is gone.
        var turn: Turn?
        var isTurnPosted = false
    }

    private let state: LockedValue<State>
    let host: any Host
    private let policy: OutboxPolicy

    init(host: any Host, policy: OutboxPolicy) {
        self.host = host
        self.policy = policy
        state = LockedValue(State())
    }

    deinit {
        for entry in state.withLock({ $0.batch.entries }) { entry.drop() }
    }

    /// Names the turn; until `close()` the queue keeps what it holds.
    func start(_ turn: @escaping @Sendable () -> Void) {
        state.withLock { $0.turn = turn }
    }

    /// The client is gone: one last turn ends the connection, and what is posted afterwards is dropped.
    func close() {
        let turn = state.withLock { state in
            state.batch.entries.append(.end)
            let turn = state.postTurn()
            state.turn = nil
            return turn
        }
        if let turn { host.post(turn) }
    }

    func makeCall() -> CallID {
        state.withLock { $0.makeCall() }
    }

    /// A new call, and the dialect and the size by which it is judged.
    func beginCall() -> (CallID, Dialect?, largest: Int) {
        state.withLock { ($0.makeCall(), $0.standing.dialect, $0.standing.largestMessage) }
    }

    /// The largest message that may go, where that is more than plain ones may have; else 0.
    var largestMessage: Int { state.withLock { $0.standing.largestMessage } }

    var dialect: Dialect? { state.withLock { $0.standing.dialect } }

    /// Why nothing can be queued, if so: the client is closed, closing or failed.
    var refusal: SenteError? { state.withLock { $0.turn == nil ? .clientIsGone : $0.refusal } }

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
        let (isOpen, turn) = state.withLock { state -> (Bool, Turn?) in
            guard state.turn != nil else { return (false, nil) }
            for entry in entries where entry.connects { state.postedConnects += 1 }
            state.batch.entries += entries
            return (true, state.postTurn())
        }
        if !isOpen { for entry in entries { entry.drop() } }
        if let turn { host.post(turn) }
    }

    /// Says that a handle's consumer is done with so many elements.
    ///
    /// As long as nothing waits for that, the next turn takes it along, whatever brings it about.
    func consumed(_ count: Int, from inbox: InboxID) {
        let turn = state.withLock { state -> Turn? in
            state.batch.consumed.append((inbox, count))
            return state.standing.awaitsConsumption ? state.postTurn() : nil
        }
        if let turn { host.post(turn) }
    }

    /// Says that somebody follows the signals: those of what is posted afterwards are made.
    func watch() {
        let turn = state.withLock { state in
            state.batch.isWatched = true
            return state.postTurn()
        }
        if let turn { host.post(turn) }
    }

    /// Counts what was refused on the caller's thread.
    func refused(_ error: SenteError) {
        note(.refused(error.code))
    }

    /// Notes what happened on another thread than the loop's.
    func note(_ signal: SessionSignal) {
        let turn = state.withLock { state in
            state.batch.signals.add(signal)
            return state.postTurn()
        }
        if let turn { host.post(turn) }
    }

    /// Posts a command and returns when it has ended, also when the task is cancelled.
    func perform(_ command: (CallID) -> Command) async {
        let call = makeCall()
        _ = await withUnsafeContinuation { post([.call(call, .task($0), command(call))]) }
    }

    /// Posts a message for the outbox, or says why not.
    ///
    /// A message that the policy drops is accepted and resolves *not sent*.
    func submit(
        _ call: CallID, _ waiter: Waiter, _ command: consuming Command, weight: Int
    ) -> SenteError? {
        let isDurable = command.isDurable
        // Taken out where it goes: what a closure captures would be copied.
        var entry: Entry? = .submission(call, waiter, consume command, weight: weight)
        var dropped: [Waiter] = []
        let (error, turn) = state.withLock { state -> (SenteError?, Turn?) in
            guard state.turn != nil else { return (.clientIsGone, nil) }
            if let refusal = state.refusal {
                state.batch.signals.add(.refused(refusal.code))
                return (refusal, state.postTurn())
            }
            guard let code = state.makeRoom(for: weight, of: waiter, policy, dropped: &dropped) else {
                if let entry = entry.take() { state.batch.entries.append(entry) }
                state.posted = state.posted + policy.load(of: weight)
                return (nil, state.postTurn())
            }
            state.batch.signals.addDrop(code, isRefusal: code != .dropped)
            guard code == .dropped, !isDurable else { return (policy.error(code), state.postTurn()) }
            dropped.append(waiter)
            return (nil, state.postTurn())
        }
        if let turn { host.post(turn) }
        for waiter in dropped { waiter.resume(.failure(policy.error(.dropped))) }
        return error
    }

    // MARK: Taking, on the loop

    /// Takes all there is; `batch` is empty, and its arrays serve what comes.
    func take(_ batch: inout Batch) {
        state.withLock { state in
            swap(&state.batch, &batch)
            state.isTurnPosted = false
            state.firstSubmission = 0
            state.taken = state.taken + state.posted
            state.posted = OutboxPolicy.Load()
            state.takenConnects += state.postedConnects
            state.postedConnects = 0
        }
    }

    /// Takes what was consumed, and leaves the rest to the turn that was posted for it.
    func takeConsumed(_ batch: inout Batch) {
        state.withLock { swap(&$0.batch.consumed, &batch.consumed) }
    }

    /// Everything taken has been handled.
    func turnEnded(_ standing: Standing) {
        let turn = state.withLock { state -> Turn? in
            state.taken = OutboxPolicy.Load()
            state.takenConnects = 0
            state.standing = standing
            // What came during the turn did not know yet.
            guard standing.awaitsConsumption, !state.batch.consumed.isEmpty else { return nil }
            return state.postTurn()
        }
        if let turn { host.post(turn) }
    }
}

extension SubmissionQueue.State {
    fileprivate mutating func makeCall() -> CallID {
        lastCall += 1
        return CallID(lastCall)
    }

    /// The turn that is to be posted, unless one is on its way.
    fileprivate mutating func postTurn() -> (@Sendable () -> Void)? {
        guard !isTurnPosted, let turn else { return nil }
        isTurnPosted = true
        return turn
    }

    /// Why nothing can be submitted; a wish to connect that is under way may change it.
    fileprivate var refusal: SenteError? {
        postedConnects + takenConnects == 0 ? standing.refusal : nil
    }

    /// Asks the policy; the session will ask it again for its outbox.
    ///
    /// Here only what is on its way there is bounded, but for `.rejectNewest` and `.wait`, which are to tell the caller at once.
    fileprivate mutating func makeRoom(
        for weight: Int, of waiter: Waiter, _ policy: OutboxPolicy, dropped: inout [Waiter]
    ) -> SenteError.Code? {
        while true {
            let underWay = posted + taken
            let tellsAtOnce = policy.overflow == .rejectNewest || policy.overflow == .wait
            let load = tellsAtOnce ? underWay + standing.outbox : underWay
            switch policy.admission(of: weight, beside: load, largest: standing.largestMessage) {
            case .accepted: return nil
            case .waits: return waiter.isTask ? nil : .outboxFull
            case .refused(let code): return code
            case .replacesOldest:
                guard let waiter = dropOldest(policy) else { return .dropped }
                batch.signals.addDrop(.dropped)
                dropped.append(waiter)
            }
        }
    }

    /// Takes the oldest submission out; its place stays, as an entry that does nothing.
    private mutating func dropOldest(_ policy: OutboxPolicy) -> Waiter? {
        while firstSubmission < batch.entries.count {
            defer { firstSubmission += 1 }
            guard
                case .submission(let call, let waiter, let command, let weight) = batch.entries[
                    firstSubmission],
                !command.isDurable
            else { continue }
            batch.entries[firstSubmission] = .input(.command(.cancel(call)))
            posted = posted - policy.load(of: weight)
            return waiter
        }
        return nil
    }
}

extension Command {
    fileprivate var isDurable: Bool {
        if case .submit(_, let submission) = self { submission.options.durable } else { false }
    }
}

extension SubmissionQueue.Entry {
    fileprivate var connects: Bool {
        switch self {
        case .call(_, _, .connect), .input(.command(.reconnect)): true
        default: false
        }
    }

    /// Ends an entry that no driver will handle.
    fileprivate func drop() {
        switch self {
        case .call(_, let waiter, let command), .submission(_, let waiter, let command, _):
            // What was kept is sent by the next client.
            waiter.resume(
                .failure(command.isDurable ? .clientIsGone.with(outcome: .unknown) : .clientIsGone))
        case .receiver(_, let receiver): receiver.finish()
        case .opening(let handle, _): handle.end(.failure(.clientIsGone))
        case .input, .observer, .take, .end: break
        }
    }
}

extension SenteError {
    static let clientIsGone = SenteError(
        .disconnected, "The client was released: keep it for as long as it is to be used.", outcome: .notSent)
}
