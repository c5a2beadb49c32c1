// SPDX-License-Identifier: Apache-2.0

public import SampleOptions
public import SenteLite

/// What the command line says of the client.
public struct ClientSettings {
    /// The reconnect policies with a name.
    private enum Policy: String, CaseIterable {
        case `default`, fleet, senteLite, never
    }

    /// What the options make of the defaults.
    public var configuration = SenteClient.Configuration()
    var connects = true
    var stays = false
    var wantsHelp = false
    /// The folder where durable messages are kept; nil for none.
    public var outbox: String?

    /// The parts of an exponential policy, when one of them was given.
    private var backoff: (initial: Duration, multiplier: Double, jitter: Double, maximum: Duration)?
    private var policy = Policy.default
    private var attempts: Int?
    private var stableTime: Duration?

    /// The settings, and the URL unless help was asked for.
    public static func read(
        _ arguments: [String]
    ) throws(UsageError) -> (settings: ClientSettings, url: String) {
        var settings = ClientSettings()
        settings.configuration.flow.streaming = StreamingPolicy()
        let others = try OptionTable(options).apply(arguments, to: &settings)
        settings.configuration.reconnect = settings.reconnect
        if settings.wantsHelp { return (settings, "") }
        guard let url = others.first, others.count == 1 else {
            throw UsageError(
                "Give one URL, such as ws://127.0.0.1:3000/, or `serve`; `console --help` shows the rest.")
        }
        guard settings.outbox == nil || settings.configuration.clientID != nil else {
            throw UsageError(
                "--outbox keeps messages for one client: add --client-id TEXT, the same each time.")
        }
        return (settings, url)
    }

    private var reconnect: ReconnectPolicy {
        var reconnect =
            switch policy {
            case .default: ReconnectPolicy.default
            case .fleet: ReconnectPolicy.fleet
            case .senteLite: ReconnectPolicy.senteLite
            case .never: ReconnectPolicy.never
            }
        if let backoff, policy != .never {
            reconnect = .exponential(
                initial: backoff.initial, multiplier: backoff.multiplier, jitter: backoff.jitter,
                maximum: backoff.maximum, attempts: nil)
        }
        if let attempts, policy != .never { reconnect.attempts = attempts }
        if let stableTime { reconnect.stableTime = stableTime }
        return reconnect
    }

    /// The exponential policy so far, which a first option of it begins with the original's numbers.
    private var exponential: (initial: Duration, multiplier: Double, jitter: Double, maximum: Duration) {
        get { backoff ?? (.seconds(1), 2, 0.25, .seconds(30)) }
        set { backoff = newValue }
    }

    static let usage = """
        console — a client for people and scripts: sentences on a terminal, elsewhere one JSON object a line

        swift run console URL [options]      a client of the server at URL
        swift run console serve [options]    the reference server (`console serve --help`)

        Commands on standard input, one a line; its end is `quit` unless --stay says otherwise, # begins a comment:
        \(Command.forms.map { "  \($0.form)" }.joined(separator: "\n"))

        upload sends a file, and download asks for one on the channel “files”, as console serve --streams answers it;
        streams says how far each is.

        subscribe, unsubscribe, publish, request, respond, send and event leave in the order of their lines; later lines
        go on while they wait for the server; the field `line` says which line a result belongs to. connect, disconnect
        and wait hold up later lines. quit waits for the results still missing, then disconnects.

        HOW is any of --urgent or --bulk, which go before and behind other messages that wait, and --durable: the message
        is kept in --outbox DIRECTORY and goes again, with the next run if need be, until the server has answered. With --stored
        before them a stream of NATS is to keep what is published, and its answer is awaited.
        START is where to begin in the stream of NATS that keeps the channel: now, next, last (of each subject), or a sequence.

        Options:
        \(OptionTable(options).help)
        """

    private static var options: [Option<ClientSettings>] {
        connectionOptions + Option.network(\.configuration) + reconnectOptions + queueOptions + limitOptions
    }

    private static var connectionOptions: [Option<ClientSettings>] {
        [
            .flag("help", "shows this") { $0.wantsHelp = true },
            .flag("json", "one JSON object a line on a terminal too") { _ in },
            .flag("trace", "shows each message on standard error, without its secrets") {
                $0.configuration.trace = .standardError
            },
            .flag("no-connect", "stays closed until the command connect") { $0.connects = false },
            .flag("stay", "goes on when standard input ends, until a signal") { $0.stays = true },
            .option("port-file", "PATH", "reads the port from a file before each attempt") {
                $0.configuration.endpointProvider = .portFile($1)
            },
            .option("client-id", "TEXT", "the parameter client-id of Sente (a random UUID)") {
                $0.configuration.clientID = $1
            },
            .option("csrf", "TOKEN", "the parameter csrf-token of Sente") { settings, text in
                settings.configuration.csrfToken = { text }
            },
            .option("dialect", "NAME", "insists on one of: \(Reading.names(of: DialectName.self)) (auto)") {
                (settings, text) throws(UsageError) in
                settings.configuration.dialect = try Reading.choice(text, of: DialectName.self).dialect
            },
            .option("user", "NAME:PASSWORD", "who a server of NATS is told that it is") {
                (settings, text) throws(UsageError) in
                let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, !parts[0].isEmpty else {
                    throw UsageError("--user: give a name and a password, as in ann:secret.")
                }
                settings.configuration.nats.credentials = .user(String(parts[0]), password: String(parts[1]))
            },
            .option("format", "NAME", "insists on one of: \(formats) (auto)") {
                (settings, text) throws(UsageError) in
                guard text == auto || FormatName(rawValue: text) != nil else {
                    throw UsageError("“\(text)” is none of \(formats).")
                }
                settings.configuration.format = FormatName(rawValue: text)?.format
            },
        ]
    }

    private static let auto = "auto"
    private static var formats: String { "\(auto), \(Reading.names(of: FormatName.self))" }

    private static var reconnectOptions: [Option<ClientSettings>] {
        [
            .option("reconnect", "POLICY", "one of: \(Reading.names(of: Policy.self)) (default)") {
                (settings, text) throws(UsageError) in
                settings.policy = try Reading.choice(text, of: Policy.self)
            },
            .option("backoff-initial", "SECONDS", "exponential instead: the first wait (1)") {
                (settings, text) throws(UsageError) in
                settings.exponential.initial = try Reading.seconds(text)
            },
            .option("backoff-multiplier", "NUMBER", "… what each wait grows by (2)") {
                (settings, text) throws(UsageError) in
                settings.exponential.multiplier = try Reading.number(text, 1...1_000)
            },
            .option("backoff-jitter", "FRACTION", "… varied by ± this part (0.25)") {
                (settings, text) throws(UsageError) in
                settings.exponential.jitter = try Reading.number(text, 0...1)
            },
            .option("backoff-maximum", "SECONDS", "… the longest wait (30)") {
                (settings, text) throws(UsageError) in
                settings.exponential.maximum = try Reading.seconds(text)
            },
            .option("attempts", "N", "retries in a row before giving up (the policy's own)") {
                (settings, text) throws(UsageError) in
                settings.attempts = try Reading.count(text)
            },
            .option("stable-time", "SECONDS", "open this long, the next loss counts as the first (5)") {
                (settings, text) throws(UsageError) in
                settings.stableTime = try Reading.seconds(text)
            },
            .option("heartbeat", "SECONDS|off", "silence before a probe (20)") {
                (settings, text) throws(UsageError) in
                let interval = try Reading.secondsOrOff(text)
                let limit = settings.configuration.heartbeat?.limit ?? Heartbeat().limit
                settings.configuration.heartbeat = interval.map { Heartbeat(interval: $0, limit: limit) }
            },
            .option("heartbeat-limit", "SECONDS", "… and for the answer to it (5)") {
                (settings, text) throws(UsageError) in
                let limit = try Reading.seconds(text)
                settings.configuration.heartbeat?.limit = limit
            },
        ]
    }

    private static var queueOptions: [Option<ClientSettings>] {
        [
            .option("outbox", "DIRECTORY", "keeps durable messages there, until the server has them") {
                $0.outbox = $1
            },
            .flag("no-outbox", "nothing waits for a connection") { $0.configuration.outbox = .off },
            .option("outbox-messages", "N", "how many messages may wait (1000)") {
                (settings, text) throws(UsageError) in
                settings.configuration.outbox.maximumMessages = try Reading.count(text)
            },
            .option("outbox-bytes", "N", "how many bytes may wait (1048576)") {
                (settings, text) throws(UsageError) in
                settings.configuration.outbox.maximumBytes = try Reading.count(text)
            },
            .option("outbox-time", "SECONDS|off", "how long a message may wait (30)") {
                (settings, text) throws(UsageError) in
                settings.configuration.outbox.timeToLive = try Reading.secondsOrOff(text)
            },
            .option("outbox-overflow", "POLICY", Reading.names(of: OutboxPolicy.Overflow.self)) {
                (settings, text) throws(UsageError) in
                settings.configuration.outbox.overflow = try Reading.choice(
                    text, of: OutboxPolicy.Overflow.self)
            },
            .option("inbox-messages", "N", "how many messages may be left unread (16384)") {
                (settings, text) throws(UsageError) in
                settings.configuration.inbox.maximumMessages = try Reading.count(text)
            },
            .option("inbox-bytes", "N", "how many bytes may be left unread (16777216)") {
                (settings, text) throws(UsageError) in
                settings.configuration.inbox.maximumBytes = try Reading.count(text)
            },
            .option("inbox-overflow", "POLICY", Reading.names(of: InboxPolicy.Overflow.self)) {
                (settings, text) throws(UsageError) in
                settings.configuration.inbox.overflow = try Reading.choice(
                    text, of: InboxPolicy.Overflow.self)
            },
        ]
    }

    private static var limitOptions: [Option<ClientSettings>] {
        [
            .option("connect-limit", "SECONDS", "for an attempt, the greeting included (10)") {
                (settings, text) throws(UsageError) in
                settings.configuration.timeouts.connect = try Reading.seconds(text)
            },
            .option("request-limit", "SECONDS", "for a call that awaits an answer (10)") {
                (settings, text) throws(UsageError) in
                settings.configuration.timeouts.request = try Reading.seconds(text)
            },
            .option("close-limit", "SECONDS", "for the closing handshake (5)") {
                (settings, text) throws(UsageError) in
                settings.configuration.timeouts.close = try Reading.seconds(text)
            },
            .option("max-incoming", "BYTES", "the largest message taken (1048576)") {
                (settings, text) throws(UsageError) in
                settings.configuration.limits.incomingMessage = try Reading.count(text)
            },
            .option("max-outgoing", "BYTES", "the largest message sent (1048576)") {
                (settings, text) throws(UsageError) in
                settings.configuration.limits.outgoingMessage = try Reading.count(text)
            },
            .option("large-message", "BYTES", "from here on the metrics count it as large (524288)") {
                (settings, text) throws(UsageError) in
                settings.configuration.limits.largeMessage = try Reading.count(text)
            },
        ]
    }
}
