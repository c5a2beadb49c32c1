// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// A small seeded generator, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension SplitMix {
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func text() -> String {
        let pieces = [
            "a", "Z", "0", " ", "\"", "\\", "\n", "\u{0}", "\u{1F}", "ü", "é", "e\u{301}", "東", "👋", "\u{7F}",
            "\u{2028}", "/", "plain text of some length",
        ]
        return (0..<below(12)).map { _ in pieces[below(pieces.count)] }.joined()
    }

    mutating func double() -> Double {
        switch below(4) {
        case 0: return Double(below(1000)) / 8
        case 1: return Double.random(in: -1e9...1e9, using: &self)
        default:
            let double = Double(bitPattern: next())
            return double.isFinite ? double : 0.1
        }
    }

    /// What JSON can say without loss.
    mutating func jsonValue(depth: Int = 0) -> Value {
        switch below(depth < 5 ? 10 : 7) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .integer(Int64(truncatingIfNeeded: next()) >> Int64(below(64)))
        case 3, 4: return .double(double())
        case 5, 6: return .string(text())
        case 7: return .vector((0..<below(6)).map { _ in jsonValue(depth: depth + 1) })
        default:
            return .map(
                ValueMap(
                    (0..<below(below(20) == 0 ? 60 : 6)).map { _ in
                        (.string(text()), jsonValue(depth: depth + 1))
                    }))
        }
    }
}

extension SplitMix {
    /// Anything a value can be that EDN can say, doubles without NaN's many bits included.
    mutating func value(depth: Int = 0) -> Value {
        guard depth < 5, below(3) == 0 else { return scalar() }
        let items = (0..<below(below(20) == 0 ? 60 : 6)).map { _ in value(depth: depth + 1) }
        switch below(5) {
        case 0: return .list(items)
        case 1: return .vector(items)
        case 2: return .set(ValueSet(items))
        case 3: return .tagged(name(), value(depth: depth + 1))
        default: return .map(ValueMap(items.map { (value(depth: depth + 2), $0) }))
        }
    }

    private mutating func scalar() -> Value {
        switch below(18) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2, 3: return .integer(Int64(truncatingIfNeeded: next()) >> Int64(below(64)))
        case 4: return .double(double())
        case 5: return [.double(.nan), .double(.infinity), .double(-.infinity), .double(-0.0)][below(4)]
        case 6: return .bigInteger(bigInteger())
        case 7: return .decimal(BigDecimal(unscaled: bigInteger(), scale: Int32(below(80)) - 40))
        case 8: return ratio()
        case 9, 10: return .string(text())
        case 11: return Unicode.Scalar(UInt32(below(0x10000))).map(Value.character) ?? .character("\u{3000}")
        case 12: return .keyword(Keyword(below(2) == 0 ? name() : "\(name())/\(name())"))
        case 13: return .symbol(Symbol(below(2) == 0 ? name() : "\(name())/\(name())"))
        case 14: return .bytes((0..<below(9)).map { _ in UInt8(truncatingIfNeeded: next()) })
        case 15:
            let milliseconds = Int64.random(in: -62_000_000_000_000...253_000_000_000_000, using: &self)
            return .instant(
                Timestamp(milliseconds: milliseconds, nanoseconds: UInt32(below(2) * below(1_000_000))))
        case 16: return .uuid(UniqueID(high: next(), low: next()))
        default: return .uri(text())
        }
    }

    private mutating func bigInteger() -> BigInteger {
        let digits = (0...below(40)).map { _ in String(below(10)) }.joined()
        return BigInteger((below(2) == 0 ? "-" : "") + digits) ?? BigInteger(0)
    }

    private mutating func ratio() -> Value {
        let ratio = Ratio(BigInteger(Int64(below(1000)) - 500), BigInteger(below(99) + 2))
        guard let ratio, ratio.denominator != BigInteger(1) else { return .symbol("whole") }
        return .ratio(ratio)
    }

    private mutating func name() -> String {
        let pieces = [
            "a", "Z", "ü", "東", "é", "e\u{301}", "b1", "c-d", "x?", "y!", "z*", "q'", "r#", "s.t", "u:v",
            "<=>",
        ]
        return ["n", "Ab", "ö"][below(3)] + (0..<below(4)).map { _ in pieces[below(pieces.count)] }.joined()
    }
}
