// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteCore
public import SenteLite
import SenteServer
import SenteTransport
public import SenteWire

/// A server in memory, at an address of a ``TestWorld``: channels, requests, retained messages and users as the reference
/// server of this package has them, in any of the three dialects.
///
/// ```swift
/// let server = world.server
/// server.answersRequests(on: "time") { _ in ["hour": 12] }
/// server.deliver(["text": "hello"], to: "chat")
/// server.restarts(after: .seconds(20), at: "ws://other.test:4000/")
/// let orders = try await server.expectPublished(5, to: "orders")
/// ```
///
/// What is said of it in the third person (`losesReplies()`) holds from then on, until `recovers()`. What it is told
/// (`deliver`, `push`, `close`) it does at once. All of it may be called on any thread.
public final class TestServer: Sendable {
    struct State {
        var session: ServerSession
        var desk: StreamDesk
        /// How often it has started.
        var lives = 0
        var url: String
        var isUp = true
        var connections: Set<ConnectionID> = []
        var alarm: (ticket: VirtualTime.Ticket, due: Instant)?
        var faults = Faults()
        /// How many more messages come before the connections end, and how they end.
        var ending: (messages: Int, code: CloseCode?)?
        var uid: Value?
        var handshakeData: Value = .null
        var record = ServerRecord()
        var attempts: [TestServer.Attempt] = []
        var answers = ScriptedAnswers()
        /// Those that were made, and are there again after each start.
        var channels: [(name: String, configuration: ChannelConfiguration)] = []
    }

    /// An attempt to connect.
    public struct Attempt: Sendable, Hashable {
        /// The URL, with its parameters.
        public var url: String
        /// The headers, in order.
        public var headers: [SenteError.Header]
    }

    /// How the server writes its messages.
    public let dialect: Dialect
    /// How values become bytes.
    public let format: WireFormat
    let network: Network
    let pump: Pump
    let app: WorldApp
    let streams = StreamScript()
    private let seed: UInt64
    let state: LockedValue<State>

    init(
        _ dialect: Dialect, _ format: WireFormat?, at url: String, seed: UInt64, _ network: Network,
        _ pump: Pump, _ app: WorldApp
    ) {
        let configuration = ServerConfiguration(dialect, format)
        self.dialect = dialect
        self.format = configuration.format
        self.network = network
        self.pump = pump
        self.app = app
        self.seed = seed
        let session = ServerSession(configuration, seed: seed)
        let desk = Self.newDesk(streams)
        state = LockedValue(State(session: session, desk: desk, url: url))
        network.register(self, at: url)
    }

    private static func newDesk(_ streams: StreamScript) -> StreamDesk {
        StreamDesk { (request) throws(StreamRefusal) in try streams.ends(request) }
    }

    var time: VirtualTime { network.time }

    /// Where clients find it.
    public var url: String { state.withLock { $0.url } }
    /// The same for a configuration, so that a client finds it wherever it starts anew.
    public var endpoint: EndpointProvider { EndpointProvider(url: { [self] _ in url }) }
    /// Whether it runs.
    public var isRunning: Bool { state.withLock { $0.isUp } }

    // MARK: What it does now

    /// Sends to everybody who is subscribed to a channel; the channel is made if need be.
    ///
    /// Servers of `sente` have no channels, and send nothing.
    public func deliver(_ data: Value, to channel: String) {
        order(.createChannel(channel, nil), .publish(data, channel: channel))
    }

    /// Sends an event to every client.
    ///
    /// On `senteLiteMaps` it is a frame of that type, with the fields of the data.
    public func push(_ event: Event) {
        time.post(.world) { [weak self] in
            guard let self else { return }
            let (uids, connections) = state.withLock { state in
                (state.session.connectedUIDs.any, state.connections.sorted())
            }
            if dialect == .sente {
                for uid in uids { handle(.command(.push(dialect.frame(event), uid: uid, flushes: true))) }
            } else {
                for id in connections { handle(.command(.send(dialect.frame(event), to: id))) }
            }
        }
    }

    /// Closes every connection with a close frame.
    public func close(_ code: CloseCode = .normal, reason: String = "") {
        order(.close(nil, code, reason: reason))
    }

    /// Ends every connection with no word.
    public func cut() { order(.drop(nil)) }

    /// Sets what a channel keeps for those who subscribe later, and how many may subscribe.
    ///
    /// The channel is there again after each start. One that exists stays as it is.
    public func makeChannel(_ name: String, retention: Int = 0, maximumSubscribers: Int? = nil) {
        var configuration = ChannelConfiguration()
        configuration.retention = retention
        if let maximumSubscribers { configuration.maximumSubscribers = maximumSubscribers }
        state.withLock { $0.channels.append((name, configuration)) }
        order(.createChannel(name, configuration))
    }

    /// Stops: every connection is closed with 1001, and nobody listens.
    public func stop() {
        time.post(.world) { [weak self] in
            guard let self else { return }
            handle(.command(.stop))
            let alarm = state.withLock { state in
                state.isUp = false
                defer { state.alarm = nil }
                return state.alarm
            }
            if let alarm { time.remove(alarm.ticket) }
        }
    }

    /// Starts anew, with no memory of clients and channels: here, or at another address.
    ///
    /// Does nothing while it runs.
    public func start(at url: String? = nil) {
        time.post(.world) { [weak self] in self?.restart(at: url) }
    }

    private func restart(at url: String?) {
        let new = state.withLock { state -> String? in
            guard !state.isUp else { return nil }
            state.isUp = true
            state.lives += 1
            state.url = url ?? state.url
            state.session = ServerSession(state.session.configuration, seed: seed &+ UInt64(state.lives))
            state.desk = Self.newDesk(streams)
            return state.url
        }
        guard let new else { return }
        network.register(self, at: new)
        for command in state.withLock({ $0.standing }) { handle(.command(command)) }
    }

    /// Does something at an instant to come.
    func later(_ delay: Duration, _ body: @escaping @Sendable (TestServer) -> Void) {
        time.post(.world) { [weak self, time] in
            _ = time.add(.world, at: time.now.instant.advanced(by: delay)) { [weak self] in
                if let self { body(self) }
            }
        }
    }

    func order(_ commands: ServerCommand...) {
        time.post(.world) { [weak self] in
            for command in commands { self?.handle(.command(command)) }
        }
    }
}

extension TestServer.State {
    /// What a new session has to be told.
    var standing: [ServerCommand] {
        channels.map { .createChannel($0.name, $0.configuration) }
            + answers.requests.keys.sorted().map { .serve(channel: .string($0)) }
            + [.setFaults(faults, for: nil)]
    }
}
