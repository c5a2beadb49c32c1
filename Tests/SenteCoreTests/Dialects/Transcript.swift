// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteWire

/// A recording: one JSON object a line.
enum Transcript {
    static let names = ["lite-v1-json", "lite-v1a-json"]

    /// One line.
    struct Entry {
        /// Either `c2s` or `s2c`.
        let direction: String
        /// Such as `text`, `binary`, `close` or `http-upgrade`.
        let opcode: String
        let connection: String
        let message: Message
        /// What a packed message unfolds to.
        let decoded: String?
        let note: String

        init(_ value: Value) {
            direction = value["dir"]?.stringValue ?? ""
            opcode = value["opcode"]?.stringValue ?? ""
            connection = value["conn"]?.stringValue ?? ""
            decoded = value["decoded"]?.stringValue
            note = value["note"]?.stringValue ?? ""
            guard opcode == "binary" else {
                message = .text(value["text"]?.stringValue ?? "")
                return
            }
            let hex = Array((value["hex"]?.stringValue ?? "").utf8)
            message = .binary(
                stride(from: 0, to: hex.count - 1, by: 2).compactMap {
                    UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16)
                })
        }
    }

    static var folder: String? {
        ProcessInfo.processInfo.environment["SENTE_SHARED"].map { $0 + "/transcripts/" }
    }

    /// All lines, in order; none where the recordings are not at hand.
    static func entries(_ name: String) throws -> [Entry] {
        guard let folder else { return [] }
        let text = try String(contentsOfFile: folder + name + ".jsonl", encoding: .utf8)
        return try text.split(separator: "\n").map { Entry(try WireFormat.json.decode(Array($0.utf8))) }
    }

    /// The texts that went one way, in order; none where the recordings are not at hand.
    static func frames(_ name: String, _ direction: String) throws -> [String] {
        try entries(name).filter { $0.direction == direction && $0.opcode == "text" }.map(\.message.string)
    }
}
