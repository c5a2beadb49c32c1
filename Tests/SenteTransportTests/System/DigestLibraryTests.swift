// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteTransport
import Testing

@Suite("SHA-256 by OpenSSL, loaded at run time")
struct DigestLibraryTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
    }

    @Test("the examples of FIPS 180-4 come out, wherever the bytes are cut")
    func examples() throws {
        let library = try DigestLibrary.shared.get()
        let text = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
        for cut in 0...text.count {
            let digest = try #require(SystemDigest(library))
            text[..<cut].withUnsafeBytes { digest.update($0) }
            text[cut...].withUnsafeBytes { digest.update($0) }
            #expect(
                hex(digest.finish()) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        }
        let empty = try #require(SystemDigest(library))
        #expect(hex(empty.finish()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("a library that is not there is told by its names")
    func missing() {
        let error = #expect(throws: LinkFailure.self) {
            try DigestLibrary(names: ["libnothing.so.7"], load: { _ in .failed("no such file") })
        }
        #expect(error?.message.contains("libnothing.so.7") == true)
    }
}
