// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteSignals

/// Decides when lines must be brought to the disk; times are nanoseconds since 1970, of a clock that may be set back.
package struct SyncPlan: Hashable, Sendable {
    private let sync: FileHandler.Sync
    private var syncedAt: Int64
    /// The highest level since then.
    private var highest: SignalLevel?

    package init(_ sync: FileHandler.Sync, at now: Int64) {
        self.sync = sync
        syncedAt = now
    }

    /// Counts a line.
    package mutating func add(_ level: SignalLevel) {
        highest = max(highest ?? level, level)
    }

    /// Whether it must be done now, behind a batch; then it counts as done.
    package mutating func isDue(at now: Int64) -> Bool {
        let isDue =
            switch sync {
            case .never: false
            case .interval(let interval): now < syncedAt || now - syncedAt >= interval.wholeNanoseconds
            case .level(let level): highest.map { $0 >= level } ?? false
            }
        if isDue { (syncedAt, highest) = (now, nil) }
        return isDue
    }
}
