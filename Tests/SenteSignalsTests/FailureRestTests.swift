// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Rests of handlers that fail")
struct FailureRestTests {
    @Test("Ten failures are borne, then each makes the rest twice as long, up to 30 s")
    func grows() {
        var rest = FailureRest()
        for _ in 0..<9 { rest.failed(at: 0) }
        #expect(!rest.holds(at: 0) && !rest.hasRunOut)
        for milliseconds: Int64 in [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000] {
            rest.failed(at: 0)
            #expect(rest.hasRunOut && rest.holds(at: milliseconds * 1_000_000 - 1))
            #expect(!rest.holds(at: milliseconds * 1_000_000))
        }
        for _ in 0..<100_000 { rest.failed(at: 7) }
        #expect(!rest.holds(at: 30_000_000_007) && rest.holds(at: 30_000_000_006))
    }

    @Test("One call that works makes up for all before")
    func recovers() {
        var rest = FailureRest()
        for _ in 0..<20 { rest.failed(at: 0) }
        rest.worked()
        #expect(!rest.holds(at: 0) && !rest.hasRunOut)
        for _ in 0..<9 { rest.failed(at: 0) }
        #expect(!rest.holds(at: 0))
    }
}
