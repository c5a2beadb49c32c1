// SPDX-License-Identifier: Apache-2.0

import SenteBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Android)
import Android
#endif

/// The system's mutex, at an address that does not move.
struct Mutex {
    typealias Place = UnsafeMutablePointer<Mutex>

    private var mutex = pthread_mutex_t()

    /// Makes it usable where it stands.
    static func start(_ place: Place) { pthread_mutex_init(&place.pointee.mutex, nil) }
    static func end(_ place: Place) { pthread_mutex_destroy(&place.pointee.mutex) }
    @inline(__always)
    static func lock(_ place: Place) { pthread_mutex_lock(&place.pointee.mutex) }
    @inline(__always)
    static func unlock(_ place: Place) { pthread_mutex_unlock(&place.pointee.mutex) }

    /// Gives the mutex up until the condition is signalled.
    static func wait(_ place: Place, for condition: Condition.Place) {
        pthread_cond_wait(&condition.pointee.condition, &place.pointee.mutex)
    }

    /// The same until a deadline; false when it has passed.
    static func wait(_ place: Place, for condition: Condition.Place, until deadline: MonotonicTime) -> Bool {
        #if canImport(Darwin)
        var time = timespec(nanoseconds: max(0, deadline - Clock.monotonic))
        return pthread_cond_timedwait_relative_np(
            &condition.pointee.condition, &place.pointee.mutex, &time) == 0
        #else
        var time = timespec(nanoseconds: deadline)
        return pthread_cond_timedwait(&condition.pointee.condition, &place.pointee.mutex, &time) == 0
        #endif
    }
}

/// What is waited for under a mutex, at an address that does not move; no change of the wall clock moves its deadlines.
struct Condition {
    typealias Place = UnsafeMutablePointer<Condition>

    fileprivate var condition = pthread_cond_t()

    /// Makes it usable where it stands.
    static func start(_ place: Place) {
        #if canImport(Darwin)
        pthread_cond_init(&place.pointee.condition, nil)
        #else
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(&place.pointee.condition, &attributes)
        pthread_condattr_destroy(&attributes)
        #endif
    }

    static func end(_ place: Place) { pthread_cond_destroy(&place.pointee.condition) }
    static func signal(_ place: Place) { pthread_cond_signal(&place.pointee.condition) }
    static func broadcast(_ place: Place) { pthread_cond_broadcast(&place.pointee.condition) }
}

extension timespec {
    fileprivate init(nanoseconds: Int64) {
        self.init()
        tv_sec = .init(nanoseconds / 1_000_000_000)
        tv_nsec = .init(nanoseconds % 1_000_000_000)
    }
}
