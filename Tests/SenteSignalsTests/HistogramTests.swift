// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import Testing

@Suite("Histograms")
struct HistogramTests {
    @Test("an empty one knows nothing")
    func empty() {
        let histogram = Histogram()
        #expect(histogram.count == 0 && histogram.sum == .zero)
        #expect(histogram.minimum == nil && histogram.maximum == nil && histogram.mean == nil)
        #expect(histogram.percentile(0.5) == nil)
    }

    @Test("a duration belongs to the first bucket whose end is not less")
    func buckets() {
        for (index, bound) in Histogram.bounds.enumerated() {
            var histogram = Histogram()
            histogram.record(bound)
            histogram.record(bound + .nanoseconds(1))
            #expect(histogram.counts[index] == 1 && histogram.counts[index + 1] == 1)
        }
        #expect(Histogram.bounds.first == .microseconds(1) && Histogram.bounds.last == .seconds(100))
    }

    @Test("durations beyond the ends count too")
    func ends() {
        var histogram = Histogram()
        histogram.record(.seconds(-1))
        histogram.record(.seconds(Int64.max))
        #expect(histogram.counts.first == 1 && histogram.counts.last == 1)
        #expect(histogram.minimum == .zero)
        #expect(histogram.maximum == .nanoseconds(Int64.max / 2))
        #expect(histogram.percentile(1) == histogram.maximum)
    }

    @Test("a single duration is each of its own percentiles")
    func single() {
        var histogram = Histogram()
        histogram.record(.milliseconds(3))
        for share in [0, 0.5, 0.99, 1, -1, 7, .nan] {
            #expect(histogram.percentile(share) == .milliseconds(3))
        }
        #expect(histogram.mean == .milliseconds(3) && histogram.sum == .milliseconds(3))
    }

    @Test("a percentile is the least that this share of all does not exceed")
    func exactPercentiles() {
        var histogram = Histogram()
        let durations = Histogram.bounds.prefix(8)
        for duration in durations.shuffled() { histogram.record(duration) }
        for (index, duration) in durations.enumerated() {
            #expect(histogram.percentile(Double(index + 1) / 8) == duration)
            #expect(histogram.percentile((Double(index) + 0.5) / 8) == duration)
        }
    }

    @Test("a share that ends with a bucket is that bucket's, not the next one's")
    func betweenBuckets() {
        var histogram = Histogram()
        for duration in [1_500, 1_500, 10_000, 10_000] { histogram.record(.microseconds(duration)) }
        #expect(histogram.percentile(0.5) == .milliseconds(2))
        #expect(histogram.percentile(0.75) == .microseconds(7_500))
    }

    @Test("within a bucket it lies between the least and the greatest that were counted")
    func withinBucket() {
        var histogram = Histogram()
        for milliseconds in [3, 4] { histogram.record(.milliseconds(milliseconds)) }
        #expect(histogram.percentile(0.5) == .microseconds(3_500))
        #expect(histogram.mean == .microseconds(3_500))
        let (low, high): ([Double], [Double]) = ([0, -1, -.infinity], [1, 7, .infinity, .nan])
        #expect(low.allSatisfy { histogram.percentile($0) == .milliseconds(3) })
        #expect(high.allSatisfy { histogram.percentile($0) == .milliseconds(4) })
    }

    @Test("percentiles are right within their bucket")
    func percentiles() {
        var generator = Generator(seed: 5)
        var (histogram, all) = (Histogram(), [Int64]())
        for _ in 0..<10_000 {
            let value = Int64.random(
                in: 0...(1 << Int64.random(in: 10...34, using: &generator)), using: &generator)
            histogram.record(nanoseconds: value)
            all.append(value)
        }
        all.sort()
        for share in [0.01, 0.5, 0.9, 0.95, 0.99, 0.999] {
            let exact = all[Int((share * 10_000).rounded(.up)) - 1]
            let bounds = [.zero] + Histogram.bounds
            let index = bounds.lastIndex { $0 < .nanoseconds(exact) } ?? 0
            let estimate = histogram.percentile(share) ?? .zero
            #expect(
                estimate >= bounds[index] && estimate <= bounds[index + 1], "\(share): \(estimate), \(exact)")
        }
    }

    @Test("two that are merged are one that counted all")
    func merge() {
        var (left, right, both) = (Histogram(), Histogram(), Histogram())
        for number in 0..<1_000 {
            let duration = Duration.microseconds(number * number)
            if number.isMultiple(of: 3) { left.record(duration) } else { right.record(duration) }
            both.record(duration)
        }
        var other = right
        other.merge(left)
        #expect(other == both)
        left.merge(right)
        #expect(left == both)
        left.merge(Histogram())
        #expect(left == both)
    }
}
