// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import SenteTransport
import SenteWire

/// One run of a server, from start to stop: the session and the sockets it speaks through.
///
/// Lives on the loop.
///
/// It decides nothing but what is about sockets: a connection that does not take what it is sent is dropped,
/// and floods go out as fast as they are taken.
final class ServerRun {
    /// The bytes of a flood that are queued ahead of the socket, and the pause before more are queued.
    private static let floodAhead = 1 << 20
    /// The bytes of a message in parts that are queued ahead of the socket.
    private static let partsAhead = 64 << 10
    /// How many parts go to one connection before others have their turn: a link that compresses takes hundreds before much is
    /// queued for its socket.
    private static let partsInTurn = 4
    private static let floodPause = Duration.milliseconds(1)

    let loop: EventLoop
    private let hook: ReferenceServer.Hook?
    let service: ServerService
    var session: ServerSession
    private var desk: StreamDesk
    private var effects: [ServerEffect] = []
    private var isPerforming = false
    /// How often each connection was given room since its effects began to be performed.
    private var roomsGiven: [ConnectionID: Int] = [:]

    /// Not greeted yet: the request has not come or was just accepted.
    var arriving: [ConnectionID: ServerConnection] = [:]
    var handshakes: [ConnectionID: HandshakeInfo] = [:]
    /// Of those that are not gone, where somebody is told of events.
    var requests: [ConnectionID: HTTPRequest] = [:]
    private var open: [ConnectionID: ServerConnection] = [:]
    /// Of those that are there, where somebody is told who comes and goes.
    var visits: [ConnectionID: Visit] = [:]
    /// Given up by the session; their closing handshake runs.
    private var closing: [ConnectionID: ServerConnection] = [:]
    /// Their TCP is to be left open after the closing handshake.
    private var keepingTCP: Set<ConnectionID> = []
    /// Their TCP was left open; at most as many as there may be connections.
    private var lingering = Queue<ServerConnection>()
    private var floods = Floods()

    private var listener: Listener?
    private var timer: (any HostTimer)?
    private var armed: Instant?
    private var floodTimer: (any HostTimer)?
    private var onStopped: (@Sendable () -> Void)?
    /// The run itself, for what is ordered from other threads.
    private weak var bound: LoopBound<ServerRun>?

    init(
        _ configuration: ServerConfiguration, hook: ReferenceServer.Hook?, service: ServerService,
        on loop: EventLoop
    ) {
        self.loop = loop
        self.hook = hook
        self.service = service
        desk = StreamDesk(service.onStream)
        var seed: UInt64 = 0
        withUnsafeMutableBytes(of: &seed) { loop.entropy.fill($0) }
        session = ServerSession(
            configuration, seed: seed, compressors: .system(configuration.flow), digests: .system)
        lookWhoListens()
    }

    func lookWhoListens() {
        if service.onSignal != nil { session.signalLevel = service.signalLevel() }
    }

    /// Listens; the real port.
    func start(as observer: ServerObserver) throws(LinkFailure) -> Int {
        let configuration = session.configuration
        bound = observer.run
        tellStart()
        guard let port = UInt16(exactly: configuration.port) else {
            throw LinkFailure(
                .unavailable, "The port is \(configuration.port), but must lie between 0 and 65535.")
        }
        var limits = LinkLimits()
        // The session holds clients to the exact limit; what it says itself, an echo for one, may be longer.
        // A character that counts as one may have three bytes.
        let factor = configuration.dialect == .vectors ? 4 : 2
        limits.message = MessageLimits(
            both: max(0, min(configuration.maximumMessageBytes, 1 << 30)) * factor + (64 << 10))
        limits.close = configuration.closeLimit
        let listener = try Listener(
            loop: loop, host: configuration.host == "localhost" ? "127.0.0.1" : configuration.host,
            port: port, limits: limits, compression: configuration.compression, tls: configuration.tls
        ) { connection in
            observer.run.content.arriving[ConnectionID(connection.id.number)] = connection
            return observer
        }
        self.listener = listener
        timer = loop.makeTimer { observer.run.content.timerFired() }
        floodTimer = loop.makeTimer { observer.run.content.pourAll() }
        handle(.command(.started(port: Int(listener.port))))
        return Int(listener.port)
    }

    /// Closes everything; `done` comes when every closing handshake has ended, each bounded by the close
    /// limit.
    func stop(_ done: @escaping @Sendable () -> Void) {
        listener?.stop()
        listener = nil
        floods = Floods()
        for connection in arriving.values { connection.cut() }
        arriving = [:]
        handshakes = [:]
        onStopped = done
        handle(.command(.stop))
        finishStop()
    }

    var statistics: ServerStatistics { session.statistics(at: loop.now) }
    var connectedUIDs: ConnectedUIDs { session.connectedUIDs }

    func perform(_ command: ServerCommand) {
        handle(.command(command))
        guard case .setFaults(_, let id) = command else { return }
        for id in id.map({ [$0] }) ?? Array(open.keys) where session.leavesTCPOpen(id) {
            if let connection = open[id] { keepTCP(of: connection, id) }
        }
    }

    func connection(named name: String) -> ConnectionID? { session.connection(named: name) }

    /// Does something about streams, and what follows from it.
    func withStreams<R>(
        _ body: (inout StreamDesk, inout ServerSession, Moment, inout [ServerEffect]) -> R
    ) -> R {
        let result = body(&desk, &session, loop.now, &effects)
        performEffects()
        return result
    }

    // MARK: What sockets tell

    func opened(_ connection: ServerConnection) {
        let id = ConnectionID(connection.id.number)
        arriving[id] = nil
        open[id] = connection
        if session.leavesTCPOpen(id) { keepTCP(of: connection, id) }
        handle(.connected(id, handshakes.removeValue(forKey: id) ?? HandshakeInfo()))
        // One that the session did not take is none.
        guard var visit = visits.removeValue(forKey: id), let name = session.name(of: id) else { return }
        visit.visitor.name = name
        visits[id] = visit
        tellOpened(name, visit.trace)
        service.onAccess?(.came(visit.visitor))
    }

    func received(_ messages: [Message], by connection: ServerConnection) {
        let id = ConnectionID(connection.id.number)
        let now = loop.now
        lookWhoListens()
        visits[id]?.messages += messages.count
        for message in messages { session.handle(.received(id, message), at: now, into: &effects) }
        performEffects()
    }

    func wrote(_ connection: ServerConnection) {
        awaitRoom(ConnectionID(connection.id.number))
    }

    private func awaitRoom(_ id: ConnectionID) {
        // More may have been queued since.
        effects.append(.awaitRoom(id))
        performEffects()
    }

    func closed(_ connection: ServerConnection, _ end: LinkEnd) {
        let id = ConnectionID(connection.id.number)
        if keepingTCP.remove(id) != nil { linger(connection) }
        arriving[id] = nil
        handshakes[id] = nil
        closing[id] = nil
        forget(id)
        performEffects()
        tellGone(id, end)
        // A session that waits for its client still tells of its events.
        if session.name(of: id) == nil { requests[id] = nil }
        finishStop()
    }

    // MARK: The session

    private func timerFired() {
        armed = nil
        if desk.deadline != nil { desk.expire(in: &session, at: loop.now, into: &effects) }
        handle(.timerFired)
    }

    private func handle(_ input: ServerInput) {
        lookWhoListens()
        session.handle(input, at: loop.now, into: &effects)
        performEffects()
    }

    /// Effects may bring new ones; those join the end.
    private func performEffects() {
        guard !isPerforming else { return }
        isPerforming = true
        var next = 0
        while next < effects.count {
            perform(effects[next])
            next += 1
        }
        effects.removeAll(keepingCapacity: effects.count <= 4_096)
        isPerforming = false
        if !roomsGiven.isEmpty { roomsGiven.removeAll(keepingCapacity: true) }
        var deadline = session.deadline
        if let due = desk.deadline { deadline = min(due, deadline ?? due) }
        if deadline != armed {
            armed = deadline
            timer?.arm(at: deadline)
        }
    }

    private func perform(_ effect: ServerEffect) {
        switch effect {
        case .send(let id, let message): send(message, to: id)
        case .close(let id, let code, let reason, let keepsTCP):
            guard let connection = open.removeValue(forKey: id) else { return }
            floods.end(id)
            closing[id] = connection
            if keepsTCP { keepTCP(of: connection, id) }
            if !connection.close(code, reason: reason) {
                closing[id] = nil
                cut(connection, id)
            }
        case .drop(let id):
            if let connection = open.removeValue(forKey: id) { cut(connection, id) }
        case .awaitRoom(let id):
            guard hasRoom(id) else {
                open[id]?.tellWritten()
                return
            }
            guard roomsGiven[id, default: 0] < Self.partsInTurn else {
                if let bound { loop.post { bound.content.awaitRoom(id) } }
                return
            }
            roomsGiven[id, default: 0] += 1
            session.handle(.room(id), at: loop.now, into: &effects)
        case .stream(let id, let name, let event):
            desk.perform(event, of: name, on: id, in: &session, at: loop.now, into: &effects)
        case .agreedOnStreams(let id): service.onStreamsAgreed?(id)
        case .subscription(let id, let channel, let isThere):
            desk.note(
                id, isSubscribed: isThere, to: channel, in: &session, at: loop.now, into: &effects)
        case .ask(let id, let value):
            guard let answer = hook?(id, value) else { return }
            session.handle(.command(.send(answer, to: id)), at: loop.now, into: &effects)
        case .tell(let event): tell(event)
        case .serve(let request):
            guard let bound else { return }
            service.onRequest?(request) { command in
                bound.loop.post { bound.content.perform(command) }
            }
        case .record(let signal): tell(signal)
        case .remoteSignals(let signals): service.onRemoteSignals?(signals)
        case .flood(let id, let flood):
            floods.add(flood, to: id)
            pour(id)
        case .work(let work): offload(work)
        case .pauseReading(let id): open[id]?.setReadingPaused(true)
        case .resumeReading(let id): open[id]?.setReadingPaused(false)
        }
    }

    /// The hook sees clients' events only, and has one answer to each: the reply if one is wanted, an event otherwise.
    private func tell(_ event: ServerEvent) {
        if let onEvent = service.onEvent {
            guard let bound else { return }
            onEvent(event, requests[event.connection]) { command in
                bound.loop.post { bound.content.perform(command) }
            }
            if event.event == [.keyword("chsk/disconnected")] { requests[event.connection] = nil }
            return
        }
        guard event.event[0]?.keywordValue?.namespace != "chsk",
            let answer = hook?(event.connection, event.event)
        else { return }
        let command: ServerCommand =
            if let callback = event.callback {
                .reply(answer, callback: callback, to: event.connection)
            } else if session.configuration.dialect == .sente {
                .push(answer, uid: event.uid, flushes: false)
            } else {
                .send(answer, to: event.connection)
            }
        session.handle(.command(command), at: loop.now, into: &effects)
    }

    private func send(_ message: Message, to id: ConnectionID) {
        guard let connection = open[id] else { return }
        switch connection.send(message) {
        case .queued:
            guard connection.unwrittenBytes > session.configuration.maximumUnwrittenBytes else { return }
            // It takes less than it is sent, and its output would grow without end.
            cut(connection, id)
            forget(id)
        case .tooBig:
            tellTooBig(message, for: id)
            // It would be as large on the next link.
            session.handle(.command(.endSession(id)), at: loop.now, into: &effects)
            connection.close(.internalError, reason: "an answer is too big")
            closing[id] = connection
            forget(id)
        case .notOpen: break  // Its end is under way and will be told.
        }
    }

    private func keepTCP(of connection: ServerConnection, _ id: ConnectionID) {
        keepingTCP.insert(id)
        connection.leaveOpenAfterClose()
    }

    private func linger(_ connection: ServerConnection) {
        lingering.append(connection)
        if lingering.count > session.configuration.maximumConnections { lingering.popFirst()?.cut() }
    }

    private func tellGone(_ id: ConnectionID, _ end: LinkEnd) {
        // One that is cut before it opened never came.
        guard let visit = visits.removeValue(forKey: id), visit.visitor.name != nil else { return }
        let stayed = visit.began.duration(to: loop.now.instant)
        tellClosed(visit, end)
        service.onAccess?(.went(visit.visitor, after: stayed, messages: visit.messages, end))
    }

    /// No report will come of it any more.
    private func cut(_ connection: ServerConnection, _ id: ConnectionID) {
        tellGone(id, .failed(LinkFailure(.lost, "The server cut the connection.")))
        floods.end(id)
        keepingTCP.remove(id)
        connection.cut()
    }

    private func forget(_ id: ConnectionID) {
        floods.end(id)
        open[id] = nil
        session.handle(.closed(id), at: loop.now, into: &effects)
    }

    private func finishStop() {
        guard let done = onStopped, open.isEmpty, closing.isEmpty else { return }
        onStopped = nil
        // What came in part and has no connection any more would stay until the next start.
        desk = StreamDesk()
        for connection in lingering.drain() { connection.cut() }
        timer = nil
        floodTimer = nil
        tell(.serverStopped)
        done()
    }

    // MARK: Floods

    private func pourAll() {
        for id in floods.connections { pour(id) }
        performEffects()
    }

    private func pour(_ id: ConnectionID) {
        while let connection = open[id], connection.unwrittenBytes < Self.floodAhead {
            let messages = floods.take(64, for: id)
            guard !messages.isEmpty else { return }
            for message in messages { send(message, to: id) }
        }
        floodTimer?.arm(at: loop.now.instant.advanced(by: Self.floodPause))
    }

    /// Whether a part of a message would not stand before much else.
    private func hasRoom(_ id: ConnectionID) -> Bool {
        open[id].map { $0.unwrittenBytes < Self.partsAhead } ?? false
    }

    // MARK: Large values

    private func offload(_ work: ServerWork) {
        guard let bound else { return }
        loop.offload {
            let done = work.done()
            bound.loop.post { bound.content.handle(.worked(done)) }
        }
    }
}
