// SPDX-License-Identifier: Apache-2.0

import SenteTransport

/// A closure's place in a client; ends with `cancel()` or with its client.
///
/// Dropping the registration changes nothing, and it does not keep the client.
public final class Registration: Sendable {
    private let ending: LockedValue<(@Sendable () -> Void)?>

    /// Without an ending, one that is over already.
    package init(_ ending: (@Sendable () -> Void)? = nil) {
        self.ending = LockedValue(ending)
    }

    /// Ends it: the closure is not started any more, though a run under way goes to its end.
    ///
    /// Cancelling again does nothing.
    public func cancel() {
        let ending = ending.withLock { ending in
            defer { ending = nil }
            return ending
        }
        ending?()
    }
}
