// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("Messages")
struct MessageTests {
    @Test("are text or bytes, never equal to one another")
    func kinds() {
        #expect(Message.text("é").bytes == [0xC3, 0xA9])
        #expect(Message.text("é").string == "é")
        #expect(Message.text("a") != Message.binary(Array("a".utf8)))
        #expect(LinkID(3).description == "link 3")
    }
}
