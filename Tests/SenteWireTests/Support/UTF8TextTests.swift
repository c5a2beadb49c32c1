// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("UTF-8 text")
struct UTF8TextTests {
    @Test("Text is text, wherever its characters stand")
    func valid() {
        #expect(UTF8Text.isValid([]))
        for count in 0..<20 {
            #expect(UTF8Text.isValid(Array((String(repeating: "a", count: count) + "ä€😀\"\n").utf8)))
        }
    }

    @Test(
        "Other bytes are not, wherever they stand",
        arguments: [
            [0x80], [0xC3], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ] as [[UInt8]])
    func invalid(bytes: [UInt8]) {
        for count in 0..<20 {
            let before = [UInt8](repeating: 0x61, count: count)
            #expect(!UTF8Text.isValid(before + bytes))
        }
    }
}
