// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

extension ClientSignal {
    /// What happened with the storage of large data, as others hear of it.
    init(_ signal: LargeDataSignal, _ level: Level, at now: Moment) {
        switch signal {
        case .stored(let bytes, let time):
            self.init(
                level, "large-data-stored", at: now, "The data of a message was stored in \(time.readable).",
                ["bytes": Value(bytes), "took-ms": Value(time.wholeMilliseconds)])
        case .fetched(let bytes, let time):
            self.init(
                level, "large-data-fetched", at: now,
                "What a reference names was fetched in \(time.readable).",
                ["bytes": Value(bytes), "took-ms": Value(time.wholeMilliseconds)])
        case .failed(let error):
            self.init(level, "large-data-failed", at: now, error.message, error: error)
        }
    }
}
