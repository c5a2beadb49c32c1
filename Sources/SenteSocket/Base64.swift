// SPDX-License-Identifier: Apache-2.0

/// Base64 with the standard alphabet and padding (RFC 4648 §4).
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32((3 - group.count) * 8)
            for place in 0..<4 {
                let digit = Int(bits >> UInt32(18 - place * 6)) & 63
                text.append(place <= group.count ? alphabet[digit] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether `text` is the encoding of exactly `count` bytes.
    package static func isEncoding(_ text: String, ofBytes count: Int) -> Bool {
        let padding = (3 - count % 3) % 3
        let utf8 = Array(text.utf8)
        guard utf8.count == (count + 2) / 3 * 4 else { return false }
        return utf8.dropLast(padding).allSatisfy(alphabet.contains)
            && utf8.suffix(padding).allSatisfy { $0 == UInt8(ascii: "=") }
    }
}
