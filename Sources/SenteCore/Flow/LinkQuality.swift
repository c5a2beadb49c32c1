// SPDX-License-Identifier: Apache-2.0

/// What is known of the way to the server, as far as it decides how hard to compress.
package struct LinkQuality: Hashable, Sendable {
    /// The smoothed time of a round trip; nil before the first.
    package private(set) var roundTrip: Duration?
    /// How much of what was sent had to be sent again, from 0 to 1; nil where the system does not say.
    package var loss: Double?

    package init() {}

    /// An eighth of each new time counts (RFC 6298 §2).
    package mutating func note(roundTrip time: Duration) {
        roundTrip = roundTrip.map { $0 + (time - $0) / 8 } ?? time
    }

    /// The level that fits: the smallest messages on a bad way, little work on a good one.
    ///
    /// Where nothing is known of losses the round trip decides alone.
    package var level: Int {
        guard let roundTrip else { return 6 }
        if roundTrip > .milliseconds(200), loss ?? 1 > 0.05 { return 9 }
        if roundTrip < .milliseconds(50), loss ?? 0 < 0.01 { return 3 }
        return 6
    }
}
