// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

// Two terminals that talk, in Sente's shape; `swift run console serve --mode sente` is the server between them.

let usage = """
    chat: talks to whoever else is connected to the same server

    swift run console serve --mode sente --port 3000
    swift run chat ws://127.0.0.1:3000/chsk [--name NAME]

    Write a line to say it. /people lists who was heard of, /reconnect and /break try the connection, /quit and Ctrl-C end it.
    """

let settings: ChatSettings
do {
    settings = try ChatSettings(Array(CommandLine.arguments.dropFirst()))
} catch {
    FileHandle.standardError.write(Data("\(error.message)\n\n\(usage)\n".utf8))
    exit(2)
}
guard !settings.wantsHelp else {
    print(usage)
    exit(0)
}

do {
    try await Chat(settings).run()
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(error.code == .invalidArgument ? 2 : 1)
}
