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
