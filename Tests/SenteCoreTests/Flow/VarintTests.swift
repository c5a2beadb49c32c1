// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Varint")
struct VarintTests {
    @Test(
        "A number takes as many bytes as it has sevens of bits",
        arguments: [
            (UInt64(0), [UInt8(0)]), (127, [0x7F]), (128, [0x80, 0x01]), (300, [0xAC, 0x02]),
            (.max, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ] as [(UInt64, [UInt8])])
    func known(number: UInt64, bytes: [UInt8]) {
        var written: [UInt8] = []
        Varint.append(number, to: &written)
        #expect(written == bytes)
        var rest = (bytes + [9])[...]
        #expect(Varint.take(from: &rest) == number)
        #expect(Array(rest) == [9])
    }

    @Test("Every number comes back")
    func roundTrip() {
        var random = Generator(seed: 1)
        for _ in 0..<2_000 {
            let number =
                UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random)
            var bytes: [UInt8] = []
            Varint.append(number, to: &bytes)
            var rest = bytes[...]
            #expect(Varint.take(from: &rest) == number)
            #expect(rest.isEmpty)
        }
    }

    @Test(
        "What is cut short, longer than needed, or beyond 64 bits is no number",
        arguments: [
            [UInt8](), [0x80], [0x80, 0x00], [0xFF, 0x80, 0x00],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0x00],
        ])
    func malformed(bytes: [UInt8]) {
        var rest = bytes[...]
        #expect(Varint.take(from: &rest) == nil)
        #expect(Array(rest) == bytes)
    }
}
