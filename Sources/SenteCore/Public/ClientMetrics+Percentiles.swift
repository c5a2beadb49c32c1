// SPDX-License-Identifier: Apache-2.0

extension ClientMetrics {
    /// The time within which so many of a hundred were done.
    public struct Percentiles: Sendable, Equatable {
        /// Half of them.
        public var p50: Duration
        /// 95 of 100.
        public var p95: Duration
        /// 99 of 100.
        public var p99: Duration

        /// Makes them of the three.
        public init(
            p50: Duration, p95: Duration, p99: Duration
        ) {
            self.p50 = p50
            self.p95 = p95
            self.p99 = p99
        }

        /// Those of so many samples, in any order; nil without one.
        init?(of samples: [Duration]) {
            guard !samples.isEmpty else { return nil }
            let sorted = samples.sorted()
            // The nearest rank: the smallest sample that at least that part of all does not exceed.
            func sample(_ percent: Int) -> Duration {
                sorted[(sorted.count * percent + 99) / 100 - 1]
            }
            self.init(p50: sample(50), p95: sample(95), p99: sample(99))
        }
    }
}
