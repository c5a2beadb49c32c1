// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// The client as a part of a service that somebody else starts and stops.
extension SenteClient {
    /// Connects, stays connected, and when its task is cancelled disconnects in good order.
    ///
    /// Handlers of `respond` then have 5 s to finish; it returns when the client is closed. It returns too when `disconnect()`
    /// is called. It has the shape of `Service` in swift-service-lifecycle, so that one line makes a client one:
    ///
    /// ```swift
    /// extension SenteClient: @retroactive Service {}
    /// ```
    ///
    /// There `cancelWhenGracefulShutdown` around it, or the signal among `cancellationSignals`, is what ends it.
    ///
    /// - Throws: Why the client gave up (`failed`), or, with reconnecting off, why its connection ended.
    public func run() async throws {
        var wasOpen = false
        do throws(SenteError) {
            try await connect(timeout: nil)
            wasOpen = true
        } catch {
            // `disconnect()` won.
            if error.code == .disconnected { return }
            guard error.isCancellation else { throw error }
        }
        for await status in states {
            switch status.state {
            case .failed: throw status.lastError ?? SenteError(.connectionLost, "The client gave up.")
            case .closed:
                // Only the loss of a link leads from open to closed at once.
                if wasOpen, let error = status.lastError { throw error }
                return
            case .connecting, .open, .closing, .reconnecting: wasOpen = status.state == .open
            }
        }
        await disconnect(draining: .seconds(5))
    }
}
