// SPDX-License-Identifier: Apache-2.0

package import SampleOptions
import SenteLite
package import SenteServer
import SenteTransport

/// What the environment and the command line say of the server.
package struct ServeSettings {
    package var configuration: ServerConfiguration
    var wantsHelp = false
    var isQuiet = false
    /// Where the telemetry of clients is written; nil: none is taken.
    var signalFolder: String?
    /// Where uploads go and downloads come from; nil: there are none.
    var streamFolder: String?
    var streamFiles = StreamFolder.Policy()
    var streamPolicy = StreamPolicy()

    /// What the others begin with: the family, and its release where that matters.
    private var mode = ServerConfiguration.Dialect.maps
    private var version = SenteSettings.Version.current
    private var format: FormatName?

    private init(
        _ mode: ServerConfiguration.Dialect = .maps, _ version: SenteSettings.Version = .current,
        environment: [String: String]
    ) throws(UsageError) {
        do {
            configuration = try ServerConfiguration(mode, environment: environment)
        } catch {
            throw UsageError(error.description)
        }
        configuration.sente = SenteSettings(version)
        configuration.flow = .all
    }

    /// Options count more than environment variables.
    ///
    /// They are applied twice: the mode decides what the defaults of the others are.
    package static func read(
        _ arguments: [String], environment: [String: String]
    ) throws(UsageError) -> ServeSettings {
        let table = OptionTable(options)
        var first = try ServeSettings(environment: environment)
        _ = try table.apply(arguments, to: &first)
        var settings = try ServeSettings(first.mode, first.version, environment: environment)
        let others = try table.apply(arguments, to: &settings)
        if let other = others.first {
            throw UsageError("“\(other)” is no option: `console serve --help` lists those there are.")
        }
        try settings.chooseFormat()
        if settings.streamFolder != nil { settings.configuration.flow.streaming = settings.streamPolicy }
        return settings
    }

    private mutating func chooseFormat() throws(UsageError) {
        guard let format else { return }
        let formats = Self.formats(of: mode)
        guard formats.contains(format) else {
            let names = formats.map(\.rawValue).joined(separator: ", ")
            throw UsageError("--format: servers of the mode \(mode.rawValue) speak \(names).")
        }
        configuration.format = format.format
    }

    /// What real servers of the family can be set to.
    private static func formats(of mode: ServerConfiguration.Dialect) -> [FormatName] {
        switch mode {
        case .maps, .vectors: [.json, .edn, .transit]
        case .sente: FormatName.allCases.filter { $0 != .json }
        }
    }

    static let usage = """
        console serve — the reference server, for tests and for trying things out; it is no product

        It prints its real port as the first line, then a line for each client that comes and goes, and ends with SIGINT, SIGTERM or the end of standard input when that is a
        terminal or a pipe; then every connection is closed with 1001. The environment variables PORT, HOST,
        AUTO_CREATE_CHANNELS, MAX_SUBSCRIBERS and MESSAGE_RETENTION stand for the options of that meaning.

        Modes: v1 is sente-lite's first family, {"type": …}; sente-lite the later one, [id data]; sente the original,
        [[id data] cb]. The first two echo what they do not know. In sente, an event whose id is :chat/… goes to every user
        who is connected, with the sender as :from, and answers :ok to whoever wants an answer; any other event is answered
        with its own data. A user is named by the parameter `user`, or else by the client-id.

        The greeting announces what the server can do beyond plain messages: sessions that survive their connections,
        batches, compression, parts, ids of messages. A client that wants none of it sees no difference.

        With --streams, uploads go into a folder under their names, never over another file; a request on the channel
        `files` with {"name": …}, and "follow": true for a file that grows, opens a download to whoever asks (in sente an
        event :files/get). Bidirectional streams come back as they are.

        Options:
        \(OptionTable(options).help)
        """

    private static var options: [Option<ServeSettings>] {
        modeOptions + listenOptions + flowOptions + streamOptions + channelOptions + faultOptions
            + replyOptions
    }

    private static var modeOptions: [Option<ServeSettings>] {
        [
            .option("mode", "NAME", "\(Reading.names(of: ServerConfiguration.Dialect.self)) (v1)") {
                (settings, text) throws(UsageError) in
                settings.mode = try Reading.choice(text, of: ServerConfiguration.Dialect.self)
            },
            .option("format", "NAME", "\(Reading.names(of: FormatName.self)) (json in v1, else edn)") {
                (settings, text) throws(UsageError) in
                settings.format = try Reading.choice(text, of: FormatName.self)
            },
            .option("csrf", "TOKEN", "sente: clients must bring it; sente-lite: the greeting carries it") {
                $0.configuration.csrfToken = $1
            },
            .flag("wrap", "sente-lite: what goes to several comes inside :chsk/recv") {
                $0.configuration.wrapsBroadcasts = true
            },
            .option(
                "sente-version", "NAME", "sente: \(Reading.names(of: SenteSettings.Version.self)) (1.22)"
            ) { (settings, text) throws(UsageError) in
                settings.version = try Reading.choice(text, of: SenteSettings.Version.self)
            },
            .option("path", "PATH", "sente: the only one that is served (any)") {
                $0.configuration.sente.path = $1
            },
            .option("origin", "ORIGIN", "sente: one that is let in; repeatable (any)") {
                $0.configuration.sente.allowedOrigins = ($0.configuration.sente.allowedOrigins ?? []) + [$1]
            },
            .option("push-delay", "SECONDS", "sente: how long pushes are gathered (0.03)") {
                (settings, text) throws(UsageError) in
                settings.configuration.sente.pushDelay = try Reading.seconds(text)
            },
            .option("grace", "SECONDS", "sente: how long a user who left counts as there (2.5)") {
                (settings, text) throws(UsageError) in
                settings.configuration.sente.reconnectGrace = try Reading.seconds(text)
            },
            .option("keep-alive", "SECONDS|off", "sente: silence before a ping (12.5; 25 up to 1.20)") {
                (settings, text) throws(UsageError) in
                settings.configuration.sente.keepAlive = try Reading.secondsOrOff(text)
            },
            .option("ping-timeout", "SECONDS|off", "sente: silence after it before the close (10)") {
                (settings, text) throws(UsageError) in
                settings.configuration.sente.pingTimeout = try Reading.secondsOrOff(text)
            },
        ]
    }

    private static var listenOptions: [Option<ServeSettings>] {
        [
            .flag("help", "shows this") { $0.wantsHelp = true },
            .flag("json", "one JSON object a line on a terminal too") { _ in },
            .flag("quiet", "no line for each client that comes, goes or is turned away") {
                $0.isQuiet = true
            },
            .flag("no-compression", "accepts no offer of compression") { $0.configuration.compression = nil },
            .option("port", "N", "the port to listen on; 0 takes a free one (3000)") {
                (settings, text) throws(UsageError) in
                settings.configuration.port = try Reading.count(text, 0...65_535)
            },
            .option("host", "ADDRESS", "the address to listen on (127.0.0.1)") {
                $0.configuration.host = $1
            },
            .option("port-file", "PATH", "a file that is given the real port") {
                $0.configuration.portFile = $1
            },
            .option("cert", "FILE", "serves wss: with this certificate, in PEM") {
                let key = $0.configuration.tls?.key ?? .file($1)
                $0.configuration.tls = ServerTLS(certificates: .file($1), key: key)
            },
            .option("key", "FILE", "… and this key, unless it is in the same file") {
                let certificates = $0.configuration.tls?.certificates ?? .file($1)
                $0.configuration.tls = ServerTLS(certificates: certificates, key: .file($1))
            },
            .option("max-connections", "N", "more are answered with 503 (1000)") {
                (settings, text) throws(UsageError) in
                settings.configuration.maximumConnections = try Reading.count(text)
            },
            .option("max-message", "BYTES", "a larger one ends its connection with 1009 (1048576)") {
                (settings, text) throws(UsageError) in
                settings.configuration.maximumMessageBytes = try Reading.count(text, 1...(1 << 40))
            },
            .option("max-unwritten", "BYTES", "who leaves more unread is dropped (16777216)") {
                (settings, text) throws(UsageError) in
                settings.configuration.maximumUnwrittenBytes = try Reading.count(text)
            },
            .option("close-limit", "SECONDS", "for the closing handshake (5)") {
                (settings, text) throws(UsageError) in
                settings.configuration.closeLimit = try Reading.seconds(text)
            },
            .option("heartbeat", "SECONDS|off", "how often connections are pinged, not in sente (30)") {
                (settings, text) throws(UsageError) in
                settings.configuration.heartbeatInterval = try Reading.secondsOrOff(text)
            },
            .option("heartbeat-timeout", "SECONDS", "who has not answered for so long is closed (60)") {
                (settings, text) throws(UsageError) in
                settings.configuration.heartbeatTimeout = try Reading.seconds(text)
            },
        ]
    }

    private static var channelOptions: [Option<ServeSettings>] {
        [
            .flag("no-auto-create", "subscribing makes no channel") {
                $0.configuration.createsChannels = false
            },
            .option("max-subscribers", "N", "for each channel (1000)") {
                (settings, text) throws(UsageError) in
                settings.configuration.channelDefaults.maximumSubscribers = try Reading.count(text)
            },
            .option("retention", "N", "how many messages a channel keeps (0)") {
                (settings, text) throws(UsageError) in
                settings.configuration.channelDefaults.retention = try Reading.count(text, 0...1_000_000)
            },
            .option("rpc-limit", "SECONDS", "how long a request stays open (30)") {
                (settings, text) throws(UsageError) in
                settings.configuration.channelDefaults.requestLimit = try Reading.seconds(text)
            },
            .option("channel", "NAME", "exists from the start, made as the options before it say; repeatable")
            {
                let channel = ServerConfiguration.NamedChannel($1, $0.configuration.channelDefaults)
                $0.configuration.channels.append(channel)
            },
            .option("answers", "CHANNEL", "the server itself answers requests there; repeatable") {
                $0.configuration.answeringChannels.insert(.string($1))
            },
            .option(
                "takes-signals", "FOLDER", "clients may send telemetry; it goes there, one file a session"
            ) {
                $0.signalFolder = $1
                $0.configuration.takesSignals = true
            },
            .flag("allow-flood", "a client may order a flood of deliveries") {
                $0.configuration.allowsFlood = true
            },
            .option(
                "table", "NAME=N",
                "bounds what clients make grow: \(tables.keys.sorted().joined(separator: ", "))"
            ) { (settings, text) throws(UsageError) in
                let pair = try Reading.pair(text)
                guard let table = tables[pair.name] else {
                    throw UsageError(
                        "“\(pair.name)” is none of \(tables.keys.sorted().joined(separator: ", ")).")
                }
                settings.configuration.tables[keyPath: table] = try Reading.count(pair.value)
            },
        ]
    }

    private static var tables: [String: WritableKeyPath<ServerConfiguration.TableLimits, Int>] {
        [
            "channels": \.channels, "channel-name-bytes": \.channelNameBytes,
            "subscriptions": \.subscriptionsPerConnection, "requests": \.pendingRequests,
            "connection-requests": \.pendingRequestsPerConnection, "retained-bytes": \.retainedBytes,
            "delayed-messages": \.delayedMessages, "delayed-bytes": \.delayedBytes,
            "away-clients": \.awayClients,
            "held-messages": \.heldMessages, "held-bytes": \.heldBytes,
        ]
    }

    private static var faultOptions: [Option<ServeSettings>] {
        [
            .option("refuse", "STATUS|tcp", "fault: upgrades are answered so, or cut") {
                (settings, text) throws(UsageError) in
                settings.configuration.faults.refusing =
                    text == "tcp"
                    ? .disconnect : .answer(Refusal(status: try Reading.count(text, 200...599)))
            },
            .flag("silent", "fault: says nothing at all") { $0.configuration.faults.isSilent = true },
            .flag("never-greet", "fault: leaves out the greeting") {
                $0.configuration.faults.neverGreets = true
            },
            .option("drop-after", "N", "fault: ends TCP after so many messages") {
                (settings, text) throws(UsageError) in
                settings.configuration.faults.ending = .drop
                settings.configuration.faults.endingAfter = try Reading.count(text)
            },
            .option("close-after", "N=CODE", "fault: closes with this code after so many messages") {
                (settings, text) throws(UsageError) in
                let pair = try Reading.pair(text)
                let code = CloseCode(rawValue: UInt16(try Reading.count(pair.value, 1_000...4_999)))
                guard code.isAllowedOnWire else {
                    throw UsageError("\(code) may not be sent: take 1000–1003, 1007–1014 or 3000–4999.")
                }
                settings.configuration.faults.ending = .close(code, "")
                settings.configuration.faults.endingAfter = try Reading.count(pair.name)
            },
            .flag("leave-tcp-open", "fault: keeps TCP after the closing handshake") {
                $0.configuration.faults.leavesTCPOpen = true
            },
            .option("delay", "SECONDS", "fault: everything comes so much later") {
                (settings, text) throws(UsageError) in
                settings.configuration.faults.delay = try Reading.seconds(text)
            },
        ]
    }

    private static var replyOptions: [Option<ServeSettings>] {
        [
            .option("replies", "HOW", "fault: never, twice, out-of-order, or late=SECONDS") {
                (settings, text) throws(UsageError) in
                settings.configuration.faults.replies = try replies(text)
            },
            .option("late-pushes", "SECONDS", "fault: pushes come so much later, answers do not") {
                (settings, text) throws(UsageError) in
                settings.configuration.faults.pushesLate = try Reading.seconds(text)
            },
            .flag("reverse-held", "fault: what was held back for a sente client comes newest first") {
                $0.configuration.faults.reversesHeldPushes = true
            },
            .flag("flat", "fault: deliveries without the envelope") {
                $0.configuration.faults.deliversFlat = true
            },
            .flag("error-frames", "fault: failures are told in error frames") {
                $0.configuration.faults.sendsErrors = true
            },
            .flag("forward-no-requests", "fault: requests reach nobody") {
                $0.configuration.faults.forwardsNoRequests = true
            },
            .flag("ignore-unfit-data", "fault: no answer to a publish that is no object") {
                $0.configuration.faults.ignoresUnfitData = true
            },
        ]
    }

    private static func replies(_ text: String) throws(UsageError) -> Faults.Replies {
        switch text {
        case "normal": return .normal
        case "never": return .never
        case "twice": return .twice
        case "out-of-order": return .outOfOrder
        default:
            let pair = try Reading.pair(text)
            guard pair.name == "late" else {
                throw UsageError("“\(text)” is none of normal, never, twice, out-of-order, late=SECONDS.")
            }
            return .late(try Reading.seconds(pair.value))
        }
    }
}
