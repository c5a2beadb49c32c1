// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// A value that comes once, for any number who wait for it.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case awaited(by: [CheckedContinuation<Value, Never>])
        case known(Value)
    }

    private let state = LockedValue(State.awaited(by: []))
    /// Told the value, wherever it becomes known.
    private let observer: (@Sendable (Value) -> Void)?

    init(_ observer: (@Sendable (Value) -> Void)? = nil) {
        self.observer = observer
    }

    /// nil as long as it has not come.
    var value: Value? {
        state.withLock { if case .known(let value) = $0 { value } else { nil } }
    }

    /// Only the first value counts.
    func resolve(_ value: Value) {
        let waiters = state.withLock { state -> [CheckedContinuation<Value, Never>]? in
            guard case .awaited(let waiters) = state else { return nil }
            state = .known(value)
            return waiters
        }
        guard let waiters else { return }
        observer?(value)
        for waiter in waiters { waiter.resume(returning: value) }
    }

    func wait() async -> Value {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Value? in
                switch state {
                case .known(let value): return value
                case .awaited(let waiters):
                    state = .awaited(by: waiters + [continuation])
                    return nil
                }
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}

/// Where the driver leaves the result of a call that no task has to wait for.
typealias DeliveryResult = OneShot<Result<Answer, SenteError>>
