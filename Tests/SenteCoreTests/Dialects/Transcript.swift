// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteWire

/// A recording: one JSON object a line.
enum Transcript {
    static let names = ["lite-v1-json", "lite-v1a-json"]

    static var folder: String? {
        ProcessInfo.processInfo.environment["SENTE_SHARED"].map { $0 + "/transcripts/" }
    }

    /// The texts that went one way, in order; none where the recordings are not at hand.
    static func frames(_ name: String, _ direction: String) throws -> [String] {
        guard let folder else { return [] }
        let text = try String(contentsOfFile: folder + name + ".jsonl", encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let entry = try WireFormat.json.decode(Array(line.utf8))
            guard entry["dir"] == Value(direction), entry["opcode"] == "text" else { return nil }
            return entry["text"]?.stringValue
        }
    }
}
