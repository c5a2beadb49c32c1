// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteCore
import SenteServer
import SenteTransport
public import SenteWire

/// The server of ``TestServer`` on a real port of this machine: for UI tests, whose app is another process.
///
/// ```swift
/// let server = try LoopbackServer()
/// try await server.start()
/// app.launchEnvironment["SERVER_URL"] = server.url
/// await server.deliver(["text": "hello"], to: "chat")
/// ```
///
/// It listens on 127.0.0.1, and its time is the real one. It ends with the last reference to it. With a certificate it speaks
/// TLS, for an app that pins keys or trusts an authority of its own:
///
/// ```swift
/// let server = try LoopbackServer(identity: .init(certificates: .file("server.pem"), key: .file("server.key")))
/// ```
public final class LoopbackServer: Sendable {
    private struct State {
        var port: Int?
        var faults = Faults()
        var sessions: ServerConfiguration.Flow.Resumption?
    }

    /// How the server writes its messages.
    public let dialect: Dialect
    let server: ReferenceServer
    let streams = StreamScript()
    let log = EventLog()
    private let state = LockedValue(State())
    private let script: Script
    private let isSecure: Bool

    /// Makes a server that is not started.
    ///
    /// Without a format it has the usual one of its dialect; without an `identity`, its certificate and key, it speaks
    /// without TLS.
    ///
    /// - Throws: `unavailable` when the system has no thread or descriptor left; `unsupported` for `.nats`, whose server is
    ///   `nats-server`, and for a key that a passphrase locks.
    public init(
        _ dialect: Dialect = .senteLiteMaps, format: WireFormat? = nil,
        identity: TLSConfiguration.Identity? = nil
    ) throws(SenteError) {
        guard dialect != .nats else {
            throw SenteError(
                code: .unsupported,
                message: "There is no server of NATS in here: start `nats-server` for such tests.")
        }
        guard identity?.passphrase == nil else {
            throw SenteError(
                code: .unsupported,
                message: "This server cannot unlock a key: give it one without a passphrase.")
        }
        var configuration = ServerConfiguration(dialect, format)
        configuration.port = 0
        configuration.tls = identity.map { ServerTLS(certificates: $0.certificates, key: $0.key) }
        let script = Script(dialect, log)
        var service = ServerService()
        service.userID = { _ in script.greeting.withLock { $0.uid } }
        service.handshakeData = { _ in script.greeting.withLock { $0.data } }
        service.onEvent = { told, _, order in script.answer(told, order) }
        service.onRequest = { request, order in script.answer(request, order) }
        service.onStream = { [streams] (request) throws(StreamRefusal) in try streams.ends(request) }
        service.onStreamsAgreed = { [streams] id in
            // Read on the loop, where they are also added: nobody is offered one twice, or never.
            let downloads = streams.downloads
            Task {
                guard let server = script.server.withLock({ $0.server }) else { return }
                for download in downloads {
                    await server.openStream(download.offer, to: .connection(id)) { download.ends }
                }
            }
        }
        self.dialect = dialect
        self.script = script
        isSecure = identity != nil
        server = try Self.mapped { () throws(LinkFailure) in
            try ReferenceServer(configuration, service: service) { id, frame in
                script.answer(frame, from: id)
                return nil
            }
        }
        script.server.withLock { $0.server = server }
    }

    private static func mapped<Result>(
        _ body: () async throws(LinkFailure) -> Result
    ) async throws(SenteError) -> Result {
        do throws(LinkFailure) {
            return try await body()
        } catch {
            throw SenteError(code: .unavailable, message: error.message)
        }
    }

    private static func mapped<Result>(
        _ body: () throws(LinkFailure) -> Result
    ) throws(SenteError) -> Result {
        do throws(LinkFailure) {
            return try body()
        } catch {
            throw SenteError(code: .unavailable, message: error.message)
        }
    }

    // MARK: Running

    /// The port; nil before the first start.
    ///
    /// It stays the same.
    public var port: Int? { state.withLock { $0.port } }

    /// Where clients find it; before the first start, a port where nobody listens.
    public var url: String { "\(isSecure ? "wss" : "ws")://127.0.0.1:\(port ?? 1)/" }

    /// Listens: on a free port at first, on the same one later; the port.
    ///
    /// - Throws: `unavailable` when it runs already, somebody else has taken its port meanwhile, or its certificate or key
    ///   cannot be used.
    @discardableResult
    public func start() async throws(SenteError) -> Int {
        let wanted = port ?? 0
        let port = try await Self.mapped { () async throws(LinkFailure) in
            try await server.start(port: wanted)
        }
        state.withLock { $0.port = port }
        if streams.isTaking { await server.perform(.announceStreams(StreamPolicy())) }
        await server.perform(.keepSessions(state.withLock { $0.sessions }))
        for channel in script.servedChannels { await server.perform(.serve(channel: .string(channel))) }
        return port
    }

    /// Closes every connection with 1001, and listens no more.
    public func stop() async { await server.stop() }

    /// Stops, and starts again on the same port, with no memory of clients and channels.
    ///
    /// - Throws: What `start()` throws.
    public func restart() async throws(SenteError) {
        await stop()
        try await start()
    }

    // MARK: What it does now

    /// Sends to everybody who is subscribed to a channel; the channel is made if need be.
    public func deliver(_ data: Value, to channel: String) async {
        await server.createChannel(channel)
        await server.publish(data, to: channel)
    }

    /// Sends an event to every client.
    public func push(_ event: Event) async {
        let frame = dialect.frame(event)
        if dialect == .sente {
            for uid in await server.connectedUIDs.any {
                await server.perform(.push(frame, uid: uid, flushes: true))
            }
        } else {
            for connection in await server.stats.connections { await server.send(frame, to: connection.id) }
        }
    }

    /// Ends every connection with no word.
    public func cut() async { await server.drop() }

    /// Closes every connection with a close frame.
    public func close(_ code: CloseCode = .normal, reason: String = "") async {
        await server.close(nil, code, reason: reason)
    }

    /// How many clients are connected.
    public var connectionCount: Int {
        get async { await server.stats.connections.count }
    }

    /// How many clients are subscribed to a channel.
    public func subscriberCount(of channel: String) async -> Int {
        await server.stats.channels.first { $0.id == .string(channel) }?.subscriberCount ?? 0
    }

    // MARK: What it does from now on

    /// Requests on a channel are answered by the server with what `body` returns, or with the error it throws.
    public func answersRequests(
        on channel: String, _ body: @escaping @Sendable (Value) async throws -> Value
    ) async {
        script.answers.withLock { $0.requests[channel] = body }
        await server.perform(.serve(channel: .string(channel)))
    }

    /// Events of an id are answered with what `body` returns; nil answers nothing.
    ///
    /// How, and what becomes of other events, stands at the same method of ``TestServer``.
    public func answersEvents(_ id: Keyword, _ body: @escaping @Sendable (Event) async -> Value?) {
        script.answers.withLock { $0.events[id] = body }
    }

    /// Greets those who connect from now on as the user `uid`, with the app's own data.
    ///
    /// Without this the user is who the dialect says: the connection in sente-lite's, nobody in `sente`.
    public func greets(as uid: Value?, handshakeData: Value = .null) {
        script.greeting.withLock { $0 = Script.Greeting(uid: uid, data: handshakeData) }
    }

    /// Keeps the session of each client that connects from now on: calls in flight, subscriptions and up to 100 messages to it
    /// survive a lost connection, for as long as its client is away.
    ///
    /// Without this each connection is a new beginning, and so it is after a restart of the server.
    ///
    /// - Parameter window: How long a client may be away. The default is 300 s.
    public func keepsSessions(for window: Duration = .seconds(300)) async {
        let sessions = ServerConfiguration.Flow.Resumption(window: window)
        state.withLock { $0.sessions = sessions }
        await server.perform(.keepSessions(sessions))
    }

    /// Lets nobody in; who is in stays.
    public func refuses(_ refusing: TestServer.Refusing) async {
        await change { $0.refusing = refusing.fault }
    }

    /// Does what it is asked and answers none of it but pings.
    public func losesReplies() async { await change { $0.replies = .never } }

    /// Takes everything and says nothing at all.
    public func fallsSilent() async { await change { $0.isSilent = true } }

    /// Has no fault any more.
    public func recovers() async {
        await change { $0 = Faults() }
        streams.recover()
        await server.wakeStreams()
    }

    private func change(_ body: (inout Faults) -> Void) async {
        let faults = state.withLock { state in
            body(&state.faults)
            return state.faults
        }
        await server.setFaults(faults)
    }
}

/// What the server answers; it outlives no server.
private final class Script: Sendable {
    struct Owner {
        weak var server: ReferenceServer?
    }

    struct Greeting {
        var uid: Value?
        var data = Value.null
    }

    let dialect: Dialect
    let log: EventLog
    let greeting = LockedValue(Greeting())
    let answers = LockedValue(ScriptedAnswers())
    let server = LockedValue(Owner())

    init(_ dialect: Dialect, _ log: EventLog) {
        self.dialect = dialect
        self.log = log
    }

    var servedChannels: [String] { answers.withLock { $0.requests.keys.sorted() } }

    func answer(_ request: ServedRequest, _ order: @escaping ServerService.Order) {
        guard let body = answers.withLock({ $0.requests[request.channel.stringValue ?? ""] }) else { return }
        Task {
            let (data, isError) = await ScriptedAnswers.result { try await body(request.data) }
            order(.answer(data, requestID: request.id, isError: isError))
        }
    }

    func answer(_ told: ServerEvent, _ order: @escaping ServerService.Order) {
        guard told.event[0]?.keywordValue?.namespace != "chsk" else { return }
        let event = try? Event(validating: told.event)
        answer(event, told.event, told.callback, to: told.connection, order)
    }

    /// A frame of the dialect of maps that is nothing else.
    func answer(_ frame: Value, from id: ConnectionID) {
        answer(dialect.event(frame), frame, nil, to: id) { [server] command in
            Task { await server.withLock { $0.server }?.perform(command) }
        }
    }

    private func answer(
        _ event: Event?, _ frame: Value, _ callback: Value?, to id: ConnectionID,
        _ order: @escaping ServerService.Order
    ) {
        if let event { log.append(event) }
        guard let event, let body = answers.withLock({ $0.events[event.id] }) else {
            return order(.echo(frame, callback: callback, to: id))
        }
        Task { [dialect] in
            if let value = await body(event) { order(dialect.reply(value, to: event, callback, id)) }
        }
    }
}
