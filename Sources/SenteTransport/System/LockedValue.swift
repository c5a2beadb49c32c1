// SPDX-License-Identifier: Apache-2.0

/// A value that threads share for a few instructions at a time, in one allocation with its mutex.
///
/// `Synchronization.Mutex` would ask macOS 15. What a lock costs shows on every message, so other rooms inline it.
@usableFromInline
package struct LockedValue<Value>: @unchecked Sendable {
    @usableFromInline typealias Buffer = ManagedBuffer<Value, Mutex>

    /// Destroys the mutex; the value goes by itself.
    private final class Storage: ManagedBuffer<Value, Mutex> {
        deinit {
            withUnsafeMutablePointerToElements(Mutex.destroy)
        }
    }

    @usableFromInline let buffer: Buffer

    package init(_ value: Value) {
        buffer = Storage.create(minimumCapacity: 1) { _ in value }
        buffer.withUnsafeMutablePointerToElements(Mutex.initialize)
    }

    /// Must not call out: no continuation is resumed, no user code runs inside.
    @inlinable
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (value, mutex) = buffer.withUnsafeMutablePointers { ($0, $1) }
        Mutex.lock(mutex)
        defer { Mutex.unlock(mutex) }
        return try body(&value.pointee)
    }
}

/// The system's mutex, at an address that does not move.
@usableFromInline
struct Mutex {
    private var mutex = pthread_mutex_t()

    fileprivate static func initialize(_ place: UnsafeMutablePointer<Mutex>) {
        place.initialize(to: Mutex())
        pthread_mutex_init(&place.pointee.mutex, nil)
    }

    fileprivate static func destroy(_ place: UnsafeMutablePointer<Mutex>) {
        pthread_mutex_destroy(&place.pointee.mutex)
    }

    @usableFromInline
    static func lock(_ place: UnsafeMutablePointer<Mutex>) {
        pthread_mutex_lock(&place.pointee.mutex)
    }

    @usableFromInline
    static func unlock(_ place: UnsafeMutablePointer<Mutex>) {
        pthread_mutex_unlock(&place.pointee.mutex)
    }
}

extension LockedValue where Value == Void {
    init() {
        self.init(())
    }

    /// For a section that ends elsewhere; `withLock` is for the others.
    func lock() {
        buffer.withUnsafeMutablePointerToElements(Mutex.lock)
    }

    func unlock() {
        buffer.withUnsafeMutablePointerToElements(Mutex.unlock)
    }

    func withLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }
}

/// A mutex of its own, for state that stands elsewhere.
typealias Lock = LockedValue<Void>
