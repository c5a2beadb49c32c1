// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite struct SHA256Tests {
    /// The examples of FIPS 180-4 as NIST publishes them, and the shortest and block-edged ones of its CAVP files (SHA256ShortMsg.rsp).
    static let examples: [(bytes: [UInt8], digest: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            Array(
                ("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                    + "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu").utf8),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        ([0xd3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
        ([0x11, 0xaf], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    ]

    @Test("the published digests come out", arguments: examples)
    func published(bytes: [UInt8], digest: String) {
        #expect(hex(DigestFunction.sha256.digest(of: bytes[...])) == digest)
    }

    @Test("a million times “a”, in pieces of any length, has the published digest")
    func million() {
        for piece in [997, 65_536, 1_000_000] {
            var digest = SHA256()
            var rest = 1_000_000
            while rest > 0 {
                let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: min(piece, rest))
                bytes.withUnsafeBytes { digest.update($0) }
                rest -= bytes.count
            }
            #expect(
                hex(digest.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        }
    }

    @Test("where the bytes are cut changes nothing, at any length around the edges of blocks")
    func cuts() {
        for length in [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129] {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let whole = DigestFunction.sha256.digest(of: bytes[...])
            for cut in 0...length {
                var digest = SHA256()
                bytes[..<cut].withUnsafeBytes { digest.update($0) }
                bytes[cut...].withUnsafeBytes { digest.update($0) }
                #expect(digest.finish() == whole, "\(length) bytes, cut at \(cut)")
            }
        }
    }

    @Test("messages of every length up to 300 bytes have the digests that Python's hashlib gives them")
    func lengths() {
        var all = SHA256()
        for length in 0...300 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            DigestFunction.sha256.digest(of: bytes[...]).withUnsafeBytes { all.update($0) }
        }
        #expect(hex(all.finish()) == "1b64c37036d2780bdb779fc9d79d9ae8f3dd67e752ccf4d1258292903a334d42")
    }

    @Test("a copy goes its own way")
    func copies() {
        var first = SHA256()
        Array("ab".utf8).withUnsafeBytes { first.update($0) }
        var second = first
        Array("c".utf8).withUnsafeBytes { first.update($0) }
        Array("d".utf8).withUnsafeBytes { second.update($0) }
        #expect(hex(first.finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(second.finish() == DigestFunction.sha256.digest(of: Array("abd".utf8)[...]))
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count < 2 ? "0" + text : text
        }.joined()
    }
}
