// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Limits of rate")
struct RateLimitTests {
    @Test("as many as the limit says pass in an interval, and the next one that passes tells what did not")
    func suppressed() {
        var limiter = RateLimiter(RateLimit(2, per: .nanoseconds(100)))
        #expect(limiter.take("a", at: 1_000) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 1_050) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 1_060) == .suppressed)
        #expect(limiter.take("a", at: 1_099) == .suppressed)
        #expect(limiter.take("a", at: 1_100) == .passes(suppressed: 2))
        #expect(limiter.take("a", at: 1_101) == .passes(suppressed: 0))
    }

    @Test("each key has its own count")
    func keys() {
        var limiter = RateLimiter(RateLimit(1, per: .seconds(1)))
        #expect(limiter.take("a", at: 0) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 0) == .suppressed)
        #expect(limiter.take("b", at: 0) == .passes(suppressed: 0))
    }

    @Test("signals are counted under what the limit names")
    func keyOfSignals() {
        func key(_ key: RateLimit.Key, _ id: String?) -> String {
            RateLimit(1, per: .seconds(1), each: key).key(namespace: "app", id: id)
        }
        #expect(key(.all, "app/x") == "")
        #expect(key(.namespace, "app/x") == "app")
        #expect(key(.id, "app/x") == "app/x")
        #expect(key(.id, nil) == "app")
    }

    @Test("a clock that was set back does not silence anything")
    func clockGoesBack() {
        var limiter = RateLimiter(RateLimit(1, per: .seconds(1)))
        #expect(limiter.take("a", at: 1_000_000_000_000) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 5) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 6) == .suppressed)
        #expect(limiter.take("a", at: .max) == .passes(suppressed: 1))
        #expect(limiter.take("a", at: .min) == .passes(suppressed: 0))
    }

    @Test("what another thread raised a moment before the first is counted with it")
    func threads() {
        var limiter = RateLimiter(RateLimit(2, per: .seconds(1)))
        #expect(limiter.take("a", at: 1_000) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 999) == .passes(suppressed: 0))
        #expect(limiter.take("a", at: 1_001) == .suppressed)
        #expect(limiter.take("a", at: 998) == .suppressed)
    }

    @Test("limits that make no sense count as the nearest that do")
    func nonsense() {
        var nothing = RateLimiter(RateLimit(-3, per: .seconds(1)))
        #expect(nothing.take("a", at: 0) == .suppressed)
        #expect(RateLimit(-3, per: .seconds(1)).count == 0)
        var always = RateLimiter(RateLimit(1, per: .seconds(-1)))
        #expect(always.take("a", at: 0) == .passes(suppressed: 0))
        #expect(always.take("a", at: 1) == .passes(suppressed: 0))
    }

    @Test("keys made at run time do not grow without bound, and those beyond it share one count")
    func manyKeys() {
        var limiter = RateLimiter(RateLimit(1, per: .seconds(1)))
        for number in 0..<5_000 { _ = limiter.take("\(number)", at: 0) }
        #expect(limiter.keys == RateLimiter.maximumKeys)
        #expect(limiter.take("one more", at: 1) == .suppressed)
        #expect(limiter.take("later", at: 2_000_000_000) == .passes(suppressed: 0))
        #expect(limiter.keys == 1)
    }

    @Test("keys that are forgotten owe nobody a count")
    func owed() {
        var limiter = RateLimiter(RateLimit(1, per: .nanoseconds(10)))
        _ = limiter.take("a", at: 0)
        _ = limiter.take("a", at: 0)
        for number in 1..<RateLimiter.maximumKeys { _ = limiter.take("\(number)", at: 0) }
        #expect(limiter.take("new", at: 10) == .passes(suppressed: 0))
        #expect(limiter.keys == 2)
        #expect(limiter.take("a", at: 10) == .passes(suppressed: 1))
    }

    @Test("no signal is lost from the counts, whatever the times are")
    func conservation() {
        var limiter = RateLimiter(RateLimit(3, per: .nanoseconds(10)))
        var (passed, told) = (0, 0)
        for number in 0..<10_000 {
            let time = Int64(number * 7_919 % 1_013)
            guard case .passes(let suppressed) = limiter.take("a", at: time) else { continue }
            (passed, told) = (passed + 1, told + suppressed)
        }
        guard case .passes(let last) = limiter.take("a", at: 1 << 40) else {
            Issue.record("the last one must pass")
            return
        }
        #expect(passed + told + last == 10_000)
    }
}
