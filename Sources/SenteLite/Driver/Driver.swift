// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTransport
import SenteWire

/// Performs what the engine decides; decides nothing itself.
///
/// It lives on its host's thread, where nothing interrupts it: an input is handled and its effects are
/// performed before the next one is looked at. Work comes in turns: what the app posted, what a link reports,
/// or that the time has come. At the end of a turn, and once for all of it, the app gets to see what
/// happened: first what can be read (`StatusBoard`), then the inboxes' contents, then the answers of calls.
///
/// The client owns the driver, and a link under way keeps it until it has ended. The driver keeps no client.
final class Driver: LinkObserver, @unchecked Sendable {
    let submissions: SubmissionQueue
    let board: StatusBoard
    let closures: ClosureQueue
    private let host: any Host
    private let transport: any Transport
    private let setup: LinkSetup
    private var engine: ClientEngine
    private var link: (id: LinkID, link: any TransportLink)?
    /// The one timer, and when it is set.
    private var alarm: (timer: any HostTimer, time: Instant?)?
    private var waiters: [CallID: Waiter] = [:]
    private var receivers: [InboxID: any InboxReceiver] = [:]
    private var consumption: Consumption
    private var observer: (any ClientObserver)?
    private var asks: [AskID: Task<Void, Never>] = [:]
    private var effects: [Effect] = []
    private var batch = SubmissionQueue.Batch()
    private var output = TurnOutput()
    /// As of the last `publish`.
    private var status: ConnectionStatus
    /// As of the last turn that changed it.
    private var standing = SubmissionQueue.Standing()

    /// What a turn has brought for the app.
    private struct TurnOutput {
        var statuses: [ConnectionStatus] = []
        var wishes: [WireName: WishStatus?] = [:]
        var ready: [InboxID] = []
        var closures: [ClosureQueue.Item] = []
        var answers: [(Waiter, Result<Answer, SenteError>)] = []
        /// Submissions were taken, which count in the outbox's bounds until the turn's end.
        var tookEntries = false
    }

    /// The client that makes it ends it with `submissions.close()`; until then it lives.
    init(engine: ClientEngine, setup: LinkSetup, host: any Host, transport: any Transport) {
        self.engine = engine
        self.setup = setup
        self.host = host
        self.transport = transport
        submissions = SubmissionQueue(host: host, policy: setup.configuration.outbox)
        board = StatusBoard(at: host.now)
        closures = ClosureQueue(submissions)
        consumption = Consumption(setup.configuration.inbox)
        status = engine.status
        standing.refusal = engine.refusal
        submissions.turnEnded(standing)
        submissions.start { self.turn() }
        submissions.post(.openInbox(ClosureQueue.inbox))
    }

    deinit {
        for waiter in waiters.values { waiter.resume(.failure(.clientIsGone)) }
        for receiver in receivers.values { receiver.finish() }
    }

    // MARK: Turns

    /// Handles what the app posted.
    private func turn() {
        let now = host.now
        submissions.take(&batch)
        noteConsumed(at: now)
        for (signal, count) in batch.signals.counts {
            for _ in 0..<count { record(signal, at: now) }
        }
        output.tookEntries = !batch.entries.isEmpty
        for entry in batch.entries { handle(entry, at: now) }
        batch.removeAll()
        endTurn(at: now)
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        let now = host.now
        engine.handle(reports, of: id, at: now, into: &effects)
        if reports.last?.isLast == true, link?.id == id { link = nil }
        performEffects(at: now)
        // After what came: nothing is declared late before that is handed over.
        if !consumption.isEmpty {
            submissions.takeConsumed(&batch)
            noteConsumed(at: now)
        }
        for report in reports { consumption.messagesCame(report.messages) }
        endTurn(at: now)
    }

    private func timerFired() {
        alarm?.time = nil
        let now = host.now
        handle(.timerFired, at: now)
        endTurn(at: now)
    }

    private func noteConsumed(at now: Moment) {
        for (inbox, count) in batch.consumed {
            consumption.consumed(count, from: inbox)
            handle(.consumed(inbox, count), at: now)
        }
        batch.consumed.removeAll(keepingCapacity: true)
    }

    private func handle(_ entry: SubmissionQueue.Entry, at now: Moment) {
        switch entry {
        case .input(let input):
            if case .provided(let ask, _) = input { asks[ask] = nil }
            handle(input, at: now)
        case .call(let call, let waiter, let command), .submission(let call, let waiter, let command, _):
            waiters[call] = waiter
            handle(.command(command), at: now)
        case .receiver(let inbox, let receiver): receivers[inbox] = receiver
        case .observer(let observer): self.observer = observer
        case .end: handle(.command(.disconnect(submissions.makeCall())), at: now)
        }
    }

    private func handle(_ input: Input, at now: Moment) {
        engine.handle(input, at: now, into: &effects)
        performEffects(at: now)
    }

    private func endTurn(at now: Moment) {
        let deadline = publish()
        for inbox in output.ready { deliver(inbox) }
        closures.put(output.closures)
        let answers = output.answers
        output.ready.removeAll(keepingCapacity: true)
        output.closures.removeAll(keepingCapacity: true)
        output.answers.removeAll(keepingCapacity: true)
        for (waiter, result) in answers { waiter.resume(result) }
        setAlarm(deadline)
    }

    /// Shows what this turn changed; returns the engine's deadline.
    private func publish() -> Instant? {
        let statuses = output.statuses
        var load = OutboxPolicy.Load()
        var deadline: Instant?
        board.update(statuses: statuses) { snapshot in
            for (channel, wish) in output.wishes { snapshot.engine.note(wish, for: channel) }
            engine.refresh(&snapshot.engine)
            deadline = snapshot.engine.deadline
            load.messages = snapshot.engine.gauges.outboxMessages
            load.bytes = snapshot.engine.gauges.outboxBytes
        }
        publishStanding(load, isNews: !statuses.isEmpty)
        output.statuses = []
        if !output.wishes.isEmpty { output.wishes = [:] }
        return deadline
    }

    /// Only when calls would be judged otherwise than before: most turns change nothing of it.
    private func publishStanding(_ load: OutboxPolicy.Load, isNews: Bool) {
        guard
            isNews || output.tookEntries || load != standing.outbox
                || consumption.isAwaited != standing.awaitsConsumption
        else { return }
        if isNews {
            standing.refusal = engine.refusal
            standing.dialect = status.dialect
        }
        standing.outbox = load
        standing.awaitsConsumption = consumption.isAwaited
        output.tookEntries = false
        submissions.turnEnded(standing)
    }

    private func deliver(_ inbox: InboxID) {
        guard inbox == ClosureQueue.inbox || receivers[inbox] != nil else { return }
        let elements = engine.take(inbox)
        guard !elements.isEmpty else { return }
        consumption.handedOver(elements.count, to: inbox)
        guard let receiver = receivers[inbox] else { return output.closures.append(.elements(elements)) }
        receiver.receive(elements)
    }

    private func setAlarm(_ deadline: Instant?) {
        guard alarm?.time != deadline else { return }
        let timer = alarm?.timer ?? host.makeTimer { [weak self] in self?.timerFired() }
        alarm = (timer, deadline)
        timer.arm(at: deadline)
    }

    // MARK: Effects

    private func performEffects(at now: Moment) {
        for effect in effects { perform(effect, at: now) }
        effects.removeAll(keepingCapacity: true)
    }

    private func perform(_ effect: Effect, at now: Moment) {
        switch effect {
        case .openLink(let id, let target): open(id, target)
        case .transmit(let id, let batch): current(id)?.send(batch)
        case .closeLink(let id, let code, let reason): current(id)?.close(code, reason: reason)
        case .abandonLink(let id):
            current(id)?.abandon()
            if link?.id == id { link = nil }
        case .pingLink(let id): current(id)?.ping()
        case .pauseReading(let id):
            consumption.isPaused = true
            current(id)?.pauseReading()
        case .resumeReading(let id):
            consumption.isPaused = false
            current(id)?.resumeReading()
        case .ask(let id, let ask):
            asks[id] = Task { [setup, submissions] in
                submissions.post([.input(.provided(id, await setup.answer(ask)))])
            }
        case .cancelAsk(let id): asks.removeValue(forKey: id)?.cancel()
        case .ready(let inbox): output.ready.append(inbox)
        case .finish(let inbox):
            consumption.ended(inbox)
            receivers.removeValue(forKey: inbox)?.finish()
        case .resolve(let call, let result):
            if let waiter = waiters.removeValue(forKey: call) { output.answers.append((waiter, result)) }
        case .publish(let status): publish(status, at: now)
        case .subscription(let channel, _):
            output.wishes[WireName(channel)] = engine.wish(WireName(channel))
        case .record(let signal): observer?.recorded(signal)
        }
    }

    private func current(_ id: LinkID) -> (any TransportLink)? {
        link?.id == id ? link?.link : nil
    }

    private func open(_ id: LinkID, _ target: LinkTarget) {
        consumption.isPaused = false
        link = (id, transport.open(id, setup.request(target), on: host, observer: self))
    }

    private func publish(_ status: ConnectionStatus, at now: Moment) {
        // What came before the change is told to the closures before it.
        deliver(ClosureQueue.inbox)
        if closures.note((self.status, status)) { output.closures.append(.statusChange) }
        if let work = observer?.statusChanged(to: status, at: now) { output.closures.append(.work(work)) }
        self.status = status
        output.statuses.append(status)
    }

    private func record(_ signal: SessionSignal, at now: Moment) {
        engine.record(signal, at: now)
        observer?.recorded(signal)
    }
}

extension LinkReport {
    fileprivate var messages: [Message] {
        switch self {
        case .received(let messages): messages
        case .answered(_, let message): [message]
        case .opened, .progress, .wrote, .refused, .closed: []
        }
    }
}
