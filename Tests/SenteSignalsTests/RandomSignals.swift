// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire

/// Signals of every shape, the same for the same seed.
struct RandomSignals {
    private var random: Generator

    init(seed: UInt64) {
        random = Generator(seed: seed)
    }

    mutating func next() -> Signal {
        Signal(
            time: Int64(truncatingIfNeeded: random.next()),
            level: SignalLevel.named.randomElement(using: &random) ?? .info,
            kind: SignalKind.allCases.randomElement(using: &random) ?? .log, namespace: text(),
            id: perhaps { $0.text() }, message: perhaps { $0.text() }, data: map(),
            error: perhaps { random in
                SignalError(type: random.text(), message: random.text(), code: random.perhaps { $0.text() })
            },
            context: map(), trace: perhaps { $0.trace() } ?? nil,
            duration: perhaps { .nanoseconds(Int64(truncatingIfNeeded: $0.random.next())) },
            file: perhaps { $0.text() }, line: perhaps { Int.random(in: 1...100_000, using: &$0.random) },
            sequence: random.next())
    }

    private mutating func perhaps<T>(_ make: (inout RandomSignals) -> T) -> T? {
        Bool.random(using: &random) ? make(&self) : nil
    }

    private mutating func text() -> String {
        let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func trace() -> TraceContext? {
        TraceContext(
            traceID: .init(high: random.next(), low: random.next()), spanID: random.next(),
            isSampled: Bool.random(using: &random), state: perhaps { $0.text() })
    }

    private mutating func map() -> ValueMap {
        ValueMap(
            (0..<Int.random(in: 0...8, using: &random)).map { _ in
                (.keyword(Keyword(namespace: nil, name: text())), value(depth: 2))
            })
    }

    private mutating func value(depth: Int) -> Value {
        switch Int.random(in: 0...(depth > 0 ? 8 : 6), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .integer(Int64(truncatingIfNeeded: random.next()))
        case 3: .double(Double(bitPattern: random.next()))
        case 4: .string(text())
        case 5: .keyword(Keyword("k\(random.next())"))
        case 6: .bigInteger(BigInteger(UInt64.max - random.next() % 1_000))
        case 7: .vector((0..<3).map { _ in plain(depth: depth - 1) })
        default: .map([.keyword("in"): plain(depth: depth - 1)])
        }
    }

    /// One that EDN gives back bit for bit: it has one NaN only.
    private mutating func plain(depth: Int) -> Value {
        let value = value(depth: depth)
        if case .double(let double) = value, double.isNaN { return .double(.nan) }
        return value
    }
}
