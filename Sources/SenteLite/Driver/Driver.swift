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
    let signals: SignalHub
    private let streams: StreamHandles
    /// What the server offers of streams.
    var offers: StreamOffers { streams.offers }
    private let host: any Host
    private let transport: any Transport
    private let setup: LinkSetup
    private let durables: DurableMessages?
    // The loop alone touches these, one step after the other. To have that checked at run time at each of fifty places would
    // cost a twelfth of a published message.
    @exclusivity(unchecked) private var engine: ClientEngine
    @exclusivity(unchecked) private var link: (id: LinkID, link: any TransportLink)?
    /// By the numbers of their calls.
    @exclusivity(unchecked) private var waiters: [UInt64: Waiter] = [:]
    @exclusivity(unchecked) private var receivers: [InboxID: any InboxReceiver] = [:]
    @exclusivity(unchecked) private var consumption: Consumption
    @exclusivity(unchecked) private var effects: [Effect] = []
    /// The same while they are performed, the first one last.
    @exclusivity(unchecked) private var turned: [Effect] = []
    @exclusivity(unchecked) private var batch = SubmissionQueue.Batch()
    @exclusivity(unchecked) private var output = TurnOutput()
    /// As of the last turn that changed it.
    @exclusivity(unchecked) private var standing = SubmissionQueue.Standing()
    /// The one timer, and when it is set.
    @exclusivity(unchecked) private var alarm: (timer: any HostTimer, time: Instant?)?
    @exclusivity(unchecked) private var observer: (any ClientObserver)?
    /// The least level that somebody wants, as its number; below it no signal is made.
    @exclusivity(unchecked) private var watched = Int.max
    /// The least that the sequences and the trace want.
    @exclusivity(unchecked) private var followed = Int.max
    /// Which connection is open, and how many there were.
    @exclusivity(unchecked) private var connection = ConnectionMark()
    private let tracer: Tracer?
    private let telemetry: TelemetryFeed?
    private var asks: [AskID: Task<Void, Never>] = [:]
    private var storageTasks: StorageTasks
    /// As of the last `publish`.
    private var status: ConnectionStatus { output.statuses.last ?? board.status }

    /// The client that makes it ends it with `submissions.close()`; until then it lives.
    init(
        engine: consuming ClientEngine, setup: LinkSetup, durables: DurableMessages? = nil, host: any Host,
        transport: any Transport
    ) {
        self.durables = durables
        standing.refusal = engine.refusal
        self.engine = engine
        self.setup = setup
        self.host = host
        self.transport = transport
        submissions = SubmissionQueue(host: host, policy: setup.configuration.outbox)
        board = StatusBoard(at: host.now)
        closures = ClosureQueue(submissions, readsTraces: setup.configuration.tracing)
        signals = SignalHub(submissions)
        streams = StreamHandles(submissions)
        tracer = (setup.configuration.trace ?? .ofEnvironment).map(Tracer.init)
        telemetry = setup.configuration.telemetry.map(TelemetryFeed.init)
        storageTasks = StorageTasks(
            setup.configuration.largeData.map { LargeDataDesk($0, for: setup.configuration) })
        self.engine.tell(from: watched)
        if tracer != nil { followed = ClientSignal.Level.trace.rawValue }
        consumption = Consumption(setup.configuration.inbox)
        submissions.turnEnded(standing)
        submissions.start { self.turn() }
    }

    deinit {
        for waiter in waiters.values { waiter.resume(.failure(.clientIsGone)) }
        for receiver in receivers.values { receiver.finish() }
        signals.finish()
    }

    // MARK: Turns

    /// Handles what the app posted.
    private func turn() {
        let now = host.now
        submissions.take(&batch)
        if batch.isWatched { lookWhoFollows() }
        lookWhoWatches()
        noteConsumed(at: now)
        for (signal, count) in batch.signals.counts {
            for _ in 0..<count { record(signal, at: now) }
        }
        output.tookEntries = !batch.entries.isEmpty
        let gathers = batch.entries.count > 1
        if gathers { engine.beginGathering() }
        batch.entries.reverse()
        while let entry = batch.entries.popLast() { handle(entry, at: now) }
        if gathers {
            engine.endGathering(at: now, into: &effects)
            performEffects(at: now)
        }
        batch.removeAll()
        endTurn(at: now)
    }

    func link(_ id: LinkID, reported reports: [LinkReport]) {
        let now = host.now
        lookWhoWatches()
        engine.handle(reports, of: id, at: now, into: &effects)
        if reports.last?.isLast == true, link?.id == id { link = nil }
        tracer?.note(reports, engine.coder, at: now)
        performEffects(at: now)
        // After what came: nothing is declared late before that is handed over.
        if !consumption.isEmpty {
            submissions.takeConsumed(&batch)
            noteConsumed(at: now)
        }
        for index in reports.indices { consumption.messagesCame(reports[index].messages) }
        endTurn(at: now)
    }

    private func timerFired() {
        alarm?.time = nil
        let now = host.now
        lookWhoWatches()
        handle(.timerFired, at: now)
        endTurn(at: now)
        giveBackMemory()
    }

    /// Between turns: keeps none of the memory that turns leave to one another.
    ///
    /// After a change of the status, and now and then: what connecting or the last burst took is no measure for what comes.
    private func giveBackMemory() {
        output = TurnOutput()
        effects = []
        turned = []
        batch = SubmissionQueue.Batch()
        if waiters.isEmpty { waiters = [:] }
        engine.giveBackMemory()
    }

    private func noteConsumed(at now: Moment) {
        for (inbox, count) in batch.consumed {
            consumption.consumed(count, from: inbox)
            handle(.consumed(inbox, count), at: now)
        }
        batch.consumed.removeAll(keepingCapacity: true)
    }

    private func handle(_ entry: consuming SubmissionQueue.Entry, at now: Moment) {
        switch consume entry {
        case .input(let input):
            if case .provided(let ask, _) = input { asks[ask] = nil }
            if case .storageDone(let id, _) = input { storageTasks.ended(id) }
            handle(input, at: now)
        case .call(let call, let waiter, let command), .submission(let call, let waiter, let command, _):
            waiters[call.number] = waiter
            handle(.command(command), at: now)
        case .receiver(let inbox, let receiver): receivers[inbox] = receiver
        case .observer(let observer): self.observer = observer
        case .opening(let stream, let command):
            if streams.add(stream) { handle(.command(.stream(stream.id, command)), at: now) }
        case .take(let stream):
            stream.receive(engine.takePiece(of: stream.id, at: now, into: &effects))
            performEffects(at: now)
        case .end: handle(.command(.disconnect(submissions.makeCall())), at: now)
        }
    }

    private func handle(_ input: consuming Input, at now: Moment) {
        engine.handle(input, at: now, into: &effects)
        performEffects(at: now)
    }

    /// Shows and hands over what the turn brought.
    private func endTurn(at now: Moment) {
        let deadline = show(at: now)
        for inbox in output.ready { deliver(inbox) }
        closures.put(output.closures)
        if !output.shown.isEmpty { showSignals() }
        let isForApp = output.isForApp
        if output.answers.count > 1 { output.answers.reverse() }
        while let one = output.answers.popLast() { one.waiter.resume(one.result) }
        if isForApp { host.appWasTold() }
        if output.statuses.isEmpty { output.removeAll() } else { giveBackMemory() }
        setAlarm(deadline)
    }

    /// Lets the app read what this turn changed; returns the engine's deadline.
    private func show(at now: Moment) -> Instant? {
        var load = OutboxPolicy.Load()
        var deadline: Instant?
        var followers: [Broadcast<SubscriptionState>?] = []
        board.update(statuses: output.statuses) { snapshot in
            for index in output.signals.indices {
                snapshot.engine.note(output.signals[index], at: now.instant)
            }
            for (channel, wish) in output.wishes { snapshot.engine.note(wish, for: channel) }
            engine.refresh(&snapshot.engine, at: now.instant)
            deadline = snapshot.engine.deadline
            load = snapshot.engine.load
            if !output.channels.isEmpty { followers = snapshot.followers(of: output.channels) }
        }
        if !output.channels.isEmpty { StatusBoard.tell(output.channels, to: followers) }
        if !output.statuses.isEmpty {
            standing.refusal = engine.refusal
            standing.dialect = status.dialect
            standing.largestMessage = engine.largestMessage
        }
        // Only when calls would be judged otherwise than before: most turns change nothing of it.
        let isAwaited = consumption.isAwaited || engine.awaitsConsumption
        let isOther = standing.update(load, awaitsConsumption: isAwaited)
        if isOther || output.tookEntries || !output.statuses.isEmpty { submissions.turnEnded(standing) }
        return deadline
    }

    /// Hands what an inbox holds to its receiver; what is for closures joins the others.
    private func deliver(_ inbox: InboxID) {
        let receiver = receivers[inbox]
        guard receiver != nil || inbox == ClosureQueue.inbox else { return }
        let elements = engine.take(inbox)
        guard !elements.isEmpty else { return }
        consumption.handedOver(elements.count, to: inbox)
        if let receiver { receiver.receive(elements) } else { output.closures.append(.elements(elements)) }
    }

    /// A deadline that has moved on, as each message moves the heartbeat's, is looked at when the old one has come.
    private func setAlarm(_ deadline: Instant?) {
        guard alarm?.time != deadline else { return }
        if let deadline, let time = alarm?.time, time < deadline { return }
        let timer = alarm?.timer ?? host.makeTimer { [weak self] in self?.timerFired() }
        alarm = (timer, deadline)
        timer.arm(at: deadline)
    }

    // MARK: Effects

    private func performEffects(at now: Moment) {
        guard !effects.isEmpty else { return }
        // Taken from the end, each is moved; to reverse them in place would copy what it swaps.
        while let effect = effects.popLast() { turned.append(effect) }
        while let effect = turned.popLast() { perform(effect, at: now) }
    }

    private func perform(_ effect: consuming Effect, at now: Moment) {
        switch consume effect {
        case .openLink(let id, let target): open(id, target, at: now)
        case .transmit(let id, let batch):
            tracer?.note(.sent(batch.map(\.message), engine.coder), at: now)
            current(id)?.send(batch)
        case .closeLink(let id, let code, let reason): current(id)?.close(code, reason: reason)
        case .abandonLink(let id):
            current(id)?.abandon()
            if link?.id == id { link = nil }
        case .pingLink(let id): current(id)?.ping()
        case .measureLoss(let id):
            if let loss = current(id)?.loss { submissions.post([.input(.measured(id, loss: loss))]) }
        case .pauseReading(let id):
            consumption.isPaused = true
            current(id)?.pauseReading()
        case .resumeReading(let id):
            consumption.isPaused = false
            current(id)?.resumeReading()
        case .ask(let id, let ask):
            asks[id] = host.start { [setup, submissions] in
                submissions.post([.input(.provided(id, await setup.answer(ask)))])
            }
        case .cancelAsk(let id): asks.removeValue(forKey: id)?.cancel()
        case .ready(let inbox): output.ready.append(inbox)
        case .finish(let inbox):
            consumption.ended(inbox)
            receivers.removeValue(forKey: inbox)?.finish()
        case .resolve(let call, let result):
            if let waiter = waiters.removeValue(forKey: call.number) {
                output.answers.append(Resolution(waiter: waiter, result: result))
            }
        case .work(let work):
            host.offload { [submissions] in submissions.post([.input(.worked(work.done()))]) }
        case .storage(let id, let work): storageTasks.begin(id, work, on: host, tells: submissions)
        case .cancelStorage(let id): storageTasks.cancel(id)
        case .settled(let id, let result): durables?.settled(id, result, submissions)
        case .publish(let status): publish(status, at: now)
        case .subscription(let channel, let status):
            let channel = WireName(channel)
            let wish = engine.wish(channel)
            output.wishes[channel] = wish
            note(wish == nil ? .ended : status.state, of: channel, at: now)
        case .gap(let channel, let gap): note(.gap(gap), of: WireName(channel), at: now)
        case .stream(let output): streams.perform(output)
        case .record(let signal): record(signal, at: now)
        }
    }

    private func current(_ id: LinkID) -> (any TransportLink)? {
        guard let link, link.id == id else { return nil }
        return link.link
    }

    private func open(_ id: LinkID, _ target: LinkTarget, at now: Moment) {
        consumption.isPaused = false
        connection.trace = setup.trace(host.entropy)
        let request = setup.request(target, trace: connection.trace)
        tracer?.note(.opening(request.url), at: now)
        link = (id, transport.open(id, request, on: host, observer: self))
    }

    private func publish(_ status: ConnectionStatus, at now: Moment) {
        // What came before the change is told to the closures before it.
        deliver(ClosureQueue.inbox)
        let before = self.status
        if closures.note((before, status)) { output.closures.append(.statusChange) }
        if watched != .max {
            ClientSignal.signals(of: status, after: before, at: now).forEach(show)
        }
        if let work = observer?.statusChanged(to: status, at: now) { output.closures.append(.work(work)) }
        output.statuses.append(status)
    }

    private func record(_ signal: consuming SessionSignal, at now: Moment) {
        let signal = consume signal
        observer?.recorded(signal)
        if case .opened(_, _, let name) = signal { connection.opened(as: name) }
        if isWatched(signal.level) { show(ClientSignal(signal, at: now)) }
        if case .linkEnded = signal { connection.ended() }
        output.signals.append(consume signal)
    }

    private func note(_ state: SubscriptionState, of channel: WireName, at now: Moment) {
        output.channels.append((channel, state))
        if isWatched(state.level) { show(ClientSignal(state, of: channel.text, at: now)) }
    }

    private func isWatched(_ level: ClientSignal.Level) -> Bool { level.rawValue >= watched }

    /// The one way out for signals.
    private func show(_ signal: ClientSignal) {
        guard isWatched(signal.level) else { return }
        var signal = signal
        connection.mark(&signal)
        telemetry?.record(signal)
        guard signal.level.rawValue >= followed else { return }
        tracer?.note(.signal(signal), time: signal.time)
        output.shown.append(signal)
    }

    /// Hands the turn's signals to those who follow; the last of them may have gone.
    private func showSignals() {
        signals.send(output.shown)
        output.shown = []
        lookWhoFollows()
    }

    private func lookWhoFollows() {
        let level = tracer == nil ? signals.minimum : .trace
        followed = level?.rawValue ?? .max
    }

    /// Telemetry changes its mind at any time, so it is asked once a turn.
    private func lookWhoWatches() {
        let level = telemetry.map { min(followed, $0.minimum) } ?? followed
        guard level != watched else { return }
        watched = level
        engine.tell(from: level)
    }
}
