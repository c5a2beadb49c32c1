// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTransport
import SenteWire
import Testing

/// A client on a virtual host, and a scripted server at the other end of an in-memory transport.
final class Stage: Sendable {
    let host = VirtualHost()
    let server: ScriptedServer
    let observers = Observers()

    init() {
        server = ScriptedServer(host)
    }

    func client(
        _ url: String = "ws://server.test/", _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) throws(SenteError) -> SenteClient {
        var configuration = SenteClient.Configuration()
        // Tests of URLs see them as they are given.
        configuration.makesClientID = false
        configure(&configuration)
        let transport = WatchedTransport(
            transport: InMemoryTransport { [server] in server.welcome($0) }, observers: observers)
        return try SenteClient(url, configuration: configuration, host: host, transport: transport, seed: 7)
    }

    func openClient(
        _ configure: (inout SenteClient.Configuration) -> Void = { _ in }
    ) async throws(SenteError) -> SenteClient {
        let client = try client("ws://server.test/", configure)
        try await client.connect()
        return client
    }
}

/// Notes who observes links, without keeping them.
struct WatchedTransport: Transport {
    let transport: InMemoryTransport
    let observers: Observers

    func open(
        _ id: LinkID, _ request: LinkRequest, on host: any Host, observer: any LinkObserver
    ) -> any TransportLink {
        observers.add(observer)
        return transport.open(id, request, on: host, observer: observer)
    }
}

final class Observers: Sendable {
    private struct Weak: Sendable {
        weak let observer: (any LinkObserver)?
    }

    private let all = Shared<[Weak]>([])

    func add(_ observer: any LinkObserver) {
        all.withLock { $0.append(Weak(observer: observer)) }
    }

    var alive: Int { all.withLock { $0.count { $0.observer != nil } } }
}

/// Speaks enough of the `{"type": …}` dialect; its host's thread runs it.
final class ScriptedServer: Sendable {
    enum Greeting: Sendable {
        case welcome
        /// Opens the link and says nothing.
        case silence
        /// Does not even open the link.
        case nothing
        case refusal(Refusal)
        case failure(LinkFailure)
    }

    fileprivate struct State {
        var greeting = Greeting.welcome
        var answers = true
        var isMute = false
        var peers: [Peer] = []
        var requests: [LinkRequest] = []
        var heard: [Value] = []
        var subscribed: Set<String> = []
        var rejected: Set<String> = []
        var lastRequest = 0
    }

    /// Used on the host only.
    fileprivate struct Peer: @unchecked Sendable {
        let peer: InMemoryPeer
    }

    private let state = Shared(State())
    private let host: VirtualHost

    init(_ host: VirtualHost) {
        self.host = host
    }

    // MARK: What a test sets and sees

    func greet(with greeting: Greeting) { state.withLock { $0.greeting = greeting } }
    /// Whether anything but pings is answered.
    func answer(_ answers: Bool) { state.withLock { $0.answers = answers } }
    /// Answers nothing any more, not even pings of the WebSocket.
    func mute() {
        state.withLock { $0.isMute = true }
        onPeer { $0.answersPings = false }
    }
    func reject(_ channel: String) { state.withLock { _ = $0.rejected.insert(channel) } }
    var heard: [Value] { state.withLock { $0.heard } }
    var linkRequests: [LinkRequest] { state.withLock { $0.requests } }
    func heard(_ type: String) -> [Value] { heard.filter { $0["type"] == Value(type) } }

    /// Sends to the current link.
    func send(_ values: [Value]) {
        onPeer { $0.send(values.map(ScriptedServer.message)) }
    }

    func deliver(_ data: Value, on channel: String) {
        send([Self.delivery(data, channel)])
    }

    func close(_ code: CloseCode = .normal) { onPeer { $0.close(code) } }
    func cut() { onPeer { $0.fail() } }
    var isAbandoned: Bool { host.run { state.withLock { $0.peers.last }?.peer.isAbandoned ?? false } }

    static func delivery(_ data: Value, _ channel: String) -> Value {
        ["type": "channel-message", "channel-id": Value(channel), "data": data, "broadcast-time": 1]
    }

    private func onPeer(_ body: (InMemoryPeer) -> Void) {
        host.run {
            if let peer = state.withLock({ $0.peers.last }) { body(peer.peer) }
        }
    }

    // MARK: The script

    func welcome(_ peer: InMemoryPeer) {
        let greeting = state.withLock { state in
            state.peers.append(Peer(peer: peer))
            state.requests.append(peer.request)
            state.subscribed = []
            return state.greeting
        }
        peer.onMessages = { [weak self, weak peer] messages in
            guard let self, let peer else { return }
            let answers = messages.flatMap(self.answers)
            if !answers.isEmpty { peer.send(answers.map(Self.message)) }
        }
        switch greeting {
        case .welcome:
            peer.open()
            peer.send([Self.message(["type": "welcome", "conn-id": "c1", "server-time": 5])])
        case .silence: peer.open()
        case .nothing: break
        case .refusal(let refusal): peer.refuse(refusal)
        case .failure(let failure): peer.fail(failure)
        }
    }

    private func answers(_ message: Message) -> [Value] {
        guard let value = try? WireFormat.json.decode(message.bytes) else { return [] }
        return state.withLock { state in
            state.heard.append(value)
            guard !state.isMute else { return [] }
            if value["type"] == "ping" {
                return [["type": "pong", "original-timestamp": value["timestamp"] ?? .null]]
            }
            guard state.answers else { return [] }
            return state.reply(to: value)
        }
    }

    private static func message(_ value: Value) -> Message {
        Message(.text, (try? WireFormat.json.encode(value)) ?? [])
    }
}

extension ScriptedServer.State {
    fileprivate mutating func reply(to value: Value) -> [Value] {
        let channel = value["channel-id"]?.stringValue ?? ""
        let data = value["data"] ?? .null
        switch value["type"]?.stringValue {
        case "subscribe":
            let isAllowed = !rejected.contains(channel)
            if isAllowed { subscribed.insert(channel) }
            return [
                [
                    "type": "subscription-result", "channel-id": Value(channel), "success": Value(isAllowed),
                    "reason": "no",
                ]
            ]
        case "unsubscribe":
            subscribed.remove(channel)
            return [["type": "unsubscription-result", "channel-id": Value(channel), "success": true]]
        case "publish":
            let result: Value = [
                "type": "publish-result", "channel-id": Value(channel), "success": true, "delivered-to": 1,
            ]
            return subscribed.contains(channel) ? [ScriptedServer.delivery(data, channel), result] : [result]
        case "rpc-request":
            lastRequest += 1
            let id = Value("r\(lastRequest)")
            return [
                [
                    "type": "rpc-request-result", "channel-id": Value(channel), "request-id": id,
                    "delivery": ["success": true, "delivered-to": 1],
                ],
                ["type": "rpc-response", "request-id": id, "data": data],
            ]
        case "list-channels":
            return [["type": "channel-list", "channels": ["news": ["subscriber-count": 3]]]]
        case "get-subscriptions":
            return [
                [
                    "type": "subscription-list",
                    "subscriptions": .vector(subscribed.sorted().map { Value($0) }),
                ]
            ]
        case "rpc-response", "pong": return []
        default: return [["type": "echo", "original": value]]
        }
    }
}

/// Collects from any thread; `first(_:)` waits for that many.
final class Collector<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiters: [(count: Int, continuation: CheckedContinuation<[Element], Never>)] = []
    }

    private let state = Shared(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let (done, elements) = state.withLock { state in
            state.elements.append(element)
            let count = state.elements.count
            let done = state.waiters.filter { $0.count <= count }
            state.waiters.removeAll { $0.count <= count }
            return (done, state.elements)
        }
        for waiter in done { waiter.continuation.resume(returning: elements) }
    }

    func first(_ count: Int) async -> [Element] {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> [Element]? in
                guard state.elements.count < count else { return state.elements }
                state.waiters.append((count, continuation))
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}

/// The error a call throws; nil when it throws none.
func error(_ body: () async throws(SenteError) -> Void) async -> SenteError? {
    do throws(SenteError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

extension SenteClient {
    /// Waits until the client stands so.
    func reaches(_ state: ConnectionState) async {
        for await status in states where status.state == state { return }
    }

    /// Calls `reconnect()` on an open client, and waits until it is open again.
    func replacesLink() async {
        var states = states.makeAsyncIterator()
        reconnect()
        while let status = await states.next(), status.state == .open {}
        while let status = await states.next(), status.state != .open {}
    }
}

/// True; compiles and runs on the main actor only.
@MainActor
func isOnMainActor() -> Bool {
    MainActor.assertIsolated()
    return true
}
