// SPDX-License-Identifier: Apache-2.0

import SenteBase

// bench HOST PORT MODE SIZE COUNT WINDOW [callback|async|loop]   against an echo server in another process
// bench self                                                       everything in this process, with raw TCP as the floor
let arguments = Array(CommandLine.arguments.dropFirst())
do {
    if arguments == ["self"] {
        try await SelfBench.run()
    } else if let load = Load(arguments) {
        print(try await TransportBench.run(load).json)
    } else {
        print(
            """
            usage: bench HOST PORT pingpong|pipeline|flood|idle SIZE COUNT WINDOW [callback|async|loop]
                   bench self
            """)
    }
} catch {
    print("The benchmark failed: \((error as? LinkFailure)?.message ?? "\(error)")")
}
