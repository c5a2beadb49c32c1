// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Write window")
struct WriteWindowTests {
    @Test("What is written leaves in order, with everything before it")
    func order() {
        var window = WriteWindow()
        for number in UInt64(1)...5 {
            window.add(SendID(number), weight: 10, call: number == 3 ? nil : CallID(number))
        }
        #expect(window.bytes == 50)
        #expect(window.unowned == 1)
        var calls: [CallID] = []
        window.wrote(SendID(4)) { calls.append($0) }
        #expect(calls == [CallID(1), CallID(2), CallID(4)])
        #expect(window.bytes == 10)
        #expect(window.unowned == 0)
        window.wrote(SendID(2)) { _ in Issue.record("Nothing is written twice.") }
        #expect(window.bytes == 10)
    }

    @Test("What was never handed over leaves no trace")
    func remove() {
        let place = PendingReplies.Place(correlation: .id(.answer, "r"), sequence: 9)
        var window = WriteWindow()
        window.add(SendID(1), weight: 5, call: CallID(1), place: place)
        window.add(SendID(2), weight: 7)
        #expect(window.remove(SendID(1))?.place == place)
        #expect(window.remove(SendID(1)) == nil)
        #expect(window.bytes == 7)
        #expect(window.remove(SendID(2))?.call == nil)
        #expect(window.bytes == 0)
        #expect(window.unowned == 0)
    }
}
