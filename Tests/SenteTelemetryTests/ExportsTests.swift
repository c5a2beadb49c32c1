// SPDX-License-Identifier: Apache-2.0

import SenteTelemetry
import Testing

@Suite("What one import brings")
struct ExportsTests {
    @Test("signals and values are there")
    func names() {
        let signal = Signal(time: 0, namespace: "app", id: "app/begun", data: [.keyword("n"): 1])
        #expect(signal.data[.keyword("n")] == 1)
    }
}
