// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// How long things took, counted in fixed buckets from a microsecond to a hundred seconds, three a decade.
///
/// Its size does not depend on how much it counts, and two of them add up to one.
public struct Histogram: Hashable, Sendable {
    /// The upper ends of the buckets but for the last, which has none; a duration belongs to the first that is not less.
    public static let bounds: [Duration] = boundsInNanoseconds.map { .nanoseconds($0) }

    private static let boundsInNanoseconds: [Int64] = {
        let decades: [Int64] = [
            1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        ]
        return decades.flatMap { [$0, 2 * $0, 5 * $0] } + [100_000_000_000]
    }()

    /// Half of what 64 bits hold, so that no estimate overflows.
    private static let longest = Int64.max / 2

    /// How many durations each bucket holds; one more than there are bounds.
    public private(set) var counts: [Int]
    /// How many durations there are.
    public private(set) var count = 0
    /// All durations together.
    public private(set) var sum = Duration.zero
    private var least = Int64.max
    private var greatest = Int64.min

    /// Makes an empty one.
    public init() {
        counts = Array(repeating: 0, count: Self.boundsInNanoseconds.count + 1)
    }

    /// Counts one more duration; one below zero counts as zero, one beyond 146 years as those.
    public mutating func record(_ duration: Duration) {
        record(nanoseconds: duration.wholeNanoseconds)
    }

    package mutating func record(nanoseconds: Int64) {
        let value = min(max(0, nanoseconds), Self.longest)
        counts[Self.bucket(of: value)] += 1
        count += 1
        sum += .nanoseconds(value)
        least = min(least, value)
        greatest = max(greatest, value)
    }

    /// Adds what another has counted.
    public mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        sum += other.sum
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
    }

    /// The shortest; nil when there is none.
    public var minimum: Duration? { count == 0 ? nil : .nanoseconds(least) }
    /// The longest; nil when there is none.
    public var maximum: Duration? { count == 0 ? nil : .nanoseconds(greatest) }
    /// The mean; nil when there is none.
    public var mean: Duration? { count == 0 ? nil : sum / count }

    /// The duration that this share (0…1) of all does not exceed, estimated within its bucket; nil when there is none.
    public func percentile(_ share: Double) -> Duration? {
        let rank = (max(share, 0) * Double(count)).rounded(.up)
        guard rank < Double(count) else { return maximum }
        var below = 0
        for (index, held) in counts.enumerated() where held > 0 {
            guard Double(below + held) < rank else {
                let (from, to) = range(of: index)
                let part = (rank - Double(below)) / Double(held)
                return .nanoseconds(from + Int64(Double(to - from) * part))
            }
            below += held
        }
        return maximum
    }

    /// A bucket's ends, no wider than what was counted.
    private func range(of index: Int) -> (Int64, Int64) {
        let bounds = Self.boundsInNanoseconds
        let from = index == 0 ? 0 : bounds[index - 1]
        let to = index < bounds.count ? bounds[index] : greatest
        return (max(from, least), min(to, greatest))
    }

    private static func bucket(of nanoseconds: Int64) -> Int {
        var (low, high) = (0, boundsInNanoseconds.count)
        while low < high {
            let middle = (low + high) / 2
            if boundsInNanoseconds[middle] < nanoseconds { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
