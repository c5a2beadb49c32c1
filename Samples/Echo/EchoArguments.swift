// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteLite

/// What the command line asks for.
enum EchoArguments {
    case help
    case local
    case remote(RemoteDemo)

    static let usage = """
        echo — a client and a server, and every step shown with what came over the wire

        swift run echo
            Starts the reference server on a free port, connects, subscribes, publishes, makes a request; cuts the
            connection with two calls in flight, which come back answered; then the server stops and comes back on another port, and the client with it.

        swift run echo ws://HOST:PORT/ [options]
            Connects to a server that runs already, subscribes, publishes and receives its own messages.

        Options:
        \(OptionTable(options).help)

        The exit status is 0 when every step happened, 1 when one did not, 2 when the arguments are wrong.
        Colours are left out when NO_COLOR is set, or the output is no terminal or a dumb one.
        """

    init(_ arguments: [String]) throws {
        if arguments.contains(where: { ["--help", "-h", "help"].contains($0) }) {
            self = .help
            return
        }
        guard !arguments.isEmpty else {
            self = .local
            return
        }
        do throws(UsageError) {
            var demo = RemoteDemo()
            let others = try OptionTable(Self.options).apply(arguments, to: &demo)
            guard let url = others.first else {
                throw UsageError("Options belong to a server's URL, which is missing.")
            }
            guard others.count == 1 else { throw UsageError("“\(others[1])” is one argument too many.") }
            demo.url = url
            self = .remote(demo)
        } catch {
            throw Failure("\(error.message) `swift run echo --help` shows what there is.", status: 2)
        }
    }

    private static var options: [Option<RemoteDemo>] {
        [
            .option("channel", "NAME", "the channel to use (echo)") { $0.channel = $1 },
            .option("count", "N", "how many messages to publish (3)") { (demo, text) throws(UsageError) in
                demo.count = try Reading.count(text, 1...100_000)
            },
            .option("timeout", "SECONDS", "the limit of each step (10)") {
                (demo, text) throws(UsageError) in
                demo.limit = .seconds(try Reading.number(text, 0.001...86_400))
            },
        ] + Option.network(\.configuration)
    }
}
