// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// What the command line asks for.
enum EchoArguments {
    case help
    case tour
    case visit(Visit)

    static let usage = """
        echo — a client and a server, and every step shown with what came over the wire

        swift run echo
            Starts the reference server on a free port, connects, subscribes, publishes, makes a request;
            then the server stops and comes back on another port, and the client with it.

        swift run echo ws://HOST:PORT/ [--channel NAME] [--count N] [--timeout SECONDS] [--ca FILE]
            Connects to a server that runs already, subscribes, publishes and receives its own messages.
              --channel NAME      the channel to use (echo)
              --count N           how many messages to publish, 1 to 100000 (3)
              --timeout SECONDS   the limit of each step (10)
              --ca FILE           for wss:, authorities to trust instead of the system's, in PEM

        The exit status is 0 when every step happened, 1 when one did not, 2 when the arguments are wrong.
        Colours are left out when NO_COLOR is set or the output is no terminal.
        """

    init(_ arguments: [String]) throws {
        if arguments.contains(where: { ["--help", "-h", "help"].contains($0) }) {
            self = .help
            return
        }
        var url: String?
        var options: [String: String] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument.hasPrefix("--") {
                guard ["--channel", "--count", "--timeout", "--ca"].contains(argument) else {
                    throw Self.misuse("There is no option \(argument).")
                }
                guard let value = rest.popFirst() else { throw Self.misuse("\(argument) needs a value.") }
                options[argument] = value
            } else if url == nil {
                url = argument
            } else {
                throw Self.misuse("“\(argument)” is one argument too many.")
            }
        }
        guard let url else {
            guard options.isEmpty else {
                throw Self.misuse("Options belong to a server's URL, which is missing.")
            }
            self = .tour
            return
        }
        var visit = Visit(url: url)
        if let channel = options["--channel"] { visit.channel = channel }
        if let file = options["--ca"] { visit.roots = .only(.file(file)) }
        if let text = options["--count"] {
            guard let count = Int(text), (1...100_000).contains(count) else {
                throw Self.misuse("--count is “\(text)”: give a whole number from 1 to 100000.")
            }
            visit.count = count
        }
        if let text = options["--timeout"] {
            guard let seconds = Double(text), seconds > 0, seconds <= 86_400 else {
                throw Self.misuse("--timeout is “\(text)”: give seconds, more than 0 and at most 86400.")
            }
            visit.limit = .seconds(seconds)
        }
        self = .visit(visit)
    }

    private static func misuse(_ sentence: String) -> Failure {
        Failure("\(sentence) `swift run echo --help` shows what there is.", status: 2)
    }
}
