// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Random and damaged EDN")
struct EDNFuzzTests {
    private static let pieces: [[UInt8]] =
        Array("[](){}#\"\\:;^_,/@'0123456789.-+eENMrx \n").map { Array(String($0).utf8) }
        + [
            "#_", "#:a{", "##", "##Inf", "#inst \"2020", "#uuid ", "\\u00", "\\newline", "nil", "true",
            ":a/b", "é", "世", "\u{2003}",
        ].map {
            Array($0.utf8)
        } + [[0], [0x80], [0xC3], [0xE2, 0x80], [0xED, 0xA0], [0xF0, 0x9F], [0xFF]]

    /// Reads; what was accepted must be writable, but for what only equal keys within keys can do, and be the same
    /// when read again.
    private func accepts(_ bytes: [UInt8]) -> Bool {
        guard let value = try? WireFormat.edn.decode(bytes) else { return false }
        let again = Result { try WireFormat.edn.decode(WireFormat.edn.encode(value)) }
        if (try? again.get()) != value { Issue.record("\(bytes): \(value), \(again)") }
        return true
    }

    @Test("never traps, and what is accepted is written and read as the same")
    func random() {
        var generator = SplitMix(state: 4)
        var accepted = 0
        for _ in 0..<Effort.fuzz / 2 {
            let count = generator.below(12)
            let bytes = (0..<count).flatMap { _ in Self.pieces[generator.below(Self.pieces.count)] }
            if accepts(bytes) { accepted += 1 }
        }
        #expect(accepted > Effort.fuzz / 100)
    }

    @Test("of values that were damaged never traps, and what is accepted is written and read as the same")
    func damaged() throws {
        var generator = SplitMix(state: 5)
        var accepted = 0
        for _ in 0..<Effort.fuzz / 20 {
            guard let whole = try? WireFormat.edn.encode(generator.value()) else { continue }
            for _ in 0..<10 {
                var bytes = whole
                for _ in 0...generator.below(3) where !bytes.isEmpty {
                    let place = generator.below(bytes.count)
                    switch generator.below(4) {
                    case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                    case 1: bytes.remove(at: place)
                    case 2: bytes.removeSubrange(place...)
                    default:
                        bytes.insert(contentsOf: Self.pieces[generator.below(Self.pieces.count)], at: place)
                    }
                }
                if accepts(bytes) { accepted += 1 }
            }
        }
        #expect(accepted > Effort.fuzz / 100)
    }
}
