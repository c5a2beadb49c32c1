// SPDX-License-Identifier: Apache-2.0

/// Bytes as hexadecimal digits and back (RFC 4648 §8).
package enum Base16 {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte, in lower case.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }

    /// The bytes of digits in either case; nil for anything else.
    package static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var first: Int?
        for digit in text.utf8 {
            guard let value = digit.digit(radix: 16) else { return nil }
            if let high = first {
                bytes.append(UInt8(high << 4 | Int(value)))
                first = nil
            } else {
                first = Int(value)
            }
        }
        return first == nil ? bytes : nil
    }
}
