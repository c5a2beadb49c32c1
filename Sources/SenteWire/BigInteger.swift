// SPDX-License-Identifier: Apache-2.0

/// An exact whole number of any size, kept as its decimal digits; it carries numbers and does not calculate.
public struct BigInteger: Hashable, Sendable {
    /// The digits without leading zeros, with a minus if negative; zero has none.
    private let text: String

    /// Reads digits with an optional sign; nil for anything else.
    ///
    /// Takes time in proportion to the length, whatever the digits.
    public init?(_ text: String) {
        var digits = Substring(text).utf8
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let significant = digits.drop { $0 == UInt8(ascii: "0") }
        guard !significant.isEmpty else {
            self.text = "0"
            return
        }
        self.text = (isNegative ? "-" : "") + (String(significant) ?? "")
    }

    /// Makes a big integer of any integer type's value.
    public init(_ value: some BinaryInteger) {
        text = String(value)
    }

    /// Digits that are known to be canonical.
    init(canonical text: String) {
        self.text = text
    }

    /// Whether the number is below zero.
    public var isNegative: Bool { text.utf8.first == UInt8(ascii: "-") }

    /// The digits without the sign.
    public var magnitudeDigits: String { isNegative ? String(text.dropFirst()) : text }

    /// How many decimal digits the number has.
    public var digitCount: Int { text.utf8.count - (isNegative ? 1 : 0) }
}

extension BigInteger: CustomStringConvertible {
    /// The digits, with a minus if negative.
    public var description: String { text }
}

extension Int64 {
    /// The big integer's value, or nil if it does not fit 64 bits.
    public init?(exactly value: BigInteger) {
        guard value.digitCount <= 19 else { return nil }
        self.init(value.description)
    }
}

extension Double {
    /// The nearest double, infinite beyond the range.
    public init(_ value: BigInteger) {
        self = Double(value.description) ?? (value.isNegative ? -.infinity : .infinity)
    }
}
