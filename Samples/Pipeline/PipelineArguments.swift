// SPDX-License-Identifier: Apache-2.0

import SampleOptions

/// What the command line asks for.
struct PipelineArguments {
    enum Role { case demo, app, collector }

    var role = Role.demo
    var wantsHelp = false
    var url = ""
    var port = 0
    var folder = ""
    var name = "app"
    /// Signals a second.
    var rate = 50.0
    /// How many an app raises; nil: until it is told to end.
    var count: Int?

    static let usage = """
        pipeline — apps that tell what happens to them, and a collector that keeps it and shows it

        swift run pipeline
            Starts a collector and two apps as processes, restarts the collector in between, and counts what was kept.

        swift run pipeline collect [--port PORT] [--folder FOLDER]
            Takes signals over the socket: one file a session in the folder, and a table in the terminal.

        swift run pipeline app ws://HOST:PORT/chsk [--name NAME] [--rate N] [--count N] [--folder FOLDER]
            Raises signals as an app would, and sends them; what could not be sent is in the folder.

        Options:
        \(OptionTable(options).help)
        """

    init(_ arguments: [String]) throws(UsageError) {
        if arguments.contains(where: { ["--help", "-h", "help"].contains($0) }) {
            wantsHelp = true
            return
        }
        var others = try OptionTable(Self.options).apply(arguments, to: &self)[...]
        switch others.popFirst() {
        case nil: role = .demo
        case "collect": role = .collector
        case "app":
            role = .app
            guard let url = others.popFirst() else {
                throw UsageError("An app needs the collector's URL, such as ws://127.0.0.1:4000/chsk.")
            }
            self.url = url
        case let word?: throw UsageError("“\(word)” is neither app nor collect.")
        }
        if let other = others.first { throw UsageError("“\(other)” is one argument too many.") }
    }

    private static var options: [Option<PipelineArguments>] {
        [
            .option("port", "PORT", "the collector's port (0: a free one)") {
                (settings, text) throws(UsageError) in
                settings.port = try Reading.count(text, 0...65_535)
            },
            .option("folder", "FOLDER", "where files are written (a temporary one)") { $0.folder = $1 },
            .option("name", "NAME", "what the app is called (app)") { $0.name = $1 },
            .option("rate", "N", "signals a second (50)") { (settings, text) throws(UsageError) in
                settings.rate = try Reading.number(text, 0.1...100_000)
            },
            .option("count", "N", "how many signals; without it until Ctrl-C") {
                (settings, text) throws(UsageError) in
                settings.count = try Reading.count(text)
            },
        ]
    }
}
