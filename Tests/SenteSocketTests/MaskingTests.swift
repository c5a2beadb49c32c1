// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Masking")
struct MaskingTests {
    private func masked(_ source: [UInt8], key: UInt32, phase: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
            count = source.count
            source.withUnsafeBytes { from in
                guard let from = from.baseAddress, let to = target.baseAddress else { return }
                Masking.copy(from, to: to, count: count, key: key, phase: phase)
            }
        }
    }

    @Test("words and bytes agree with the definition for every length and phase up to 40")
    func definition() {
        var generator = Generator(seed: 7)
        for count in 0...40 {
            for phase in 0..<9 {
                let source = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                let key = UInt32.random(in: .min ... .max, using: &generator)
                let octets = (0..<4).map { UInt8(truncatingIfNeeded: key >> UInt32(8 * $0)) }
                let expected = source.enumerated().map { $1 ^ octets[($0 + phase) & 3] }
                #expect(masked(source, key: key, phase: phase) == expected)
            }
        }
    }

    @Test("masking in place gives what copying gives")
    func inPlace() {
        let source = (0..<100).map { UInt8($0) }
        var same = source
        same.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            Masking.copy(base, to: base, count: buffer.count, key: 0xDEAD_BEEF, phase: 3)
        }
        #expect(same == masked(source, key: 0xDEAD_BEEF, phase: 3))
    }
}
