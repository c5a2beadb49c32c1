// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: every state × every input")
struct SessionTableTests {
    /// A session in some state, and what it knows of there.
    struct Scene {
        var session: TestSession
        /// A plain subscription's handle on "a", a scope's on "s", a responder's on "svc", one that hears all events.
        var plain: InboxID
        var scoped: InboxID
        var responder: InboxID
        var listener: InboxID
        /// A publish that is on the link while open, and waits in the outbox while it may.
        var publish: CallID
        /// An event whose answer the app looks for.
        var question: CallID
        /// Whoever waits for a connection or for its end.
        var waiting: CallID?
    }

    /// The states the table starts from: the six public ones, two of them in their two shapes.
    enum Start: String, CaseIterable, Sendable {
        case closed, asking, dialing, greeting, open, closing, waiting, deciding, failed
    }

    private static func scene(_ start: Start) -> Scene {
        var session = TestSession {
            $0.asksToken = start == .asking
            if start == .deciding { $0.reconnect = .custom { _ in nil } }
        }
        if [.open, .closing].contains(start) {
            session.connect()
            session.greet()
        }
        let (plain, scoped) = (session.subscribe("a").inbox, session.subscribe("s", scoped: true).inbox)
        let (responder, listener) = (session.newInbox(), session.newInbox())
        session.handle(.command(.respond(channel: "svc", responder, limit: 16)))
        session.handle(.command(.openInbox(listener)))
        session.handle(.command(.listen(listener, .allEvents)))
        if start == .open { for channel in ["a", "s", "svc"] { session.confirm(channel) } }
        var waiting: CallID?
        switch start {
        case .closed, .open: break
        case .asking, .dialing: waiting = session.connect()
        case .greeting:
            waiting = session.connect()
            session.handle(.opened(session.link))
        case .closing: waiting = session.disconnect()
        case .waiting, .deciding:
            waiting = session.connect()
            session.failAttempt()
        case .failed:
            session.connect()
            session.refuse(404)
        }
        let publish = session.submit(
            .publish(channel: "p", data: .null, excludeSender: false), limit: .seconds(25))
        let question = session.newCall()
        session.handle(
            .command(.submit(question, Submission(.event(Event(id: "q")), limit: nil, awaits: .settlement))))
        return Scene(
            session: session, plain: plain, scoped: scoped, responder: responder, listener: listener,
            publish: publish, question: question, waiting: waiting)
    }

    /// Everything that can happen, by name: all of `Input`, and all of `Command`.
    private static let inputs: [(name: String, input: @Sendable (inout Scene) -> Input)] = [
        ("connect", { .command(.connect($0.session.newCall(), limit: nil)) }),
        ("disconnect", { .command(.disconnect($0.session.newCall())) }),
        ("reconnect", { _ in .command(.reconnect) }),
        (
            "subscribe",
            {
                .command(
                    .subscribe($0.session.newCall(), channel: "new", $0.session.newInbox(), scoped: false))
            }
        ),
        ("unsubscribe", { .command(.unsubscribe($0.session.newCall(), channel: "a")) }),
        ("respond", { .command(.respond(channel: "new", $0.session.newInbox(), limit: 16)) }),
        ("drain", { .command(.drain($0.session.newCall(), $0.responder)) }),
        ("drainAll", { .command(.drainAll($0.session.newCall(), limit: .seconds(5))) }),
        ("endScope", { .command(.endScope($0.scoped)) }),
        ("openInbox", { .command(.openInbox($0.session.newInbox())) }),
        ("listen", { .command(.listen($0.listener, .channel("a"))) }),
        ("unlisten", { .command(.unlisten($0.listener, .allEvents)) }),
        ("closeInbox", { .command(.closeInbox($0.plain)) }),
        (
            "answer",
            { .command(.answer($0.responder, requestID: "r", data: .null, isError: false)) }
        ),
        (
            "submit",
            {
                .command(
                    .submit(
                        $0.session.newCall(), Submission(.event(Event(id: "e")), limit: nil, awaits: .written)
                    ))
            }
        ),
        ("settle", { .command(.settle($0.question, .null)) }),
        ("ping", { .command(.ping($0.session.newCall())) }),
        ("cancel a publish", { .command(.cancel($0.publish)) }),
        ("cancel a wait", { .command(.cancel($0.waiting ?? CallID(0))) }),
        ("opened", { .opened($0.session.link) }),
        ("greeting", { .received($0.session.link, .greeting(Identity(connectionID: "c")), size: 9) }),
        (
            "delivery",
            { .received($0.session.link, .delivery(ChannelMessage(channel: "a", data: .null)), size: 9) }
        ),
        (
            "reply",
            {
                .received(
                    $0.session.link,
                    .reply(
                        .next(.publish, channel: "p"),
                        .published(PublishReceipt(outcome: .acknowledged))), size: 9)
            }
        ),
        (
            "request",
            {
                .received(
                    $0.session.link, .request(IncomingRequest(id: "r", channel: "svc", data: .null)), size: 9)
            }
        ),
        ("ping received", { .received($0.session.link, .ping(stamp: 1), size: 9) }),
        ("pong received", { .received($0.session.link, .pong(stamp: 1), size: 9) }),
        ("event", { .received($0.session.link, .event(Event(id: "e")), size: 9) }),
        (
            "server error",
            { .received($0.session.link, .failure(SenteError(.serverError, ""), Event(id: "x")), size: 9) }
        ),
        ("noise", { .received($0.session.link, .noise, size: 9) }),
        ("undecodable", { .received($0.session.link, .undecodable(""), size: 9) }),
        ("mismatched", { .mismatched($0.session.link, SenteError(.protocolMismatch, "")) }),
        ("progressed", { .progressed($0.session.link) }),
        ("wrote", { .wrote($0.session.link, $0.session.unwritten) }),
        ("refused 404", { .refused($0.session.link, Refusal(status: 404)) }),
        ("refused 401", { .refused($0.session.link, Refusal(status: 401)) }),
        ("refused 503", { .refused($0.session.link, Refusal(status: 503)) }),
        ("closed", { .closed($0.session.link, .closed(code: .normal, reason: "")) }),
        ("failed", { .closed($0.session.link, .failed(LinkFailure(.tls(.untrusted), ""))) }),
        ("endpoint", { .provided($0.ask, .endpoint("ws://x/")) }),
        ("token", { .provided($0.ask, .token("t")) }),
        ("parameters", { .provided($0.ask, .parameters(["p": "1"])) }),
        ("delay", { .provided($0.ask, .delay(.seconds(1))) }),
        ("no delay", { .provided($0.ask, .delay(nil)) }),
        ("provider failed", { .provided($0.ask, .failed("")) }),
        ("consumed", { .consumed($0.plain, 1) }),
        ("path available", { _ in .pathChanged(.available) }),
        ("path lost", { _ in .pathChanged(.lost) }),
        ("timerFired early", { _ in .timerFired }),
        (
            "timerFired",
            { scene in
                scene.session.moveClock(to: scene.session.deadline ?? scene.session.now.instant)
                return .timerFired
            }
        ),
    ]

    /// An effect by its own name; nil: it is only recorded.
    private static func name(_ effect: Effect) -> String? {
        switch effect {
        case .transmit(_, let batch) where batch.count > 1: "transmit×\(batch.count)"
        case .resolve(_, let result): "resolve(\(caseName(result)))"
        case .record: nil
        default: caseName(effect)
        }
    }

    private static func caseName(_ value: Any) -> String {
        Mirror(reflecting: value).children.first?.label ?? ""
    }

    @Test("The state and the effects are those of the table", arguments: Start.allCases)
    func table(start: Start) {
        var rows: [String: String] = [:]
        for (outcome, inputs) in Self.tables[start] ?? [] {
            for input in inputs.split(separator: ", ") { rows[String(input)] = outcome }
        }
        for (name, input) in Self.inputs {
            var scene = Self.scene(start)
            let linkBefore = scene.session.link
            scene.session.handle(input(&scene))
            let names = scene.session.effects.compactMap(Self.name)
            let outcome = ([scene.session.state.rawValue] + names).joined(separator: " ")
            #expect(rows[name] == outcome, "\(start.rawValue), \(name)")
            check(scene.session, linkBefore: linkBefore)
        }
        #expect(rows.count == Self.inputs.count)
    }

    @Test("A link that is not the current one changes nothing in any state", arguments: Start.allCases)
    func strangers(start: Start) {
        let link = LinkID(999)
        let strangers: [Input] = [
            .opened(link), .received(link, .greeting(Identity(connectionID: "c")), size: 1),
            .received(link, .ping(stamp: 1), size: 1), .mismatched(link, SenteError(.protocolMismatch, "")),
            .progressed(link), .wrote(link, [SendID(.max)]),
            .refused(link, Refusal(status: 401)),
            .closed(link, .closed(code: .normal, reason: "")), .provided(AskID(999), .delay(nil)),
            .consumed(InboxID(999), 5),
        ]
        for input in strangers {
            var scene = Self.scene(start)
            let (state, deadline) = (scene.session.status, scene.session.deadline)
            scene.session.handle(input)
            #expect(scene.session.effects.isEmpty, "\(start.rawValue), \(input)")
            #expect(scene.session.status == state)
            #expect(scene.session.deadline == deadline)
        }
    }

    /// What holds after every input; `TestSession` checks the deadline, the state told, and single resolution as well.
    private func check(_ session: TestSession, linkBefore: LinkID) {
        for effect in session.effects {
            switch effect {
            case .closeLink(let link, _, _), .abandonLink(let link):
                #expect(link == linkBefore, "Only the current link is ended.")
            case .transmit(let link, _), .pingLink(let link), .measureLoss(let link), .pauseReading(let link),
                .resumeReading(let link):
                #expect(link == session.link, "Only the current link is spoken to.")
            default: break
            }
        }
        let status = session.status
        #expect((status.identity != nil) == (status.state == .open))
        #expect((status.openedAt != nil) == (status.state == .open))
        #expect(status.retryAt == nil || status.state == .reconnecting)
        #expect((status.attempt == 0) == (status.state == .closed))
        if [.closed, .failed].contains(status.state) { #expect(session.deadline == nil) }
        if [.connecting, .closing, .reconnecting].contains(status.state) {
            #expect(session.deadline != nil)
        }
    }
}

extension SessionTableTests.Scene {
    /// The question that is open, or one that nobody asked.
    fileprivate var ask: AskID { session.asks.keys.max { $0.number < $1.number } ?? AskID(0) }
}
