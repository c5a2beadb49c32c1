// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Handshake key")
struct HandshakeKeyTests {
    @Test("RFC 6455 §4.1: the RFC's sample key has the RFC's sample answer")
    func sample() {
        #expect(HandshakeKey("dGhlIHNhbXBsZSBub25jZQ==")?.answer == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("RFC 6455 §4.1: a thousand keys are base64 of sixteen bytes and all differ")
    func fresh() {
        let entropy = Entropy.seeded(5)
        let keys = (0..<1_000).map { _ in HandshakeKey(entropy) }
        #expect(keys.allSatisfy { Base64.isEncoding($0.value, ofBytes: 16) })
        #expect(Set(keys).count == 1_000)
    }

    @Test(
        "what is not base64 of sixteen bytes is no key",
        arguments: ["", "abc", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZQ=="])
    func wrong(text: String) {
        #expect(HandshakeKey(text) == nil)
    }
}
