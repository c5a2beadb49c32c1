// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("Instants and durations")
struct InstantTests {
    @Test("advance and measure in nanoseconds")
    func advance() {
        let start = Instant(nanoseconds: 1_000)
        let later = start.advanced(by: .milliseconds(2))
        #expect(later.nanoseconds == 2_001_000)
        #expect(start.duration(to: later) == .milliseconds(2))
        #expect(later.duration(to: start) == .milliseconds(-2))
        #expect(start < later && !(later < start) && later > .distantPast && later < .distantFuture)
    }

    @Test("stop at the clock's ends instead of overflowing")
    func ends() {
        #expect(Instant.distantFuture.advanced(by: .seconds(1)) == .distantFuture)
        #expect(Instant.distantPast.advanced(by: .seconds(-1)) == .distantPast)
        #expect(Instant(nanoseconds: 5).advanced(by: .seconds(Int64.max)) == .distantFuture)
        #expect(Instant(nanoseconds: -5).advanced(by: .seconds(Int64.min)) == .distantPast)
    }

    @Test(
        "are measured whole, clamped to 64 bits",
        arguments: [
            (.seconds(1), 1_000_000_000), (.milliseconds(-1500), -1_500_000_000), (.nanoseconds(7), 7),
            (.zero, 0),
            (.seconds(Int64.max), .max), (.seconds(Int64.min), .min), (.seconds(-9_223_372_037), .min),
            (.seconds(9_223_372_036) + .nanoseconds(854_775_807), .max),
            (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
        ] as [(Duration, Int64)])
    func nanoseconds(duration: Duration, nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
        #expect(duration.wholeMilliseconds == nanoseconds / 1_000_000)
    }
}
