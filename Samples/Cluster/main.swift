// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteLite

// Three nodes of NATS, one of which is always being killed, and a channel of which nothing is missed.

do {
    let arguments = try ClusterArguments(Array(CommandLine.arguments.dropFirst()))
    if arguments.wantsHelp {
        print(ClusterArguments.usage)
    } else {
        let output = ClusterOutput(printsJSON: arguments.printsJSON)
        let holds =
            arguments.measures
            ? try await ClusterMeasure(
                kills: arguments.kills, clients: arguments.clients, output: output
            ).run()
            : try await ClusterDemo(kills: arguments.kills, output: output).run()
        exit(holds ? 0 : 1)
    }
} catch let error as UsageError {
    FileHandle.standardError.write(
        Data("\(error.message)\n`swift run cluster --help` shows what there is.\n".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
