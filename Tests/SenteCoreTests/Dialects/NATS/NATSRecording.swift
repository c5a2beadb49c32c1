// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteCore
import SenteWire

/// What a real server wrote to each connection of a recording, as one stream each.
struct NATSRecording {
    /// How many operations the server says in each, counted by a reader that shares nothing with ours.
    static let operations = [
        "cluster": 21, "cluster-2.15": 25, "credentials": 27, "dedupe": 22, "dedupe-2.15": 23, "fences": 19,
        "fences-2.15": 20, "frames": 10, "jetstream": 110, "jetstream-2.15": 113, "jetstream-cluster": 29,
        "jetstream-cluster-2.15": 34, "jetstream-own-node": 34, "jetstream-own-node-2.15": 39,
        "keepalive": 24, "keepalive-2.15": 27, "opening": 110, "opening-2.15": 121, "pubsub": 67,
        "pubsub-2.15": 71, "reload-2.15": 14, "request": 34, "request-2.15": 39, "slow": 6,
    ]

    let streams: [[UInt8]]

    init(_ name: String) throws {
        var streams: [[UInt8]] = []
        var places: [String: Int] = [:]
        let path = (Transcript.folder ?? "") + "nats-\(name).jsonl"
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let entry = try WireFormat.json.decode(Array(line.utf8))
            guard entry["dir"] == "s>c" else { continue }
            // Where there is but one at a time it has no name.
            let connection = entry["conn"]?.stringValue ?? ""
            if entry["type"] == "http" || places[connection] == nil {
                places[connection] = streams.count
                streams.append([])
            }
            guard entry["type"] == "binary", let place = places[connection],
                let data = Data(base64Encoded: entry["data"]?.stringValue ?? "")
            else { continue }
            streams[place] += data
        }
        self.streams = streams.filter { !$0.isEmpty }
    }
}

extension NATSParser {
    /// The operations of a stream that is handed over in pieces of this size.
    static func operations(
        _ bytes: [UInt8], by size: Int = .max, keeps: Int = 1 << 20
    ) throws(NATSViolation) -> [NATSOperation] {
        var parser = NATSParser(keeps: keeps)
        var operations: [NATSOperation] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            try parser.parse(Array(rest.prefix(size)), into: &operations)
            rest = rest.dropFirst(size)
        }
        return operations
    }

    static func operations(_ text: String, by size: Int = .max) throws(NATSViolation) -> [NATSOperation] {
        try operations(Array(text.utf8), by: size)
    }
}
