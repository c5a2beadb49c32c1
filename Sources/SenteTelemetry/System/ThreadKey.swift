// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

/// A word that each thread has of its own.
struct ThreadKey: Sendable {
    private let key: pthread_key_t

    /// `end` is called with a thread's word when the thread ends.
    init(end: @convention(c) (UnsafeMutableRawPointer) -> Void) {
        var key = pthread_key_t()
        #if canImport(Darwin)
        pthread_key_create(&key, end)
        #else
        // The system calls with what was set only, which is never null.
        pthread_key_create(
            &key, unsafeBitCast(end, to: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self))
        #endif
        self.key = key
    }

    @inline(__always)
    var value: UnsafeMutableRawPointer? { pthread_getspecific(key) }

    func set(_ value: UnsafeMutableRawPointer) { pthread_setspecific(key, value) }
}
