// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import Testing

@Suite("Sorted ids")
struct SortedIDsTests {
    @Test("They are a set that is walked in order")
    func model() {
        var generator = Generator(seed: 5)
        var ids = SortedIDs()
        var model: Set<UInt64> = []
        for _ in 0..<2_000 {
            let number = UInt64.random(in: 0..<50, using: &generator)
            let id = ConnectionID(number)
            #expect(ids.contains(id) == model.contains(number))
            if Bool.random(using: &generator) {
                #expect(ids.insert(id) == model.insert(number).inserted)
            } else {
                #expect(ids.remove(id) == (model.remove(number) != nil))
            }
            #expect(ids.map(\.number) == model.sorted())
        }
    }
}
