// SPDX-License-Identifier: Apache-2.0

public import SenteBase
import SenteTransport

extension Instant {
    /// Now, on the clock of `ConnectionStatus.retryAt` and `openedAt`: it counts sleep, and says nothing of the date.
    ///
    /// `Instant.now.duration(to: retryAt)` is how long the next attempt is away.
    public static var now: Instant { .ofSystem }
}
