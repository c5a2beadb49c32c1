// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteSocket
import SenteWire

/// A client as its app sees it: a `ClientEngine`, what a driver does for it, and an app that can be told what to do.
final class WorldClient: CustomStringConvertible {
    /// What a call was about.
    enum CallKind: Equatable {
        case connect, disconnect, unsubscribe, ping, listChannels, listSubscriptions, drain
        case subscribe(channel: String, inbox: InboxID, scoped: Bool)
        /// A publish, a request, an event.
        case message(Int, Awaited)
    }

    struct Call {
        var kind: CallKind
        var madeAt: Instant
        /// It must be resolved by then.
        var deadline: Instant?
        /// How long its answer may take, from when it left.
        var answerLimit: Duration?
    }

    struct Handle {
        var channel: String?
        var isFinished = false
        /// Everything taken, in order.
        var elements: [InboxElement] = []
        var missed = 0
    }

    /// How the app treats what comes.
    struct Behavior {
        /// How long it takes over what it has taken, in milliseconds; nil: it never consumes.
        var consumes: ClosedRange<Int>? = 0...0
        /// How long a service thinks, in milliseconds; nil: it never answers.
        var answers: ClosedRange<Int>? = 0...0
        var answersWithErrors = 0.0
        /// How many requests a service works on at once.
        var concurrency = 16
        /// How long a provider thinks, in milliseconds; nil: it never answers.
        var provides: ClosedRange<Int>? = 0...0
        var failsToProvide = 0.0
        /// What a custom reconnect policy says; nil: stop.
        var delay: Duration? = .seconds(1)
        /// Answers of providers come although nobody waits any more.
        var providesTooLate = false
    }

    unowned let world: TestWorld
    let number: Int
    let configuration: SessionConfiguration
    private(set) var engine: ClientEngine
    private let recorder = EncodingRecorder()
    /// What the messages of the last step say.
    private(set) var outbounds: [SendID: Outbound] = [:]
    private(set) lazy var rules = RuleBook(self)
    var behavior = Behavior()
    private(set) var pipe: Pipe?
    private var pipes: [LinkID: Pipe] = [:]
    private(set) var calls: [CallID: Call] = [:]
    private(set) var results: [CallID: Result<Answer, SenteError>] = [:]
    var keepsResults = true
    private(set) var handles: [InboxID: Handle] = [:]
    private(set) var statuses: [ConnectionStatus] = []
    private(set) var signals: [SessionSignal] = []
    private(set) var openedTargets: [LinkTarget] = []
    private var waiting: [AskID] = []
    /// While suspended it hears nothing and its timers do not fire, as a process that sleeps.
    private(set) var suspendedUntil = Instant.distantPast
    /// Calls whose answer the app finds by itself (`settle`), by the number of their message.
    private var echoCalls: [Int: CallID] = [:]
    private(set) lazy var eventInbox: InboxID = openEventInbox()

    init(
        _ number: Int, _ configuration: SessionConfiguration, sizes: SizeLimits, seed: UInt64,
        in world: TestWorld
    ) {
        self.number = number
        self.configuration = configuration
        self.world = world
        reading = ClientEngine.Reading(at: world.now)
        let detector = world.wire.detector
        engine = ClientEngine(
            configuration: configuration, sizes: sizes, random: Generator(seed: seed)
        ) { [recorder] (first, sizes) throws(SenteError) in
            recorder.follow(try detector.detect(first, sizes: sizes))
        }
    }

    var description: String { "client \(number)" }
    /// What can be seen of the engine, kept beside it: an engine is dear to look at.
    struct View: Equatable {
        var status: ConnectionStatus
        var deadline: Instant?
        var outboxCount = 0
        var outboxBytes = 0
        var subscriptions: [String] = []

        static func of(_ engine: inout ClientEngine) -> View {
            View(
                status: engine.status, deadline: engine.deadline, outboxCount: engine.outboxCount,
                outboxBytes: engine.outboxBytes, subscriptions: engine.subscriptions)
        }
    }

    private(set) var view = View(status: ConnectionStatus(state: .closed))
    private var reading: ClientEngine.Reading
    var state: ConnectionState { view.status.state }
    var status: ConnectionStatus { view.status }
    var now: Instant { world.now.instant }
    var isSuspended: Bool { suspendedUntil > now }
    var wakesAt: Instant? { view.deadline.map { max($0, suspendedUntil) } }
    var metrics: ClientMetrics {
        engine.refresh(&reading, at: now)
        return reading.metrics(at: now)
    }

    func suspendApp(for duration: Duration) { suspendedUntil = now.advanced(by: duration) }

    // MARK: What the app does

    @discardableResult
    func connect(limit: Duration? = nil) -> CallID {
        call(.connect, limit: limit) { .connect($0, limit: limit) }
    }

    @discardableResult
    func disconnect() -> CallID { call(.disconnect, limit: configuration.times.close) { .disconnect($0) } }

    func reconnect() { handle(.command(.reconnect)) }

    @discardableResult
    func subscribe(
        _ channel: String, scoped: Bool = false, history: ChannelHistory = .all
    ) -> (call: CallID, inbox: InboxID) {
        let inbox = world.newInbox()
        handles[inbox] = Handle(channel: channel)
        let kind = CallKind.subscribe(channel: channel, inbox: inbox, scoped: scoped)
        let call = call(kind, limit: configuration.times.request) {
            .subscribe($0, channel: channel, inbox, scoped: scoped, history: history)
        }
        return (call, inbox)
    }

    @discardableResult
    func unsubscribe(_ channel: String) -> CallID {
        call(.unsubscribe, limit: configuration.times.request) { .unsubscribe($0, channel: channel) }
    }

    /// Serves a channel; what comes is answered with `{"answer": n}`.
    @discardableResult
    func respond(on channel: String) -> InboxID {
        let inbox = world.newInbox()
        handles[inbox] = Handle(channel: channel)
        handle(.command(.respond(channel: channel, inbox, limit: behavior.concurrency)))
        return inbox
    }

    func endScope(_ inbox: InboxID) { handle(.command(.endScope(inbox))) }

    /// Ends a service once it has answered what it took.
    @discardableResult
    func drain(_ inbox: InboxID) -> CallID {
        call(.drain, limit: nil) { .drain($0, inbox) }
    }

    /// Lets every service answer what it took, for at most so long, and disconnects.
    @discardableResult
    func drainAll(limit: Duration) -> CallID {
        call(.drain, limit: limit) { .drainAll($0, limit: limit) }
    }

    /// Listens to a channel without a wish, as `onMessage` does.
    func listen(to channel: String) -> InboxID {
        let inbox = world.newInbox()
        handles[inbox] = Handle(channel: channel)
        handle(.command(.openInbox(inbox)))
        handle(.command(.listen(inbox, .channel(WireName(channel)))))
        return inbox
    }

    /// Listens to events, as `on` does.
    func listen(to filter: InboxFilter) -> InboxID {
        let inbox = world.newInbox()
        handles[inbox] = Handle()
        handle(.command(.openInbox(inbox)))
        handle(.command(.listen(inbox, filter)))
        return inbox
    }

    func closeInbox(_ inbox: InboxID) { handle(.command(.closeInbox(inbox))) }

    /// `size` bytes of padding make it heavy.
    ///
    /// Without a limit of its own it has the outbox's time to live to leave, and then the
    /// client's time for a request.
    @discardableResult
    func publish(
        to channel: String, size: Int = 0, excludeSender: Bool = false, limit: Duration? = .seconds(10)
    ) -> CallID {
        track(.reply, limit: limit, answerLimit: limit == nil ? configuration.times.request : nil) {
            .publish(channel: channel, data: Self.data($0, size), excludeSender: excludeSender)
        }
    }

    @discardableResult
    func request(on channel: String, limit: Duration = .seconds(10)) -> CallID {
        track(.reply, limit: limit) {
            .request(channel: channel, data: Self.data($0, 0), limit: limit.wholeMilliseconds)
        }
    }

    @discardableResult
    func send(_ name: String = "note", data: Value? = nil, limit: Duration? = .seconds(10)) -> CallID {
        track(.written, limit: limit) { number in
            var fields = data?.mapValue ?? ValueMap()
            fields["n"] = Value(number)
            return .event(Event(id: self.world.wire.id(name), data: .map(fields)))
        }
    }

    /// Data that servers of this dialect choke on.
    func publishUnfit(to channel: String) -> CallID {
        let limit = configuration.times.request
        return call(.listChannels, limit: limit) {
            .submit(
                $0,
                Submission(
                    .publish(channel: channel, data: 2, excludeSender: false), limit: limit, awaits: .reply))
        }
    }

    /// Sends an event, and waits for what the server answers to it.
    @discardableResult
    func sendAwaitingReply(limit: Duration = .seconds(10)) -> CallID {
        track(.reply, limit: limit) {
            .event(Event(id: self.world.wire.id("ask"), data: Self.data($0, 0)))
        }
    }

    /// The format has no word for it.
    @discardableResult
    func sendUnencodable() -> CallID {
        track(.written, limit: nil) {
            .event(
                Event(
                    id: self.world.wire.id("note"),
                    data: ["n": Value($0), "more": self.world.wire.unencodable]))
        }
    }

    /// Sends an event, which the server echoes, and takes the echo for its answer.
    @discardableResult
    func sendAwaitingEcho(limit: Duration = .seconds(10)) -> CallID {
        _ = eventInbox
        return track(.settlement, limit: limit) {
            .event(Event(id: self.world.wire.id("question"), data: Self.data($0, 0)))
        }
    }

    @discardableResult
    func listChannels() -> CallID { submit(.listChannels, .listChannels) }

    @discardableResult
    func listSubscriptions() -> CallID { submit(.listSubscriptions, .listSubscriptions) }

    @discardableResult
    func ping() -> CallID { call(.ping, limit: configuration.times.request) { .ping($0) } }

    func cancel(_ call: CallID) { handle(.command(.cancel(call))) }

    func pathChanged(_ change: NetworkChange) { handle(.pathChanged(change)) }

    // MARK: What the app knows

    func isConfirmed(_ channel: String) -> Bool { engine.subscription(channel)?.isConfirmed == true }

    func isOpen(_ call: CallID) -> Bool { calls[call] != nil }

    func error(of call: CallID) -> SenteError? {
        if case .failure(let error)? = results[call] { error } else { nil }
    }

    func answer(to call: CallID) -> Answer? {
        if case .success(let answer)? = results[call] { answer } else { nil }
    }

    /// The numbers of the messages that came through a handle.
    func messageNumbers(in inbox: InboxID) -> [Int] {
        handles[inbox, default: Handle()].elements.compactMap {
            if case .message(let message) = $0 {
                message.data["n"]?.integerValue.map { Int($0) }
            } else {
                nil
            }
        }
    }

    func elements(of inbox: InboxID) -> [InboxElement] { handles[inbox]?.elements ?? [] }
    func missed(in inbox: InboxID) -> Int { handles[inbox]?.missed ?? 0 }
    func isFinished(_ inbox: InboxID) -> Bool { handles[inbox]?.isFinished ?? true }

    var states: [ConnectionState] { statuses.map(\.state) }
    var drops: [SenteError.Code: Int] { metrics.outbox.drops }

    // MARK: Calls

    private func call(_ kind: CallKind, limit: Duration?, _ command: (CallID) -> Command) -> CallID {
        let id = world.newCall()
        calls[id] = Call(kind: kind, madeAt: now, deadline: limit.map { now.advanced(by: $0) })
        handle(.command(command(id)))
        return id
    }

    private func track(
        _ awaited: Awaited, limit: Duration?, answerLimit: Duration? = nil, _ make: (Int) -> Outbound
    ) -> CallID {
        let number = world.messages.count
        return call(.message(number, awaited), limit: limit) { id in
            let life = configuration.outbox.timeToLive
            world.messages.append(
                TrackedMessage(
                    client: self.number, call: id, sentAt: now,
                    livesUntil: life.map { now.advanced(by: $0) }))
            if awaited == .settlement { echoCalls[number] = id }
            if let answerLimit {
                calls[id]?.deadline = life.map { now.advanced(by: $0) }
                calls[id]?.answerLimit = answerLimit
            }
            return .submit(
                id, Submission(make(number), limit: limit, answerLimit: answerLimit, awaits: awaited))
        }
    }

    /// The message of this call left.
    func left(_ call: CallID) {
        if let limit = calls[call]?.answerLimit { calls[call]?.deadline = now.advanced(by: limit) }
    }

    private func submit(_ kind: CallKind, _ outbound: Outbound) -> CallID {
        let limit = configuration.times.request
        return call(kind, limit: limit) { .submit($0, Submission(outbound, limit: limit, awaits: .reply)) }
    }

    private static func data(_ number: Int, _ size: Int) -> Value {
        size > 0
            ? ["n": Value(number), "padding": .string(String(repeating: "x", count: size))]
            : ["n": Value(number)]
    }

    private func openEventInbox() -> InboxID {
        let inbox = world.newInbox()
        handles[inbox] = Handle()
        handle(.command(.openInbox(inbox)))
        handle(.command(.listen(inbox, .allEvents)))
        return inbox
    }

    // MARK: Steps

    func handle(_ input: Input) {
        step(.input(input)) { engine, effects in engine.handle(input, at: world.now, into: &effects) }
    }

    func handle(_ reports: [LinkReport], of link: LinkID) {
        if isSuspended, let pipe = pipes[link] {
            return world.at(suspendedUntil, .reports(pipe, reports))
        }
        step(.reports(reports, link)) { engine, effects in
            engine.handle(reports, of: link, at: world.now, into: &effects)
        }
    }

    private func step(_ cause: RuleBook.Cause, _ body: (inout ClientEngine, inout [Effect]) -> Void) {
        world.log("\(self) ◀ \(cause)")
        rules.willHandle(cause)
        var effects: [Effect] = []
        body(&engine, &effects)
        view = View.of(&engine)
        let unencodable: [Outbound]
        (outbounds, unencodable) = recorder.take(effects)
        for outbound in unencodable { rules.couldNotEncode(outbound) }
        rules.didHandle(cause, effects)
        for effect in effects { perform(effect) }
        rules.didPerform()
    }

    private func perform(_ effect: Effect) {
        world.log("\(self) ▶ \(effect)")
        world.coverage.count(effect)
        switch effect {
        case .openLink(let link, let target):
            openedTargets.append(target)
            let pipe = Pipe(link, of: self, deadline: target.deadline, in: world)
            world.pipes.append(pipe)
            pipes[link] = pipe
            self.pipe = pipe
            pipe.dial()
        case .transmit(let link, let batch):
            pipes[link]?.send(batch)
            if pipes.count > 8 { pipes = pipes.filter { !$0.value.isGone } }
        case .closeLink(let link, let code, let reason): pipes[link]?.close(.client, code, reason: reason)
        case .abandonLink(let link): pipes[link]?.abandon()
        case .pingLink(let link): pipes[link]?.ping()
        case .measureLoss: break
        case .pauseReading(let link): pipes[link]?.pause()
        case .resumeReading(let link): pipes[link]?.resume()
        case .ask(let id, let ask): answer(id, ask)
        case .cancelAsk(let id): waiting.removeAll { $0 == id }
        case .ready(let inbox): world.after(.zero) { [weak self] _ in self?.take(inbox) }
        case .finish(let inbox): handles[inbox]?.isFinished = true
        case .resolve(let call, let result): resolve(call, result)
        case .work(let work):
            world.after(world.milliseconds(0...50)) { [weak self] _ in self?.handle(.worked(work.done())) }
        case .settled, .stream, .storage, .cancelStorage: break
        case .publish(let status): statuses.append(status)
        case .subscription(let channel, _):
            reading.note(engine.wish(WireName(channel)), for: WireName(channel))
        case .gap: break
        case .record(let signal):
            reading.note(signal, at: now)
            if keepsResults { signals.append(signal) }
        }
    }

    private func resolve(_ call: CallID, _ result: Result<Answer, SenteError>) {
        guard let known = calls.removeValue(forKey: call) else {
            return world.violate(4, "\(self): \(call) was resolved twice, or never made: \(result)")
        }
        if keepsResults { results[call] = result }
        world.coverage.count(result)
        if case .message(let number, _) = known.kind { echoCalls[number] = nil }
        rules.resolved(call, known, result)
    }

    // MARK: Providers

    private func answer(_ id: AskID, _ ask: Ask) {
        waiting.append(id)
        guard let time = behavior.provides else { return }
        let provision: Provision =
            if world.chance(behavior.failsToProvide) {
                .failed("The provider could not.")
            } else {
                switch ask {
                case .endpoint: .endpoint("ws://world.test:3000/")
                case .token: .token("token \(id.number)")
                case .parameters: .parameters(["csrf-token": "\(id.number)"])
                case .delay: .delay(behavior.delay)
                }
            }
        let tooLate = behavior.providesTooLate
        world.after(world.milliseconds(time)) { [weak self] _ in
            guard let self, tooLate || waiting.contains(id) else { return }
            waiting.removeAll { $0 == id }
            handle(.provided(id, provision))
        }
    }

    // MARK: Inboxes

    /// The consumer of a handle takes what is there, and gives it back as consumed when it is done with it.
    private func take(_ inbox: InboxID) {
        guard let time = behavior.consumes else { return }
        let elements = engine.take(inbox)
        handles[inbox]?.elements += elements
        for element in elements { consumed(element, in: inbox) }
        world.after(world.milliseconds(time)) { [weak self] _ in
            self?.handle(.consumed(inbox, elements.count))
        }
    }

    /// For handles that were left alone while the app did not consume.
    func takeEverything() {
        for inbox in handles.keys.sorted(by: { $0.number < $1.number }) { take(inbox) }
    }

    private func consumed(_ element: InboxElement, in inbox: InboxID) {
        rules.delivered(element, in: inbox)
        switch element {
        case .message(let message): handles[inbox]?.missed += message.missed
        case .event(let event, let missed):
            handles[inbox]?.missed += missed
            guard let number = world.wire.answered(by: event), let call = echoCalls[number] else {
                return
            }
            handle(.command(.settle(call, ["n": Value(number)])))
        case .request(let request): serve(request, in: inbox)
        }
    }

    private func serve(_ request: IncomingRequest, in inbox: InboxID) {
        guard let time = behavior.answers, let number = request.data["n"]?.integerValue else { return }
        let isError = world.chance(behavior.answersWithErrors)
        world.after(world.milliseconds(time)) { [weak self] _ in
            let data: Value = ["answer": Value(number)]
            self?.handle(.command(.answer(inbox, requestID: request.id, data: data, isError: isError)))
        }
    }
}
