// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

/// A whole client but for the doing: tests speak for the server, in EDN, and read what the client writes.
struct VectorStage {
    private(set) var engine: ClientEngine
    private(set) var now = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wallMilliseconds: 1_700_000_000_000)
    private(set) var link = LinkID(0)
    /// What the last step wrote.
    private(set) var written: [Message] = []
    private(set) var effects: [Effect] = []
    private(set) var results: [CallID: Result<Answer, SenteError>] = [:]
    private(set) var states: [ConnectionState] = []
    /// Why messages were skipped so far.
    private(set) var complaints: [String] = []
    /// Why what was understood went to nobody.
    private(set) var ignored: [IgnoredReason] = []
    private var lastNumber: UInt64 = 0

    static let handshake = #"[:chsk/handshake ["conn-1" "tok" {:sente-lite-version "2.0.0"} true]]"#

    init(
        _ detector: DialectDetector = DialectDetector(),
        _ configure: (inout SessionConfiguration) -> Void = { _ in }
    ) {
        var configuration = SessionConfiguration()
        configure(&configuration)
        engine = ClientEngine(configuration: configuration, random: Generator(seed: 1)) {
            (first, sizes) throws(SenteError) in try detector.detect(first, sizes: sizes)
        }
        let call = call()
        tell(.command(.connect(call, limit: nil)))
    }

    /// Greeted by sente-lite HEAD.
    static func opened(_ configure: (inout SessionConfiguration) -> Void = { _ in }) -> VectorStage {
        var stage = VectorStage(DialectDetector(), configure)
        stage.greet()
        return stage
    }

    var said: [String] { written.map(\.string) }
    var state: ConnectionState { engine.status.state }

    mutating func call() -> CallID {
        lastNumber += 1
        return CallID(lastNumber)
    }

    // MARK: The app

    mutating func submit(
        _ outbound: Outbound, awaits: Awaited = .reply, limit: Duration? = .seconds(10)
    ) -> CallID {
        let call = call()
        tell(.command(.submit(call, outbound, limit: limit, awaits: awaits)))
        return call
    }

    mutating func send(_ id: Keyword, _ data: Value = .null) -> CallID {
        submit(.event(Event(id: id, data: data)), awaits: .written)
    }

    mutating func ask(_ id: Keyword, _ data: Value = .null, limit: Duration = .seconds(10)) -> CallID {
        submit(.event(Event(id: id, data: data)), limit: limit)
    }

    @discardableResult
    mutating func subscribe(_ channel: String) -> (call: CallID, inbox: InboxID) {
        let call = call()
        let inbox = InboxID(call.number)
        tell(.command(.subscribe(call, channel: channel, inbox, scoped: false)))
        return (call, inbox)
    }

    /// An inbox for all application events.
    mutating func listen() -> InboxID {
        let inbox = InboxID(call().number)
        tell(.command(.openInbox(inbox)))
        tell(.command(.listen(inbox, .allEvents)))
        return inbox
    }

    mutating func take(_ inbox: InboxID) -> [InboxElement] {
        let elements = engine.take(inbox)
        tell(.consumed(inbox, elements.count))
        return elements
    }

    mutating func events(_ inbox: InboxID) -> [Event] {
        take(inbox).compactMap { if case .event(let event, _) = $0 { event } else { nil } }
    }

    func answer(_ call: CallID) -> Answer? {
        if case .success(let answer)? = results[call] { answer } else { nil }
    }

    func error(_ call: CallID) -> SenteError? {
        if case .failure(let error)? = results[call] { error } else { nil }
    }

    /// The value that a call resolved to.
    func value(_ call: CallID) -> Value? {
        if case .value(let value)? = answer(call) { value } else { nil }
    }

    // MARK: The server

    mutating func greet(_ handshake: String = VectorStage.handshake) {
        report(.opened(LinkOpening()))
        hear(handshake)
    }

    mutating func hear(_ text: String) { report(.received([.text(text)])) }

    mutating func lose() { report(.closed(.failed(LinkFailure(.lost, "The line went dead.")))) }

    /// Does what an `:on-message` function of the server would: hears what the client wrote and answers.
    mutating func serve(_ onMessage: (Event) -> Event?) throws {
        for message in written {
            let value = try WireFormat.edn.decode(message.bytes)
            // HEAD takes the callback form, and throws the id away.
            let said = value[0]?.arrayValue == nil ? value : value[0] ?? .null
            guard let id = said[0]?.keywordValue, id.namespace != "chsk" else { continue }
            guard let answer = onMessage(Event(id: id, data: said[1] ?? .null)) else { continue }
            let items: Value =
                answer.data.isNull ? [.keyword(answer.id)] : [.keyword(answer.id), answer.data]
            report(.received([Message(.text, try WireFormat.edn.encode(items))]))
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

    // MARK: Time and steps

    mutating func wait(_ duration: Duration) {
        let end = now.instant.advanced(by: duration)
        while let deadline = engine.deadline, deadline <= end {
            pass(to: deadline)
            tell(.timerFired)
        }
        pass(to: end)
    }

    private mutating func pass(to instant: Instant) {
        now.wallMilliseconds += now.instant.duration(to: instant).wholeMilliseconds
        now.instant = instant
    }

    mutating func tell(_ input: Input) {
        var effects: [Effect] = []
        engine.handle(input, at: now, into: &effects)
        perform(effects)
    }

    private mutating func report(_ report: LinkReport) {
        var effects: [Effect] = []
        engine.handle([report], of: link, at: now, into: &effects)
        perform(effects)
    }

    private mutating func perform(_ all: [Effect]) {
        effects = all
        written = []
        var pending = all[...]
        while let effect = pending.popFirst() {
            switch effect {
            case .openLink(let id, _): link = id
            case .resolve(let call, let result):
                #expect(results[call] == nil)
                results[call] = result
            case .publish(let status): states.append(status.state)
            case .record(.undecodable(let why)): complaints.append(why)
            case .record(.ignored(let reason)): ignored.append(reason)
            case .transmit(let id, let batch):
                var more: [Effect] = []
                written += batch.map(\.message)
                engine.handle([.wrote(batch.map(\.id))], of: id, at: now, into: &more)
                effects += more
                pending += more
            default: break
            }
        }
    }
}
