// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// A session on a stage: tests speak for the app, the link and the clock, and look at what it does.
///
/// After every step the rules are checked that hold whatever happens.
struct Play {
    private(set) var session: Session
    private(set) var now = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wallMilliseconds: 1_700_000_000_000)
    /// What the last step did.
    private(set) var effects: [Effect] = []
    /// The link opened last.
    private(set) var link = LinkID(0)
    /// What became of each call so far.
    private(set) var results: [CallID: Result<Answer, SenteError>] = [:]
    /// Every state told to the app so far.
    private(set) var path: [ConnectionState] = []
    /// What was handed to links and not yet reported as written.
    private(set) var unwritten: [SendID] = []
    private(set) var asks: [AskID: Ask] = [:]
    private var endedLinks: Set<LinkID> = []
    private let memory = PlainCoder.Memory()
    private var dialect = Dialect.senteLiteMaps
    private var spoken: LinkID?
    private var lastNumber: UInt64 = 0

    init(seed: UInt64 = 1, _ configure: (inout SessionConfiguration) -> Void = { _ in }) {
        var configuration = SessionConfiguration()
        configure(&configuration)
        session = Session(configuration: configuration, random: Generator(seed: seed))
    }

    // MARK: Scenes

    static func connecting(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> Play {
        var play = Play(configure)
        play.connect()
        return play
    }

    static func opened(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> Play {
        var play = Play.connecting(configure)
        play.greet()
        return play
    }

    /// Greeted by a server of a dialect.
    static func opened(
        _ dialect: Dialect, _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> Play {
        var play = Play.connecting(configure)
        play.speak(dialect)
        play.greet()
        return play
    }

    static func reconnecting(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> Play {
        var play = Play.opened(configure)
        play.lose()
        return play
    }

    static func closing(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> Play {
        var play = Play.opened(configure)
        play.disconnect()
        return play
    }

    static func failed(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> Play {
        var play = Play.connecting(configure)
        play.tell(.refused(play.link, Refusal(status: 404)))
        return play
    }

    // MARK: The app

    mutating func call() -> CallID {
        lastNumber += 1
        return CallID(lastNumber)
    }

    mutating func inbox() -> InboxID {
        lastNumber += 1
        return InboxID(lastNumber)
    }

    @discardableResult
    mutating func connect(limit: Duration? = nil) -> CallID {
        let call = call()
        tell(.command(.connect(call, limit: limit)))
        return call
    }

    @discardableResult
    mutating func disconnect() -> CallID {
        let call = call()
        tell(.command(.disconnect(call)))
        return call
    }

    @discardableResult
    mutating func subscribe(_ channel: String, scoped: Bool = false) -> (call: CallID, inbox: InboxID) {
        let (call, inbox) = (call(), inbox())
        tell(.command(.subscribe(call, channel: channel, inbox, scoped: scoped)))
        return (call, inbox)
    }

    /// Sends and waits for the reply.
    @discardableResult
    mutating func ask(_ outbound: Outbound, limit: Duration? = .seconds(10)) -> CallID {
        let call = call()
        tell(.command(.submit(call, outbound, limit: limit, awaits: .reply)))
        return call
    }

    /// Sends and waits until it is written.
    @discardableResult
    mutating func send(_ id: Keyword, bytes: Int = 0) -> CallID {
        let call = call()
        let data = Value.string(String(repeating: "x", count: bytes))
        let event = Outbound.event(Event(id: id, data: data))
        tell(.command(.submit(call, event, limit: nil, awaits: .written)))
        return call
    }

    mutating func cancel(_ call: CallID) {
        tell(.command(.cancel(call)))
    }

    // MARK: The server

    mutating func greet(_ connection: String = "c1", serverTime: Int64? = nil) {
        tell(.opened(link))
        hear(.greeting(Identity(connectionID: connection, serverTime: serverTime)))
    }

    /// The link's first message shows this dialect.
    mutating func speak(_ dialect: Dialect) {
        self.dialect = dialect
        spoken = link
        session.speaks(PlainCoder(dialect: dialect, memory: memory), on: link)
    }

    mutating func hear(_ inbound: Inbound, size: Int = 100) {
        tell(.received(link, inbound, size: size))
    }

    mutating func reply(_ kind: ReplyKind, _ channel: String? = nil, _ reply: Reply) {
        hear(.reply(.next(kind, channel: channel.map { WireName($0) }), reply))
    }

    mutating func confirm(_ channel: String) {
        let kind = dialect.capabilities.answersInOrder ? ReplyKind.subscription : .subscribe
        reply(kind, channel, .subscribed(retained: []))
    }

    mutating func refuse(_ status: Int, _ headers: [Refusal.Header] = []) {
        tell(.refused(link, Refusal(status: status, headers: headers)))
    }

    mutating func lose(_ end: LinkEnd = .failed(LinkFailure(.lost, "The line went dead."))) {
        tell(.closed(link, end))
    }

    mutating func failToConnect(_ kind: LinkFailure.Kind = .unreachable) {
        lose(.failed(LinkFailure(kind, "No one there.")))
    }

    /// Everything handed to the link is written.
    mutating func write() {
        let ids = unwritten
        unwritten = []
        tell(.wrote(link, ids))
    }

    // MARK: Time

    /// Lets time pass, and wakes the session whenever it asked for it.
    ///
    /// Returns what it did meanwhile.
    @discardableResult
    mutating func wait(_ duration: Duration) -> [Effect] {
        let end = now.instant.advanced(by: duration)
        var all: [Effect] = []
        while let deadline = session.deadline, deadline <= end {
            pass(to: deadline)
            tell(.timerFired)
            all += effects
        }
        pass(to: end)
        effects = all
        return all
    }

    /// Waits until the next attempt is due, and opens it.
    @discardableResult
    mutating func waitForAttempt() -> Duration {
        let start = now.instant
        if let until = session.status.retryAt { wait(start.duration(to: until)) }
        return start.duration(to: now.instant)
    }

    mutating func pass(to instant: Instant) {
        now.wallMilliseconds += now.instant.duration(to: instant).wholeMilliseconds
        now.instant = instant
    }

    // MARK: What it did

    var state: ConnectionState { session.status.state }

    /// What the last step said, in order.
    var said: [Outbound] {
        effects.flatMap { effect -> [Outbound] in
            if case .transmit(_, let batch) = effect { outbounds(batch) } else { [] }
        }
    }

    /// What messages stand for.
    func outbounds(_ batch: [Transmission]) -> [Outbound] { batch.map { memory.outbound($0.message) } }

    /// From now on the dialect has no way to say some things.
    func refuse(_ refusal: @escaping (Outbound) -> SenteError?) { memory.refusal = refusal }

    func sends(_ outbound: Outbound) -> Bool { said.contains(outbound) }
    func does(_ effect: Effect) -> Bool { effects.contains(effect) }
    func error(of call: CallID) -> SenteError? {
        if case .failure(let error)? = results[call] { error } else { nil }
    }
    func answer(to call: CallID) -> Answer? {
        if case .success(let answer)? = results[call] { answer } else { nil }
    }
    func isPending(_ call: CallID) -> Bool { results[call] == nil }

    /// Why the last message was not understood.
    var complaint: String? {
        for case .record(.undecodable(let why)) in effects { return why }
        return nil
    }

    /// The stamp of the ping said last.
    var stamp: Int64? {
        for case .ping(let stamp) in said.reversed() { return stamp }
        return nil
    }

    /// What an inbox holds.
    mutating func take(_ inbox: InboxID) -> [InboxElement] { session.take(inbox) }

    // MARK: A step

    mutating func tell(_ input: Input) {
        effects = []
        if case .received(link, .greeting, _) = input, spoken != link { speak(dialect) }
        session.handle(input, at: now, into: &effects)
        for effect in effects { see(effect) }
        if let deadline = session.deadline {
            #expect(deadline > now.instant, "After \(input) the deadline is not in the future.")
        }
        if let told = path.last { #expect(told == state, "After \(input) the app was told another state.") }
    }

    private mutating func see(_ effect: Effect) {
        switch effect {
        case .openLink(let id, let target):
            link = id
            #expect(target.deadline > now.instant)
        case .transmit(let id, let batch):
            #expect(id == link && !endedLinks.contains(id), "Something is sent to a link that is over.")
            #expect(!batch.isEmpty)
            unwritten += batch.map(\.id)
        case .closeLink(let id, _, _), .abandonLink(let id):
            #expect(id == link, "A link that is not the current one is ended.")
            endedLinks.insert(id)
            unwritten = []
        case .pingLink(let id), .pauseReading(let id), .resumeReading(let id):
            #expect(id == link && !endedLinks.contains(id))
        case .ask(let id, let ask): asks[id] = ask
        case .cancelAsk(let id):
            #expect(asks[id] != nil, "A question that nobody asked is cancelled.")
            asks[id] = nil
        case .resolve(let call, let result):
            #expect(results[call] == nil, "\(call) resolves twice.")
            results[call] = result
        case .publish(let status):
            path.append(status.state)
        case .ready, .finish, .subscription, .record: break
        }
    }
}
