// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Callback names")
struct CallbackNamesTests {
    @Test("A session knows the names it gave, and no others", arguments: UInt64(1)...50)
    func known(seed: UInt64) {
        var random = Generator(seed: seed)
        var names = CallbackNames()
        #expect(!names.contains("0000000000000000"))
        let given = (0..<100).map { _ in names.next(using: &random) }
        #expect(Set(given).count == 100)
        #expect(given.allSatisfy { $0.utf8.count == 16 && names.contains($0) })
        var later = names
        let next = later.next(using: &random)
        #expect(!names.contains(next) && later.contains(next))
        var other = CallbackNames()
        let foreign = other.next(using: &random)
        #expect(!names.contains(foreign))
        #expect(!names.contains("") && !names.contains("+" + given[0].dropFirst()) && !names.contains("é"))
    }
}
