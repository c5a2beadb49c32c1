// SPDX-License-Identifier: Apache-2.0

/// Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, the eighth bit on all but the last (LEB128).
package enum Varint {
    /// How many bytes the largest number takes.
    private static let longest = 10

    package static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Takes a number off the front; nil when there is none, or one longer than it needs to be.
    package static func take(from bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for (place, byte) in bytes.prefix(longest).enumerated() {
            let bits = UInt64(byte & 0x7F)
            // The tenth byte has one bit left of the 64.
            if place == longest - 1, bits > 1 { return nil }
            number |= bits << UInt64(7 * place)
            guard byte & 0x80 == 0 else { continue }
            if byte == 0, place > 0 { return nil }
            bytes.removeFirst(place + 1)
            return number
        }
        return nil
    }
}
