// SPDX-License-Identifier: Apache-2.0

/// What a machine is told of time: where the monotonic clock stands, and the wall clock beside it.
///
/// Deadlines use the instant. The wall milliseconds go into protocols that carry epoch time, and nowhere else.
package struct Moment: Hashable, Sendable {
    package var instant: Instant
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var wallMilliseconds: Int64

    package init(instant: Instant, wallMilliseconds: Int64) {
        self.instant = instant
        self.wallMilliseconds = wallMilliseconds
    }
}
