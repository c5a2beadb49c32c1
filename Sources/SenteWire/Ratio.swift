// SPDX-License-Identifier: Apache-2.0

/// A quotient of two whole numbers, as Clojure's `22/7`.
///
/// Parts that fit 64 bits are brought to lowest terms with the sign above; larger ones stay as given (Clojure
/// always writes lowest terms, and reducing long numbers is not worth their time).
public struct Ratio: Hashable, Sendable {
    /// What stands above the line.
    public let numerator: BigInteger
    /// What stands below the line; never zero.
    public let denominator: BigInteger

    /// Makes a quotient; nil if the denominator is zero.
    public init?(_ numerator: BigInteger, _ denominator: BigInteger) {
        guard denominator != BigInteger(0) else { return nil }
        guard let above = Int64(exactly: numerator), let below = Int64(exactly: denominator) else {
            self.numerator = numerator
            self.denominator = denominator
            return
        }
        var (a, b) = (above.magnitude, below.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        let digits = String(above.magnitude / a)
        let isNegative = above != 0 && (above < 0) != (below < 0)
        self.numerator = BigInteger(canonical: isNegative ? "-" + digits : digits)
        self.denominator = BigInteger(below.magnitude / a)
    }
}

extension Ratio: CustomStringConvertible {
    /// The quotient as EDN: `22/7`.
    public var description: String { "\(numerator)/\(denominator)" }
}

extension Double {
    /// The quotient of the nearest doubles.
    public init(_ value: Ratio) {
        self = Double(value.numerator) / Double(value.denominator)
    }
}
