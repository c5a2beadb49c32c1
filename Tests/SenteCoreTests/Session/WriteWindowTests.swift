// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Write window")
struct WriteWindowTests {
    @Test("What is written leaves in order, with everything before it")
    func order() {
        var window = WriteWindow()
        for number in UInt64(1)...5 {
            window.add(
                SendID(number), bytes: 10, call: number == 3 ? nil : CallID(number), isKeepAlive: number == 3)
        }
        #expect(window.bytes == 50)
        #expect(window.keepAlives == 1)
        var calls: [CallID] = []
        window.wrote(SendID(4)) { calls.append($0) }
        #expect(calls == [CallID(1), CallID(2), CallID(4)])
        #expect(window.bytes == 10)
        #expect(window.keepAlives == 0)
        window.wrote(SendID(2)) { _ in Issue.record("Nothing is written twice.") }
        #expect(window.bytes == 10)
    }
}
