// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Mask keys")
struct MaskKeysTests {
    /// Counts how often it was asked; used on one thread.
    private final class Counter: @unchecked Sendable {
        var calls = 0
    }

    @Test("one call to the system serves 256 keys, and none is given twice")
    func pool() {
        let counter = Counter()
        var generator = Generator(seed: 3)
        let given = (0..<4096).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let entropy = Entropy { buffer in
            counter.calls += 1
            buffer.copyBytes(from: given.dropFirst((counter.calls - 1) * 1024).prefix(buffer.count))
        }
        var keys = MaskKeys(entropy)
        #expect(counter.calls == 0)
        let first = (0..<256).map { _ in keys.next() }
        #expect(counter.calls == 1)
        let second = (0..<256).map { _ in keys.next() }
        #expect(counter.calls == 2)
        #expect(Set(first + second).count == 512)
    }

    @Test(
        "RFC 6455 §5.3: every client frame, empty ones and control frames too, has a mask with a key of its own"
    )
    func everyFrame() throws {
        let peer = try Peer.openClient()
        for round in 0..<2_500 {
            #expect(peer.send(.text("")) == .queued)
            #expect(peer.send(.binary([UInt8](repeating: 1, count: round % 300))) == .queued)
            #expect(peer.ping([1]) == .queued)
            #expect(peer.ping() == .queued)
        }
        let written = frames(peer.output())
        #expect(written.count == 10_000)
        #expect(written.allSatisfy { $0.isMasked })
        #expect(zip(written, written.dropFirst()).allSatisfy { $0.key != $1.key })
        #expect(Set(written.map(\.key)).count > 9_990)
        // Chi-square over the 256 values of 40,000 key bytes: mean 255, deviation 22.6; 400 is beyond six of
        // them.
        var counts = [Double](repeating: 0, count: 256)
        for byte in written.flatMap(\.key) { counts[Int(byte)] += 1 }
        let expected = 40_000.0 / 256
        #expect(counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected } < 400)
    }

    @Test("a server masks nothing and draws no key")
    func server() {
        let counter = Counter()
        let peer = Peer.openServer()
        peer.masks = MaskKeys(Entropy { _ in counter.calls += 1 })
        #expect(peer.send(.text("x")) == .queued)
        peer.feed(Frame(9, [1], masked: true).bytes())
        #expect(peer.close())
        #expect(frames(peer.output()).allSatisfy { !$0.isMasked })
        #expect(counter.calls == 0)
    }
}
