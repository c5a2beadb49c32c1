// SPDX-License-Identifier: Apache-2.0

/// Runs its closure when the last who holds it lets go.
final class CancelOnDeinit: Sendable {
    private let cancel: @Sendable () -> Void

    init(_ cancel: @escaping @Sendable () -> Void) {
        self.cancel = cancel
    }

    deinit {
        cancel()
    }
}
