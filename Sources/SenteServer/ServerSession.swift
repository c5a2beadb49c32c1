// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSignals
package import SenteWire

/// The decisions of a reference server, as a value: no socket, no clock, no randomness but its seed.
///
/// Whoever runs it tells it what happened (`handle`), performs the effects in order, and says `timerFired` at
/// `deadline`. It never asks whether an effect worked: the end of a connection comes back as `closed`, and is
/// ignored for a connection it has given up itself.
///
///     connected ──► greeted ──► subscriptions, requests … ──► closed | .close | .drop
///
/// The rules: what is walked is walked in a fixed order, so that a run can be repeated; what a client can
/// make grow has a bound in `ServerConfiguration.tables`; how messages are written is the `ServerDialect`'s business
/// alone. The files beside this one hold its parts: channels, requests, users, keep-alive, sending (where the faults
/// live), reports.
package struct ServerSession: Sendable {
    /// One connection.
    struct Connection {
        /// The conn-id.
        let name: String
        let openedAt: Int64
        var lastActivity: Int64
        var messageCount = 0
        /// How many of them came on earlier links.
        var earlierMessages = 0
        /// Only a `pong` counts as life, as in sente-lite.
        var lastPong: Instant
        var subscriptions = OrderedSet<Value>()
        /// The ids of those that wait for an answer.
        var requests: Set<WireName> = []
        /// The connection's user, in the dialects of events.
        var uid: Value = .null
        var clientID = WireName("")
        /// Whether its user was told of it.
        var hasJoined = false
        var window: Window?
    }

    package internal(set) var configuration: ServerConfiguration
    /// From what level on somebody wants to hear of what happens; nil: nobody does, and no signal is made.
    package var signalLevel: SignalLevel?
    /// What became of the signals, as `/stats` shows it.
    package var signalStatistics = ValueMap()
    package internal(set) var counters = ServerCounters()

    var generator: Generator
    /// As of when it began, or of what it announces since.
    private(set) var dialect: any ServerDialect
    private let csrfToken: String

    var connections: [ConnectionID: Connection] = [:]
    /// What each connection speaks through; none while its session waits for its client.
    var links: [ConnectionID: ConnectionID] = [:]
    /// In the order of connecting.
    var connectionIDs = OrderedSet<ConnectionID>()
    var names: [WireName: ConnectionID] = [:]
    var channels = ChannelTable()
    var requests = RequestTable()
    /// The channels whose requests the server's own user answers.
    var served: Set<Value> = []
    var users: UserTable
    var windows = DeadlineQueue<ConnectionID>()
    var outbox: ServerOutbox
    var remoteLimiter: RateLimiter

    /// Of the connections to which something beyond plain messages was announced.
    var flows: [ConnectionID: ConnectionFlow] = [:]
    /// The connections that links of later ones speak for.
    var homes: [ConnectionID: ConnectionID] = [:]
    /// The connections whose sessions survive them.
    var sessions: [UniqueID: ConnectionID] = [:]
    /// The newest such connection of each client that has a name.
    var latest: [SessionOwner: ConnectionID] = [:]
    /// The connections without a link, the one that waits longest first.
    var parked = OrderedSet<ConnectionID>()
    var parkedBytes = 0
    var expiries = DeadlineQueue<ConnectionID>()
    var acknowledgements = DeadlineQueue<ConnectionID>()
    /// The connections for which messages are gathered.
    var gatherings = DeadlineQueue<ConnectionID>()
    /// The connections of which some parts of messages have come.
    var unfinished = DeadlineQueue<ConnectionID>()
    var repeats = RepeatTable()
    var streams: [StreamOwner: ClientStreams] = [:]
    /// Of the clients without link, the one that waits longest first.
    var streamsParked = OrderedSet<StreamOwner>()
    var streamBytesParked = 0
    /// The channels of which somebody wants to hear who subscribes.
    var followedChannels: Set<Value> = []
    let compressors: [FlowCapabilities.Algorithm: Compressor]
    let digests: DigestFunction
    var lastFolded: Folded?
    /// The number of the last work, and what each that is under way writes, for which connections.
    var lastWork: UInt64 = 0
    var writings: [UInt64: (said: ServerMessage, ids: [ConnectionID])] = [:]

    var heartbeatDue: Instant?
    /// The time of the step that runs; of the last one between steps.
    private(set) var now = Moment(instant: .distantPast, wallMilliseconds: 0)
    /// The effects of the step that runs; empty between steps.
    var effects: [ServerEffect] = []
    /// Whether the message under way is one of a batch.
    var isHearingBatch = false
    /// What the message under way was answered by, first.
    var answer: ServerMessage?
    /// The step of a trace that what is under way belongs to.
    package internal(set) var trace: TraceContext?

    private(set) var isStopped = false
    private(set) var startedAt: Instant?
    package private(set) var actualPort: Int?

    /// A server that nobody is connected to.
    ///
    /// Equal seeds give equal ids.
    ///
    /// Without compressors it announces no compression, whatever the configuration says.
    package init(
        _ configuration: ServerConfiguration = .init(), seed: UInt64,
        compressors: [FlowCapabilities.Algorithm: Compressor] = [:], digests: DigestFunction = .sha256
    ) {
        self.configuration = configuration
        self.digests = digests
        self.compressors = compressors
        generator = Generator(seed: seed)
        let token = UniqueID(high: generator.next(), low: generator.next()).description
        csrfToken = configuration.csrfToken ?? token
        dialect = configuration.serverDialect(csrfToken: csrfToken)
        users = UserTable(limits: configuration.tables)
        outbox = ServerOutbox(faults: configuration.faults, limits: configuration.tables)
        remoteLimiter = RateLimiter(configuration.signalLimit)
    }

    /// Announces something else to those who connect from now on; who announces something reads its words.
    private mutating func announce(_ change: (inout ServerConfiguration.Flow) -> Void) {
        change(&configuration.flow)
        dialect = configuration.serverDialect(csrfToken: csrfToken)
    }

    /// The number of rows of its queues that the session has touched, for tests of what its steps cost.
    package var timerSteps: Int {
        requests.steps + users.steps + windows.steps + outbox.steps + expiries.steps + acknowledgements.steps
            + gatherings.steps + unfinished.steps
    }

    /// The one way in: one step, from an input to its effects.
    package mutating func handle(_ input: ServerInput, at now: Moment, into effects: inout [ServerEffect]) {
        self.now = now
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        trace = nil
        start()
        if case .closed(let link) = input, let id = speaker(on: link), !holdsEnd(of: id) { lose(id) }
        let expired = counters.expiredRequests
        // Messages held up until now go ahead of those that this input brings.
        expire([.heldUp])
        switch input {
        case .connected(let id, let handshake): connect(id, handshake)
        case .received(let link, let message):
            if let id = speaker(on: link) { receive(message, from: id) }
        case .room(let link): pour(into: link)
        case .worked(let done): worked(done)
        case .closed, .timerFired: break
        case .command(let command): perform(command)
        }
        // Last, so that a pong or an answer that is here already comes in time, however late the timers are.
        expire()
        if counters.expiredRequests > expired {
            record(.cleanupCompleted) { ["expired-count": Value($0.counters.expiredRequests - expired)] }
        }
    }

    /// A step that is no input: it gives something.
    mutating func step<R>(
        at now: Moment, into effects: inout [ServerEffect], _ body: (inout ServerSession) -> R
    ) -> R {
        self.now = now
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        return body(&self)
    }

    var family: ServerConfiguration.Dialect { configuration.dialect }

    /// What a client's message says.
    package func read(_ message: Message) -> ClientMessage { dialect.decode(message).untraced }

    /// The name on the wire of a connection, its conn-id.
    package func name(of id: ConnectionID) -> String? { connections[id]?.name }

    /// The connection of a conn-id.
    package func connection(named name: String) -> ConnectionID? { names[WireName(name)] }

    // MARK: Connections

    private mutating func connect(_ id: ConnectionID, _ handshake: HandshakeInfo) {
        guard connections[id] == nil else { return }
        guard !isStopped else {
            effects.append(.close(id, .goingAway, reason: "the server stops", keepsTCP: false))
            return
        }
        guard linkedConnections < configuration.maximumConnections else {
            counters.rejectedConnections += 1
            // sente-lite gives no reason.
            let (code, reason) =
                family == .vectors ? (.normal, "") : (CloseCode.tryAgainLater, "the server is full")
            effects.append(.close(id, code, reason: reason, keepsTCP: false))
            return
        }
        let name = newName()
        trace = trace(of: handshake.trace)
        defer { trace = nil }
        let uid = handshake.uid ?? (family == .vectors ? .string(name) : nobody)
        let clientID = family == .vectors ? name : handshake.clientID
        connections[id] = Connection(
            name: name, openedAt: now.wallMilliseconds, lastActivity: now.wallMilliseconds,
            lastPong: now.instant, uid: uid, clientID: WireName(clientID))
        links[id] = id
        connectionIDs.insert(id)
        names[WireName(name)] = id
        counters.connections += 1
        record(.connectionAdded) {
            ["conn-id": .string(name), "total-connections": Value($0.linkedConnections)]
        }
        if heartbeatDue == nil { heartbeatDue = nextHeartbeat() }
        let faults = outbox.faults(of: id)
        if let ending = faults.ending, faults.endingAfter <= 0 { return end(id, ending) }
        var capabilities: FlowCapabilities?
        if announces(to: handshake) {
            flows[id] = ConnectionFlow(handshake)
            capabilities = announced
        }
        let welcome = ServerMessage.welcome(
            name: name, uid: uid, data: handshake.handshakeData, capabilities)
        send(welcome, to: id, as: .greeting)
        if family != .maps { join(id) }
    }

    /// `conn-<ms>-<0…9999>` as in sente-lite, but never the same twice at once.
    private mutating func newName() -> String {
        for _ in 0..<8 {
            let name = "conn-\(now.wallMilliseconds)-\(Int.random(in: 0...9_999, using: &generator))"
            if names[WireName(name)] == nil { return name }
        }
        counters.connectionNames += 1
        return "conn-\(now.wallMilliseconds)-\(10_000 + counters.connectionNames)"
    }

    /// Takes a connection out of every table.
    mutating func forget(_ id: ConnectionID) {
        let older = flows.isEmpty ? nil : predecessor(of: id)
        guard let connection = connections.removeValue(forKey: id) else { return }
        let link = links.removeValue(forKey: id)
        connectionIDs.remove(id)
        names[WireName(connection.name)] = nil
        if !flows.isEmpty {
            unlinkStreams(of: id)
            dropSession(of: id)
            unpack(id)
            flows[id] = nil
            if let link { homes[link] = nil }
        }
        outbox.forget(id)
        for channel in connection.subscriptions { channels.unsubscribe(id, from: channel) }
        if !connection.subscriptions.isEmpty {
            record(.allSubscriptionsRemoved) { _ in
                ["conn-id": .string(connection.name), "channel-count": Value(connection.subscriptions.count)]
            }
        }
        for request in connection.requests { requests.remove(request) }
        if let window = connection.window { windows.remove(window.ticket) }
        counters.subscriptionsRemoved += connection.subscriptions.count
        let duration = max(0, now.wallMilliseconds - connection.openedAt)
        counters.connectionDurations.record(.milliseconds(duration))
        record(.connectionRemoved) {
            [
                "conn-id": .string(connection.name), "duration-ms": .integer(duration),
                "message-count": Value(connection.messageCount),
                "total-connections": Value($0.linkedConnections),
            ]
        }
        if connection.hasJoined { leave(id, connection) }
        if let older { giveBack(to: older, from: id) }
    }

    mutating func end(_ id: ConnectionID, _ ending: Faults.Ending) {
        guard let link = links[id] else { return }
        let keepsTCP = outbox.faults(of: id).leavesTCPOpen
        flushGathered(of: id)
        defer { lose(id) }
        switch ending {
        case .drop: effects.append(.drop(link))
        case .close(let code, let reason):
            effects.append(.close(link, code, reason: reason, keepsTCP: keepsTCP))
        }
    }

    /// Only a server that was told `started` knows its port; the others begin with their first input.
    private mutating func start() {
        guard startedAt == nil else { return }
        startedAt = now.instant
        for channel in configuration.channels {
            createChannel(.string(channel.name), channel.configuration)
        }
    }

    // MARK: Commands

    private mutating func perform(_ command: ServerCommand) {
        switch command {
        case .started(let port):
            actualPort = port
            startedAt = now.instant
            recordStart(on: port)
        case .broadcast(let value): broadcast(value)
        case .echo(let value, let callback, let id): echo(value, callback, to: home(of: id))
        case .serve(let channel): served.insert(channel)
        case .answer(let data, let id, let isError): settle(WireName(id), with: data, isError: isError)
        case .send(let value, let id): send(.application(value), to: home(of: id), as: .push)
        case .push(let event, let uid, let flushes): push(event, to: uid, flushes: flushes)
        case .reply(let value, let callback, let id): reply(value, callback, to: home(of: id))
        case .publish(let value, let channel):
            publish(value, to: .string(channel), from: nil, excludesSender: false)
        case .createChannel(let name, let settings):
            createChannel(.string(name), settings ?? configuration.channelDefaults)
        case .deleteChannel(let name): deleteChannel(.string(name))
        case .close(let id, let code, let reason):
            for id in id.map({ [home(of: $0)] }) ?? Array(connectionIDs) { end(id, .close(code, reason)) }
        case .drop(let id):
            for id in id.map({ [home(of: $0)] }) ?? Array(connectionIDs) { end(id, .drop) }
        case .endSession(let id): endSession(of: home(of: id))
        case .announceStreams(let policy): announce { $0.streaming = policy }
        case .keepSessions(let policy): announce { $0.resumption = policy }
        case .setFaults(let faults, let id): outbox.setFaults(faults, of: id.map { home(of: $0) })
        case .stop:
            isStopped = true
            record(.serverStopping) { ["active-connections": Value($0.linkedConnections)] }
            for id in connectionIDs { end(id, .close(.goingAway, "the server stops")) }
            for id in parked { endSession(of: id) }
            if heartbeatDue != nil { record(.heartbeatStopped) }
            heartbeatDue = nil
            users.removeAll()
        }
    }
}
