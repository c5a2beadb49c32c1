// SPDX-License-Identifier: Apache-2.0

/// A value that threads share for a few instructions at a time, in one allocation with its mutex.
///
/// `Synchronization.Mutex` would ask macOS 15.
package struct LockedValue<Value>: @unchecked Sendable {
    private typealias Buffer = ManagedBuffer<Value, pthread_mutex_t>

    /// Destroys the mutex; the value goes by itself.
    private final class Storage: ManagedBuffer<Value, pthread_mutex_t> {
        deinit {
            _ = withUnsafeMutablePointerToElements { pthread_mutex_destroy($0) }
        }
    }

    private let buffer: Buffer

    package init(_ value: Value) {
        buffer = Storage.create(minimumCapacity: 1) { _ in value }
        buffer.withUnsafeMutablePointerToElements { mutex in
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
        }
    }

    /// Must not call out: no continuation is resumed, no user code runs inside.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (value, mutex) = buffer.withUnsafeMutablePointers { ($0, $1) }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}

extension LockedValue where Value == Void {
    init() {
        self.init(())
    }

    /// For a section that ends elsewhere; `withLock` is for the others.
    func lock() {
        _ = buffer.withUnsafeMutablePointerToElements { pthread_mutex_lock($0) }
    }

    func unlock() {
        _ = buffer.withUnsafeMutablePointerToElements { pthread_mutex_unlock($0) }
    }

    func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}

/// A mutex of its own, for state that stands elsewhere.
typealias Lock = LockedValue<Void>
