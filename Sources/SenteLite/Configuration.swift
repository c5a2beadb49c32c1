// SPDX-License-Identifier: Apache-2.0

public import SenteBase
public import SenteCore
public import SenteTelemetry
import SenteTransport
public import SenteWire

extension SenteClient {
    /// Everything a client can be told when it is made.
    ///
    /// Every setting has a default that suits an app on a phone and a service alike.
    public struct Configuration: Sendable {
        /// Gives the token for an attempt, or nil for none.
        ///
        /// It runs on the ordinary executor, before each attempt and within its time limit. Throwing gives up
        /// the attempt, not the connecting.
        public typealias TokenProvider = @Sendable (AttemptReason) async throws -> String?

        /// Gives the CSRF token for an attempt, or nil for none.
        ///
        /// It runs like a token provider.
        public typealias CSRFTokenProvider = @Sendable () async throws -> String?

        /// Gives parameters for an attempt's URL, in order.
        ///
        /// It runs like a token provider.
        public typealias ParametersProvider = @Sendable (AttemptReason) async throws -> NamedValues

        /// The family of servers to insist on; nil takes what the first frame shows, which is never NATS.
        ///
        /// The default is nil.
        public var dialect: Dialect?
        /// The format to insist on; nil takes what the first frame shows.
        ///
        /// With NATS, whose messages name theirs, it is the one to write, and to read where none is named: JSON if nil. The
        /// default is nil.
        public var format: WireFormat?
        /// What servers of NATS are told; without meaning unless `dialect` is `.nats`.
        ///
        /// The default is `NATSSettings()`.
        public var nats: NATSSettings
        /// Tried, once, when the first frame is none of the format it looks like.
        ///
        /// The default is EDN.
        public var fallbackFormat: WireFormat
        /// More URLs of the same server, tried after the client's own; the last good one first.
        ///
        /// Each attempt goes to one of them. An end that retrying cannot mend is final only when all of them ended so, one after
        /// the other. The default is empty.
        public var endpoints: [String]
        /// In which order the client's URL and `endpoints` are tried.
        ///
        /// The default is `.listed`.
        public var endpointOrder: EndpointOrder
        /// Asked for the URL before each attempt; nil uses the client's URL and `endpoints`.
        ///
        /// The default is nil.
        public var endpointProvider: EndpointProvider?
        /// When to try again.
        ///
        /// The default is `.default`: at once at each other endpoint, then within 2 s, later within 30 s, without end.
        public var reconnect: ReconnectPolicy {
            get { policies.values.reconnect }
            set { policies.values.reconnect = newValue }
        }
        /// How to find out that a silent server is gone; nil never does.
        ///
        /// The default is a probe after 20 s of silence, and 5 s for an answer.
        public var heartbeat: Heartbeat? {
            get { policies.values.heartbeat }
            set { policies.values.heartbeat = newValue }
        }
        /// What may wait to be sent.
        ///
        /// The default is 1,000 messages, 1 MiB, 30 s; a message that finds no room is refused.
        public var outbox: OutboxPolicy {
            get { policies.values.outbox }
            set { policies.values.outbox = newValue }
        }
        /// Where durable messages are kept, `SendOptions(durable: true)`; nil for nowhere, and then they are refused.
        ///
        /// It needs a `clientID` that the next process has too. The default is nil.
        public var outboxStore: (any OutboxStore)?
        /// What may wait to be consumed, for each live handle.
        ///
        /// The default is 16,384 messages, 16 MiB; then the oldest go.
        public var inbox: InboxPolicy {
            get { policies.values.inbox }
            set { policies.values.inbox = newValue }
        }
        /// How long things may take.
        ///
        /// The default is 10 s to connect, 10 s for a request, 5 s to close.
        public var timeouts: TimeLimits {
            get { policies.values.times }
            set { policies.values.times = newValue }
        }
        /// How large things may be.
        ///
        /// The default is 1 MiB a message, each way.
        public var limits: SizeLimits
        /// Sent with the opening handshake.
        ///
        /// Those the handshake itself needs are refused, as is what cannot stand in a header. A redirect to another origin
        /// takes none along but `User-Agent`, `Accept-Language` and `Origin`. The default is empty.
        public var headers: NamedValues
        /// Sent as the header `Cookie` (RFC 6265 §4.2), behind one that `headers` has.
        ///
        /// The default is empty.
        public var cookies: NamedValues
        /// Added to the URL's query, percent-encoded, in this order.
        ///
        /// The default is empty.
        public var parameters: NamedValues
        /// Asked for more parameters before each attempt; they stand behind the others.
        ///
        /// For what is good for one attempt, such as a CSRF token. The default is nil.
        public var parametersProvider: ParametersProvider?
        /// By what a Sente server knows this client over all its connections: the parameter `client-id`, behind the
        /// others.
        ///
        /// Sente takes no connection without one; sente-lite's servers do not look at it. The default is nil: a random
        /// UUID, made once for each client, unless `parameters` or the URL's query names one.
        public var clientID: String?
        /// Whether a `clientID` is made where none is given.
        ///
        /// The default is true.
        public var makesClientID: Bool
        /// Asked for a CSRF token before each attempt, and once more when the server refused it (403); it is sent as
        /// the parameter `csrf-token`, the last one.
        ///
        /// The default is nil.
        public var csrfToken: CSRFTokenProvider?
        /// Asked for a token before each attempt; it is sent as `Authorization: Bearer …`, and with NATS as `nats.credentials`
        /// has it.
        ///
        /// The default is nil.
        public var tokenProvider: TokenProvider?
        /// By which proxy the server is reached.
        ///
        /// The default is `.environment`: what `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say.
        public var proxy: ProxySetting
        /// How messages are compressed, where the server agrees and the system has zlib; nil offers nothing.
        ///
        /// The default is permessage-deflate for messages from 256 bytes on, at level 6, both contexts kept.
        public var compression: CompressionPolicy?
        /// What is offered to a server beyond plain messages; `.off` for nothing.
        ///
        /// With a server that announces nothing it changes nothing. The default offers everything.
        public var flow: FlowPolicy {
            get { policies.values.flow }
            set { policies.values.flow = newValue }
        }
        /// When data goes by way of a storage, because it is too large for the connection; nil for never.
        ///
        /// The default is nil: every message goes as it is, and one beyond `limits` is refused.
        public var largeData: LargeDataPolicy?
        /// What tells the client that the network changed, so that it need not wait to find out.
        ///
        /// An open client then asks its server for a sign of life at once, and a wait for the next attempt is cut short,
        /// unless the server asked not to come before. The default is `.system`.
        public var networkPath: NetworkPath
        /// How `wss:` links are secured, and whom they trust.
        ///
        /// The default is TLS 1.2 or later and the system's authorities.
        public var tls: TLSConfiguration
        /// What only a `ChannelSocketClient` has.
        ///
        /// The default is what `ChannelSocketOptions` says.
        public var channelSocket: ChannelSocketOptions
        /// What carries the messages.
        ///
        /// The default is `.standard`: Foundation's WebSocket on Apple's systems, sockets of this package's own elsewhere.
        public var transport: ClientTransport
        /// Where what the client does and meets is written; nil for nowhere.
        ///
        /// `.standardError(minimum:)`, `.osLog` on Apple's systems, or a closure: `SignalLog { print($0) }`. The default is nil.
        public var log: SignalLog?
        /// Where each message that goes and comes is shown; nil for nowhere, unless the environment has `SENTE_TRACE=1`.
        ///
        /// `.standardError`, or a closure: `WireTrace { print($0) }`. The default is nil.
        public var trace: WireTrace?
        /// Takes the client's signals, in the namespace `sente-lite.client`, as far as it wants them; nil for none.
        ///
        /// What it does not want is not made. The default is nil.
        public var telemetry: Telemetry?
        /// Whether what is published, requested and sent goes on a trace (W3C Trace Context), and what comes continues one.
        ///
        /// The text `traceparent` then goes with each message that has a place for it (see *SeeingIntoIt*), as the next step of
        /// `Telemetry.currentTrace` or the first of a new trace, and with the opening handshake as a header. Closures and
        /// responders run within the trace of what they handle; `ChannelMessage` and `Event` have it as `trace`. The default is
        /// false: nothing is written or read.
        public var tracing: Bool
        /// The thread that serves the client.
        ///
        /// The default is `.shared`, one for all clients of the process.
        public var loop: ClientLoop
        private var policies = SessionPolicies()

        /// The defaults.
        public init() {
            nats = NATSSettings()
            fallbackFormat = .edn
            limits = SizeLimits()
            endpoints = []
            endpointOrder = .listed
            headers = [:]
            cookies = [:]
            proxy = .environment
            parameters = [:]
            makesClientID = true
            compression = CompressionPolicy()
            networkPath = .system
            tls = TLSConfiguration()
            channelSocket = ChannelSocketOptions()
            transport = .standard
            tracing = false
            loop = .shared
        }
    }
}

extension SenteClient.Configuration {
    /// What the session is told of a client of `url`.
    package func session(for url: String) -> SessionConfiguration {
        var session = SessionConfiguration()
        session.dialect = dialect
        // Servers of NATS cut whom they cannot write to for 10 s (`write_deadline`).
        if dialect == .nats {
            session.pauseLimit = .seconds(5)
            session.learnsEndpoints = nats.learnsEndpoints
        }
        session.policies = policies
        session.largeData = largeData?.settings
        session.keepsMessages = outboxStore != nil
        session.compressor = { algorithm, level in
            (try? ZlibLibrary.shared.get()).map { _ in .system(algorithm, level: level) }
        }
        session.stopwatch = { .now }
        session.digests = .system
        // One alone leaves nothing to choose, unless more are learnt of it.
        session.endpoints = endpoints.isEmpty && !session.learnsEndpoints ? [] : [url] + endpoints
        session.endpointOrder = endpointOrder
        session.asksEndpoint = endpointProvider != nil
        session.asksToken = tokenProvider != nil
        session.asksParameters = parametersProvider != nil || csrfToken != nil
        return session
    }

    /// Gives the client its name, unless it has one or is to have none.
    mutating func completeClientID(for url: String, _ make: () -> String) {
        let name = LinkSetup.clientIDParameter
        let query = url.drop { $0 != "?" }.dropFirst().split(separator: "&")
        let isNamed = parameters[name] != nil || query.contains { $0.hasPrefix("\(name)=") }
        if clientID == nil, makesClientID, !isNamed { clientID = make() }
    }

    /// Refuses numbers that make no sense, by their names.
    func check() throws(SenteError) {
        try checkFormat()
        try checkNATS()
        guard endpoints.isEmpty || endpointProvider == nil else {
            throw SenteError(
                .invalidArgument, "Give either `endpoints` or `endpointProvider`, which decides by itself.")
        }
        for cookie in cookies {
            if let problem = Cookies.problem(with: cookie) { throw SenteError(.invalidArgument, problem) }
        }
        let sizes = [
            ("limits.incomingMessage", limits.incomingMessage),
            ("limits.outgoingMessage", limits.outgoingMessage),
            ("outbox.maximumMessages", outbox.maximumMessages), ("outbox.maximumBytes", outbox.maximumBytes),
            ("inbox.maximumMessages", inbox.maximumMessages), ("inbox.maximumBytes", inbox.maximumBytes),
        ]
        for (name, size) in sizes where size < 1 {
            throw SenteError(.invalidArgument, "`\(name)` is \(size): give at least 1.")
        }
        try compression?.check()
        try flow.check()
        try largeData?.check()
        if let problem = tls.pinProblem { throw SenteError(.invalidArgument, problem) }
        var times = [
            ("timeouts.connect", timeouts.connect), ("timeouts.request", timeouts.request),
            ("timeouts.close", timeouts.close),
        ]
        if let heartbeat {
            times.append(("heartbeat.interval", heartbeat.interval))
            if let limit = heartbeat.limit { times.append(("heartbeat.limit", limit)) }
        }
        if let time = outbox.timeToLive { times.append(("outbox.timeToLive", time)) }
        for (name, time) in times where time <= .zero {
            throw SenteError(.invalidArgument, "`\(name)` is \(time): give more than 0.")
        }
        if outboxStore != nil, clientID == nil {
            throw SenteError(
                .invalidArgument,
                "`outboxStore` keeps messages for a `clientID`: give one that is the same in the next process."
            )
        }
        if let clientID, clientID.allSatisfy(\.isWhitespace) {
            throw SenteError(
                .invalidArgument, "`clientID` is blank: give some text, or leave it out for a random UUID.")
        }
    }

    /// Sente has no packer without keywords, and sente-lite's servers drop every event in plain JSON.
    private func checkNATS() throws(SenteError) {
        guard dialect == .nats else { return }
        try NATSSubject.check(group: nats.group)
        if let domain = nats.domain { try NATSSubject.check(domain: domain) }
        guard nats.credentials?.takesToken == true, tokenProvider == nil else { return }
        throw SenteError(
            .invalidArgument, "`nats.credentials` take a token: give a `tokenProvider`, or other credentials."
        )
    }

    private func checkFormat() throws(SenteError) {
        guard let dialect, ![.senteLiteMaps, .nats].contains(dialect), format == .json else { return }
        throw SenteError(
            .invalidArgument,
            "`format` is json, in which servers of the dialect \(dialect.rawValue) understand nothing: give .edn or "
                + ".transitJSON, as the server has it, or leave `format` out to take what comes.")
    }
}

extension FlowPolicy {
    fileprivate func check() throws(SenteError) {
        let sizes = [
            ("batching.maximumMessages", batching?.maximumMessages),
            ("batching.maximumBytes", batching?.maximumBytes),
            ("compression.minimumBytes", compression?.minimumBytes),
            ("chunking.size", chunking?.size), ("chunking.maximumChunks", chunking?.maximumChunks),
            ("resumption.maximumMessages", resumption?.maximumMessages),
            ("resumption.maximumBytes", resumption?.maximumBytes),
        ]
        for case (let name, let size?) in sizes where size < 1 {
            throw SenteError(.invalidArgument, "`flow.\(name)` is \(size): give at least 1.")
        }
        if let streaming {
            let (flowName, window) =
                switch streaming.flowControl {
                case .credits(let count): ("credits", count)
                case .window(let bytes): ("window", bytes)
                }
            let sizes = [
                ("chunkSize", streaming.chunkSize), ("maximumStreams", streaming.maximumStreams),
                ("flowControl.\(flowName)", window),
            ]
            for (name, size) in sizes where size < 1 {
                throw SenteError(.invalidArgument, "`flow.streaming.\(name)` is \(size): give at least 1.")
            }
            if streaming.idleLimit < .seconds(1) {
                throw SenteError(
                    .invalidArgument,
                    "`flow.streaming.idleLimit` is \(streaming.idleLimit): give 1 s or more.")
            }
        }
        if let linger = batching?.linger, linger < .zero {
            throw SenteError(.invalidArgument, "`flow.batching.linger` is \(linger): give 0 or more.")
        }
        if let timeout = chunking?.timeout, timeout <= .zero {
            throw SenteError(.invalidArgument, "`flow.chunking.timeout` is \(timeout): give more than 0.")
        }
        if case .fixed(let level)? = compression?.level, !(1...9).contains(level) {
            throw SenteError(.invalidArgument, "`flow.compression.level` is \(level): give 1 to 9.")
        }
    }
}

extension CompressionPolicy {
    fileprivate func check() throws(SenteError) {
        let numbers = [
            ("level", level, 1...9), ("threshold", threshold, 0...Int.max),
            ("outgoingWindowBits", outgoingWindowBits, 9...15),
            ("incomingWindowBits", incomingWindowBits, 9...15),
        ]
        for (name, number, range) in numbers where !range.contains(number) {
            let right =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw SenteError(.invalidArgument, "`compression.\(name)` is \(number): give \(right).")
        }
    }
}
