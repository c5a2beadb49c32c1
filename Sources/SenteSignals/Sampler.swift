// SPDX-License-Identifier: Apache-2.0

/// Lets a share of all signals pass, chosen by their number and a seed: the same numbers always give the same choice, no
/// clock or dice is asked.
public struct Sampler: Hashable, Sendable {
    /// The share that passes, from 0 to 1.
    public let rate: Double
    private let seed: UInt64
    private let threshold: UInt64

    /// Makes a sampler; a rate outside 0…1 counts as the nearer end, NaN as 0.
    public init(rate: Double, seed: UInt64 = 0) {
        self.rate = rate > 0 ? min(rate, 1) : 0
        self.seed = seed
        // 1 itself is told apart in `admits`: its threshold would be 2⁶⁴.
        threshold = self.rate < 1 ? UInt64(self.rate * 0x1p64) : .max
    }

    /// Whether the signal of that number passes.
    public func admits(_ number: UInt64) -> Bool {
        rate == 1 || Self.mix(seed &+ number &* 0x9E37_79B9_7F4A_7C15) < threshold
    }

    /// The finish of SplitMix64 (Steele, Lea and Flood), which spreads neighbours over all words.
    private static func mix(_ word: UInt64) -> UInt64 {
        var z = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
