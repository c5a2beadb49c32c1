// SPDX-License-Identifier: Apache-2.0

import CSenteAtomics
import SenteBase

/// Nanoseconds of a clock that nobody sets.
typealias MonotonicTime = Int64

/// The system's clocks.
enum Clock {
    /// Nanoseconds since 1970: nearly half of what a signal costs.
    static var wall: Int64 { nanoseconds(CLOCK_REALTIME) }

    static var monotonic: MonotonicTime { nanoseconds(CLOCK_MONOTONIC) }

    /// The instant that lies so far ahead.
    static func after(_ duration: Duration) -> MonotonicTime {
        let (sum, overflow) = monotonic.addingReportingOverflow(max(0, duration.wholeNanoseconds))
        return overflow ? .max : sum
    }

    @inline(__always)
    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Makes a condition whose deadlines no change of the wall clock moves.
    static func initialize(_ condition: UnsafeMutablePointer<pthread_cond_t>) {
        #if canImport(Darwin)
        pthread_cond_init(condition, nil)
        #else
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        #endif
    }

    /// Waits for a condition; false when the time is over.
    static func wait(
        _ condition: UnsafeMutablePointer<pthread_cond_t>, _ mutex: UnsafeMutablePointer<pthread_mutex_t>,
        until deadline: MonotonicTime
    ) -> Bool {
        #if canImport(Darwin)
        var time = timespec(nanoseconds: max(0, deadline - monotonic))
        return pthread_cond_timedwait_relative_np(condition, mutex, &time) == 0
        #else
        var time = timespec(nanoseconds: deadline)
        return pthread_cond_timedwait(condition, mutex, &time) == 0
        #endif
    }
}

extension timespec {
    fileprivate init(nanoseconds: Int64) {
        self.init()
        tv_sec = .init(nanoseconds / 1_000_000_000)
        tv_nsec = .init(nanoseconds % 1_000_000_000)
    }
}
