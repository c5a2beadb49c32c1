// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Output")
struct OutputBufferTests {
    @Test(
        "a message is written when its last byte is, however the writes are cut",
        arguments: [1, 2, 3, 7, 1_000])
    func marks(size: Int) {
        let peer = Peer.openServer()
        var ends: [(id: UInt64, end: Int)] = []
        for id in 1...20 as ClosedRange<UInt64> {
            #expect(peer.send(.binary([UInt8](repeating: UInt8(id), count: Int(id) * 13)), id: id) == .queued)
            ends.append((id, peer.link.unwrittenBytes))
            #expect(peer.ping() == .queued)
        }
        var total = 0
        while peer.link.hasOutput {
            total += peer.output(size).count
            #expect(peer.wrote.map(\.number) == ends.filter { $0.end <= total }.map(\.id))
        }
        #expect(peer.wrote.count == 20)
        #expect(peer.link.unwrittenBytes == 0)
    }

    @Test("output is written once and in order while more is added and memory moves")
    func order() throws {
        let peer = Peer.openServer()
        var generator = Generator(seed: 9)
        var sent: [[UInt8]] = []
        var taken: [UInt8] = []
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...300, using: &generator)
            sent.append((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
            #expect(peer.send(.binary(sent[sent.count - 1])) == .queued)
            taken += peer.output(Int.random(in: 0...400, using: &generator))
        }
        while peer.link.hasOutput { taken += peer.output(10_000) }
        #expect(frames(taken).map(\.payload) == sent)
    }

    @Test("what is being written stays as it is while the link goes on", arguments: [1, 5_000])
    func unwritten(size: Int) {
        let peer = Peer.openServer()
        #expect(peer.send(.binary([UInt8](repeating: 1, count: size)), id: 1) == .queued)
        let begun = peer.link.unwritten
        #expect(peer.send(.binary([UInt8](repeating: 2, count: size)), id: 2) == .queued)
        #expect(frames(Array(begun)).map(\.payload) == [[UInt8](repeating: 1, count: size)])
        #expect(peer.link.withOutput(into: &peer.reports) { _ in begun.count } == begun.count)
        #expect(peer.wrote == [SendID(1)])
        #expect(frames(peer.output(.max)).map(\.payload) == [[UInt8](repeating: 2, count: size)])
        #expect(peer.wrote == [SendID(1), SendID(2)])
    }

    @Test("what is being written when the link fails is nothing of the link's any more")
    func dropped() {
        let peer = Peer.openServer()
        #expect(peer.send(.text("abc"), id: 1) == .queued)
        let begun = peer.link.unwritten
        peer.link.failed(LinkFailure(.lost, "cut"), into: &peer.reports)
        #expect(Array(begun.suffix(3)) == Array("abc".utf8))
        #expect(peer.link.withOutput(into: &peer.reports) { _ in begun.count } == 0)
        #expect(peer.wrote.isEmpty)
    }

    @Test("a write that takes nothing, or claims too much, changes no more than was offered")
    func odd() {
        let peer = Peer.openServer()
        #expect(peer.send(.text("abc"), id: 1) == .queued)
        #expect(peer.link.withOutput(into: &peer.reports) { _ in -1 } == 0)
        #expect(peer.link.unwrittenBytes == 5)
        #expect(peer.link.withOutput(into: &peer.reports) { $0.count + 7 } == 5)
        #expect(peer.wrote == [SendID(1)])
        #expect(
            peer.link.withOutput(into: &peer.reports) { _ in
                Issue.record("nothing to offer"); return 1
            } == 0)
    }
}
