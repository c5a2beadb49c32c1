// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

struct WireNameTests {
    @Test("Names that Swift calls equal and the wire does not are two names")
    func canonicalEquivalence() {
        let composed = WireName("caf\u{e9}")
        let decomposed = WireName("cafe\u{301}")
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, WireName("caf\u{e9}")]).count == 2)
        #expect([composed: 1, decomposed: 2][WireName("cafe\u{301}")] == 2)
    }

    @Test("Marks in another order are another name, though the bytes are as many")
    func orderOfMarks() {
        #expect(WireName("a\u{323}\u{307}") != WireName("a\u{307}\u{323}"))
    }
}
