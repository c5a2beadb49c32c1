// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Backoff")
struct BackoffTests {
    private static let start = Instant(nanoseconds: 7)

    private static func delay(
        _ backoff: inout Backoff, _ random: inout Generator, atCap: Bool = false
    ) -> Duration? {
        switch backoff.next(at: start, atCap: atCap, error: nil, using: &random) {
        case .after(let delay): delay
        case .ask, .giveUp, .elsewhere: nil
        }
    }

    struct Windows: CustomTestStringConvertible, Sendable {
        var name: String
        var policy: ReconnectPolicy
        /// In milliseconds, retry by retry; the last one holds from then on.
        var windows: [ClosedRange<Int64>]
        var cap: Int64
        var testDescription: String { name }
    }

    static let tables = [
        Windows(
            name: "default", policy: .default,
            windows: [0...2_000, 500...4_000, 500...8_000, 500...16_000, 500...30_000, 500...30_000],
            cap: 30_000),
        Windows(
            name: "fleet", policy: .fleet,
            windows: [0...5_000, 5_000...10_000, 10_000...20_000, 15_000...30_000, 15_000...30_000],
            cap: 30_000),
        Windows(
            name: "senteLite", policy: .exponential(attempts: nil),
            windows: [
                750...1_250, 1_500...2_500, 3_000...5_000, 6_000...10_000, 12_000...20_000,
                22_500...30_000,
            ], cap: 30_000),
        Windows(
            name: "no jitter",
            policy: .exponential(
                initial: .milliseconds(100), multiplier: 3, jitter: 0, maximum: .seconds(1), attempts: nil),
            windows: [100...100, 300...300, 900...900, 1_000...1_000], cap: 1_000),
    ]

    @Test("Each retry draws from its window, fills it, and never exceeds the cap", arguments: tables)
    func windows(table: Windows) {
        var lowest: [Duration] = []
        var highest: [Duration] = []
        for seed in UInt64(0)..<400 {
            var random = Generator(seed: seed)
            var backoff = Backoff(policy: table.policy)
            for retry in 0..<10 {
                let window = table.windows[min(retry, table.windows.count - 1)]
                guard let delay = Self.delay(&backoff, &random) else {
                    Issue.record("The policy gave up at retry \(retry).")
                    return
                }
                #expect(delay >= .milliseconds(window.lowerBound), "retry \(retry), seed \(seed)")
                #expect(delay <= .milliseconds(window.upperBound), "retry \(retry), seed \(seed)")
                #expect(delay <= .milliseconds(table.cap))
                if seed == 0 {
                    lowest.append(delay)
                    highest.append(delay)
                } else {
                    lowest[retry] = min(lowest[retry], delay)
                    highest[retry] = max(highest[retry], delay)
                }
            }
        }
        for retry in 0..<10 {
            let window = table.windows[min(retry, table.windows.count - 1)]
            let width = Duration.milliseconds(window.upperBound - window.lowerBound)
            #expect(highest[retry] - lowest[retry] >= width * 8 / 10, "retry \(retry) is not spread")
        }
    }

    @Test("A failure that only others can mend waits in the last window at once", arguments: tables)
    func atCap(table: Windows) {
        for seed in UInt64(0)..<100 {
            var random = Generator(seed: seed)
            var backoff = Backoff(policy: table.policy)
            let last = table.windows[table.windows.count - 1]
            let delay = Self.delay(&backoff, &random, atCap: true) ?? .zero
            #expect(delay >= .milliseconds(last.lowerBound) && delay <= .milliseconds(last.upperBound))
        }
    }

    @Test("A link that was open for the stable time starts the row anew; a shorter one does not")
    func reset() {
        var random = Generator(seed: 1)
        for (open, retries) in [(Duration.milliseconds(4_999), 3), (.seconds(5), 0)] {
            var backoff = Backoff(policy: .default)
            for _ in 0..<3 { _ = Self.delay(&backoff, &random) }
            backoff.linkOpened()
            #expect(backoff.retries == 3)
            let wasStable = backoff.linkEnded(openedAt: Self.start, at: Self.start.advanced(by: open))
            #expect(wasStable == (retries == 0))
            #expect(backoff.retries == retries)
        }
    }

    @Test("After so many retries it gives up, and after a reset it tries again")
    func attempts() {
        var random = Generator(seed: 1)
        var backoff = Backoff(policy: .senteLite)
        for _ in 0..<5 { #expect(Self.delay(&backoff, &random) != nil) }
        #expect(backoff.next(at: Self.start, atCap: false, error: nil, using: &random) == .giveUp)
        backoff.reset()
        #expect(Self.delay(&backoff, &random) != nil)
        var never = Backoff(policy: .never)
        #expect(never.next(at: Self.start, atCap: false, error: nil, using: &random) == .giveUp)
    }

    @Test("Another server is gone to within the policy's time, and the row of waits begins behind")
    func failover() {
        for (policy, window) in [(ReconnectPolicy.default, Duration.zero), (.fleet, .seconds(5))] {
            var longest = Duration.zero
            for seed in UInt64(0)..<200 {
                var random = Generator(seed: seed)
                var backoff = Backoff(policy: policy)
                for retry in 1...3 {
                    let wait = backoff.next(
                        at: Self.start, atCap: false, hasOther: true, error: nil, using: &random)
                    guard case .elsewhere(let delay) = wait else {
                        Issue.record("\(wait)")
                        return
                    }
                    #expect(delay >= .zero && delay <= window && backoff.retries == retry)
                    longest = max(longest, delay)
                }
                // The first window, as if nothing had been tried.
                let first = Self.delay(&backoff, &random)
                #expect(first.map { $0 <= max(.seconds(2), window) } == true)
            }
            #expect(longest >= window * 9 / 10)
        }
    }

    @Test(
        "A policy without failover waits though there is another server, and the app's own is asked",
        arguments: [ReconnectPolicy.senteLite, .custom { _ in .zero }, .never])
    func noFailover(policy: ReconnectPolicy) {
        var random = Generator(seed: 1)
        var backoff = Backoff(policy: policy)
        let wait = backoff.next(at: Self.start, atCap: false, hasOther: true, error: nil, using: &random)
        if case .elsewhere = wait { Issue.record("\(wait)") }
    }

    @Test("Ways to go elsewhere without end are not taken without end, and count as attempts")
    func failovers() {
        var random = Generator(seed: 1)
        var backoff = Backoff(policy: .default)
        func isElsewhere() -> Bool {
            let wait = backoff.next(at: Self.start, atCap: false, hasOther: true, error: nil, using: &random)
            return if case .elsewhere = wait { true } else { false }
        }
        #expect((0..<40).map { _ in isElsewhere() } == (0..<40).map { $0 < 16 })
        backoff.reset()
        #expect(isElsewhere())
        var three = Backoff(policy: .exponential(attempts: 3))
        let waits = (0..<4).map { _ in
            three.next(at: Self.start, atCap: false, hasOther: true, error: nil, using: &random)
        }
        #expect(waits == [.elsewhere(.zero), .elsewhere(.zero), .elsewhere(.zero), .giveUp])
    }

    @Test("A custom policy is told the retry, the time without a connection and the error")
    func custom() {
        var random = Generator(seed: 1)
        var backoff = Backoff(policy: .custom { _ in .zero })
        let error = SenteError(.unreachable, "No one there.")
        _ = backoff.next(at: Self.start, atCap: false, error: nil, using: &random)
        let later = Self.start.advanced(by: .seconds(3))
        #expect(
            backoff.next(at: later, atCap: false, error: error, using: &random)
                == .ask(.init(retry: 2, elapsed: .seconds(3), lastError: error)))
        backoff.linkOpened()
        #expect(
            backoff.next(at: later, atCap: false, error: nil, using: &random)
                == .ask(.init(retry: 3, elapsed: .zero, lastError: nil)))
    }

    @Test("Numbers that make no sense neither trap nor exceed the cap")
    func hostile() {
        let durations: [Duration] = [
            .zero, .seconds(-1), .nanoseconds(1), .seconds(1), .seconds(Int64.max), .seconds(Int64.min),
        ]
        let doubles = [0, -1, 1, 2, Double.infinity, -.infinity, .nan, 1e300, .leastNonzeroMagnitude]
        var random = Generator(seed: 3)
        for initial in durations {
            for maximum in durations {
                for multiplier in doubles {
                    for jitter in doubles {
                        let policy = ReconnectPolicy.exponential(
                            initial: initial, multiplier: multiplier, jitter: jitter, maximum: maximum)
                        var backoff = Backoff(policy: policy)
                        for _ in 0..<3 {
                            let delay = Self.delay(&backoff, &random) ?? .seconds(-9)
                            #expect(delay >= .zero && delay <= max(.zero, maximum))
                        }
                    }
                }
            }
        }
    }
}
