// SPDX-License-Identifier: Apache-2.0

/// A value that threads share under a mutex, and wait on for something to be true of it.
///
/// `Synchronization.Mutex` would ask macOS 15, and nothing there waits.
final class Gate<State: ~Copyable>: @unchecked Sendable {
    private let state: UnsafeMutablePointer<State>
    private let mutex = Mutex.Place.allocate(capacity: 1)
    private let changed = Condition.Place.allocate(capacity: 1)

    init(_ initial: consuming State) {
        state = .allocate(capacity: 1)
        state.initialize(to: initial)
        mutex.initialize(to: Mutex())
        Mutex.start(mutex)
        changed.initialize(to: Condition())
        Condition.start(changed)
    }

    deinit {
        Condition.end(changed)
        Mutex.end(mutex)
        changed.deallocate()
        mutex.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// Must not call out: no handler and no user code runs inside.
    func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        Mutex.lock(mutex)
        defer { Mutex.unlock(mutex) }
        return try body(&state.pointee)
    }

    /// Changes the value, and has all who wait look again.
    func change<R>(_ body: (inout State) throws -> R) rethrows -> R {
        Mutex.lock(mutex)
        defer {
            Condition.broadcast(changed)
            Mutex.unlock(mutex)
        }
        return try body(&state.pointee)
    }

    /// Waits until `body` gives something; nil when the deadline passes before.
    ///
    /// `announcing` has all who wait look again.
    func wait<R>(
        until deadline: MonotonicTime? = nil, announcing: Bool = false, _ body: (inout State) -> R?
    ) -> R? {
        Mutex.lock(mutex)
        defer {
            if announcing { Condition.broadcast(changed) }
            Mutex.unlock(mutex)
        }
        while true {
            if let result = body(&state.pointee) { return result }
            guard let deadline else {
                Mutex.wait(mutex, for: changed)
                continue
            }
            guard Mutex.wait(mutex, for: changed, until: deadline) else { return body(&state.pointee) }
        }
    }
}
