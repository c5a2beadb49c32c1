// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("Taking an array in reverse")
struct ArrayTakeReversedTests {
    @Test("Everything is taken, the last first", arguments: 0..<4)
    func everything(count: Int) {
        var array = Array(0..<count)
        #expect(array.takeReversed() == (0..<count).reversed())
        #expect(array.isEmpty)
    }
}
