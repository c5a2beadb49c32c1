// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteLite
import SenteServer
import SenteSocket
import SenteTransport

/// What lies between a world's clients and its servers: addresses, connections, and what becomes of messages on the way.
final class Network: Sendable {
    typealias Work = VirtualTime.Work

    enum Direction: Hashable, Sendable { case toServer, toClient }

    fileprivate struct Lane: Hashable, Sendable {
        var connection: ConnectionID
        var direction: Direction
    }

    /// What travels one way on one connection; it arrives in order.
    fileprivate struct Traffic {
        var lastArrival = Instant(nanoseconds: 0)
        var onTheWay = Queue<Work>()
    }

    fileprivate struct Wire {
        var peer: InMemoryPeer
        weak var server: TestServer?
        /// The server's process hangs.
        var isSilent = false
    }

    fileprivate struct State {
        var conditions = NetworkConditions()
        var isOnline = true
        var random: Generator
        var lastConnection: UInt64 = 0
        var servers: [String: WeakServer] = [:]
        var wires: [ConnectionID: Wire] = [:]
        var traffic: [Lane: Traffic] = [:]
        /// What would have arrived while there was no way.
        var stalled: [Lane] = []
        var watchers = Roster<@Sendable (NetworkChange) -> Void>()
    }

    fileprivate struct WeakServer {
        weak var server: TestServer?
    }

    let time: VirtualTime
    private let state: LockedValue<State>

    init(_ time: VirtualTime, seed: UInt64) {
        self.time = time
        state = LockedValue(State(random: Generator(seed: seed)))
    }

    var conditions: NetworkConditions {
        get { state.withLock { $0.conditions } }
        set { state.withLock { $0.conditions = newValue } }
    }

    // MARK: Addresses

    func register(_ server: TestServer, at url: String) {
        guard let address = Self.address(of: url) else { return }
        state.withLock { $0.servers[address] = WeakServer(server: server) }
    }

    /// Host and port: every path of an address is the same server.
    private static func address(of url: String) -> String? {
        (try? WebSocketURL(url)).map { "\($0.host):\($0.port)" }
    }

    static func isSame(_ url: String, _ other: String) -> Bool { address(of: url) == address(of: other) }

    private func server(at url: String) -> TestServer? {
        guard let address = Self.address(of: url) else { return nil }
        return state.withLock { $0.servers[address]?.server }
    }

    // MARK: Connections, on the queue

    var transport: InMemoryTransport { InMemoryTransport { self.dial($0) } }

    private func dial(_ peer: InMemoryPeer) {
        guard !peer.isAbandoned else { return }
        guard state.withLock({ $0.isOnline }) else {
            return peer.fail(LinkFailure(.unreachable, "The network is unreachable."))
        }
        guard let server = server(at: peer.request.url) else {
            return peer.fail(
                LinkFailure(.nameNotFound, "No server of this world has the address \(peer.request.url)."))
        }
        let id = state.withLock { state in
            state.lastConnection += 1
            let id = ConnectionID(state.lastConnection)
            state.wires[id] = Wire(peer: peer, server: server)
            return id
        }
        peer.onMessages = { [weak self, weak server] messages in
            self?.send(id, .toServer) { [weak server] in server?.receive(messages, on: id) }
        }
        peer.onClose = { [weak self, weak server] code, reason in
            self?.send(id, .toServer) { [weak server] in server?.closed(id, code, reason: reason) }
        }
        peer.onAbandon = { [weak self, weak server] in
            self?.send(id, .toServer) { [weak server] in server?.lost(id) }
        }
        send(id, .toServer) { [weak server] in server?.arrive(id, peer.request) }
    }

    /// Does something at a connection's client, as soon as it has travelled there.
    func toClient(_ id: ConnectionID, _ body: @escaping @Sendable (InMemoryPeer) -> Void) {
        send(id, .toClient) { [weak self] in
            if let peer = self?.state.withLock({ $0.wires[id]?.peer }) { body(peer) }
        }
    }

    /// Whether the server's end answers pings of the WebSocket, too.
    func setSilent(_ isSilent: Bool, _ id: ConnectionID) {
        let (peer, isOnline) = state.withLock { state in
            state.wires[id]?.isSilent = isSilent
            return (state.wires[id]?.peer, state.isOnline)
        }
        peer?.answersPings = isOnline && !isSilent
    }

    /// What is still on its way goes nowhere.
    func forget(_ id: ConnectionID) {
        state.withLock { state in
            state.wires[id] = nil
            state.traffic[Lane(connection: id, direction: .toServer)] = nil
            state.traffic[Lane(connection: id, direction: .toClient)] = nil
        }
    }

    /// Every connection breaks with no word, at both ends.
    func cut() {
        let wires = state.withLock { $0.wires }.sorted { $0.key < $1.key }
        for (id, wire) in wires {
            forget(id)
            wire.peer.fail()
            wire.server?.lost(id)
        }
    }

    // MARK: The way

    private func send(_ id: ConnectionID, _ direction: Direction, _ work: @escaping Work) {
        let lane = Lane(connection: id, direction: direction)
        let now = time.now.instant
        let arrival = state.withLock { state -> Instant in
            var traffic = state.traffic[lane] ?? Traffic()
            traffic.onTheWay.append(work)
            traffic.lastArrival = max(traffic.lastArrival, now.advanced(by: state.travelTime()))
            state.traffic[lane] = traffic
            return traffic.lastArrival
        }
        if arrival <= now {
            time.post(.world) { [weak self] in self?.arrive(lane) }
        } else {
            _ = time.add(.world, at: arrival) { [weak self] in self?.arrive(lane) }
        }
    }

    /// The next of a lane is there.
    private func arrive(_ lane: Lane) {
        let work = state.withLock { state -> Work? in
            guard state.isOnline else {
                state.stalled.append(lane)
                return nil
            }
            return state.traffic[lane]?.onTheWay.popFirst()
        }
        work?()
    }

    // MARK: Being there at all

    func setOnline(_ isOnline: Bool) {
        let (stalled, watchers, peers) = state.withLock { state in
            let isOther = state.isOnline != isOnline
            state.isOnline = isOnline
            defer { if isOnline { state.stalled = [] } }
            return (
                isOnline ? state.stalled : [], isOther ? state.watchers.members : [],
                state.wires.values.filter { !$0.isSilent }.map(\.peer)
            )
        }
        for peer in peers { peer.answersPings = isOnline }
        for lane in stalled { time.post(.world) { [weak self] in self?.arrive(lane) } }
        for watcher in watchers { watcher(isOnline ? .available : .lost) }
    }
}

extension Network.State {
    /// How long the next message travels.
    fileprivate mutating func travelTime() -> Duration {
        let latency = conditions.latency
        var time = latency.lowerBound
        if latency.lowerBound < latency.upperBound {
            let range = latency.lowerBound.wholeNanoseconds...latency.upperBound.wholeNanoseconds
            time = .nanoseconds(Int64.random(in: range, using: &random))
        }
        var again = Duration.milliseconds(200)
        while conditions.loss > 0, again < .seconds(10),
            Double.random(in: 0..<1, using: &random) < conditions.loss
        {
            time += again
            again *= 2
        }
        return time
    }
}

extension Network: NetworkPathSource {
    func observe(_ changed: @escaping @Sendable (NetworkChange) -> Void) -> @Sendable () -> Void {
        let number = state.withLock { $0.watchers.add(changed) }
        return { [weak self] in self?.state.withLock { $0.watchers.remove(number) } }
    }
}
