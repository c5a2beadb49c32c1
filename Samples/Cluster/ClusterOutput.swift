// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleTerminal
import SenteLite

/// Lines for people, or for programs.
struct ClusterOutput {
    let printsJSON: Bool
    let ink = Ink(of: STDOUT_FILENO)

    func say(_ sentence: String, _ value: Value) {
        let json = (try? WireFormat.json.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        // Nobody is left to be told when standard output is gone.
        try? FileHandle.standardOutput.write(
            contentsOf: Data(((printsJSON ? json : sentence) + "\n").utf8))
    }

    /// A sentence with a mark that says whether what was promised held.
    func conclude(_ holds: Bool, _ sentence: String, _ value: Value) {
        say((holds ? ink("✓ ", .green) : ink("✗ ", .red)) + sentence, value)
    }
}
