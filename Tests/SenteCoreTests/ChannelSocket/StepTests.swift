// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("A step function and its state")
struct StepTests {
    private struct Refused: Error {}

    @Test("each event moves the state on, and says what is to be done")
    func steps() throws {
        var machine = StepMachine(state: 0) { count, event in
            (count + 1, [.log("\(event.id)"), .metrics(["count": 1])])
        }
        #expect(try machine.handle(Event("a/b")) == [.log(":a/b"), .metrics(["count": 1])])
        _ = try machine.handle(Event("a/b"))
        #expect(machine.state == 2)
    }

    @Test("replaced while running, it goes on with the state as it is")
    func replaced() throws {
        var machine = StepMachine(state: 1) { state, _ in (state * 2, []) }
        _ = try machine.handle(Event("a/b"))
        machine.step = { state, _ in (state + 100, []) }
        _ = try machine.handle(Event("a/b"))
        #expect(machine.state == 102)
    }

    @Test("throwing leaves the state as it was")
    func throwing() {
        var machine = StepMachine(state: 1) { state, event in
            if event.id == "bad/event" { throw Refused() }
            return (state + 1, [])
        }
        #expect(throws: Refused.self) { try machine.handle(Event("bad/event")) }
        #expect(machine.state == 1)
    }
}
