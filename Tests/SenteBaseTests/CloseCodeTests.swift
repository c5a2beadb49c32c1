// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("Close codes")
struct CloseCodeTests {
    @Test(
        "may stand on the wire or not",
        arguments: [
            (0, false), (999, false), (1000, true), (1003, true), (1004, false), (1005, false), (1006, false),
            (1007, true),
            (1014, true), (1015, false), (1016, false), (2999, false), (3000, true), (4999, true),
            (5000, false),
            (65535, false),
        ] as [(UInt16, Bool)])
    func onWire(code: UInt16, isAllowed: Bool) {
        #expect(CloseCode(rawValue: code).isAllowedOnWire == isAllowed)
    }

    @Test("are their numbers")
    func numbers() {
        #expect(CloseCode.normal.description == "1000")
        #expect(CloseCode(rawValue: 1009) == .messageTooBig)
        #expect(
            !CloseCode.noStatus.isAllowedOnWire && !CloseCode.abnormal.isAllowedOnWire
                && !CloseCode.tlsFailed.isAllowedOnWire)
    }
}
