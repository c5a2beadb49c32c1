// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteLite

/// What the command line asks for.
struct TransferArguments {
    enum Job: Equatable {
        case help
        /// Client and server in this process, a file both ways, and cuts.
        case demo
        case send(file: String)
        case receive(name: String)
        case tail(file: String)
        case export(count: Int)
    }

    static let usage = """
        transfer — files and endless data over a realtime connection

        swift run transfer
            Starts the reference server on a free port, sends a file of random bytes and gets it back, with the connection
            cut in the middle of both, and compares the checksums.

        swift run transfer send FILE [URL]        sends a file
        swift run transfer receive NAME [URL]     asks for a file, and writes it into the folder
        swift run transfer tail FILE [URL]        sends a log as it grows, until it is stopped
        swift run transfer export COUNT [URL]     sends a JSON array of so many rows, made while it is sent

        The URL is ws://127.0.0.1:3000/ where none is given; a server for it is
            swift run console serve --streams FOLDER

        In a terminal the space bar pauses and goes on, and Ctrl-C cancels at both ends.

        Options:
        \(OptionTable(options).help)

        The exit status is 0 when all has arrived, 1 when it has not, 2 when the arguments are wrong.
        """

    var job = Job.demo
    var url = "ws://127.0.0.1:3000/"
    var folder = "."
    var positionFile: String?
    var size = 64 << 20
    var cuts = 3
    var printsJSON = false
    var configuration = SenteClient.Configuration()

    init(_ arguments: [String]) throws(UsageError) {
        configuration.flow.streaming = StreamingPolicy()
        // zlib would take eight times as long as all else together, and most files are compressed already.
        configuration.compression = nil
        if arguments.contains(where: { ["--help", "-h", "help"].contains($0) }) {
            job = .help
            return
        }
        var words = try OptionTable(Self.options).apply(arguments, to: &self)[...]
        guard let name = words.popFirst() else { return }
        guard let object = words.popFirst() else {
            throw UsageError("“\(name)” needs the name of a file behind it, or a count.")
        }
        switch name {
        case "send": job = .send(file: object)
        case "receive": job = .receive(name: object)
        case "tail": job = .tail(file: object)
        case "export": job = .export(count: try Reading.count(object, 1...1_000_000_000))
        default: throw UsageError("There is no “\(name)”: it is send, receive, tail or export.")
        }
        if let url = words.popFirst() { self.url = url }
        if let surplus = words.first { throw UsageError("“\(surplus)” is one argument too many.") }
    }

    private static var options: [Option<TransferArguments>] {
        [
            .option("folder", "FOLDER", "where received files go (the current one)") { $0.folder = $1 },
            .option("position", "FILE", "keeps the position, from which a later run goes on") {
                $0.positionFile = $1
            },
            .option("size", "BYTES", "without a command: how large the file is (67108864)") {
                (settings, text) throws(UsageError) in
                settings.size = try Reading.count(text, 1...(1 << 40))
            },
            .option("cuts", "N", "without a command: how often the connection breaks each way (3)") {
                (settings, text) throws(UsageError) in
                settings.cuts = try Reading.count(text, 0...1_000)
            },
            .flag("json", "one JSON object a line: progress, and the end") { $0.printsJSON = true },
        ] + Option.network(\.configuration)
    }
}
