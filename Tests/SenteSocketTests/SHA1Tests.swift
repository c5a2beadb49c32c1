// SPDX-License-Identifier: Apache-2.0

import SenteSocket
import Testing

@Suite("SHA-1")
struct SHA1Tests {
    @Test(
        "the vectors of RFC 3174 and FIPS 180 come out",
        arguments: [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
            ),
            (String(repeating: "01234567", count: 80), "dea356a2cddd90c7a7ecedc5ebb563934f460452"),
        ])
    func vectors(text: String, digest: String) {
        #expect(hex(SHA1.digest(Array(text.utf8))) == digest)
    }
}
