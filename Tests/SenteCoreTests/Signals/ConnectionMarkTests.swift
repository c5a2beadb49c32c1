// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Which connection a signal belongs to")
struct ConnectionMarkTests {
    private static func marked(_ mark: ConnectionMark) -> ClientSignal {
        let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: 0)
        var signal = ClientSignal(.attemptStarted, at: now)
        mark.mark(&signal)
        return signal
    }

    @Test("While one is open, its number and the server's name for it; before and after it nothing")
    func connections() {
        var mark = ConnectionMark()
        #expect(Self.marked(mark).data == [:])
        mark.opened(as: "conn-1")
        #expect(Self.marked(mark).data == ["connection": 1, "conn-id": "conn-1"])
        mark.ended()
        #expect(Self.marked(mark).data == [:])
        mark.opened(as: nil)
        #expect(Self.marked(mark).data == ["connection": 2], "Sente has no name for it.")
    }
}
