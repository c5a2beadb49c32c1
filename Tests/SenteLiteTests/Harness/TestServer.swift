// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteTestKit
import SenteTestSupport
import SenteTransport
import SenteWire

/// A scripted server at the other end of an in-memory transport, which speaks as one family of servers.
///
/// What is said of it (`answersNothing()`) holds from then on. What it is told (`deliver`, `cut`) happens at once, on the
/// link opened last, and everything that follows from it has happened when the call returns.
final class TestServer: Sendable {
    enum Family: String, Sendable, CaseIterable {
        /// `{"type": …}`, in JSON; it answers no callbacks.
        case maps
        /// `[[id data] cb]`, in EDN.
        case sente
    }

    struct ReceivedEvent: Sendable, Equatable {
        var event: Event
        var callback: String?
    }

    /// What becomes of a link that a client wants.
    private enum Opening: Sendable {
        case greets, opens, hangs
        case refusal(Refusal)
        case failure(LinkFailure)
    }

    private struct State {
        var opening = Opening.greets
        var uid: Value
        var handshakeData: Value = ["theme": "dark"]
        var answer: (@Sendable (Event) -> Value?)?
        var isAnswering = true
        var isSilent = false
        var channels = TestServerChannels()
        var peers: [Peer] = []
        var requests: [LinkRequest] = []
        var received: [Value] = []
        var events: [ReceivedEvent] = []
    }

    /// Used on the host only.
    private struct Peer: @unchecked Sendable {
        let peer: InMemoryPeer
    }

    let family: Family
    private let host: VirtualHost
    private let state: Locked<State>

    init(_ family: Family, on host: VirtualHost) {
        self.family = family
        self.host = host
        state = Locked(State(uid: family == .maps ? "c1" : "u1"))
    }

    // MARK: What holds from now on

    func accepts() { state.withLock { $0.opening = .greets } }
    /// Links open, and are greeted when `greet()` says so.
    func withholdsGreeting() { state.withLock { $0.opening = .opens } }
    /// Links do not even open.
    func neverAnswersUpgrades() { state.withLock { $0.opening = .hangs } }
    func refuses(_ refusal: Refusal) { state.withLock { $0.opening = .refusal(refusal) } }
    func fails(_ failure: LinkFailure) { state.withLock { $0.opening = .failure(failure) } }
    func greets(as uid: Value, data: Value) {
        state.withLock { ($0.uid, $0.handshakeData) = (uid, data) }
    }

    func rejects(_ channel: String) { state.withLock { _ = $0.channels.rejected.insert(channel) } }
    /// What it replies to an event that has a callback; nil for nothing.
    func answers(_ answer: @escaping @Sendable (Event) -> Value?) { state.withLock { $0.answer = answer } }
    /// Only pings are answered.
    func answersNothing() { state.withLock { $0.isAnswering = false } }
    /// It says nothing any more, not even to pings of the WebSocket.
    func fallsSilent() {
        state.withLock { $0.isSilent = true }
        onPeer { $0.answersPings = false }
    }

    // MARK: What it does

    func greet() {
        let greeting = greeting
        onPeer { $0.send([greeting]) }
    }

    func deliver(_ data: Value, to channel: String) { send([TestServerChannels.delivery(data, channel)]) }

    func deliver(_ data: [Value], to channel: String) {
        send(data.map { TestServerChannels.delivery($0, channel) })
    }

    /// Pushes events, each in a message of its own.
    func push(_ events: Event...) { send(events.map(family.value)) }

    /// Replies to a callback.
    func reply(_ value: Value, to callback: String) { send([[value, Value(callback)]]) }

    func ping() { send([family.ping]) }

    func send(_ values: [Value]) {
        let messages = values.map(family.message)
        onPeer { $0.send(messages) }
    }

    /// Sends text as it stands.
    func send(_ text: String) { onPeer { $0.send([.text(text)]) } }

    func close(_ code: CloseCode = .normal, reason: String = "") { onPeer { $0.close(code, reason: reason) } }
    /// The link breaks with no word.
    func cut() { onPeer { $0.fail() } }

    private func onPeer(_ body: (InMemoryPeer) -> Void) {
        host.waitUntilIdle()
        host.run {
            if let peer = state.withLock({ $0.peers.last }) { body(peer.peer) }
        }
        host.waitUntilIdle()
    }

    // MARK: What it sees

    /// Every attempt so far.
    var requests: [LinkRequest] { idle { $0.requests } }
    /// The URLs of the attempts so far.
    var urls: [String] { requests.map(\.url) }
    /// Every frame so far.
    var received: [Value] { idle { $0.received } }
    /// Every frame of a type so far.
    func received(_ type: String) -> [Value] { received.filter { $0["type"] == Value(type) } }
    /// The application's events so far.
    var events: [ReceivedEvent] { idle { $0.events } }
    /// Whether the client has let go of the link.
    var isAbandoned: Bool { host.run { state.withLock { $0.peers.last }?.peer.isAbandoned ?? false } }

    /// What is so once everything under way has arrived.
    private func idle<Result>(_ body: (inout State) -> Result) -> Result {
        host.waitUntilIdle()
        return state.withLock(body)
    }

    // MARK: The script, on the host

    private var greeting: Message {
        family.message(state.withLock { family.greeting($0.uid, $0.handshakeData) })
    }

    func accept(_ peer: InMemoryPeer) {
        let opening = state.withLock { state in
            state.peers.append(Peer(peer: peer))
            state.requests.append(peer.request)
            state.channels.subscribed = []
            return state.opening
        }
        peer.onMessages = { [weak self, weak peer] messages in
            guard let self, let peer else { return }
            let answers = messages.flatMap { self.answers(to: $0) }
            if !answers.isEmpty { peer.send(answers.map(self.family.message)) }
        }
        switch opening {
        case .greets:
            peer.open()
            peer.send([greeting])
        case .opens: peer.open()
        case .hangs: break
        case .refusal(let refusal): peer.refuse(refusal)
        case .failure(let failure): peer.fail(failure)
        }
    }

    private func answers(to message: Message) -> [Value] {
        guard let frame = try? family.format.decode(message.bytes) else { return [] }
        let received = family.event(frame)
        let isSilent = state.withLock { state in
            state.received.append(frame)
            return state.isSilent
        }
        guard !isSilent else { return [] }
        switch received?.event.id.text {
        case "ping": return [["type": "pong", "original-timestamp": frame["timestamp"] ?? .null]]
        case "chsk/ws-ping": return received?.callback.map { [["pong", Value($0)]] } ?? []
        case "pong", "chsk/ws-pong": return []
        default: break
        }
        let (isAnswering, answer) = state.withLock { state in
            if let received { state.events.append(received) }
            return (state.isAnswering, state.answer)
        }
        guard isAnswering else { return [] }
        switch family {
        case .maps: return state.withLock { $0.channels.answers(to: frame) }
        case .sente:
            guard let received, let callback = received.callback, let value = answer?(received.event) else {
                return []
            }
            return [[value, Value(callback)]]
        }
    }
}

extension TestServer.Family {
    fileprivate var format: WireFormat { self == .maps ? .json : .edn }

    fileprivate func message(_ value: Value) -> Message { Message(.text, (try? format.encode(value)) ?? []) }

    fileprivate func greeting(_ uid: Value, _ data: Value) -> Value {
        switch self {
        case .maps: ["type": "welcome", "conn-id": uid, "server-time": 5]
        case .sente: [[.keyword("chsk/handshake"), [uid, .null, data]], .null]
        }
    }

    fileprivate var ping: Value {
        switch self {
        case .maps: ["type": "ping", "timestamp": 1]
        case .sente: [.keyword("chsk/ws-ping"), .null]
        }
    }

    fileprivate func value(_ event: Event) -> Value {
        switch self {
        case .maps:
            var fields = event.data.mapValue ?? [:]
            fields["type"] = Value(event.id.text)
            return .map(fields)
        case .sente: return [[[.keyword(event.id), event.data]], .null]
        }
    }

    /// The event that a frame is.
    fileprivate func event(_ frame: Value) -> TestServer.ReceivedEvent? {
        switch self {
        case .maps:
            guard var fields = frame.mapValue, let type = frame["type"]?.stringValue else { return nil }
            fields["type"] = nil
            return .init(event: Event(id: Keyword(type), data: .map(fields)))
        case .sente:
            guard let event = frame[0].flatMap({ try? Event(validating: $0) }) else { return nil }
            return .init(event: event, callback: frame[1]?.stringValue)
        }
    }
}
