// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteBase

// bench HOST PORT MODE SIZE COUNT WINDOW [callback|async|loop]   against an echo server in another process
// bench URL MODE SIZE COUNT WINDOW [callback|async|loop] [options] the same as a client would talk to it
// bench client PORT MODE COUNT                                     the client, against `bench serve`
// bench formats DIRECTORY                                          the formats, on the documents of a folder
// bench compression                                                what permessage-deflate saves and costs; a minute and a half
// bench instructions [FILE]                                        instructions a message, beside those of a file
// bench serve                                                      the reference server, a plain echo and a service
// bench tls DIRECTORY                                              TLS against C, with the folder of the TLS reference
// bench self                                                       all of it in turns, with raw TCP as the floor
let arguments = Array(CommandLine.arguments.dropFirst())
do {
    if arguments.first == "instructions" {
        // Before anything is awaited: what is counted runs on this thread, which ends here.
        try InstructionBench.run(arguments.dropFirst())
        exit(0)
    } else if arguments == ["self"] {
        try await SelfBench.run()
    } else if arguments == ["compression"] {
        try await CompressionBench.run()
    } else if arguments == ["serve"] {
        try await BenchServer.run()
    } else if arguments.first == "compression", try await CompressionMemory.run(arguments.dropFirst()) {
        // Measured and printed.
    } else if arguments.count == 4, arguments[0] == "client", let port = Int(arguments[1]),
        let mode = ClientBench.Mode(rawValue: arguments[2]), let count = Int(arguments[3]), count > 0
    {
        print(try await ClientBench.run(port: port, mode, count: count).json)
    } else if arguments.count == 2, arguments[0] == "tls" {
        try await TLSBench.run(arguments[1])
    } else if arguments.count == 2, arguments[0] == "tls-serve" {
        try await TLSBench.serve(arguments[1])
    } else if arguments.count == 2, arguments[0] == "formats" {
        FormatBench.run(arguments[1])
    } else if let load = try Load.read(arguments) {
        print(try await TransportBench.run(load).json)
    } else {
        print(
            """
            usage: bench HOST PORT pingpong|pipeline|flood|idle SIZE COUNT WINDOW [callback|async|loop]
                   bench URL pingpong|pipeline|flood|idle SIZE COUNT WINDOW [callback|async|loop] [options]
                   bench client PORT request|forwarded|publish|receive|idle COUNT
                   bench formats DIRECTORY
                   bench tls DIRECTORY
                   bench instructions [FILE]
                   bench compression | bench serve | bench self

            Options beside a URL:
            \(OptionTable(Load.options).help)
            """)
    }
} catch {
    let message = (error as? LinkFailure)?.message ?? (error as? UsageError)?.message ?? "\(error)"
    print("The benchmark failed: \(message)")
    exit(error is UsageError ? 2 : 1)
}
