// SPDX-License-Identifier: Apache-2.0

public import SampleOptions

/// What the command line asks for.
public enum BenchCommand: Sendable, Equatable {
    case help
    /// Raw TCP, the transport and the client in turns.
    case all
    /// What the others talk to.
    case serve(flow: Bool)
    case instructions([String])
    /// What flow saves and costs: scenarios, and perhaps `--smoke`.
    case flow([String])
    /// What permessage-deflate saves and costs; with a port and a kind the memory of that kind alone.
    case compression([String])
    case client(port: Int, mode: String, count: Int)
    case tls(folder: String)
    case tlsServe(folder: String)
    case formats(folder: String)
    /// What a signal costs, and how many reach a file.
    case telemetry
    /// So many calls of telemetry, for the counter of allocations.
    case telemetryCalls(Int)
    /// What streams reach, beside the transport and the checksum.
    case streams(serves: Bool, isSmoke: Bool)
    /// What the client reaches on a node of NATS.
    case nats(NATSBench.Role)
    /// What a large value on its way costs others.
    case large(serves: Bool)
    /// The transport, with the words that `Load` reads.
    case load([String])

    /// Reads the words of the command line.
    public init(_ arguments: [String]) throws(UsageError) {
        let words = arguments.filter { $0 != "--json" }
        let rest = Array(words.dropFirst())
        guard let word = words.first, !words.contains(where: { ["--help", "-h", "help"].contains($0) }) else {
            self = .help
            return
        }
        switch word {
        case "self": self = try Self.alone(.all, rest)
        case "telemetry":
            if rest.count == 2, rest[0] == TelemetryAllocations.word, let count = Int(rest[1]) {
                self = .telemetryCalls(count)
            } else {
                self = try Self.alone(.telemetry, rest)
            }
        case "streams" where rest == [StreamBench.serveWord]: self = .streams(serves: true, isSmoke: false)
        case "streams" where rest == ["--smoke"]: self = .streams(serves: false, isSmoke: true)
        case "streams": self = try Self.alone(.streams(serves: false, isSmoke: false), rest)
        case "large" where rest == [LargeBench.serveWord]: self = .large(serves: true)
        case "large": self = try Self.alone(.large(serves: false), rest)
        case "nats": self = .nats(try NATSBench.read(rest))
        case "serve":
            self =
                rest == ["--flow"] ? .serve(flow: true) : try Self.alone(.serve(flow: false), rest)
        case "flow":
            _ = try FlowBench.read(rest)
            self = .flow(rest)
        case "instructions": self = .instructions(rest)
        case "compression":
            guard rest.isEmpty || rest.count == 2 else {
                throw UsageError("`bench compression` takes no more words.")
            }
            self = .compression(rest)
        case "client": self = try Self.client(rest)
        case "tls": self = .tls(folder: try Self.folder(word, rest))
        case "tls-serve": self = .tlsServe(folder: try Self.folder(word, rest))
        case "formats": self = .formats(folder: try Self.folder(word, rest))
        case _ where words.contains { $0.contains("://") } || rest.count >= 2: self = .load(words)
        default:
            throw UsageError(
                "There is no measurement “\(Reading.excerpt(word))”. `bench --help` lists those there are.")
        }
    }

    private static func alone(_ command: BenchCommand, _ rest: [String]) throws(UsageError) -> BenchCommand {
        guard let word = rest.first else { return command }
        throw UsageError("“\(Reading.excerpt(word))” is too much. `bench --help` shows what each takes.")
    }

    private static func folder(_ word: String, _ rest: [String]) throws(UsageError) -> String {
        guard rest.count == 1 else { throw UsageError("Give one folder: bench \(word) DIRECTORY.") }
        return rest[0]
    }

    private static func client(_ rest: [String]) throws(UsageError) -> BenchCommand {
        guard rest.count == 3, let port = Int(rest[0]), let count = Int(rest[2]), count > 0,
            ClientBench.Mode(rawValue: rest[1]) != nil
        else {
            let modes = ClientBench.Mode.allCases.map(\.rawValue).joined(separator: "|")
            throw UsageError(
                "Write bench client PORT \(modes) COUNT, with the first port that `bench serve` says.")
        }
        return .client(port: port, mode: rest[1], count: count)
    }

    /// Whether it measures, so that how it was built matters.
    var measures: Bool {
        switch self {
        case .help, .serve, .tlsServe, .telemetryCalls, .large(serves: true),
            .streams(serves: true, _), .nats(.flooding), .nats(.serving):
            false
        case .instructions(let words): !words.contains("--measured")
        case .compression(let words): words.isEmpty
        case .all, .client, .tls, .formats, .telemetry, .load, .flow, .large, .streams, .nats: true
        }
    }

    static var usage: String {
        """
        bench — what the package costs on this machine; build it for release: swift run -c release bench …

          bench self                    all of it in turns, with raw TCP as the floor, and the ratios; half a minute
          bench instructions [FILE]     instructions a message, counted by valgrind, beside those of a file
          bench formats DIRECTORY       the wire formats, on the JSON documents of a folder
          bench telemetry               what a signal costs, in time and memory, and how many reach a file; a minute
          bench large                   pings and urgent messages while a value of 60 MiB is on its way; a quarter of a minute
          bench compression             what permessage-deflate saves and costs; a minute and a half
          bench streams [--smoke]       what streams reach, beside the transport and SHA-256; a minute
          bench nats [--smoke]          a node of NATS: receiving beside nats-py and a raw reader, requests beside bare sockets; a minute
          bench flow [--smoke] [WHICH]  what flow saves and costs, beside what was asked of it; some minutes
          bench tls DIRECTORY           TLS against C, with the folder of the TLS reference

          bench URL MODE SIZE COUNT WINDOW [HAND-OVER] [options]          the transport, with an echo server of yours
          bench HOST PORT MODE SIZE COUNT WINDOW [HAND-OVER]              the same, with no compression and no proxy
          bench serve [--flow]                                            a reference server and an echo; says their ports
          bench client PORT request|forwarded|publish|receive|idle COUNT  the client, with the first of those ports

        MODE is pingpong (one message, its echo, the next), pipeline (WINDOW messages under way), flood (the server sends)
        or idle (COUNT connections that are kept). HAND-OVER, how messages reach the code that counts them, is callback,
        async or loop (async on the network's thread).

        WHICH is any of \(Reading.names(of: FlowBench.Scenario.self)); documents to compress are those of
        $SENTE_SHARED/bench/documents, where that is set.

        On a terminal figures are rows for people; with --json, or written elsewhere, one JSON object a line. How far it is
        stands on standard error. The exit status is 0, 1 when a measurement failed, 2 when the command line is wrong.

        Options beside a URL:
        \(OptionTable(Load.options).help)
        """
    }
}
