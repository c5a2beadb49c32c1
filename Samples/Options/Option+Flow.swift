// SPDX-License-Identifier: Apache-2.0

import SenteLite

/// What two ends may agree on beyond plain messages, by the names that go over the wire.
package enum FlowName: String, CaseIterable {
    case resume, batching, compression, chunking, binary, deduplication
}

extension Option {
    /// What of flow a client uses.
    package static func flow(_ place: Place) -> [Option] {
        let names: [FlowName] = [.resume, .batching, .compression, .chunking, .binary]
        return [
            .flag("no-flow", "uses nothing beyond plain messages, whatever the server announces") {
                $0[keyPath: place].flow = .off
            },
            .option("flow", "NAMES", "uses only these, with commas between: \(Reading.list(names)) (all)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].flow.keep(try Reading.choices(text, of: names))
            },
            .option("linger", "SECONDS", "how long messages wait to go together (0)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].flow.batching?.linger = try Reading.seconds(text)
            },
            .option("chunk-size", "BYTES", "larger messages go in parts of it (65536)") {
                (settings, text) throws(UsageError) in
                settings[keyPath: place].flow.chunking?.size = try Reading.count(text, 1...(1 << 30))
            },
            .flag("compress-twice", "compresses single messages beside permessage-deflate too") {
                $0[keyPath: place].flow.compression?.isUsedBesideDeflate = true
            },
        ]
    }
}

extension FlowPolicy {
    /// Leaves out what is not named; what is named stays as it was set, and has its defaults where it was off.
    fileprivate mutating func keep(_ names: Set<FlowName>) {
        let usual = FlowPolicy()
        batching = names.contains(.batching) ? batching ?? usual.batching : nil
        compression = names.contains(.compression) ? compression ?? usual.compression : nil
        chunking = names.contains(.chunking) ? chunking ?? usual.chunking : nil
        resumption = names.contains(.resume) ? resumption ?? usual.resumption : nil
        usesBinaryEnvelope = names.contains(.binary)
    }
}

extension Reading {
    /// Some of those there are, with commas between.
    package static func choices(_ text: String, of names: [FlowName]) throws(UsageError) -> Set<FlowName> {
        var chosen: Set<FlowName> = []
        for word in text.split(separator: ",") {
            guard let name = names.first(where: { $0.rawValue == word }) else {
                throw UsageError("“\(excerpt(String(word)))” is none of \(list(names)).")
            }
            chosen.insert(name)
        }
        guard !chosen.isEmpty else { throw UsageError("Name some of \(list(names)), or write --no-flow.") }
        return chosen
    }

    package static func list(_ names: [FlowName]) -> String {
        names.map(\.rawValue).joined(separator: ", ")
    }
}
