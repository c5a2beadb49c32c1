// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("permessage-deflate, sending")
struct MessageDeflaterTests {
    private static let long = Message(.text, [UInt8](repeating: 0x61, count: 300))

    private func client(
        _ policy: CompressionPolicy = CompressionPolicy(), on library: StoredLibrary, parameters: String = ""
    ) throws -> Peer {
        try Peer.openClient(
            compression: LinkCompression(policy, library),
            answer: "Sec-WebSocket-Extensions: permessage-deflate\(parameters)\r\n")
    }

    @Test("RFC 7692 §6: long messages are compressed and marked, shorter ones and control frames are not")
    func threshold() throws {
        let library = StoredLibrary()
        let peer = try client(CompressionPolicy(level: 3, threshold: 10), on: library)
        #expect(library.deflaters.isEmpty)
        #expect(peer.send(.text("123456789")) == .queued)
        #expect(peer.send(.binary([])) == .queued)
        #expect(peer.ping([UInt8](repeating: 1, count: 100)) == .queued)
        #expect(library.deflaters.isEmpty)
        #expect(peer.send(.text("1234567890"), id: 4) == .queued)
        #expect(peer.send(.binary([UInt8](repeating: 7, count: 11))) == .queued)
        #expect(peer.close())
        let sent = frames(peer.output())
        #expect(sent.map(\.first) == [0x81, 0x82, 0x89, 0xC1, 0xC2, 0x88])
        #expect(!sent.contains { !$0.isMasked })
        #expect(sent[3].payload == StoredLibrary.payload(Array("1234567890".utf8)))
        #expect(peer.wrote == [SendID(4)])
        #expect(library.deflaters == [[15, 3]])
    }

    @Test("RFC 7692 §7.2.3.6: an empty message, where even that is compressed, is the one byte 00")
    func empty() throws {
        let library = StoredLibrary()
        let peer = try client(CompressionPolicy(threshold: 0), on: library)
        #expect(peer.send(.text("")) == .queued)
        #expect(frames(peer.output()).map(\.first) == [0xC1])
        #expect(library.deflaters.isEmpty)
        let server = Peer.openServer(
            compression: LinkCompression(CompressionPolicy(threshold: 0), library),
            offer: "Sec-WebSocket-Extensions: permessage-deflate\r\n")
        #expect(server.send(.binary([])) == .queued)
        #expect(server.output() == [0xC2, 0x01, 0x00])
    }

    @Test("RFC 7692 §6: after a long message that hardly shrank, the next long ones go as they are")
    func incompressible() throws {
        let library = StoredLibrary()
        let peer = try client(on: library)
        /// How many of `count` messages were compressed.
        func compressed(_ count: Int, of size: Int) -> Int {
            let message = Message(.binary, [UInt8](repeating: 5, count: size))
            for _ in 0..<count { #expect(peer.send(message) == .queued) }
            return frames(peer.output()).count { $0.first == 0xC2 }
        }
        // Trials 1, 6, 15, 32, 65, 130 fail; 64 go unasked at most.
        #expect(compressed(129, of: 4_096) == 5)
        #expect(compressed(65, of: 4_096) == 1)
        // Short ones are none of it, and the others' account stays.
        #expect(compressed(20, of: 4_095) == 20)
        #expect(compressed(65, of: 4_096) == 1)
        library.shrinksTo = 4_096 - 408
        #expect(compressed(65, of: 4_096) == 1)
        library.shrinksTo = 4_096 - 409
        #expect(compressed(100, of: 4_096) == 100)
        library.shrinksTo = nil
        #expect(compressed(5, of: 4_096) == 1)
    }

    @Test("RFC 7692 §7.1.1: without a context each message begins afresh")
    func forgets() throws {
        let library = StoredLibrary()
        let peer = try client(on: library, parameters: "; client_no_context_takeover")
        for _ in 0..<3 { #expect(peer.send(Self.long) == .queued) }
        #expect(library.resetsOfDeflaters == 3)
        #expect(library.deflaters.count == 1)
    }

    @Test("a stream that is not used is freed, within twice the time it is kept, and made again when needed")
    func idle() throws {
        let library = StoredLibrary()
        let peer = try client(on: library)
        #expect(peer.link.deadline == nil)
        #expect(peer.send(Self.long) == .queued)
        #expect(peer.link.deadline == peer.now.advanced(by: .seconds(10)))
        peer.advance(by: .seconds(9))
        #expect(peer.send(Self.long) == .queued)
        peer.advance(by: .seconds(1))
        #expect(library.liveDeflaters == 1)
        peer.advance(by: .seconds(10))
        #expect(library.liveDeflaters == 0)
        #expect(peer.link.deadline == nil)
        #expect(peer.link.isOpen)
        #expect(peer.send(Self.long) == .queued)
        #expect(library.deflaters.count == 2)
        #expect(frames(peer.output()).map(\.first) == [0xC1, 0xC1, 0xC1])
        // The closing handshake has its own limit, and takes the streams with it.
        #expect(peer.close())
        #expect(peer.link.deadline == peer.now.advanced(by: .seconds(5)))
        peer.feed(Frame.close(1000).bytes())
        #expect(library.liveDeflaters == 0)
        #expect(peer.told == ["closed 1000 "])
    }

    @Test("where the library fails, messages go as they are")
    func unwell() throws {
        let library = StoredLibrary()
        library.isWell = false
        let peer = try client(on: library)
        #expect(peer.send(Self.long) == .queued)
        library.isWell = true
        #expect(peer.send(Self.long) == .queued)
        library.isWell = false
        #expect(peer.send(Self.long) == .queued)
        let sent = frames(peer.output())
        #expect(sent.map(\.first) == [0x81, 0xC1, 0x81])
        #expect(sent[2].payload == Self.long.bytes)
        #expect(library.liveDeflaters == 0)
    }

    @Test("a message is held to the limit before it is compressed")
    func limit() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 299)
        let library = StoredLibrary()
        let peer = try Peer.openClient(
            limits: limits, compression: LinkCompression(CompressionPolicy(), library),
            answer: "Sec-WebSocket-Extensions: permessage-deflate\r\n")
        #expect(peer.send(Self.long) == .tooBig)
        #expect(library.deflaters.isEmpty)
    }
}
