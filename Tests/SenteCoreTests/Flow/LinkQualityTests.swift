// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Link quality")
struct LinkQualityTests {
    @Test(
        "A bad way asks for small messages, a good one for little work",
        arguments: [
            (nil, nil, 6), (10, nil, 3), (10, 0, 3), (10, 0.02, 6), (49, 0.009, 3), (50, 0, 6), (100, 0.5, 6),
            (200, 0.5, 6), (201, 0.06, 9), (201, 0.05, 6), (201, nil, 9),
        ] as [(Int?, Double?, Int)])
    func level(milliseconds: Int?, loss: Double?, level: Int) {
        var quality = LinkQuality()
        if let milliseconds { quality.note(roundTrip: .milliseconds(milliseconds)) }
        quality.loss = loss
        #expect(quality.level == level)
    }

    @Test("An eighth of each new round trip counts")
    func smoothing() {
        var quality = LinkQuality()
        quality.note(roundTrip: .milliseconds(80))
        quality.note(roundTrip: .milliseconds(160))
        #expect(quality.roundTrip == .milliseconds(90))
    }
}
