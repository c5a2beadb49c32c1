// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Samples")
struct SamplerTests {
    @Test("about the share that was asked for passes", arguments: [0.001, 0.1, 0.25, 0.5, 0.9])
    func share(rate: Double) {
        let sampler = Sampler(rate: rate, seed: 3)
        let passed = (0..<100_000).count { sampler.admits($0) }
        #expect(abs(Double(passed) / 100_000 - rate) < 0.006, "\(passed)")
    }

    @Test("the ends are exact, and a rate beyond them counts as the end")
    func ends() {
        for rate in [1.0, 1.5, .infinity] {
            #expect((0..<10_000).allSatisfy { Sampler(rate: rate).admits($0) })
        }
        for rate in [0.0, -1, .nan, -.infinity] {
            #expect(!(0..<10_000).contains { Sampler(rate: rate).admits($0) })
        }
        #expect(Sampler(rate: 1.5).rate == 1 && Sampler(rate: -1).rate == 0)
        // The one number that is mixed to the greatest word.
        let last: UInt64 = 0xCF9A_04AF_FA6B_ADC0
        #expect(Sampler(rate: 1, seed: last).admits(0))
        #expect(!Sampler(rate: 1.nextDown, seed: last).admits(0))
    }

    @Test("the same seed chooses the same numbers, another others")
    func seeds() {
        func chosen(_ seed: UInt64) -> [UInt64] {
            (0..<1_000).filter { Sampler(rate: 0.5, seed: seed).admits($0) }
        }
        #expect(chosen(1) == chosen(1))
        #expect(chosen(1) != chosen(2))
    }
}
