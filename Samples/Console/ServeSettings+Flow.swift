// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteServer

extension ServeSettings {
    /// What the server announces beyond plain messages.
    static var flowOptions: [Option<ServeSettings>] {
        [
            .flag("no-flow", "announces nothing beyond plain messages") { $0.configuration.flow = .off },
            .option(
                "flow", "NAMES",
                "announces only these, with commas between: \(Reading.list(FlowName.allCases)) (all)"
            ) { (settings, text) throws(UsageError) in
                settings.configuration.flow.keep(try Reading.choices(text, of: FlowName.allCases))
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
}

extension ServerConfiguration.Flow {
    /// Leaves out what is not named; what is named stays as it was set, and has its defaults where it was off.
    fileprivate mutating func keep(_ names: Set<FlowName>) {
        resumption = names.contains(.resume) ? resumption ?? Resumption() : nil
        batching = names.contains(.batching) ? batching ?? Batching() : nil
        compression = names.contains(.compression) ? compression ?? Compression() : nil
        chunking = names.contains(.chunking) ? chunking ?? Chunking() : nil
        usesBinaryEnvelope = names.contains(.binary)
        deduplication = names.contains(.deduplication) ? deduplication ?? Deduplication() : nil
    }
}
