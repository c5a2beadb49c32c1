// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

extension SplitMix {
    mutating func integer() -> Int64 { Int64(truncatingIfNeeded: next()) >> Int64(below(64)) }

    mutating func digits() -> String {
        (below(2) == 0 ? "-" : "") + (0...below(40)).map { _ in String(below(10)) }.joined()
    }

    /// A name as Clojure has it, often one of a few, so that caches have work.
    mutating func name() -> String {
        if below(3) > 0 { return ["id", "user/name", "a", "abc", "abcd", "chsk/handshake"][below(6)] }
        return ["", "x/", "some.space/"][below(3)]
            + (0...below(9)).map { _ in ["a", "b-", "ü", "0", "*"][below(5)] }.joined()
    }

    /// Any value that Transit and EDN can say without loss.
    mutating func exactValue(depth: Int = 0) -> Value {
        switch below(depth < 5 ? 9 : 6) {
        case 0: return [.null, true, false, .double(.infinity), .double(-.infinity), .double(.nan)][below(6)]
        case 1: return .integer(integer())
        case 2: return below(2) == 0 ? .double(double()) : exactNumber()
        case 3: return .string(below(3) == 0 ? ["~", "^", "`", "^ ", "~#"][below(5)] + text() : text())
        case 4: return below(2) == 0 ? .keyword(Keyword(name())) : .symbol(Symbol(name()))
        case 5: return rareScalar()
        case 6:
            let items = (0..<below(6)).map { _ in exactValue(depth: depth + 1) }
            return [.vector(items), .list(items), .set(ValueSet(items))][below(3)]
        case 7: return .tagged(["point", "my/tag", "X", "link"][below(4)], exactValue(depth: depth + 1))
        default:
            let count = below(below(20) == 0 ? 60 : 6)
            return .map(
                ValueMap((0..<count).map { _ in (exactKey(depth: depth), exactValue(depth: depth + 1)) }))
        }
    }

    private mutating func exactKey(depth: Int) -> Value {
        switch below(10) {
        case 0: exactValue(depth: depth + 1)
        case 1...4: .keyword(Keyword(name()))
        default: .string(below(2) == 0 ? name() : text())
        }
    }

    private mutating func exactNumber() -> Value {
        switch below(3) {
        case 0: return .bigInteger(BigInteger(digits()) ?? BigInteger(0))
        case 1:
            return .decimal(
                BigDecimal(
                    unscaled: BigInteger(digits()) ?? BigInteger(0), scale: Int32(below(80)) - 40))
        default:
            return Ratio(BigInteger(integer()), BigInteger(integer() | 1)).map { .ratio($0) } ?? 0
        }
    }

    private mutating func rareScalar() -> Value {
        switch below(5) {
        case 0: return .character(["a", " ", "\n", "\"", "\\", "東", "👋", "~"][below(8)])
        case 1: return .bytes((0..<below(40)).map { _ in UInt8(truncatingIfNeeded: next()) })
        case 2:
            let milliseconds = Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &self)
            return .instant(
                Timestamp(
                    milliseconds: milliseconds, nanoseconds: below(3) == 0 ? UInt32(below(1_000_000)) : 0))
        case 3: return .uuid(UniqueID(high: next(), low: next()))
        default: return .uri("https://example.org/\(name())")
        }
    }

    /// Any value that Sente's MessagePack can say without loss.
    mutating func senteValue(depth: Int = 0) -> Value {
        switch below(depth < 5 ? 8 : 6) {
        case 0: return [.null, true, false, .double(.nan), .double(-.infinity)][below(5)]
        case 1: return .integer(integer())
        case 2: return .double(double())
        case 3: return .string(text())
        case 4: return below(2) == 0 ? .keyword(Keyword(name())) : .symbol(Symbol(name()))
        case 5:
            switch rareScalar() {
            case .uri: return Ratio(BigInteger(integer()), BigInteger(integer() | 1)).map { .ratio($0) } ?? 0
            case let scalar: return scalar
            }
        case 6:
            let items = (0..<below(below(20) == 0 ? 60 : 6)).map { _ in senteValue(depth: depth + 1) }
            return [.vector(items), .set(ValueSet(items))][below(2)]
        default:
            let count = below(below(20) == 0 ? 400 : 6)
            return .map(
                ValueMap(
                    (0..<count).map { number in
                        let key: Value =
                            switch below(4) {
                            case 0: senteValue(depth: depth + 4)
                            case 1: .string("k\(number)")
                            default: .keyword(Keyword(name()))
                            }
                        return (key, depth > 2 ? 1 : senteValue(depth: depth + 2))
                    }))
        }
    }
}
