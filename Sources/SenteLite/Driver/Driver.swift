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
    let intake: Intake
    let board: StatusBoard
    let closures: ClosureQueue
    private let host: any Host
    private let transport: any Transport
    private let setup: LinkSetup
    private var engine: ClientEngine
    private var link: (id: LinkID, link: any TransportLink)?
    private var alarm: Alarm?
    private var waiters: [CallID: Waiter] = [:]
    private var receivers: [InboxID: any InboxReceiver]
    private var observer: (any ClientObserver)?
    private var asks: [AskID: Task<Void, Never>] = [:]
    private var effects: [Effect] = []
    private var news: News

    /// What a turn has brought for the app.
    private struct News {
        var statuses: [ConnectionStatus] = []
        var wishes: [WireName: WishStatus?] = [:]
        var ready: [InboxID] = []
        var answers: [(Waiter, Result<Answer, SenteError>)] = []
        /// The status as of the last `publish`.
        var status: ConnectionStatus
    }

    /// The one timer, and when it is set.
    private struct Alarm {
        let timer: any HostTimer
        var time: Instant?
    }

    init(engine: ClientEngine, setup: LinkSetup, host: any Host, transport: any Transport) {
        self.engine = engine
        self.setup = setup
        self.host = host
        self.transport = transport
        intake = Intake(host: host, policy: setup.configuration.outbox)
        board = StatusBoard(at: host.now)
        closures = ClosureQueue(intake)
        receivers = [ClosureQueue.inbox: closures]
        news = News(status: engine.status)
        intake.connect(to: self)
        intake.handled(outbox: IntakeBounds.Load(), refusal: engine.refusal)
        intake.post(.openInbox(ClosureQueue.inbox))
    }

    deinit {
        for waiter in waiters.values { waiter.resume(.failure(.clientIsGone)) }
        for receiver in receivers.values { receiver.finish() }
    }

    // MARK: Turns

    /// Handles what the app posted.
    func turn() {
        let now = host.now
        for entry in intake.take() { handle(entry, at: now) }
        endTurn(at: now)
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        let now = host.now
        engine.handle(reports, of: id, at: now, into: &effects)
        if reports.last?.isLast == true, link?.id == id { link = nil }
        performEffects(at: now)
        endTurn(at: now)
    }

    private func timerFired() {
        alarm?.time = nil
        let now = host.now
        handle(.timerFired, at: now)
        endTurn(at: now)
    }

    private func handle(_ entry: Intake.Entry, at now: Moment) {
        switch entry {
        case .input(let input):
            if case .provided(let ask, _) = input { asks[ask] = nil }
            handle(input, at: now)
        case .call(let call, let waiter, let command), .submission(let call, let waiter, let command, _):
            waiters[call] = waiter
            handle(.command(command), at: now)
        case .receiver(let inbox, let receiver): receivers[inbox] = receiver
        case .observer(let observer): self.observer = observer
        case .end: handle(.command(.disconnect(intake.makeCall())), at: now)
        }
    }

    private func handle(_ input: Input, at now: Moment) {
        engine.handle(input, at: now, into: &effects)
        performEffects(at: now)
    }

    private func endTurn(at now: Moment) {
        let deadline = publishReading()
        for inbox in news.ready { deliver(inbox) }
        closures.flush()
        let answers = news.answers
        news.ready.removeAll(keepingCapacity: true)
        news.answers.removeAll(keepingCapacity: true)
        for (waiter, result) in answers { waiter.resume(result) }
        setAlarm(deadline)
    }

    /// Shows what this turn changed; returns the engine's deadline.
    private func publishReading() -> Instant? {
        let statuses = news.statuses
        var load = IntakeBounds.Load()
        var deadline: Instant?
        board.update(statuses: statuses) { reading in
            for (channel, wish) in news.wishes { reading.engine.note(wish, for: channel) }
            engine.refresh(&reading.engine)
            deadline = reading.engine.deadline
            load.messages = reading.engine.gauges.outboxMessages
            load.bytes = reading.engine.gauges.outboxBytes
        }
        intake.handled(outbox: load, refusal: statuses.isEmpty ? nil : .some(engine.refusal))
        news.statuses = []
        if !news.wishes.isEmpty { news.wishes = [:] }
        return deadline
    }

    private func deliver(_ inbox: InboxID) {
        guard let receiver = receivers[inbox] else { return }
        let elements = engine.take(inbox)
        if !elements.isEmpty { receiver.receive(elements) }
    }

    private func setAlarm(_ deadline: Instant?) {
        guard alarm?.time != deadline else { return }
        var alarm = alarm ?? Alarm(timer: host.makeTimer { [weak self] in self?.timerFired() })
        alarm.time = deadline
        self.alarm = alarm
        alarm.timer.arm(at: deadline)
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
        case .pauseReading(let id): current(id)?.pauseReading()
        case .resumeReading(let id): current(id)?.resumeReading()
        case .ask(let id, let ask):
            asks[id] = Task { [setup, intake] in
                intake.post([.input(.provided(id, await setup.answer(ask)))])
            }
        case .cancelAsk(let id): asks.removeValue(forKey: id)?.cancel()
        case .ready(let inbox): news.ready.append(inbox)
        case .finish(let inbox): receivers.removeValue(forKey: inbox)?.finish()
        case .resolve(let call, let result):
            if let waiter = waiters.removeValue(forKey: call) { news.answers.append((waiter, result)) }
        case .publish(let status): publish(status, at: now)
        case .subscription(let channel, _): news.wishes[WireName(channel)] = engine.wish(WireName(channel))
        case .record(let signal): observer?.recorded(signal)
        }
    }

    private func current(_ id: LinkID) -> (any TransportLink)? {
        link?.id == id ? link?.link : nil
    }

    private func open(_ id: LinkID, _ target: LinkTarget) {
        link = (id, transport.open(id, setup.request(target), on: host, observer: self))
    }

    private func publish(_ status: ConnectionStatus, at now: Moment) {
        // What came before the change is told to the closures before it.
        deliver(ClosureQueue.inbox)
        closures.statusChanged(news.status, status)
        observer?.statusChanged(to: status, at: now)
        news.status = status
        news.statuses.append(status)
    }
}

extension LinkReport {
    fileprivate var isLast: Bool {
        switch self {
        case .refused, .closed: true
        case .opened, .received, .progress, .wrote, .answered: false
        }
    }
}
