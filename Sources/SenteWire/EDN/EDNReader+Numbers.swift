// SPDX-License-Identifier: Apache-2.0

extension TextScanner {
    /// Whether a number ends here (`clojure.lang.EdnReader.readNumber`).
    var endsNumber: Bool {
        guard position < end else { return true }
        let byte = bytes[position]
        if byte >= 0x80 { return position + 2 < end && EDNName.isWideSpace(bytes + position) }
        switch byte {
        case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "~"): return false
        case UInt8(ascii: "#"): return true
        default: return !EDNName.isConstituent(byte)
        }
    }
}

extension EDNReader {
    /// Radix numbers beyond 64 bits take time in proportion to the square of their length.
    private static let maximumRadixDigits = 1000

    /// Reads a number; `position` is at its sign or first digit.
    mutating func number() throws(ReadingError) -> Value {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if !EDNName.isDigit(bytes[position]) { position += 1 }
        let firstDigit = position
        var mantissa: UInt64 = 0
        skipDigits(into: &mantissa)
        var digitCount = position - firstDigit
        if scanner.endsNumber, digitCount < 19, digitCount == 1 || bytes[firstDigit] != UInt8(ascii: "0") {
            return .integer(isNegative ? -Int64(mantissa) : Int64(mantissa))
        }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            let fraction = position
            skipDigits(into: &mantissa)
            digitCount += position - fraction
            let exponent = fraction - position
            if scanner.endsNumber, digitCount <= 19,
                let double = DecimalText.double(mantissa, exponent: exponent)
            {
                return .double(isNegative ? -double : double)
            }
        }
        position = start
        return try rareNumber()
    }

    /// Moves over digits; the mantissa is right while there are no more than 19 in all.
    @inline(__always)
    private mutating func skipDigits(into mantissa: inout UInt64) {
        while position < end, EDNName.isDigit(bytes[position]) {
            mantissa = mantissa &* 10 &+ UInt64(bytes[position] &- 0x30)
            position += 1
        }
    }

    /// Reads a number of any form (`intPat`, `ratioPat` and `floatPat` of Clojure's reader).
    private mutating func rareNumber() throws(ReadingError) -> Value {
        let start = position
        while !scanner.endsNumber { position += 1 }
        let token = scanner.text(from: start)
        let sign = token.utf8.first == UInt8(ascii: "-") ? "-" : ""
        let isSigned = !EDNName.isDigit(token.utf8.first ?? 0)
        let number = isSigned ? token.utf8.dropFirst() : Substring(token).utf8
        position = start
        if let slash = number.firstIndex(of: UInt8(ascii: "/")) {
            return try ratio(number[..<slash], number[slash...].dropFirst(), sign: sign, past: token)
        }
        let isExact = number.last == UInt8(ascii: "N")
        let digits = isExact ? number.dropLast() : number
        let value: Value?
        if digits.allSatisfy(EDNName.isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0") {
            value = BigInteger(sign + String(Substring(digits))).map { Self.integer($0, isExact: isExact) }
        } else if !isExact, let double = Self.decimal(token, number) {
            value = double
        } else {
            value = try radixInteger(digits, sign: sign).map { Self.integer($0, isExact: isExact) }
        }
        guard let value else { throw error("This is no number that Clojure knows.") }
        position = start + token.utf8.count
        return value
    }

    private static func integer(_ integer: BigInteger, isExact: Bool) -> Value {
        isExact ? .bigInteger(integer) : Int64(exactly: integer).map(Value.integer) ?? .bigInteger(integer)
    }

    private mutating func ratio(
        _ above: Substring.UTF8View, _ below: Substring.UTF8View, sign: String, past token: String
    ) throws(ReadingError) -> Value {
        guard let numerator = BigInteger(sign + String(Substring(above))), below.allSatisfy(EDNName.isDigit),
            let denominator = BigInteger(String(Substring(below)))
        else { throw error("This is no number that Clojure knows.") }
        guard let ratio = Ratio(numerator, denominator) else {
            throw error("Nothing can be divided by zero.")
        }
        position += token.utf8.count
        return ratio.denominator == BigInteger(1)
            ? Self.integer(ratio.numerator, isExact: false) : .ratio(ratio)
    }

    /// A number with a point, an exponent or an `M`; nil if it is none.
    private static func decimal(_ token: String, _ number: Substring.UTF8View) -> Value? {
        let isExact = number.last == UInt8(ascii: "M")
        let body = isExact ? number.dropLast() : number
        let mantissa = body.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        let exponent = body.dropFirst(mantissa.count + 1)
        let exponentDigits =
            exponent.first.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } == true
            ? exponent.dropFirst() : exponent
        let isWhole = mantissa.count == body.count
        guard mantissa.first.map(EDNName.isDigit) == true,
            mantissa.filter({ $0 == UInt8(ascii: ".") }).count <= 1,
            mantissa.allSatisfy({ EDNName.isDigit($0) || $0 == UInt8(ascii: ".") }),
            isWhole || !exponentDigits.isEmpty, exponentDigits.allSatisfy(EDNName.isDigit),
            isExact || !isWhole || mantissa.contains(UInt8(ascii: "."))
        else { return nil }
        return isExact
            ? BigDecimal(String(token.dropLast())).map(Value.decimal) : Double(token).map(Value.double)
    }

    /// A whole number that begins with `0x`, with a zero as octal ones do, or with its radix as `36r`.
    private func radixInteger(_ number: Substring.UTF8View, sign: String) throws(ReadingError) -> BigInteger?
    {
        let parts = number.split(maxSplits: 1, omittingEmptySubsequences: false) {
            $0 | 0x20 == UInt8(ascii: "r") || $0 | 0x20 == UInt8(ascii: "x")
        }
        let radix: UInt32?
        let digits: Substring.UTF8View
        if parts.count == 2 {
            let isHexadecimal = number[parts[0].endIndex] | 0x20 == UInt8(ascii: "x")
            let prefix = String(Substring(parts[0]))
            radix = isHexadecimal ? (prefix == "0" ? 16 : nil) : prefix.hasPrefix("0") ? nil : UInt32(prefix)
            digits = parts[1]
        } else {
            (radix, digits) = (8, number.dropFirst())
        }
        guard let radix, 2...36 ~= radix, !digits.isEmpty else { return nil }
        guard digits.count <= Self.maximumRadixDigits else {
            throw error("Numbers that are not decimal may have 1,000 digits.", .outOfRange)
        }
        return Self.decimalDigits(of: digits, radix: radix).flatMap { BigInteger(sign + $0) }
    }

    private static func decimalDigits(of digits: Substring.UTF8View, radix: UInt32) -> String? {
        // Nine decimal digits each, the lowest first.
        var groups: [UInt32] = [0]
        for byte in digits {
            guard let digit = byte.digit(radix: radix) else { return nil }
            var carry = UInt64(digit)
            for index in groups.indices {
                carry += UInt64(groups[index]) * UInt64(radix)
                groups[index] = UInt32(carry % 1_000_000_000)
                carry /= 1_000_000_000
            }
            if carry > 0 { groups.append(UInt32(carry)) }
        }
        return groups.reversed().map { $0.digits(atLeast: 9) }.joined()
    }

    /// Reads `##Inf`, `##-Inf` or `##NaN`; `position` is at the second `#`.
    mutating func symbolicNumber() throws(ReadingError) -> Value {
        let start = position - 1
        position += 1
        try skipSpace()
        guard position < end else { throw incomplete() }
        let offset = position
        while !scanner.endsNumber { position += 1 }
        switch scanner.text(from: offset) {
        case "Inf": return .double(.infinity)
        case "-Inf": return .double(-.infinity)
        case "NaN": return .double(.nan)
        default:
            position = start
            throw error("The symbolic numbers are ##Inf, ##-Inf and ##NaN.")
        }
    }
}
