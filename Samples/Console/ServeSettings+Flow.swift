// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteServer

extension ServeSettings {
    /// What the server announces beyond plain messages.
    static var flowOptions: [Option<ServeSettings>] {
        [
            .flag("no-flow", "announces nothing beyond plain messages") { $0.configuration.flow = .off },
            .option("flow", "NAMES", "announces only these, with commas between: \(names) (all)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow = try flow(text)
            },
            .option("resume-window", "SECONDS", "how long a session waits for its client (300)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow.resumption?.window = try Reading.seconds(text)
            },
            .option("buffer-messages", "N", "deliveries that a session keeps (100)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow.resumption?.messages = try Reading.count(text, 1...1_000_000)
            },
            .option("buffer-bytes", "BYTES", "… and bytes (1048576)") { (settings, text) throws(UsageError) in
                settings.configuration.flow.resumption?.bytes = try Reading.count(text, 1...(1 << 30))
            },
            .option("parked-sessions", "N", "sessions that wait at once (1000)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow.resumption?.sessions = try Reading.count(text)
            },
            .option("linger", "SECONDS", "how long messages wait to go together (0)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow.batching?.linger = try Reading.seconds(text)
            },
            .option("chunk-size", "BYTES", "larger messages go in parts of it (65536)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow.chunking?.size = try Reading.count(text, 1...(1 << 30))
            },
            .option("max-chunked", "BYTES", "how large a message in parts may be (67108864)") {
                (settings, text) throws(UsageError) in
                settings.configuration.flow.chunking?.maximumMessageBytes = try Reading.count(
                    text, 1...(1 << 30))
            },
        ]
    }

    private typealias Flow = ServerConfiguration.Flow

    private static var features: KeyValuePairs<String, (inout Flow) -> Void> {
        [
            "resume": { $0.resumption = Flow.Resumption() }, "batch": { $0.batching = Flow.Batching() },
            "compress": { $0.compression = Flow.Compression() }, "chunk": { $0.chunking = Flow.Chunking() },
            "binary": { $0.usesBinaryEnvelope = true }, "ids": { $0.deduplication = Flow.Deduplication() },
        ]
    }

    private static var names: String { features.map(\.key).joined(separator: ", ") }

    private static func flow(_ text: String) throws(UsageError) -> Flow {
        var flow = Flow.off
        for name in text.split(separator: ",") {
            guard let feature = features.first(where: { $0.key == name }) else {
                throw UsageError("“\(name)” is none of \(names).")
            }
            feature.value(&flow)
        }
        return flow
    }
}
