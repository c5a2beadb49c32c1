// SPDX-License-Identifier: Apache-2.0

import SampleOptions

/// What the command line asks for.
struct ClusterArguments {
    static let usage = """
        cluster — three nodes of NATS on this machine, killed in turn, and nothing missed

        swift run cluster
            Starts three nats-servers on free ports, has them keep a channel thrice, and publishes numbers into it while a
            second client follows. The nodes are killed and started again in turn. Afterwards each number must have come
            once and in order, or the gap must have been told.
        swift run -c release cluster --measure --kills 20
            Measures instead what it costs when the node of a subscriber is killed: the time until it is subscribed at another,
            what is missed of 450 messages, one a millisecond, and of a stream; and how long a thousand clients take.

        Options:
        \(OptionTable(options).help)

        The exit status is 0 when that held, 1 when it did not or nats-server is not installed, 2 when the arguments are wrong.
        """

    var wantsHelp = false
    var kills = 3
    var measures = false
    var clients = 1_000
    var printsJSON = false

    init(_ arguments: [String]) throws(UsageError) {
        if arguments.contains(where: { ["--help", "-h", "help"].contains($0) }) {
            wantsHelp = true
            return
        }
        let words = try OptionTable(Self.options).apply(arguments, to: &self)
        if let surplus = words.first { throw UsageError("“\(surplus)” is one argument too many.") }
    }

    private static var options: [Option<ClusterArguments>] {
        [
            .option("kills", "N", "how many times a node is killed (3)") {
                (settings, text) throws(UsageError) in
                settings.kills = try Reading.count(text, 0...1_000)
            },
            .flag("measure", "measure what a killed node costs") { $0.measures = true },
            .option("clients", "N", "with --measure: how many clients one process has, 0 for none (1000)") {
                (settings, text) throws(UsageError) in
                settings.clients = try Reading.count(text, 0...5_000)
            },
            .flag("json", "one JSON object a line") { $0.printsJSON = true },
        ]
    }
}
