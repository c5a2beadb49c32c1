// SPDX-License-Identifier: Apache-2.0

import SenteSocket
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test(
        "the vectors of RFC 4648 come out",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.isEncoding(encoded, ofBytes: text.utf8.count))
        #expect(!Base64.isEncoding(encoded, ofBytes: text.utf8.count + 3))
    }

    @Test("what is not base64 is none", arguments: ["Zg=", "Zg", "Z===", "Z?==", "====", "Zg==\n"])
    func wrong(text: String) {
        #expect(!Base64.isEncoding(text, ofBytes: 1))
    }
}
