// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTransport
import SenteWire

/// A channel socket on a virtual host, and a scripted server of one family at the other end.
final class SocketStage: Sendable {
    /// How the server spells events.
    enum Family: String, Sendable, CaseIterable {
        /// `{"type": …}`, in JSON; it answers no callbacks.
        case maps
        /// `[[id data] cb]`, in EDN.
        case sente
    }

    enum Greeting: Sendable {
        case handshake
        /// Opens the link and says nothing.
        case silence
        case refusal(Refusal)
    }

    struct Heard: Sendable, Equatable {
        var event: Event
        var callback: String?
    }

    private struct State {
        var greeting = Greeting.handshake
        var uid: Value = "u1"
        var data: Value = ["theme": "dark"]
        var peers: [Peer] = []
        var requests: [LinkRequest] = []
        var heard: [Heard] = []
        var answer: (@Sendable (Event) -> Value?)?
        var isMute = false
    }

    /// Used on the host only.
    private struct Peer: @unchecked Sendable {
        let peer: InMemoryPeer
    }

    let host = VirtualHost()
    let family: Family
    private let state = Shared(State())

    init(_ family: Family = .sente) {
        self.family = family
    }

    /// A client that connects; `prepare` runs before anything has happened.
    func client(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in },
        prepare: (ChannelSocketClient) -> Void = { _ in }
    ) throws -> ChannelSocketClient {
        var configuration = SenteClient.Configuration()
        configure(&configuration)
        return try host.run {
            let client = try makeChannelSocketClient(
                "ws://server.test/chsk", configuration: configuration, host: host,
                transport: InMemoryTransport { [self] in welcome($0) }, seed: 7)
            prepare(client)
            return client
        }
    }

    /// A client that is open already.
    func openClient(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws -> ChannelSocketClient {
        let client = try client(configure)
        try await client.chsk.client.connect()
        return client
    }

    // MARK: What a test sets and sees

    func greet(with greeting: Greeting) { state.withLock { $0.greeting = greeting } }
    func greet(uid: Value, data: Value) { state.withLock { ($0.uid, $0.data) = (uid, data) } }
    /// What the server replies to an event that has a callback; nil for nothing.
    func answer(_ answer: @escaping @Sendable (Event) -> Value?) { state.withLock { $0.answer = answer } }
    /// From now on the server says nothing, not even to pings of the WebSocket.
    func mute() {
        state.withLock { $0.isMute = true }
        onPeer { $0.answersPings = false }
    }
    /// The application's events that the server heard, once everything under way has arrived.
    var heard: [Heard] {
        host.settle()
        return state.withLock { $0.heard }
    }
    /// The URLs of the attempts so far.
    var urls: [String] {
        host.settle()
        return state.withLock { $0.requests.map(\.url) }
    }

    /// Greets late, after `silence`.
    func handshake() {
        let (uid, data) = state.withLock { ($0.uid, $0.data) }
        onPeer { $0.send([handshake(uid, data)]) }
    }

    private func handshake(_ uid: Value, _ data: Value) -> Message {
        switch family {
        case .maps: Self.json(["type": "welcome", "conn-id": uid, "server-time": 5])
        case .sente: Self.edn([[.keyword("chsk/handshake"), [uid, .null, data]], .null])
        }
    }

    /// Pushes events to the current link, each in a message of its own.
    func push(_ events: Event...) {
        onPeer { [family] in $0.send(events.map { Self.spelled($0, family) }) }
    }

    /// Replies to a callback.
    func reply(_ value: Value, to callback: String) {
        onPeer { $0.send([Self.edn([value, Value(callback)])]) }
    }

    /// Sends text as it stands.
    func send(_ text: String) {
        onPeer { $0.send([Message(.text, Array(text.utf8))]) }
    }

    func ping() {
        onPeer { [family] in
            $0.send([
                family == .maps
                    ? Self.json(["type": "ping", "timestamp": 1])
                    : Self.edn([.keyword("chsk/ws-ping"), .null])
            ])
        }
    }

    func close(_ code: CloseCode = .normal, reason: String = "") { onPeer { $0.close(code, reason: reason) } }
    func cut() { onPeer { $0.fail() } }

    private func onPeer(_ body: (InMemoryPeer) -> Void) {
        host.settle()
        host.run {
            if let peer = state.withLock({ $0.peers.last }) { body(peer.peer) }
        }
        host.settle()
    }

    // MARK: The script

    private func welcome(_ peer: InMemoryPeer) {
        let (greeting, uid, data) = state.withLock { state in
            state.peers.append(Peer(peer: peer))
            state.requests.append(peer.request)
            return (state.greeting, state.uid, state.data)
        }
        peer.onMessages = { [weak self, weak peer] messages in
            guard let self, let peer, !self.state.withLock({ $0.isMute }) else { return }
            let answers = messages.flatMap(self.answers)
            if !answers.isEmpty { peer.send(answers) }
        }
        switch greeting {
        case .handshake:
            peer.open()
            peer.send([handshake(uid, data)])
        case .silence: peer.open()
        case .refusal(let refusal): peer.refuse(refusal)
        }
    }

    private func answers(_ message: Message) -> [Message] {
        switch family {
        case .maps: answersInMaps(message)
        case .sente: answersInVectors(message)
        }
    }

    private func answersInMaps(_ message: Message) -> [Message] {
        guard let value = try? WireFormat.json.decode(message.bytes), var fields = value.mapValue,
            let type = value["type"]?.stringValue
        else { return [] }
        if type == "ping" {
            return [Self.json(["type": "pong", "original-timestamp": value["timestamp"] ?? .null])]
        }
        if type == "pong" { return [] }
        fields["type"] = nil
        hear(Event(id: Keyword(type), data: .map(fields)), nil)
        return []
    }

    private func answersInVectors(_ message: Message) -> [Message] {
        guard let value = try? WireFormat.edn.decode(message.bytes), let items = value.arrayValue,
            let event = items.first.flatMap({ try? Event(validating: $0) })
        else { return [] }
        let callback = items.count > 1 ? items[1].stringValue : nil
        if event.id == "chsk/ws-ping" { return callback.map { [Self.edn(["pong", Value($0)])] } ?? [] }
        if event.id == "chsk/ws-pong" { return [] }
        hear(event, callback)
        guard let callback, let answer = state.withLock({ $0.answer })?(event) else { return [] }
        return [Self.edn([answer, Value(callback)])]
    }

    private func hear(_ event: Event, _ callback: String?) {
        state.withLock { $0.heard.append(Heard(event: event, callback: callback)) }
    }

    private static func spelled(_ event: Event, _ family: Family) -> Message {
        switch family {
        case .maps:
            var fields = event.data.mapValue ?? [:]
            fields["type"] = Value(event.id.text)
            return json(.map(fields))
        case .sente: return edn([[[.keyword(event.id), event.data]], .null])
        }
    }

    private static func json(_ value: Value) -> Message {
        Message(.text, (try? WireFormat.json.encode(value)) ?? [])
    }

    private static func edn(_ value: Value) -> Message {
        Message(.text, (try? WireFormat.edn.encode(value)) ?? [])
    }
}

extension ChannelSocketClient {
    /// Returns when the client's closures have run for everything that happened so far.
    func settle(_ stage: SocketStage) async throws {
        stage.host.settle()
        let settled = Collector<Void>()
        let registration = chRecv.on("test/settled") { _ in settled.append(()) }
        try chRecv.put(Event("test/settled"))
        _ = await settled.first(1)
        registration.cancel()
    }
}
