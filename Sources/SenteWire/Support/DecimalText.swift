// SPDX-License-Identifier: Apache-2.0

/// Decimal numbers to doubles, exactly rounded, for the sizes that nearly all numbers have.
enum DecimalText {
    /// 5⁰ … 5²⁷, all that fit 64 bits.
    private static let powersOfFive: [UInt64] = {
        var powers: [UInt64] = [1]
        for _ in 0..<27 { powers.append((powers.last ?? 1) * 5) }
        return powers
    }()

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The double nearest to `mantissa × 10^exponent`, ties to even; nil where it needs longer arithmetic.
    static func double(_ mantissa: UInt64, exponent: Int) -> Double? {
        guard mantissa != 0 else { return 0 }
        // Both numbers are exact doubles, so one operation rounds once (Clinger 1990).
        if mantissa < 1 << 53, -22...22 ~= exponent {
            let power = powersOfTen[abs(exponent)]
            return exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
        }
        guard -27...27 ~= exponent else { return nil }
        // 10^e = 5^e · 2^e, and 5^27 fits 64 bits: a 128-bit product or quotient is exact but for a remainder,
        // which goes into the lowest bit, far below where a double ends.
        let five = powersOfFive[abs(exponent)]
        let leading = mantissa.leadingZeroBitCount
        let normal = mantissa << UInt64(leading)
        let fiveLeading = five.leadingZeroBitCount
        let normalFive = five << UInt64(fiveLeading)
        if exponent < 0 {
            let (quotient, remainder) = normalFive.dividingFullWidth((normal >> 1, normal << 63))
            let bits = quotient | (remainder == 0 ? 0 : 1)
            return scaled(bits, by: fiveLeading - leading - 63 + exponent)
        }
        let (high, low) = normal.multipliedFullWidth(by: normalFive)
        return scaled(high | (low == 0 ? 0 : 1), by: 64 - leading - fiveLeading + exponent)
    }

    /// `bits × 2^exponent` for exponents that stay far from the ends of the range.
    private static func scaled(_ bits: UInt64, by exponent: Int) -> Double {
        Double(bits) * Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
