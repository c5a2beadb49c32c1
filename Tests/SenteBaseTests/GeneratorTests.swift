// SPDX-License-Identifier: Apache-2.0

import SenteBase
import Testing

@Suite("The seeded generator")
struct GeneratorTests {
    @Test("gives the same numbers for the same seed, others for others")
    func seeded() {
        var (a, b, c) = (Generator(seed: 1), Generator(seed: 1), Generator(seed: 2))
        let first = (0..<100).map { _ in a.next() }
        #expect(first == (0..<100).map { _ in b.next() })
        #expect(first != (0..<100).map { _ in c.next() })
        #expect(a == b && a != c)
        #expect(Set(first).count == 100)
    }

    @Test("spreads evenly over a range")
    func spread() {
        var generator = Generator(seed: 0)
        var counts = [Int](repeating: 0, count: 16)
        for _ in 0..<16_000 { counts[Int.random(in: 0..<16, using: &generator)] += 1 }
        #expect(counts.allSatisfy { (800...1200).contains($0) })
    }

    @Test("fills bytes through the door that the system's randomness uses")
    func entropy() {
        let entropy = Entropy { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index) }
        }
        var bytes = [UInt8](repeating: 9, count: 4)
        bytes.withUnsafeMutableBytes { entropy.fill($0) }
        #expect(bytes == [0, 1, 2, 3])
    }
}
