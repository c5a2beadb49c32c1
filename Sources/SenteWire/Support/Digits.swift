// SPDX-License-Identifier: Apache-2.0

extension UInt8 {
    /// What an ASCII digit or letter counts in numbers of a radix up to 36; nil for all other bytes.
    func digit(radix: UInt32) -> UInt32? {
        let value: UInt8 =
            switch self {
            case 0x30...0x39: self - 0x30
            case 0x41...0x5A: self - 0x37
            case 0x61...0x7A: self - 0x57
            default: 0xFF
            }
        return value < radix ? UInt32(value) : nil
    }
}

extension BinaryInteger {
    /// The digits of a number that is not negative, with zeros in front if they are fewer than that.
    func digits(atLeast count: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}
