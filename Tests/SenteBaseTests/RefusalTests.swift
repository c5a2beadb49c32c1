// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("Refusals")
struct RefusalTests {
    @Test("find the first header of a name whatever its case")
    func headers() {
        let refusal = Refusal(
            status: 503, headers: [.init("Retry-After", "7"), .init("retry-after", "9"), .init("X", "")],
            body: Array("busy".utf8))
        #expect(refusal.header("RETRY-AFTER") == "7")
        #expect(refusal.header("x") == "")
        #expect(refusal.header("y") == nil)
    }
}
