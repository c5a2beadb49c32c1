// SPDX-License-Identifier: Apache-2.0

public import SampleOptions
public import SenteLite

/// One line of standard input.
public enum Command: Sendable, Equatable {
    case subscribe(channel: String, from: ChannelStart = .now)
    case unsubscribe(channel: String)
    case publish(channel: String, Value, SendOptions, isStored: Bool = false)
    case request(channel: String, Value, limit: Duration?, SendOptions)
    case respond(channel: String, Value)
    case send(Event, SendOptions)
    /// With a limit it awaits a reply.
    case event(Event, limit: Duration?, SendOptions)
    case upload(file: String, channel: String)
    case download(name: String, folder: String)
    case streams
    case state
    case status
    case metrics
    case disconnect
    /// Without a limit it waits as long as the client tries.
    case connect(limit: Duration?)
    case reconnect
    case wait(Duration)
    case help
    case quit

    /// How each is written, in the order of the help.
    static let forms: [(word: String, form: String)] = [
        ("subscribe", "subscribe CHANNEL [--from START]"), ("unsubscribe", "unsubscribe CHANNEL"),
        ("publish", "publish [--stored] [HOW] CHANNEL JSON"),
        ("request", "request [HOW] CHANNEL JSON [SECONDS]"),
        ("respond", "respond CHANNEL JSON"), ("send", "send [HOW] JSON"),
        ("event", "event [HOW] EDN [SECONDS]"),
        ("upload", "upload FILE [CHANNEL]"), ("download", "download NAME [FOLDER]"), ("streams", "streams"),
        ("state", "state"), ("status", "status"),
        ("metrics", "metrics"), ("disconnect", "disconnect"), ("connect", "connect [SECONDS]"),
        ("reconnect", "reconnect"), ("wait", "wait SECONDS"), ("help", "help"), ("quit", "quit"),
    ]

    /// Reads a line; nil for one that is blank or begins with `#`.
    public init?(_ line: String) throws(UsageError) {
        let (word, rest) = Self.split(line)
        guard !word.isEmpty, !word.hasPrefix("#") else { return nil }
        guard let form = Self.forms.first(where: { $0.word == word })?.form else {
            throw UsageError(
                "There is no command “\(Reading.excerpt(word))”. Write one of: "
                    + Self.forms.map(\.form).joined(separator: ", ") + ".")
        }
        do throws(UsageError) {
            self = try Self.command(word, rest)
        } catch {
            throw UsageError("\(error.message) The command is: \(form).")
        }
    }

    /// The command's word.
    var name: String {
        switch self {
        case .subscribe: "subscribe"
        case .unsubscribe: "unsubscribe"
        case .publish: "publish"
        case .request: "request"
        case .respond: "respond"
        case .send: "send"
        case .event: "event"
        case .upload: "upload"
        case .download: "download"
        case .streams: "streams"
        case .state: "state"
        case .status: "status"
        case .metrics: "metrics"
        case .disconnect: "disconnect"
        case .connect: "connect"
        case .reconnect: "reconnect"
        case .wait: "wait"
        case .help: "help"
        case .quit: "quit"
        }
    }

    /// Whether later lines go on while this one waits for the server.
    var runsBeside: Bool {
        switch self {
        case .subscribe, .unsubscribe, .publish, .request, .respond, .send, .event, .upload, .download: true
        case .streams, .state, .status, .metrics, .disconnect, .connect, .reconnect, .wait, .help, .quit:
            false
        }
    }

    private static func command(_ word: String, _ rest: String) throws(UsageError) -> Command {
        switch word {
        case "subscribe":
            let (channel, others) = split(rest)
            guard others.hasPrefix("--from") else { return .subscribe(channel: try self.channel(rest)) }
            return .subscribe(channel: channel, from: try Reading.start(split(others).1))
        case "unsubscribe": return .unsubscribe(channel: try channel(rest))
        case "publish":
            let (word, others) = split(rest)
            let isStored = word == "--stored"
            let (options, rest) = try options(isStored ? others : rest)
            let (channel, text) = try channelAndText(rest)
            return .publish(channel: channel, try Reading.json(text), options, isStored: isStored)
        case "request":
            let (options, rest) = try options(rest)
            let (channel, text) = try channelAndText(rest)
            let (value, limit) = try valueAndLimit(text, Reading.json)
            return .request(channel: channel, value, limit: limit, options)
        case "respond":
            let (channel, text) = try channelAndText(rest)
            return .respond(channel: channel, try Reading.json(text))
        case "send":
            let (options, rest) = try options(rest)
            return .send(try event(rest), options)
        case "event":
            let (options, rest) = try options(rest)
            guard !rest.isEmpty else { throw UsageError("The EDN is missing.") }
            let (value, limit) = try valueAndLimit(rest, Reading.edn)
            return .event(try Reading.event(value), limit: limit, options)
        case "upload":
            let (file, channel) = try pathAndWord(rest)
            return .upload(file: file, channel: channel ?? "files")
        case "download":
            let (name, folder) = try pathAndWord(rest)
            return .download(name: name, folder: folder ?? ".")
        case "connect": return .connect(limit: rest.isEmpty ? .seconds(30) : try Reading.seconds(rest))
        case "wait": return .wait(try Reading.seconds(rest))
        default: return try bare(word, rest)
        }
    }

    private static func bare(_ word: String, _ rest: String) throws(UsageError) -> Command {
        guard rest.isEmpty else { throw UsageError("“\(Reading.excerpt(rest))” is too much.") }
        switch word {
        case "streams": return .streams
        case "state": return .state
        case "status": return .status
        case "metrics": return .metrics
        case "disconnect": return .disconnect
        case "reconnect": return .reconnect
        case "help": return .help
        default: return .quit
        }
    }

    /// How a message is to be sent; nil for what is none.
    var options: SendOptions? {
        switch self {
        case .publish(_, _, let options, _), .request(_, _, _, let options), .send(_, let options),
            .event(_, _, let options):
            options
        default: nil
        }
    }

    // MARK: Parts of a line

    /// The words before all others that begin with dashes: how a message is to be sent.
    private static func options(_ text: String) throws(UsageError) -> (SendOptions, String) {
        var options = SendOptions()
        var priority: SendOptions.Priority?
        var rest = text
        while rest.hasPrefix("--") {
            let (word, others) = split(rest)
            rest = others
            switch word {
            case "--durable": options.durable = true
            case "--urgent", "--bulk":
                guard priority == nil else {
                    throw UsageError("A message has one priority: --urgent or --bulk, or neither.")
                }
                priority = word == "--urgent" ? .urgent : .bulk
            default:
                throw UsageError("“\(Reading.excerpt(word))” is none of --urgent, --bulk, --durable.")
            }
        }
        options.priority = priority ?? options.priority
        return (options, rest)
    }

    /// The first word, and what follows the blanks after it.
    private static func split(_ text: some StringProtocol) -> (String, String) {
        let text = trimmed(text)
        guard let end = text.firstIndex(where: \.isWhitespace) else { return (text, "") }
        return (String(text[..<end]), trimmed(text[end...]))
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    private static func channel(_ text: String) throws(UsageError) -> String {
        let (channel, rest) = split(text)
        guard !channel.isEmpty else { throw UsageError("The channel is missing.") }
        guard rest.isEmpty else {
            throw UsageError("“\(Reading.excerpt(rest))” is too much: a channel's name has no blanks here.")
        }
        return channel
    }

    private static func pathAndWord(_ text: String) throws(UsageError) -> (String, String?) {
        let (path, rest) = split(text)
        guard !path.isEmpty else { throw UsageError("The file is missing.") }
        let (word, surplus) = split(rest)
        guard surplus.isEmpty else {
            throw UsageError("“\(Reading.excerpt(surplus))” is too much: a file's name has no blanks here.")
        }
        return (path, word.isEmpty ? nil : word)
    }

    private static func channelAndText(_ text: String) throws(UsageError) -> (String, String) {
        let (channel, rest) = split(text)
        guard !channel.isEmpty else { throw UsageError("The channel is missing.") }
        guard !rest.isEmpty else { throw UsageError("The JSON is missing.") }
        return (channel, rest)
    }

    /// All of the text as a value; else its last word as a limit and the rest as a value.
    private static func valueAndLimit(
        _ text: String, _ read: (String) throws(UsageError) -> Value
    ) throws(UsageError) -> (Value, Duration?) {
        do throws(UsageError) {
            return (try read(text), nil)
        } catch {
            guard let blank = text.lastIndex(where: \.isWhitespace),
                let value = try? read(trimmed(text[..<blank]))
            else { throw error }
            return (value, try Reading.seconds(trimmed(text[blank...])))
        }
    }

    /// The whole frame: its `type` is the event's id, the other fields are its data.
    private static func event(_ text: String) throws(UsageError) -> Event {
        guard !text.isEmpty else { throw UsageError("The JSON is missing.") }
        guard var fields = try Reading.json(text).mapValue else {
            throw UsageError("What is sent must be an object, such as {\"type\":\"hello\",\"n\":1}.")
        }
        guard let type = fields.removeValue(forKey: "type") else {
            return Event(id: "sente-lite/message", data: .map(fields))
        }
        guard let name = type.stringValue else { throw UsageError("The object's “type” must be text.") }
        return Event(id: Keyword(name), data: .map(fields))
    }
}
