// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Levels")
struct SignalLevelTests {
    @Test("they have Telemere's numbers and an order")
    func numbers() {
        #expect(SignalLevel.named.map(\.rawValue) == [10, 20, 50, 60, 70, 80, 90])
        #expect(SignalLevel.named == SignalLevel.named.sorted())
        #expect(
            SignalLevel.named.map(\.name) == ["trace", "debug", "info", "warn", "error", "fatal", "report"])
    }

    @Test(
        "a text names one, however it is written",
        arguments: [
            ("warn", 60), ("WARN", 60), (":warn", 60), ("warning", 60), ("55", 55), ("-5", -5),
            ("report", 90),
        ])
    func named(text: String, number: Int) {
        #expect(SignalLevel(text)?.rawValue == number)
    }

    @Test("other texts name none", arguments: ["", ":", "loud", "5.5", "warn ", "99999999999999999999"])
    func unnamed(text: String) {
        #expect(SignalLevel(text) == nil)
    }

    @Test("each is found by its name again")
    func roundTrip() {
        for level in SignalLevel.named + [SignalLevel(rawValue: 55)] {
            #expect(SignalLevel(level.name) == level)
        }
    }
}
