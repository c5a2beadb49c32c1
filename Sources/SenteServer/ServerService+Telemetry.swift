// SPDX-License-Identifier: Apache-2.0

import SenteSignals
package import SenteTelemetry
import SenteWire

extension ServerService {
    /// Gives telemetry what happens, from the level on that it wants as it stands, and shows in `/stats` what became of it.
    package mutating func feed(_ telemetry: Telemetry) {
        let sources = [
            telemetry.source("sente-lite.server"), telemetry.source("sente-lite.channels"),
        ]
        signalLevel = { SignalLevel.named.first { level in sources.contains { $0.isEnabled(level) } } }
        onSignal = { signal in
            Telemetry.neverWaitOnThisThread()
            telemetry.record(signal)
        }
        signalStatistics = {
            ValueMap(
                telemetry.statistics.sorted { $0.key < $1.key }.map { id, statistics in
                    (
                        .string(":\(id)"),
                        [
                            "processed": Value(statistics.handled), "queued": Value(statistics.queued),
                            "dropped": Value(statistics.dropped), "errors": Value(statistics.failed),
                        ]
                    )
                })
        }
    }
}
