// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// A client without a driver: tests act for the app, the link, the server and the clock, and look at what it does.
///
/// The server speaks in neutral words: `receive(.ping(stamp: 1))`, and `sent` holds what the client says. Made by
/// `connectingInText` or `openedInText` it speaks a dialect, as text: `receive("[:chsk/ws-ping]")`, `sentText`.
///
/// After every step the rules are checked that hold whatever happens.
struct TestSession {
    /// There is one engine, however many copies know of it.
    private final class Shared {
        var engine: ClientEngine

        init(_ engine: consuming ClientEngine) { self.engine = engine }
    }

    private let shared: Shared
    private(set) var engine: ClientEngine {
        _read { yield shared.engine }
        nonmutating _modify { yield &shared.engine }
    }
    /// What others than a driver read of it.
    private(set) var reading: ClientEngine.Reading
    private(set) var now = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wallMilliseconds: 1_700_000_000_000)
    /// What the last step did.
    private(set) var effects: [Effect] = []
    /// The link opened last.
    private(set) var link = LinkID(0)
    /// What became of each call so far.
    private(set) var results: [CallID: Result<Answer, SenteError>] = [:]
    /// What became of each durable message that is done, by its id.
    private(set) var settled: [String: Result<Answer, SenteError>] = [:]
    /// Every state told to the app so far.
    private(set) var states: [ConnectionState] = []
    /// Everything recorded so far.
    private(set) var signals: [SessionSignal] = []
    /// What was handed to links and not yet reported as written; in text the link takes everything at once.
    private(set) var unwritten: [SendID] = []
    private(set) var asks: [AskID: Ask] = [:]
    private var endedLinks: Set<LinkID> = []
    private let memory = PlainCoder.Memory()
    private let isText: Bool
    /// Whether the link of a text session takes everything at once; else `flush` tells that it did.
    var writesAtOnce = true
    /// Whether large values are written and read at once; else `work` does it.
    var worksAtOnce = true
    /// What is to be written or read elsewhere.
    private(set) var works: [LargeWork] = []
    /// What the storage is to do, and has not done.
    private(set) var storageWork: [StorageID: StorageWork] = [:]
    private var greetedLink: LinkID?
    private var lastNumber: UInt64 = 0

    init(
        seed: UInt64 = 1, detector: DialectDetector? = nil,
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) {
        var configuration = SessionConfiguration()
        configure(&configuration)
        isText = detector != nil
        let engine = ClientEngine(configuration: configuration, random: Generator(seed: seed)) {
            [memory] (first, sizes) throws(SenteError) in
            try detector?.detect(first, sizes: sizes) ?? PlainCoder(dialect: memory.dialect, memory: memory)
        }
        shared = Shared(engine)
        reading = ClientEngine.Reading(at: now)
    }

    mutating func tell(from level: Int) { engine.tell(from: level) }

    // MARK: Where tests begin

    static func connecting(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> TestSession {
        var session = TestSession(configure)
        session.connect()
        return session
    }

    /// Greeted by a server of a dialect.
    static func opened(
        _ dialect: Dialect = .senteLiteMaps, _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession.connecting(configure)
        session.detect(dialect)
        session.greet()
        return session
    }

    static func reconnecting(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> TestSession {
        var session = TestSession.opened(.senteLiteMaps, configure)
        session.cut()
        return session
    }

    static func closing(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> TestSession {
        var session = TestSession.opened(.senteLiteMaps, configure)
        session.disconnect()
        return session
    }

    static func failed(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> TestSession {
        var session = TestSession.connecting(configure)
        session.refuse(404)
        return session
    }

    static func connectingInText(
        _ detector: DialectDetector = DialectDetector(),
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) -> TestSession {
        var session = TestSession(detector: detector, configure)
        session.connect()
        return session
    }

    /// Greeted by sente-lite HEAD.
    static func openedInText(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> TestSession {
        var session = TestSession.connectingInText(DialectDetector(), configure)
        session.greet()
        return session
    }

    // MARK: The app

    mutating func newCall() -> CallID {
        lastNumber += 1
        return CallID(lastNumber)
    }

    mutating func newInbox() -> InboxID {
        lastNumber += 1
        return InboxID(lastNumber)
    }

    @discardableResult
    mutating func connect(limit: Duration? = nil) -> CallID {
        let call = newCall()
        handle(.command(.connect(call, limit: limit)))
        return call
    }

    @discardableResult
    mutating func disconnect() -> CallID {
        let call = newCall()
        handle(.command(.disconnect(call)))
        return call
    }

    @discardableResult
    mutating func subscribe(
        _ channel: String, scoped: Bool = false, history: ChannelHistory = .all
    ) -> (call: CallID, inbox: InboxID) {
        let (call, inbox) = (newCall(), newInbox())
        handle(.command(.subscribe(call, channel: channel, inbox, scoped: scoped, history: history)))
        return (call, inbox)
    }

    /// Sends and waits, for the reply unless something else is said.
    @discardableResult
    mutating func submit(
        _ outbound: Outbound, _ options: SendOptions = SendOptions(), limit: Duration? = .seconds(10),
        awaits: Awaited = .reply
    ) -> CallID {
        let call = newCall()
        handle(.command(.submit(call, Submission(outbound, options: options, limit: limit, awaits: awaits))))
        return call
    }

    /// Publishes a durable message.
    @discardableResult
    mutating func publishDurable(
        _ channel: String, id: String, bytes: Int = 0, limit: Duration? = nil, answerLimit: Duration? = nil
    ) -> CallID {
        let call = newCall()
        let data: Value = bytes == 0 ? ["n": 1] : ["n": .string(String(repeating: "x", count: bytes))]
        handle(
            .command(
                .submit(
                    call,
                    Submission(
                        .publish(channel: channel, data: data, excludeSender: false),
                        options: SendOptions(durable: true), limit: limit, answerLimit: answerLimit,
                        awaits: .reply,
                        id: id))))
        return call
    }

    /// Sends an event and waits for the reply.
    mutating func submit(_ id: Keyword, _ data: Value = .null, limit: Duration = .seconds(10)) -> CallID {
        submit(.event(Event(id: id, data: data)), limit: limit)
    }

    /// Sends and waits until it is written.
    @discardableResult
    mutating func send(_ id: Keyword, _ data: Value = .null) -> CallID {
        submit(.event(Event(id: id, data: data)), limit: nil, awaits: .written)
    }

    /// Sends something as heavy as that.
    @discardableResult
    mutating func send(_ id: Keyword, bytes: Int) -> CallID {
        send(id, .string(String(repeating: "x", count: bytes)))
    }

    mutating func cancel(_ call: CallID) {
        handle(.command(.cancel(call)))
    }

    /// An inbox for all application events.
    mutating func listen() -> InboxID {
        let inbox = newInbox()
        handle(.command(.openInbox(inbox)))
        handle(.command(.listen(inbox, .allEvents)))
        return inbox
    }

    /// What an inbox holds.
    mutating func take(_ inbox: InboxID) -> [InboxElement] { engine.take(inbox) }

    /// Takes what an inbox holds, and is done with it.
    mutating func consume(_ inbox: InboxID) -> [InboxElement] {
        let elements = take(inbox)
        handle(.consumed(inbox, elements.count))
        return elements
    }

    /// Consumes an inbox of events.
    mutating func events(_ inbox: InboxID) -> [Event] {
        consume(inbox).compactMap { if case .event(let event, _) = $0 { event } else { nil } }
    }

    // MARK: The server

    static let handshake = #"[:chsk/handshake ["conn-1" "tok" {:sente-lite-version "2.0.0"} true]]"#

    /// The link opens, and the server greets.
    mutating func greet(_ connection: String = "c1", serverTime: Int64? = nil) {
        if isText { return greet(text: Self.handshake) }
        handle(.opened(link))
        receive(.greeting(Identity(connectionID: connection, serverTime: serverTime)))
    }

    mutating func greet(text: String) {
        report([.opened(LinkOpening())])
        receive(text)
    }

    /// The link's first message shows this dialect.
    mutating func detect(_ dialect: Dialect) {
        memory.dialect = dialect
        greetedLink = link
        report([.received([.text("")])])
    }

    mutating func receive(_ inbound: Inbound, size: Int = 100) {
        handle(.received(link, inbound, size: size))
    }

    mutating func receive(_ text: String) { report([.received([.text(text)])]) }

    mutating func receive(binary bytes: [UInt8]) { report([.received([.binary(bytes)])]) }

    mutating func reply(_ kind: ReplyKind, _ channel: String? = nil, _ reply: Reply) {
        receive(.reply(.next(kind, channel: channel.map { WireName($0) }), reply))
    }

    mutating func confirm(_ channel: String) {
        let kind = memory.dialect.capabilities.answersInOrder ? ReplyKind.subscription : .subscribe
        reply(kind, channel, .subscribed(retained: []))
    }

    mutating func refuse(_ status: Int, _ headers: [Refusal.Header] = []) {
        handle(.refused(link, Refusal(status: status, headers: headers)))
    }

    /// The link breaks with no word.
    mutating func cut() { endLink(.failed(LinkFailure(.lost, "The line went dead."))) }

    mutating func endLink(_ end: LinkEnd) { handle(.closed(link, end)) }

    mutating func failAttempt(_ kind: LinkFailure.Kind = .unreachable) {
        endLink(.failed(LinkFailure(kind, "No one there.")))
    }

    /// Everything handed to the link is written.
    mutating func flush() {
        let ids = unwritten
        unwritten = []
        if isText { return report([.wrote(ids)]) }
        handle(.wrote(link, ids))
    }

    /// Answers what was sent as an `:on-message` function of the server would.
    mutating func answerSent(_ onMessage: (Event) -> Event?) throws {
        for text in sentText {
            let value = try Vectors.edn(text)
            // HEAD takes the callback form, and throws the id away.
            let event = value[0]?.arrayValue == nil ? value : value[0] ?? .null
            guard let id = event[0]?.keywordValue, id.namespace != "chsk" else { continue }
            guard let answer = onMessage(Event(id: id, data: event[1] ?? .null)) else { continue }
            let items: Value =
                answer.data.isNull ? [.keyword(answer.id)] : [.keyword(answer.id), answer.data]
            report([.received([Message(.text, try WireFormat.edn.encode(items))])])
        }
    }

    /// What HEAD does without an `:on-message` function.
    static func echo(_ event: Event) -> Event? {
        Event(
            id: "sente-lite/echo",
            data: [
                .keyword("original-event-id"): .keyword(event.id), .keyword("original-data"): event.data,
                .keyword("conn-id"): "conn-1", .keyword("timestamp"): 5,
            ])
    }

    /// From now on the dialect has no way to say some things.
    func makeUnencodable(_ refusal: @escaping (Outbound) -> SenteError?) { memory.refusal = refusal }

    /// The oldest large value that is to be written or read elsewhere is.
    mutating func work() {
        guard !works.isEmpty else { return }
        handle(.worked(works.removeFirst().done()))
    }

    // MARK: The storage

    /// The work that the storage began as the nth, from 1.
    func storageWork(_ number: UInt64) -> StorageWork? { storageWork[StorageID(number)] }

    /// The storage is done with the work that it began as the nth.
    mutating func storageDone(_ number: UInt64, _ outcome: StorageOutcome) {
        storageWork[StorageID(number)] = nil
        handle(.storageDone(StorageID(number), outcome))
    }

    // MARK: Time

    /// Lets time pass, and wakes the session whenever it asked for it.
    ///
    /// Returns what it did meanwhile.
    @discardableResult
    mutating func advance(by duration: Duration) -> [Effect] {
        let end = now.instant.advanced(by: duration)
        var all: [Effect] = []
        while let deadline, deadline <= end {
            moveClock(to: deadline)
            handle(.timerFired)
            all += effects
        }
        moveClock(to: end)
        effects = all
        return all
    }

    /// Lets time pass until the next attempt is due, which opens a link; how long that took.
    @discardableResult
    mutating func advanceToAttempt() -> Duration {
        let start = now.instant
        if let until = status.retryAt { advance(by: start.duration(to: until)) }
        return start.duration(to: now.instant)
    }

    /// Time passes, and no timer fires, as while a process sleeps.
    mutating func moveClock(to instant: Instant) {
        now.wallMilliseconds += now.instant.duration(to: instant).wholeMilliseconds
        now.instant = instant
    }

    // MARK: What it did

    var status: ConnectionStatus { engine.status }
    var state: ConnectionState { status.state }
    var deadline: Instant? { engine.deadline }
    var awaitsConsumption: Bool { engine.awaitsConsumption }

    /// What the last step sent, in order.
    var sent: [Outbound] { sentMessages.map(memory.outbound) }
    var sentText: [String] { sentMessages.map(\.string) }

    var sentMessages: [Message] {
        effects.flatMap { if case .transmit(_, let batch) = $0 { batch.map(\.message) } else { [Message]() } }
    }

    /// What messages stand for.
    func outbounds(_ batch: [Transmission]) -> [Outbound] { batch.map { memory.outbound($0.message) } }

    /// The stamp of the ping that the last step sent.
    var pingStamp: Int64? {
        for case .ping(let stamp) in sent.reversed() { return stamp }
        return nil
    }

    /// The numbers so far.
    var metrics: ClientMetrics { reading.metrics(at: now.instant) }

    /// Why messages were not understood so far.
    var undecodable: [String] {
        signals.compactMap { if case .undecodable(let why, _) = $0 { why } else { nil } }
    }

    /// Why what was understood so far went to nobody.
    var ignored: [IgnoredReason] {
        signals.compactMap { if case .ignored(let reason) = $0 { reason } else { nil } }
    }

    func isPending(_ call: CallID) -> Bool { results[call] == nil }

    func error(of call: CallID) -> SenteError? {
        if case .failure(let error)? = results[call] { error } else { nil }
    }

    func answer(to call: CallID) -> Answer? {
        if case .success(let answer)? = results[call] { answer } else { nil }
    }

    /// The value that a call resolved to.
    func value(of call: CallID) -> Value? {
        if case .value(let value)? = answer(to: call) { value } else { nil }
    }

    // MARK: A step

    mutating func handle(_ input: Input) {
        if !isText, case .received(link, .greeting, _) = input, greetedLink != link { detect(memory.dialect) }
        effects = []
        engine.handle(input, at: now, into: &effects)
        check(after: input)
    }

    /// Several inputs of the app in one turn.
    mutating func turn(_ inputs: [Input]) {
        effects = []
        engine.beginGathering()
        for input in inputs { engine.handle(input, at: now, into: &effects) }
        engine.endGathering(at: now, into: &effects)
        check(after: inputs)
    }

    mutating func report(_ reports: [LinkReport]) {
        effects = []
        engine.handle(reports, of: link, at: now, into: &effects)
        check(after: reports)
    }

    private mutating func check(after cause: Any) {
        var next = 0
        while next < effects.count {
            note(effects[next])
            next += 1
        }
        engine.refresh(&reading, at: now.instant)
        if let deadline {
            #expect(deadline > now.instant, "After \(cause) the deadline is not in the future.")
        }
        if let told = states.last { #expect(told == state, "After \(cause) the app was told another state.") }
    }

    private mutating func note(_ effect: Effect) {
        switch effect {
        case .openLink(let id, let target):
            link = id
            #expect(target.deadline > now.instant)
        case .transmit(let id, let batch):
            #expect(id == link && !endedLinks.contains(id), "Something is sent to a link that is over.")
            #expect(!batch.isEmpty)
            if isText, writesAtOnce {
                engine.handle([.wrote(batch.map(\.id))], of: id, at: now, into: &effects)
            } else {
                unwritten += batch.map(\.id)
            }
        case .closeLink(let id, _, _), .abandonLink(let id):
            #expect(id == link, "A link that is not the current one is ended.")
            endedLinks.insert(id)
            unwritten = []
        case .gap: break
        case .pingLink(let id), .measureLoss(let id), .pauseReading(let id), .resumeReading(let id):
            #expect(id == link && !endedLinks.contains(id))
        case .ask(let id, let ask): asks[id] = ask
        case .cancelAsk(let id):
            #expect(asks[id] != nil, "A question that nobody asked is cancelled.")
            asks[id] = nil
        case .resolve(let call, let result):
            #expect(results[call] == nil, "\(call) resolves twice.")
            results[call] = result
        case .work(let work):
            if worksAtOnce {
                engine.handle(.worked(work.done()), at: now, into: &effects)
            } else {
                works.append(work)
            }
        case .storage(let id, let work):
            #expect(storageWork[id] == nil)
            storageWork[id] = work
        case .cancelStorage(let id):
            #expect(storageWork[id] != nil, "Work that nobody began is called off.")
            storageWork[id] = nil
        case .settled(let id, let result):
            #expect(settled[id] == nil, "\(id) is settled twice.")
            settled[id] = result
        case .publish(let status):
            states.append(status.state)
        case .subscription(let channel, _):
            reading.note(engine.wish(WireName(channel)), for: WireName(channel))
        case .record(let signal):
            reading.note(signal, at: now.instant)
            signals.append(signal)
        case .ready, .finish, .stream: break
        }
    }
}
