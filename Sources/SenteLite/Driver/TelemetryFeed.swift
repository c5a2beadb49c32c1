// SPDX-License-Identifier: Apache-2.0

import SenteCore
package import SenteSignals

/// Hands a client's signals to telemetry.
package struct TelemetryFeed: Sendable {
    /// The number of the least level that is wanted now; `Int.max` when none is.
    let minimum: @Sendable () -> Int
    private let take: @Sendable (Signal) -> Void

    package init(minimum: @escaping @Sendable () -> Int, _ take: @escaping @Sendable (Signal) -> Void) {
        self.minimum = minimum
        self.take = take
    }

    func record(_ signal: ClientSignal) {
        take(Signal(signal))
    }
}
