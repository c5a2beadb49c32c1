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

/// Nanoseconds of a clock that nobody sets.
package typealias MonotonicTime = Int64

/// The system's clocks.
enum Clock {
    /// Nanoseconds since 1970: a third of what a signal costs.
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
}
