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
        while let written = window.popWritten(upTo: SendID(4)) {
            if let call = written.call { calls.append(call) }
        }
        #expect(calls == [CallID(1), CallID(2), CallID(4)])
        #expect(window.bytes == 10)
        #expect(window.keepAlives == 0)
        let again = window.popWritten(upTo: SendID(2))
        #expect(again == nil, "Nothing is written twice.")
        #expect(window.bytes == 10)
    }
}
