// SPDX-License-Identifier: Apache-2.0

import SampleOptions
import SenteServer

extension ServeSettings {
    /// Files that clients send and fetch.
    static var streamOptions: [Option<ServeSettings>] {
        [
            .option("streams", "FOLDER", "takes uploads into it, and gives its files as downloads") {
                $0.streamFolder = $1
            },
            .option("streams-total", "BYTES", "what the folder may hold (1073741824)") {
                (settings, text) throws(UsageError) in
                settings.streamFiles.totalBytes = UInt64(try Reading.count(text, 0...(1 << 50)))
            },
            .option("max-upload", "BYTES", "how large one upload may be (no limit)") {
                (settings, text) throws(UsageError) in
                settings.streamPolicy.uploadBytes = UInt64(try Reading.count(text, 0...(1 << 50)))
            },
            .option("max-streams", "N", "streams of one client at once (50)") {
                (settings, text) throws(UsageError) in
                settings.streamPolicy.streams = try Reading.count(text)
            },
        ]
    }
}
