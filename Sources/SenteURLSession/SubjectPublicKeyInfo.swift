// SPDX-License-Identifier: Apache-2.0

/// The public key in a certificate, as pins count it: the whole SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 7469 §2.4).
package enum SubjectPublicKeyInfo {
    /// Finds it in a certificate in DER; nil when that is none.
    package static func bytes(in certificate: [UInt8]) -> ArraySlice<UInt8>? {
        guard let outer = Element(certificate[...]), outer.tag == sequence,
            let inner = Element(outer.content), inner.tag == sequence
        else { return nil }
        var rest = inner.content
        // The version stands first, in a tag of its own, and may be left out.
        if let version = Element(rest), version.tag == 0xA0 { rest = version.after }
        // Serial number, signature's algorithm, issuer, validity, subject.
        for _ in 0..<5 {
            guard let skipped = Element(rest) else { return nil }
            rest = skipped.after
        }
        guard let key = Element(rest), key.tag == sequence else { return nil }
        return key.whole
    }

    private static let sequence: UInt8 = 0x30

    /// Tag, length, content (X.690 §8.1).
    private struct Element {
        let tag: UInt8
        let whole: ArraySlice<UInt8>
        let content: ArraySlice<UInt8>
        let after: ArraySlice<UInt8>

        init?(_ bytes: ArraySlice<UInt8>) {
            var rest = bytes
            guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
            var length = Int(first)
            if first >= 0x80 {
                // Four bytes of length say more than any certificate has.
                let count = Int(first & 0x7F)
                guard (1...4).contains(count), rest.count >= count else { return nil }
                length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(count)
            }
            guard length <= rest.count else { return nil }
            self.tag = tag
            content = rest.prefix(length)
            after = rest.dropFirst(length)
            whole = bytes[bytes.startIndex..<content.endIndex]
        }
    }
}
