// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// A rate limit's count in one word, so that threads can share it by exchanging words.
///
/// The upper 40 bits say when the interval began, in 256ths of it; the lower 24 how many came in it, those beyond the limit
/// among them, up to `most`. A word of 0 is one that nothing has come to.
package struct LimitWindow: Hashable, Sendable {
    /// The greatest limit that is kept exactly; a greater one counts as this.
    package static let most = 1 << 24 - 2

    package private(set) var word: UInt64

    package init(word: UInt64) {
        self.word = word
    }

    /// How many nanoseconds a tick has, and how many may pass in an interval.
    package struct Scale: Hashable, Sendable {
        fileprivate let tick: UInt64
        fileprivate let count: UInt64

        package init(_ limit: RateLimit) {
            tick = max(1, UInt64(limit.interval.wholeNanoseconds) / 256)
            count = UInt64(min(limit.count, LimitWindow.most))
        }
    }

    /// Counts one more signal, at a time of the clock that nobody sets, and takes over what is owed as `RateLimiter` does.
    package mutating func take(at now: Int64, owing owed: Int = 0, _ scale: Scale) -> RateLimiter.Decision {
        let tick = UInt64(max(0, now)) / scale.tick & 0xFF_FFFF_FFFF
        let count = word & 0xFF_FFFF
        // A time that lies before the beginning was read by another thread, a moment ago.
        let age = (tick &- word >> 24) & 0xFF_FFFF_FFFF
        let isOver = word == 0 || age >= 256 && age < 0xFF_FFFF_FF00
        guard isOver else {
            let passes = count < scale.count
            word += min(passes ? 1 : 1 + UInt64(owed), UInt64(Self.most) - count)
            return passes ? .passes(suppressed: owed) : .suppressed
        }
        guard scale.count > 0 else { return .suppressed }
        word = tick << 24 | 1
        return .passes(suppressed: owed + Int(count > scale.count ? count - scale.count : 0))
    }
}
