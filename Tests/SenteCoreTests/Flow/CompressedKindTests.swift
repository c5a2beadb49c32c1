// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("Compressed kinds")
struct CompressedKindTests {
    @Test("Pictures, archives and films are known by how they begin")
    func kinds() {
        let png = Value.bytes([0x89, 0x50, 0x4E, 0x47, 1])
        #expect(png.isCompressedAlready)
        #expect(Value.bytes([0, 0, 0, 24] + Array("ftypisom".utf8)).isCompressedAlready)
        #expect((["image": png] as Value).isCompressedAlready)
        #expect(!(["image": png, "of": "me"] as Value).isCompressedAlready)
        #expect(!Value.bytes([0x89, 0x50]).isCompressedAlready)
        #expect(!Value.bytes([]).isCompressedAlready)
        #expect(!Value.string("PNG").isCompressedAlready)
    }
}
