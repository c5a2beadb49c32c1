// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport

/// A deadline on a client's host that any thread may set.
final class ClientTimer: @unchecked Sendable {
    private let host: any Host
    /// Made, armed and released on the host's thread only.
    private var timer: (any HostTimer)?

    init(on host: any Host) {
        self.host = host
    }

    /// Instead of whatever was set before; nil for never.
    ///
    /// `fire` runs on the host's thread, and is the same each time.
    func set(_ deadline: Instant?, _ fire: @escaping @Sendable () -> Void) {
        host.post { [self] in
            guard deadline != nil || timer != nil else { return }
            let timer = timer ?? host.makeTimer(fire)
            timer.arm(at: deadline)
            self.timer = deadline == nil ? nil : timer
        }
    }
}
