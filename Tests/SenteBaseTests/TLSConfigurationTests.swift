// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("TLS configurations")
struct TLSConfigurationTests {
    /// SHA-256 of nothing (FIPS 180-4), in base64.
    private static let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    @Test("trust the system and nobody else, unless told otherwise")
    func defaults() {
        let tls = TLSConfiguration()
        #expect(tls.roots == .system)
        #expect(tls.verification == .full)
        #expect(tls.identity == nil)
        #expect(tls.pinnedKeys.isEmpty)
        #expect(tls.pinProblem == nil)
    }

    @Test("take a pinned key bare, and with the prefixes that other tools write")
    func pins() {
        let tls = TLSConfiguration(
            pinnedKeys: [Self.digest, "sha256/\(Self.digest)", "sha256//\(Self.digest)"])
        #expect(tls.pinProblem == nil)
        #expect(tls.pinnedDigests == [Self.digest, Self.digest, Self.digest])
    }

    @Test(
        "name the pinned key that cannot be one",
        arguments: [
            "", "sha256/", String(digest.dropLast()), digest + "=", "md5/\(digest)",
            // A last character that carries more than four bits is no encoding of 32 bytes.
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF==",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hS-FU=", String(repeating: "é", count: 22),
        ])
    func badPins(pin: String) {
        let tls = TLSConfiguration(pinnedKeys: [Self.digest, pin])
        #expect(tls.pinProblem?.contains("`tls.pinnedKeys[1]`") == true)
        #expect(tls.pinnedDigests == [Self.digest])
    }
}
