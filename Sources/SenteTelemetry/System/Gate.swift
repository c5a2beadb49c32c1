// SPDX-License-Identifier: Apache-2.0

import CSenteAtomics

/// A value that threads share under a mutex, and wait on for something to be true of it.
///
/// `Synchronization.Mutex` would ask macOS 15, and nothing there waits.
final class Gate<State: ~Copyable>: @unchecked Sendable {
    private let state: UnsafeMutablePointer<State>
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ initial: consuming State) {
        state = .allocate(capacity: 1)
        state.initialize(to: initial)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        changed.initialize(to: pthread_cond_t())
        Clock.initialize(changed)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// Must not call out: no handler and no user code runs inside.
    func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state.pointee)
    }

    /// Changes the value, and has all who wait look again.
    func change<R>(_ body: (inout State) throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state.pointee)
    }

    /// Waits until `body` gives something; nil when the deadline passes before.
    ///
    /// `announcing` has all who wait look again.
    func wait<R>(
        until deadline: MonotonicTime? = nil, announcing: Bool = false, _ body: (inout State) -> R?
    ) -> R? {
        pthread_mutex_lock(mutex)
        defer {
            if announcing { pthread_cond_broadcast(changed) }
            pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = body(&state.pointee) { return result }
            guard let deadline else {
                pthread_cond_wait(changed, mutex)
                continue
            }
            guard Clock.wait(changed, mutex, until: deadline) else { return body(&state.pointee) }
        }
    }
}
