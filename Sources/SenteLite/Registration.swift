// SPDX-License-Identifier: Apache-2.0

import SenteTransport

/// A closure's place in a client; ends with `cancel()` or with its client.
///
/// Dropping the registration changes nothing, and it does not keep the client.
public final class Registration: Sendable {
    private let ending: LockedValue<(@Sendable () -> Void)?>
    private let draining: (@Sendable () async -> Void)?

    /// Without an ending, one that is over already.
    package init(_ ending: (@Sendable () -> Void)? = nil, draining: (@Sendable () async -> Void)? = nil) {
        self.ending = LockedValue(ending)
        self.draining = draining
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

    /// Ends a service of `respond` in good order: returns when the server sends it no more requests, the handlers that run
    /// have finished, and their answers have left or cannot leave any more.
    ///
    /// What the server had sent before it heard of the end is served, for of a group in NATS nobody else has it. A server
    /// that does not confirm the end is waited for as long as `timeouts.request`.
    ///
    /// Cancelling the task ends the waiting alone. After `cancel()` there is nothing left to wait for; a registration of
    /// another kind is cancelled.
    public func drain() async {
        guard let draining else { return cancel() }
        await draining()
    }
}
