// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteLite

// A client for people and scripts, and the reference server for both.

let arguments = Array(CommandLine.arguments.dropFirst())
let output = Output(arguments)

do {
    guard #available(macOS 15, iOS 18, tvOS 18, watchOS 11, *) else {
        throw UsageError("The console needs macOS 15 or newer.")
    }
    if arguments.first == "serve" {
        let environment = ProcessInfo.processInfo.environment
        let settings = try ServeSettings.read(Array(arguments.dropFirst()), environment: environment)
        if settings.wantsHelp {
            output.write(text: ServeSettings.usage)
        } else {
            // Whoever reads the first line and goes away ends nothing.
            signal(SIGPIPE, SIG_IGN)
            try await ServeConsole.run(settings, output)
        }
    } else {
        let (settings, url) = try ClientSettings.read(arguments)
        if settings.wantsHelp {
            output.write(text: ClientSettings.usage)
        } else {
            let outbox = try settings.outbox.map { try FileOutboxStore(directory: $0) }
            var configuration = settings.configuration
            configuration.outboxStore = outbox
            let client = try SenteClient(url, configuration: configuration)
            await ClientConsole(client, outbox: outbox, output).run(
                connects: settings.connects, stays: settings.stays)
        }
    }
    await output.end()
    exit(0)
} catch {
    output.write(error)
    await output.end()
    let isMisuse = error is UsageError || (error as? SenteError)?.code == .invalidArgument
    exit(isMisuse ? 2 : 1)
}
