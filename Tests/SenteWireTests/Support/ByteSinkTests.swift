// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Digits")
struct ByteSinkTests {
    private func text(_ value: Value) throws -> String {
        String(decoding: try WireFormat.json.encode(value), as: UTF8.self)
    }

    @Test("of doubles are the shortest that read back, be they few or many")
    func doubles() throws {
        var generator = SplitMix(state: 7)
        var doubles = [
            0.0, -0.0, 1, -1, 0.001, 0.0005, 0.0015, -0.001, 0.1, 19.95, 999_999_999_999.999, 1e12,
            -1e12, 1_763_712_345.125, 1e15, 4_503_599_627_370_497.5, 1e-3.nextUp, 19.95.nextDown, 1e300,
            .leastNonzeroMagnitude,
            Double.greatestFiniteMagnitude,
        ]
        for _ in 0..<Effort.roundTrips {
            let thousandths = Int64.random(
                in: -1_000_000_000_000_100...1_000_000_000_000_100, using: &generator)
            let shift = Int64.random(in: 0...50, using: &generator)
            let decimal = Double(thousandths >> shift) / 1000
            doubles += [decimal, decimal.nextUp, decimal.nextDown, decimal / 10]
        }
        for double in doubles { #expect(try text(.double(double)) == double.description) }
    }

    @Test("of whole numbers are all there")
    func integers() throws {
        var number: Int64 = 1
        for _ in 0..<18 {
            for integer in [number - 1, number, number * 9, -number, 1 - number] {
                #expect(try text(.integer(integer)) == String(integer))
            }
            number *= 10
        }
    }

    @Test("follow text of any length, whatever stands where in it")
    func escapes() throws {
        for length in 0..<40 {
            let plain = String(repeating: "é", count: length / 2) + String(repeating: "x", count: length % 2)
            #expect(try text(.string(plain)) == "\"\(plain)\"")
            for place in 0...plain.count {
                let start = plain.prefix(place), end = plain.dropFirst(place)
                #expect(try text(.string("\(start)\"\(end)")) == "\"\(start)\\\"\(end)\"")
                #expect(try text(.string("\(start)\u{1}\(end)\n")) == "\"\(start)\\u0001\(end)\\n\"")
            }
        }
    }
}
