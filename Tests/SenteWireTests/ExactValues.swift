// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

extension SplitMix {
    /// A name that comes again and again, so that caches have work, or one of many.
    mutating func commonName() -> String {
        if below(3) > 0 { return ["id", "user/name", "a", "abc", "abcd", "chsk/handshake"][below(6)] }
        return "key\(below(5000))"
    }

    /// Any value that Transit can say without loss.
    mutating func transitValue(depth: Int = 0) -> Value {
        switch below(depth < 5 ? 8 : 4) {
        case 0: return .string(["~", "^", "`", "^ ", "~#", "~:"][below(6)] + text())
        case 1: return below(2) == 0 ? .keyword(Keyword(commonName())) : .symbol(Symbol(commonName()))
        case 2, 3: return value(depth: .max)
        case 4, 5:
            let items = (0..<below(6)).map { _ in transitValue(depth: depth + 1) }
            return [.vector(items), .list(items), .set(ValueSet(items))][below(3)]
        case 6:
            return .tagged(["point", "my/tag", "X", "~", "link"][below(5)], transitValue(depth: depth + 1))
        default:
            let count = below(below(20) == 0 ? 60 : 6)
            return .map(
                ValueMap((0..<count).map { _ in (transitKey(depth: depth), transitValue(depth: depth + 1)) }))
        }
    }

    private mutating func transitKey(depth: Int) -> Value {
        switch below(10) {
        case 0: transitValue(depth: depth + 1)
        case 1: value(depth: .max)
        case 2...5: .keyword(Keyword(commonName()))
        default: .string(below(2) == 0 ? commonName() : text())
        }
    }

    /// Any value that Sente's MessagePack can say without loss.
    mutating func senteValue(depth: Int = 0) -> Value {
        switch below(depth < 5 ? 4 : 3) {
        case 0: return below(2) == 0 ? .keyword(Keyword(commonName())) : .string(commonName())
        case 1, 2: return senteScalar()
        default:
            let items = (0..<below(below(20) == 0 ? 60 : 6)).map { _ in senteValue(depth: depth + 1) }
            switch below(3) {
            case 0: return .vector(items)
            case 1: return .set(ValueSet(items))
            default:
                return .map(
                    ValueMap(
                        items.map { item in
                            (below(5) == 0 ? senteValue(depth: depth + 1) : .string(commonName()), item)
                        }))
            }
        }
    }

    private mutating func senteScalar() -> Value {
        while true {
            switch value(depth: .max) {
            case .uri, .decimal, .bigInteger: continue
            case let scalar: return scalar
            }
        }
    }
}

extension SplitMix {
    /// What transit-python2 keeps as it is: no lists, keys that are names only (it takes 1 and 1.0 for one key),
    /// whole seconds, texts of the basic plane.
    mutating func pythonValue(depth: Int = 0) -> Value {
        switch below(depth < 4 ? 12 : 9) {
        case 0: return [.null, true, false, .double(.infinity), .double(-.infinity), .double(.nan)][below(6)]
        case 1: return .integer(Int64(truncatingIfNeeded: next()) >> Int64(below(64)))
        case 2: return .double(double())
        case 3: return .string(["", "~", "^", "`", "^ ", "ü東"][below(6)] + commonName())
        case 4: return .keyword(Keyword(commonName()))
        case 5: return .symbol(Symbol(commonName()))
        case 6: return .uuid(UniqueID(high: next(), low: next()))
        case 7: return .instant(Timestamp(milliseconds: Int64(below(4_000_000_000)) * 1000))
        case 8:
            return .bigInteger(
                BigInteger("1" + String(repeating: "7", count: 19 + below(20))) ?? BigInteger(0))
        case 9: return .vector((0..<below(6)).map { _ in pythonValue(depth: depth + 1) })
        case 10: return .set(ValueSet((0..<below(6)).map { _ in .keyword(Keyword(commonName())) }))
        default:
            return .map(
                ValueMap(
                    (0..<below(6)).map { _ in
                        let name = commonName()
                        let key: Value = below(2) == 0 ? .string(name) : .keyword(Keyword(name))
                        return (key, pythonValue(depth: depth + 1))
                    }))
        }
    }
}
