// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire

/// A client of the cluster as its app sees it: an engine, what a driver does for it, and what the app calls.
final class NATSApp: CustomStringConvertible {
    enum CallKind: Equatable {
        case connect, disconnect, unsubscribe, ping
        case drain(InboxID)
        case subscribe(channel: String, inbox: InboxID, scoped: Bool)
        case follow(inbox: InboxID)
        /// By the number of its message.
        case message(Int)
    }

    struct Call {
        var kind: CallKind
        /// It must be resolved by then.
        var deadline: Instant?
    }

    unowned let world: NATSWorld
    let number: Int
    let configuration: SessionConfiguration
    private(set) var engine: ClientEngine
    private(set) lazy var rules = NATSRules(self)
    private(set) var status = ConnectionStatus(state: .closed)
    private(set) var deadline: Instant?
    private(set) var calls: [CallID: Call] = [:]
    private(set) var pipe: NATSPipe?
    private var pipes: [LinkID: NATSPipe] = [:]
    private var waiting: Set<AskID> = []
    /// How long the app takes over what it takes, in milliseconds; nil: it takes nothing.
    var consumes: ClosedRange<Int>? = 0...0
    /// How long a service thinks, in milliseconds; nil: it never answers.
    var answers: ClosedRange<Int>? = 0...20
    /// What its provider gives.
    var token: String?

    init(_ number: Int, _ configuration: SessionConfiguration, _ nats: NATSSettings, in world: NATSWorld) {
        self.number = number
        self.configuration = configuration
        self.world = world
        let detector = DialectDetector(dialect: .nats, nats: nats)
        engine = ClientEngine(configuration: configuration, random: Generator(seed: world.random.next())) {
            (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes)
        }
    }

    var description: String { "client \(number)" }
    var state: ConnectionState { status.state }
    var isQuiet: Bool { deadline == nil }
    var outboxCount: Int { engine.outboxCount }

    // MARK: What an app calls

    func connect() {
        if state == .open { return }
        let limit: Duration? = world.pick([nil, .seconds(5), .seconds(30)])
        call(.connect, limit: limit) { .connect($0, limit: limit) }
    }

    func disconnect() { call(.disconnect, limit: configuration.times.close) { .disconnect($0) } }

    func reconnect() { handle(.command(.reconnect)) }

    @discardableResult
    func subscribe(_ channel: String, scoped: Bool) -> (call: CallID, inbox: InboxID) {
        let inbox = world.newInbox()
        let kind = CallKind.subscribe(channel: channel, inbox: inbox, scoped: scoped)
        let call = call(kind, limit: configuration.times.request) {
            .subscribe($0, channel: channel, inbox, scoped: scoped)
        }
        return (call, inbox)
    }

    /// Serves a channel, in a group; the wish's name has both.
    func respond(on channel: String) -> InboxID {
        let inbox = world.newInbox()
        handle(.command(.respond(channel: "\(channel) q", inbox, limit: 4)))
        return inbox
    }

    @discardableResult
    func follow(_ channel: String, from start: ChannelStart) -> InboxID {
        let inbox = world.newInbox()
        call(.follow(inbox: inbox), limit: configuration.times.request) {
            .follow($0, channel: channel, inbox, from: start)
        }
        return inbox
    }

    func unsubscribe(_ channel: String) {
        call(.unsubscribe, limit: configuration.times.request) { .unsubscribe($0, channel: channel) }
    }

    func endScope(_ inbox: InboxID) { handle(.command(.endScope(inbox))) }

    /// Ends a service in good order.
    func drain(_ inbox: InboxID) {
        let call = call(.drain(inbox), limit: nil) { .drain($0, inbox) }
        // One that never answers is never done.
        world.after(20_000...40_000) { [self] _ in if calls[call] != nil { cancel(call) } }
    }

    func closeInbox(_ inbox: InboxID) { handle(.command(.closeInbox(inbox))) }

    func ping() { call(.ping, limit: configuration.times.request) { .ping($0) } }

    func cancel(_ call: CallID) { handle(.command(.cancel(call))) }

    func publish(to channel: String, size: Int = 0, excludesSender: Bool = false, limit: Duration) {
        say(.publish, channel, size, limit) {
            .publish(channel: channel, data: $0, excludeSender: excludesSender)
        }
    }

    func request(on channel: String, limit: Duration) {
        say(.request, channel, 0, limit) {
            .request(channel: channel, data: $0, limit: limit.wholeMilliseconds)
        }
    }

    func store(in channel: String, size: Int = 0, expecting last: UInt64? = nil, limit: Duration) {
        say(.store, channel, size, limit) {
            let id = "\(self.number)-\(self.world.messages.count)"
            let stored = StoredPublish(messageID: id, expectedLastSequence: last)
            return .jetStream(.store(channel: channel, data: $0, stored, token: 0))
        }
    }

    private func say(
        _ kind: NATSWorld.Said.Kind, _ channel: String, _ size: Int, _ limit: Duration,
        _ make: (Value) -> Outbound
    ) {
        let number = world.messages.count
        let outbound = make(.string("n\(number) \(String(repeating: "x", count: size))"))
        let life = configuration.outbox.timeToLive
        call(.message(number), limit: limit) { id in
            world.messages.append(
                NATSWorld.Said(
                    kind: kind, client: self.number, call: id, channel: channel, saidAt: now,
                    livesUntil: life.map { now.advanced(by: $0) }))
            return .submit(id, Submission(outbound, limit: limit, awaits: .reply))
        }
    }

    @discardableResult
    private func call(_ kind: CallKind, limit: Duration?, _ command: (CallID) -> Command) -> CallID {
        let id = world.newCall()
        calls[id] = Call(kind: kind, deadline: limit.map { now.advanced(by: $0) })
        handle(.command(command(id)))
        return id
    }

    private var now: Instant { world.now.instant }

    // MARK: Steps

    func handle(_ input: Input) {
        step(.input(input)) { $0.handle(input, at: world.now, into: &$1) }
    }

    func report(_ reports: [LinkReport], of link: LinkID) {
        step(.reports(reports, link)) { $0.handle(reports, of: link, at: world.now, into: &$1) }
    }

    /// A piece of a link's stream came, with which these words are whole.
    func receive(_ piece: Message, _ words: [NATSServerWord], on link: LinkID) {
        rules.willRead(words, on: link)
        report([.progress, .received([piece])], of: link)
    }

    func wakeIfDue() {
        if let deadline, deadline <= now { handle(.timerFired) }
    }

    private func step(_ cause: RuleBook.Cause, _ body: (inout ClientEngine, inout [Effect]) -> Void) {
        world.log("\(self) ◀ \(cause)")
        rules.willHandle(cause)
        var effects: [Effect] = []
        body(&engine, &effects)
        status = engine.status
        deadline = engine.deadline
        for effect in effects { world.log("\(self) ▶ \(Self.describe(effect))") }
        rules.didHandle(cause, effects)
        for effect in effects { perform(effect) }
        rules.didPerform()
    }

    private static func describe(_ effect: Effect) -> String {
        guard case .transmit(let link, let batch) = effect else { return "\(effect)" }
        return "\(link) writes \(batch.map(\.message.string).joined(separator: " | "))"
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .openLink(let link, let target): world.dial(self, link, target)
        case .transmit(let link, let batch): pipes[link]?.send(batch)
        case .closeLink(let link, _, _): pipes[link]?.close()
        case .abandonLink(let link): pipes[link]?.abandon()
        case .pauseReading(let link): pipes[link]?.pause()
        case .resumeReading(let link): pipes[link]?.resume()
        case .ask(let id, .token):
            waiting.insert(id)
            world.at(world.soon()) { [self] _ in
                guard waiting.remove(id) != nil else { return }
                handle(.provided(id, .token(token)))
            }
        case .cancelAsk(let id): waiting.remove(id)
        case .ready(let inbox): world.at(now) { [self] _ in take(inbox) }
        case .resolve(let call, let result): resolve(call, result)
        // The most frequent teach nothing.
        case .record(.received), .record(.transmitted), .record(.roundTrip): break
        case .record: world.coverage.count(effect)
        case .ask, .pingLink, .measureLoss, .finish, .work, .settled, .stream, .storage, .cancelStorage,
            .publish, .subscription, .gap:
            break
        }
    }

    func opens(_ pipe: NATSPipe) {
        pipes[pipe.link] = pipe
        self.pipe = pipe
    }

    private func resolve(_ id: CallID, _ result: Result<Answer, SenteError>) {
        guard let call = calls.removeValue(forKey: id) else {
            return world.violate(4, "\(self): \(id) was resolved twice, or never made: \(result)")
        }
        world.coverage.count(result)
        rules.resolved(call, result)
    }

    // MARK: Inboxes

    /// The consumer of a handle takes what is there, and gives it back as consumed when it is done with it.
    private func take(_ inbox: InboxID) {
        guard let consumes else { return }
        let elements = engine.take(inbox)
        for element in elements {
            rules.delivered(element, in: inbox)
            if case .request(let request) = element { serve(request, in: inbox) }
        }
        world.at(now.advanced(by: world.milliseconds(consumes))) { [self] _ in
            handle(.consumed(inbox, elements.count))
        }
    }

    /// What was left while the app took nothing.
    func takeEverything() {
        for inbox in rules.handles { take(inbox) }
    }

    private func serve(_ request: IncomingRequest, in inbox: InboxID) {
        guard let answers, let number = request.data.stringValue.flatMap(NATSPublication.number) else {
            return
        }
        world.at(now.advanced(by: world.milliseconds(answers))) { [self] _ in
            handle(
                .command(
                    .answer(inbox, requestID: request.id, data: .string("r\(number)"), isError: false)))
        }
    }
}
