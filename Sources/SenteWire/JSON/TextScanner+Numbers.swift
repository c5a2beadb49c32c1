// SPDX-License-Identifier: Apache-2.0

extension TextScanner {
    /// Reads a number; `position` is at its sign or first digit.
    mutating func number() throws(ReadingError) -> Value {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let firstDigit = position
        var mantissa: UInt64 = 0
        try digits(into: &mantissa)
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
            position = firstDigit
            throw error("A number may not begin with a zero that means nothing.")
        }
        var digitCount = position - firstDigit
        let isWhole =
            position == end || (bytes[position] != UInt8(ascii: ".") && bytes[position] | 0x20 != 0x65)
        if isWhole {
            return integer(mantissa, digitCount: digitCount, isNegative: isNegative, start: start)
        }
        var exponent = 0
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            let fraction = position
            try digits(into: &mantissa)
            exponent = fraction - position
            digitCount -= exponent
        }
        if position < end, bytes[position] | 0x20 == 0x65 { exponent += try self.exponent() }
        if digitCount <= 19, let magnitude = DecimalText.double(mantissa, exponent: exponent) {
            return .double(isNegative ? -magnitude : magnitude)
        }
        return try slowNumber(start: start)
    }

    /// Reads at least one digit; the mantissa is right while there are no more than 19 in all.
    @inline(__always)
    private mutating func digits(into mantissa: inout UInt64) throws(ReadingError) {
        let first = position
        while position < end {
            let digit = bytes[position] &- 0x30
            guard digit <= 9 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            position += 1
        }
        if position == first {
            guard position < end else { throw incomplete() }
            throw error("A digit must come here.")
        }
    }

    /// Reads an exponent with its letter; one of more than six digits counts as a million.
    private mutating func exponent() throws(ReadingError) -> Int {
        position += 1
        guard position < end else { throw incomplete() }
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative || bytes[position] == UInt8(ascii: "+") { position += 1 }
        var first = position
        var exponent: UInt64 = 0
        try digits(into: &exponent)
        while first < position, bytes[first] == UInt8(ascii: "0") { first += 1 }
        let bounded = position - first > 6 ? 1_000_000 : Int(exponent)
        return isNegative ? -bounded : bounded
    }

    private func integer(_ magnitude: UInt64, digitCount: Int, isNegative: Bool, start: Int) -> Value {
        if digitCount <= 19 {
            if magnitude <= UInt64(Int64.max) {
                return .integer(isNegative ? -Int64(magnitude) : Int64(magnitude))
            }
            if isNegative, magnitude == UInt64(Int64.max) + 1 { return .integer(.min) }
        }
        return .bigInteger(BigInteger(canonical: ascii(from: start)))
    }

    private func ascii(from start: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: bytes + start, count: position - start), as: UTF8.self)
    }

    private func slowNumber(start: Int) throws(ReadingError) -> Value {
        let text = ascii(from: start)
        if let double = Double(text), double.isFinite { return .double(double) }
        guard let decimal = BigDecimal(text) else {
            throw ReadingError("The number's exponent is beyond 32 bits.", .outOfRange, at: start)
        }
        return .decimal(decimal)
    }
}
