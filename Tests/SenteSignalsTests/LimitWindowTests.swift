// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import Testing

@Suite("A limit's window in a word")
struct LimitWindowTests {
    private static let limit = RateLimit(3, per: .milliseconds(256))

    private static func take(_ window: inout LimitWindow, _ milliseconds: Int64, of limit: RateLimit = limit)
        -> RateLimiter.Decision
    {
        window.take(at: milliseconds * 1_000_000, LimitWindow.Scale(limit))
    }

    @Test("So many pass from the first on, and the first of the next interval tells how many did not")
    func passes() {
        var window = LimitWindow(word: 0)
        let decisions = [1_000, 1_001, 1_100, 1_200, 1_255, 1_256, 1_257].map { Self.take(&window, $0) }
        let pass = RateLimiter.Decision.passes(suppressed: 0)
        #expect(decisions == [pass, pass, pass, .suppressed, .suppressed, .passes(suppressed: 2), pass])
    }

    @Test(
        "A time that another thread read a moment before belongs to the interval; a count of 0 lets nothing pass"
    )
    func corners() {
        var window = LimitWindow(word: 0)
        _ = Self.take(&window, 1_000)
        #expect(Self.take(&window, 999) == .passes(suppressed: 0))
        #expect(Self.take(&window, 1_000) == .passes(suppressed: 0))
        #expect(Self.take(&window, 1_000) == .suppressed)
        var none = LimitWindow(word: 0)
        for time in stride(from: Int64(0), to: 2_000, by: 100) {
            #expect(Self.take(&none, time, of: RateLimit(0, per: .milliseconds(256))) == .suppressed)
        }
    }

    @Test("An interval of a nanosecond, and a time below zero, are as good as others")
    func extremes() {
        let limit = RateLimit(1, per: .nanoseconds(1))
        var window = LimitWindow(word: 0)
        #expect(window.take(at: -5, LimitWindow.Scale(limit)) == .passes(suppressed: 0))
        #expect(window.take(at: 0, LimitWindow.Scale(limit)) == .suppressed)
        #expect(window.take(at: 256, LimitWindow.Scale(limit)) == .passes(suppressed: 1))
    }

    @Test("The count ends at the most that it can be, and never runs into the time")
    func full() {
        var window = LimitWindow(word: 5 << 24 | UInt64(LimitWindow.most))
        let limit = RateLimit(.max, per: .milliseconds(256))
        #expect(window.take(at: 6_000_000, LimitWindow.Scale(limit)) == .suppressed)
        #expect(window.word == 5 << 24 | UInt64(LimitWindow.most))
        var owing = LimitWindow(word: 5 << 24 | UInt64(LimitWindow.most - 3))
        #expect(owing.take(at: 6_000_000, owing: 9, LimitWindow.Scale(Self.limit)) == .suppressed)
        #expect(owing.word == 5 << 24 | UInt64(LimitWindow.most))
    }

    @Test("It decides as the limiter of handlers does, to a 256th of the interval")
    func oracle() {
        var generator = Generator(seed: 4)
        for _ in 0..<200 {
            let limit = RateLimit(Int.random(in: 0...4, using: &generator), per: .milliseconds(256))
            var limiter = RateLimiter(limit)
            var window = LimitWindow(word: 0)
            var now: Int64 = 1_000_000
            for _ in 0..<200 {
                now += Int64.random(in: 0...120, using: &generator) * 1_000_000
                let owed = Int.random(in: 0...3, using: &generator)
                #expect(
                    window.take(at: now, owing: owed, LimitWindow.Scale(limit))
                        == limiter.take("", owing: owed, at: now))
            }
        }
    }
}
