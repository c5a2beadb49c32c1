// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteSignals
import SenteTelemetry

/// Hands a client's signals to telemetry, on the client's loop.
///
/// A class, for it never changes and few clients have one.
final class TelemetryFeed: Sendable {
    private let telemetry: Telemetry
    private let source: SignalSource

    init(_ telemetry: Telemetry) {
        self.telemetry = telemetry
        source = telemetry.source("sente-lite.client")
    }

    /// The number of the least level that it wants now; `Int.max` when it wants none.
    var minimum: Int {
        ClientSignal.Level.allCases.first { source.isEnabled(SignalLevel(rawValue: $0.rawValue)) }?.rawValue
            ?? .max
    }

    func record(_ signal: ClientSignal) {
        Telemetry.neverWaitOnThisThread()
        telemetry.record(Signal(signal))
    }
}
