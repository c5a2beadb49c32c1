// SPDX-License-Identifier: Apache-2.0

/// The 128 bits of a UUID (RFC 9562).
///
/// `Foundation.UUID` converts both ways.
public struct UniqueID: Hashable, Sendable {
    /// The first eight bytes, the first of them uppermost.
    public let high: UInt64
    /// The last eight bytes.
    public let low: UInt64

    /// Makes an id of its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads `8-4-4-4-12` hexadecimal digits of either case; nil for anything else.
    public init?(_ text: String) {
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        var position = 0
        for byte in text.utf8 {
            if [8, 13, 18, 23].contains(position) {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = byte.digit(radix: 16), position < 36 else { return nil }
                halves.high = halves.high << 4 | halves.low >> 60
                halves.low = halves.low << 4 | UInt64(digit)
            }
            position += 1
        }
        guard position == 36 else { return nil }
        self.init(high: halves.high, low: halves.low)
    }
}

extension UniqueID: CustomStringConvertible {
    /// The id in the usual form, in lower case.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for position in 0..<32 {
            if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
            let half = position < 16 ? high : low
            text.append(digits[Int(half >> UInt64((15 - position % 16) * 4) & 0xF)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
