// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Session: every state × every input")
struct SessionTableTests {
    /// A play in some state, and who is on stage.
    struct Scene {
        var play: Play
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
        var play = Play {
            $0.asksToken = start == .asking
            if start == .deciding { $0.reconnect = .custom { _ in nil } }
        }
        if [.open, .closing].contains(start) {
            play.connect()
            play.greet()
        }
        let (plain, scoped) = (play.subscribe("a").inbox, play.subscribe("s", scoped: true).inbox)
        let (responder, listener) = (play.inbox(), play.inbox())
        play.tell(.command(.respond(channel: "svc", responder)))
        play.tell(.command(.openInbox(listener)))
        play.tell(.command(.listen(listener, .allEvents)))
        if start == .open { for channel in ["a", "s", "svc"] { play.confirm(channel) } }
        var waiting: CallID?
        switch start {
        case .closed, .open: break
        case .asking, .dialing: waiting = play.connect()
        case .greeting:
            waiting = play.connect()
            play.tell(.opened(play.link))
        case .closing: waiting = play.disconnect()
        case .waiting, .deciding:
            waiting = play.connect()
            play.failToConnect()
        case .failed:
            play.connect()
            play.refuse(404)
        }
        let publish = play.ask(
            .publish(channel: "p", data: .null, excludeSender: false), limit: .seconds(25))
        let question = play.call()
        play.tell(.command(.submit(question, .event(Event(id: "q")), limit: nil, awaits: .settlement)))
        return Scene(
            play: play, plain: plain, scoped: scoped, responder: responder, listener: listener,
            publish: publish, question: question, waiting: waiting)
    }

    /// Everything that can happen, by name: all of `Input`, and all of `Command`.
    private static let inputs: [(name: String, input: @Sendable (inout Scene) -> Input)] = [
        ("connect", { .command(.connect($0.play.call(), limit: nil)) }),
        ("disconnect", { .command(.disconnect($0.play.call())) }),
        ("reconnect", { _ in .command(.reconnect) }),
        (
            "subscribe",
            { .command(.subscribe($0.play.call(), channel: "new", $0.play.inbox(), scoped: false)) }
        ),
        ("unsubscribe", { .command(.unsubscribe($0.play.call(), channel: "a")) }),
        ("respond", { .command(.respond(channel: "new", $0.play.inbox())) }),
        ("endScope", { .command(.endScope($0.scoped)) }),
        ("openInbox", { .command(.openInbox($0.play.inbox())) }),
        ("listen", { .command(.listen($0.listener, .channel("a"))) }),
        ("unlisten", { .command(.unlisten($0.listener, .allEvents)) }),
        ("closeInbox", { .command(.closeInbox($0.plain)) }),
        (
            "answer",
            { .command(.answer($0.responder, requestID: "r", data: .null, isError: false)) }
        ),
        (
            "submit",
            { .command(.submit($0.play.call(), .event(Event(id: "e")), limit: nil, awaits: .written)) }
        ),
        ("settle", { .command(.settle($0.question, .null)) }),
        ("ping", { .command(.ping($0.play.call())) }),
        ("cancel a publish", { .command(.cancel($0.publish)) }),
        ("cancel a wait", { .command(.cancel($0.waiting ?? CallID(0))) }),
        ("opened", { .opened($0.play.link) }),
        ("greeting", { .received($0.play.link, .greeting(Identity(connectionID: "c")), size: 9) }),
        (
            "delivery",
            { .received($0.play.link, .delivery(ChannelMessage(channel: "a", data: .null)), size: 9) }
        ),
        (
            "reply",
            {
                .received(
                    $0.play.link,
                    .reply(
                        .next(.publish, channel: "p"),
                        .published(PublishReceipt(outcome: .acknowledged))), size: 9)
            }
        ),
        (
            "request",
            {
                .received(
                    $0.play.link, .request(IncomingRequest(id: "r", channel: "svc", data: .null)), size: 9)
            }
        ),
        ("ping received", { .received($0.play.link, .ping(stamp: 1), size: 9) }),
        ("pong received", { .received($0.play.link, .pong(stamp: 1), size: 9) }),
        ("event", { .received($0.play.link, .event(Event(id: "e")), size: 9) }),
        (
            "server error",
            { .received($0.play.link, .failure(SenteError(.serverError, ""), Event(id: "x")), size: 9) }
        ),
        ("noise", { .received($0.play.link, .noise, size: 9) }),
        ("undecodable", { .received($0.play.link, .undecodable(""), size: 9) }),
        ("mismatched", { .mismatched($0.play.link, SenteError(.protocolMismatch, "")) }),
        ("progressed", { .progressed($0.play.link) }),
        ("wrote", { .wrote($0.play.link, $0.play.unwritten) }),
        ("refused 404", { .refused($0.play.link, Refusal(status: 404)) }),
        ("refused 401", { .refused($0.play.link, Refusal(status: 401)) }),
        ("refused 503", { .refused($0.play.link, Refusal(status: 503)) }),
        ("closed", { .closed($0.play.link, .closed(code: .normal, reason: "")) }),
        ("failed", { .closed($0.play.link, .failed(LinkFailure(.tls(.untrusted), ""))) }),
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
                scene.play.pass(to: scene.play.session.deadline ?? scene.play.now.instant)
                return .timerFired
            }
        ),
    ]

    private static func word(_ effect: Effect) -> String? {
        switch effect {
        case .openLink: "dial"
        case .transmit(_, let batch): "send" + (batch.count > 1 ? "×\(batch.count)" : "")
        case .closeLink: "close"
        case .abandonLink: "abandon"
        case .pingLink: "ping"
        case .pauseReading: "pause"
        case .resumeReading: "resume"
        case .ask: "ask"
        case .cancelAsk: "unask"
        case .ready: "ready"
        case .finish: "finish"
        case .resolve(_, .success): "done"
        case .resolve(_, .failure): "error"
        case .publish: "tell"
        case .subscription: "wish"
        case .record: nil
        }
    }

    @Test("The state and the effects are those of the table", arguments: Start.allCases)
    func table(start: Start) {
        var rows: [String: String] = [:]
        for (outcome, inputs) in Self.tables[start] ?? [] {
            for input in inputs.split(separator: ", ") { rows[String(input)] = outcome }
        }
        for (name, input) in Self.inputs {
            var scene = Self.scene(start)
            let linkBefore = scene.play.link
            scene.play.tell(input(&scene))
            let words = scene.play.effects.compactMap(Self.word)
            let outcome = ([scene.play.state.rawValue] + words).joined(separator: " ")
            #expect(rows[name] == outcome, "\(start.rawValue), \(name)")
            check(scene.play, linkBefore: linkBefore)
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
            let (state, deadline) = (scene.play.session.status, scene.play.session.deadline)
            scene.play.tell(input)
            #expect(scene.play.effects.isEmpty, "\(start.rawValue), \(input)")
            #expect(scene.play.session.status == state)
            #expect(scene.play.session.deadline == deadline)
        }
    }

    /// What holds after every input; `Play` checks the deadline, the state told, and single resolution as well.
    private func check(_ play: Play, linkBefore: LinkID) {
        for effect in play.effects {
            switch effect {
            case .closeLink(let link, _, _), .abandonLink(let link):
                #expect(link == linkBefore, "Only the current link is ended.")
            case .transmit(let link, _), .pingLink(let link), .pauseReading(let link),
                .resumeReading(let link):
                #expect(link == play.link, "Only the current link is spoken to.")
            default: break
            }
        }
        let status = play.session.status
        #expect((status.identity != nil) == (status.state == .open))
        #expect((status.openedAt != nil) == (status.state == .open))
        #expect(status.retryAt == nil || status.state == .reconnecting)
        #expect((status.attempt == 0) == (status.state == .closed))
        if [.closed, .failed].contains(status.state) { #expect(play.session.deadline == nil) }
        if [.connecting, .closing, .reconnecting].contains(status.state) {
            #expect(play.session.deadline != nil)
        }
    }
}

extension SessionTableTests.Scene {
    /// The question that is open, or one that nobody asked.
    fileprivate var ask: AskID { play.asks.keys.max { $0.number < $1.number } ?? AskID(0) }
}
