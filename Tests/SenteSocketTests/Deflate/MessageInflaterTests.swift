// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("permessage-deflate, receiving")
struct MessageInflaterTests {
    struct Row: Sendable, CustomStringConvertible {
        var description: String
        var frames: [Frame]
        var told: [String]

        init(_ description: String, _ frames: [Frame], _ told: [String]) {
            self.description = description
            self.frames = frames
            self.told = told
        }
    }

    private static func payload(_ text: String) -> [UInt8] { StoredLibrary.payload(Array(text.utf8)) }
    private static let ab = payload("ab")

    static let rows = [
        Row("RFC 7692 §6: a compressed text", [Frame(1, ab, reserved: 4)], ["text 6162"]),
        Row("RFC 7692 §7.2.3.6: an empty message", [Frame(2, [0], reserved: 4)], ["binary "]),
        Row(
            "RFC 7692 §6: compressed and plain in turns",
            [Frame(1, ab, reserved: 4), .text("c"), Frame(2, ab, reserved: 4)],
            ["text 6162", "text 63", "binary 6162"]),
        Row(
            "RFC 7692 §6: fragments of the compressed bytes, with a ping between, some empty",
            [
                Frame(1, Array(ab[..<3]), final: false, reserved: 4), Frame(9, [1]), Frame(0, final: false),
                Frame(0, Array(ab[3...]), final: false), Frame(0),
            ], ["text 6162"]),
        Row(
            "RFC 7692 §7.2.2: several blocks",
            [Frame(1, StoredLibrary.block([0x61]) + StoredLibrary.block([]) + payload("b"), reserved: 4)],
            ["text 6162"]),
        Row(
            "RFC 7692 §7.2.2: whole blocks to the end of a byte, final or not, leave nothing out",
            [
                Frame(1, StoredLibrary.block([0x61], first: 1), reserved: 4),
                Frame(1, StoredLibrary.block([0x62]), reserved: 4), Frame(1, reserved: 4),
            ], ["text 61", "text 62", "text "]),
        Row(
            "RFC 6455 §8.1: a scalar over two fragments and two blocks",
            [
                Frame(
                    1, StoredLibrary.block([0xE6]) + StoredLibrary.block([0xB0]), final: false, reserved: 4),
                Frame(0, StoredLibrary.payload([0xB4])),
            ], ["text e6b0b4"]),
        Row(
            "RFC 6455 §8.1: bad UTF-8 is found though the message is not at its end",
            [Frame(1, StoredLibrary.block([0x61, 0xFF]), final: false, reserved: 4)],
            ["failed protocolViolation 1007"]),
        Row(
            "RFC 6455 §8.1: a scalar that does not end",
            [Frame(1, StoredLibrary.payload([0xE6, 0xB0]), reserved: 4)],
            ["failed protocolViolation 1007"]),
        Row(
            "RFC 7692 §6: RSV1 on a continuation",
            [Frame(1, Array(ab[..<3]), final: false, reserved: 4), Frame(0, Array(ab[3...]), reserved: 4)],
            ["failed protocolViolation 1002"]),
        Row("RFC 7692 §6: RSV1 on a ping", [Frame(9, reserved: 4)], ["failed protocolViolation 1002"]),
        Row("RFC 7692 §6: RSV1 on a pong", [Frame(10, [0], reserved: 4)], ["failed protocolViolation 1002"]),
        Row(
            "RFC 7692 §6: RSV1 on a close", [Frame(8, [3, 232], reserved: 4)],
            ["failed protocolViolation 1002"]),
        Row(
            "RFC 7692 §6: RSV1 on a plain message's continuation",
            [Frame(2, final: false), Frame(0, [0], reserved: 4)],
            ["failed protocolViolation 1002"]),
        Row("RFC 7692 §6: RSV2", [Frame(1, ab, reserved: 2)], ["failed protocolViolation 1002"]),
        Row("RFC 7692 §6: RSV3 beside RSV1", [Frame(1, ab, reserved: 5)], ["failed protocolViolation 1002"]),
        Row(
            "RFC 6455 §5.4: a compressed message inside another",
            [Frame(1, ab, final: false, reserved: 4), Frame(1, ab, reserved: 4)],
            ["failed protocolViolation 1002"]),
        Row(
            "RFC 7692 §7.2.2: damaged data", [Frame(1, [7, 1, 2, 3, 4], reserved: 4)],
            ["failed protocolViolation 1007"]),
        Row(
            "RFC 7692 §7.2.2: a block that does not end",
            [Frame(2, [0, 9, 0, 246, 255, 1, 2], reserved: 4)], ["failed protocolViolation 1007"]),
        Row(
            "RFC 7692 §7.2.2: data after the end",
            [Frame(2, StoredLibrary.block([1], first: 1) + [9, 9, 9, 9, 9], reserved: 4)],
            ["failed protocolViolation 1007"]),
    ]

    private static let extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n"

    private func client(
        _ library: StoredLibrary = StoredLibrary(), limits: LinkLimits = LinkLimits(), parameters: String = ""
    ) throws -> Peer {
        try Peer.openClient(
            limits: limits, compression: LinkCompression(CompressionPolicy(), library),
            answer: "Sec-WebSocket-Extensions: permessage-deflate\(parameters)\r\n")
    }

    @Test(
        "compressed messages are held to the RFC, by both roles, however the bytes are cut", arguments: rows)
    func table(row: Row) throws {
        for size in [Int.max, 1, 2, 3, 7] {
            let peer = try client()
            peer.feed(row.frames.flatMap { $0.bytes() }, by: size, inPlaceFrom: 1)
            #expect(peer.told == row.told)
            let server = Peer.openServer(
                compression: LinkCompression(CompressionPolicy(), StoredLibrary()), offer: Self.extensions)
            let masked = row.frames.map { frame in
                var frame = frame
                frame.key = [0x37, 0xFA, 0x21, 0x3D]
                return frame
            }
            server.feed(masked.flatMap { $0.bytes() }, by: size)
            #expect(server.told == row.told)
        }
    }

    @Test("RFC 6455 §10.4: the limit is of what comes out, over all fragments")
    func limit() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 1_000)
        let peer = try client(limits: limits)
        let half = [UInt8](repeating: 1, count: 500)
        peer.feed(
            Frame(2, StoredLibrary.block(half), final: false, reserved: 4).bytes()
                + Frame(0, StoredLibrary.payload(half)).bytes())
        #expect(peer.events == [.received([.binary(half + half)])])
        peer.feed(
            Frame(2, StoredLibrary.block(half), final: false, reserved: 4).bytes()
                + Frame(0, StoredLibrary.payload(half + [1])).bytes())
        #expect(peer.told.last == "failed protocolViolation 1009")
    }

    @Test(
        "RFC 6455 §10.4: a frame too long for whatever it unfolds to fails by its header; so does the sum of fragments"
    )
    func announced() throws {
        for length in [UInt8](arrayLiteral: 1, 0x7F) {
            let peer = try client()
            peer.feed([0xC2, 127, length == 1 ? 0 : length, 0, length, 0, 0, 0, 0, 0])
            #expect(peer.told == ["failed protocolViolation 1009"])
        }
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 1_000)
        let peer = try client(limits: limits)
        peer.feed(Frame(2, final: false, reserved: 4).bytes())
        let empty = Frame(0, StoredLibrary.block([]), final: false).bytes()
        for _ in 0..<500 { peer.feed(empty) }
        #expect(peer.told == ["failed protocolViolation 1009"])
    }

    @Test("a limit of all there is overflows nowhere")
    func endless() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: .max)
        let peer = try client(limits: limits)
        peer.feed(Frame(1, Self.ab, reserved: 4).bytes())
        peer.feed([0xC2, 127, 0x7F] + [UInt8](repeating: 0xFF, count: 7))
        peer.feed(StoredLibrary.block([1]))
        #expect(peer.told == ["text 6162"])
    }

    @Test("a compressed frame is never received in place")
    func inPlace() throws {
        let peer = try client()
        peer.feed(Array(Frame(2, [UInt8](repeating: 1, count: 100_000), reserved: 4).bytes().prefix(10)))
        #expect(peer.link.missingBytes == 0)
        #expect(peer.events.isEmpty)
    }

    @Test(
        "RFC 7692 §7.1.1: the inflater is made when needed, and freed when idle only where later messages cannot refer to earlier ones"
    )
    func idle() throws {
        for (parameters, isFreed) in [("", false), ("; server_no_context_takeover", true)] {
            let library = StoredLibrary()
            let peer = try client(library, parameters: parameters)
            peer.feed(Frame.text("plain").bytes())
            #expect(library.inflaters.isEmpty)
            peer.feed(Frame(1, Self.ab, reserved: 4).bytes())
            #expect((peer.link.deadline != nil) == isFreed)
            peer.advance(by: .seconds(9))
            peer.feed(Frame(1, Self.ab, reserved: 4).bytes())
            #expect(library.inflaters.count == 1)
            peer.advance(by: .seconds(1))
            #expect(library.liveInflaters == 1)
            peer.advance(by: .seconds(10))
            #expect(library.liveInflaters == (isFreed ? 0 : 1))
            #expect(library.resetsOfInflaters == (isFreed ? 2 : 0))
            #expect(peer.link.deadline == nil)
            peer.feed(Frame(1, Self.ab, reserved: 4).bytes())
            #expect(peer.told == ["text 706c61696e", "text 6162", "text 6162", "text 6162"])
            peer.link.failed(LinkFailure(.lost, "gone"), into: &peer.reports)
            #expect(library.liveInflaters == 0)
        }
    }

    @Test("an inflater in the middle of a message is kept, however long that takes")
    func slow() throws {
        let library = StoredLibrary()
        let peer = try client(library, parameters: "; server_no_context_takeover")
        let frame = Frame(1, Self.ab, reserved: 4).bytes()
        for byte in frame {
            peer.feed([byte])
            peer.advance(by: .seconds(30))
            peer.advance(by: .seconds(30))
        }
        #expect(peer.told == ["text 6162"])
        #expect(library.inflaters.count == 1)
        #expect(library.liveInflaters == 0)
    }

    @Test("of a thousand idle links without context none keeps a stream")
    func thousand() throws {
        let library = StoredLibrary()
        let peers = try (0..<1_000).map { _ in
            try client(library, parameters: "; server_no_context_takeover")
        }
        for peer in peers {
            peer.feed(Frame(1, Self.ab, reserved: 4).bytes())
            #expect(peer.send(Message(.text, [UInt8](repeating: 0x61, count: 300))) == .queued)
        }
        #expect(library.liveInflaters == 1_000 && library.liveDeflaters == 1_000)
        for peer in peers {
            peer.fireIfDue()
            peer.advance(by: .seconds(10))
            peer.advance(by: .seconds(10))
        }
        #expect(library.liveInflaters == 0 && library.liveDeflaters == 0)
    }

    @Test("without memory for an inflater the link ends with 1011")
    func unwell() throws {
        let library = StoredLibrary()
        library.isWell = false
        let peer = try client(library)
        peer.feed(Frame(1, Self.ab, reserved: 4).bytes())
        #expect(peer.told == ["failed protocolViolation 1011"])
    }
}
