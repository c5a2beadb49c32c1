// SPDX-License-Identifier: Apache-2.0

/// An exact decimal number: `unscaled × 10^−scale`, as Java's BigDecimal; it carries numbers and does not
/// calculate.
///
/// Two decimals are equal if both parts are (`1.50` is not `1.5`), as with Java's `equals`.
public struct BigDecimal: Hashable, Sendable {
    /// All digits, as a whole number.
    public let unscaled: BigInteger
    /// How many of the digits stand after the point; negative for trailing zeros that were not written.
    public let scale: Int32

    /// Makes a decimal of its parts.
    public init(unscaled: BigInteger, scale: Int32) {
        self.unscaled = unscaled
        self.scale = scale
    }

    /// Reads `-12.50`, `1e9`, `.5`; nil for anything else and for a scale beyond 32 bits.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let exponentStart = bytes.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? bytes.endIndex
        let mantissa = bytes[..<exponentStart]
        let point = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissa.endIndex
        let fraction = mantissa[point...].dropFirst()
        guard let unscaled = BigInteger(String(decoding: mantissa[..<point] + fraction, as: UTF8.self)) else {
            return nil
        }
        guard fraction.allSatisfy({ (48...57).contains($0) }) else { return nil }
        var exponent = 0
        if exponentStart < bytes.endIndex {
            guard let written = Int(String(decoding: bytes[(exponentStart + 1)...], as: UTF8.self)) else {
                return nil
            }
            exponent = written
        }
        let (scale, overflow) = fraction.count.subtractingReportingOverflow(exponent)
        guard !overflow, let scale = Int32(exactly: scale) else { return nil }
        self.init(unscaled: unscaled, scale: scale)
    }
}

extension BigDecimal: CustomStringConvertible {
    /// The canonical text of Java's `BigDecimal.toString`: plain unless the exponent is positive or below −6.
    public var description: String {
        let digits = unscaled.magnitudeDigits
        let sign = unscaled.isNegative ? "-" : ""
        let adjusted = digits.utf8.count - 1 - Int(scale)
        if scale == 0 { return sign + digits }
        if scale > 0, adjusted >= -6 {
            let whole = digits.utf8.count - Int(scale)
            if whole <= 0 { return sign + "0." + String(repeating: "0", count: -whole) + digits }
            return sign + digits.prefix(whole) + "." + digits.dropFirst(whole)
        }
        let rest = digits.dropFirst()
        return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "E" + (adjusted < 0 ? "" : "+")
            + String(adjusted)
    }
}

extension Double {
    /// The nearest double, infinite beyond the range.
    public init(_ value: BigDecimal) {
        self = Double(value.description) ?? .nan
    }
}
