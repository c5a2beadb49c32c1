// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Frame reader: payload as a stream")
struct FrameReaderStreamTests {
    private static let text = "INFO {}\r\nMSG 水 1 5\r\nhello\r\n"

    struct Row: Sendable, CustomStringConvertible {
        var description: String
        var frames: [Frame]

        init(_ description: String, _ frames: [Frame]) {
            self.description = description
            self.frames = frames
        }
    }

    private static let bytes = Array(text.utf8)
    private static let folded = StoredLibrary.payload(bytes)

    static let rows = [
        Row("one message", [Frame(2, bytes)]),
        Row("text, whose scalars any piece may cut", [Frame(1, bytes)]),
        Row("two messages, text and binary", [Frame(1, Array(bytes[..<9])), Frame(2, Array(bytes[9...]))]),
        Row(
            "fragments, some empty, with control frames between",
            [
                Frame(2, Array(bytes[..<3]), final: false), Frame(9, [7]), Frame(0, final: false), Frame(10),
                Frame(0, Array(bytes[3...])), Frame(2),
            ]),
        Row("compressed", [Frame(2, folded, reserved: 4)]),
        Row(
            "compressed, in fragments with a ping between",
            [
                Frame(2, Array(folded[..<8]), final: false, reserved: 4), Frame(9, [7]),
                Frame(0, Array(folded[8...])),
            ]),
        Row(
            "compressed and plain in turns",
            [
                Frame(2, Array(bytes[..<4])),
                Frame(2, StoredLibrary.payload(Array(bytes[4..<11])), reserved: 4),
                Frame(2, Array(bytes[11...])),
            ]),
    ]

    private static func open(limit: Int = 16) throws -> Peer {
        var limits = LinkLimits()
        limits.message = MessageLimits(incoming: limit)
        return try Peer.openClient(
            limits: limits, mode: .stream, compression: LinkCompression(CompressionPolicy(), StoredLibrary()),
            answer: "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    }

    @Test(
        "what messages carry is handed on as it comes, however they and the bytes are cut, beyond any limit",
        arguments: rows)
    func table(row: Row) throws {
        let stream = row.frames.flatMap { $0.bytes() }
        for size in [Int.max, 1, 2, 3, 7] {
            let peer = try Self.open()
            peer.feed(stream, by: size, inPlaceFrom: 1)
            #expect(peer.messages.flatMap(\.bytes) == Self.bytes)
            #expect(peer.messages.allSatisfy { $0.kind == .binary && !$0.bytes.isEmpty })
            #expect(peer.failure == nil)
            let pings = row.frames.count { $0.first & 0x0F == 9 }
            #expect(frames(peer.output()).map(\.first) == Array(repeating: 0x8A, count: pings))
        }
        for cut in 1..<stream.count {
            let peer = try Self.open()
            peer.feed(Array(stream[..<cut]))
            peer.feed(Array(stream[cut...]))
            #expect(peer.messages.flatMap(\.bytes) == Self.bytes)
        }
    }

    @Test("a frame of 16 MB takes no more memory than what of it came last")
    func large() throws {
        let peer = try Self.open()
        let count = 16 << 20
        peer.feed(Array(Frame(2, [UInt8](repeating: 1, count: count)).bytes().prefix(10)))
        #expect(peer.link.missingBytes == 0 && peer.messages.isEmpty)
        let piece = [UInt8](repeating: 1, count: 1 << 16)
        for number in 1...(count >> 16) {
            peer.feed(piece, inPlaceFrom: 1)
            #expect(peer.messages == [.binary(piece)], "piece \(number)")
            peer.reports = []
        }
        peer.feed(Frame(2, [9]).bytes())
        #expect(peer.messages == [.binary([9])])
    }

    @Test("a frame of the largest length that can be said is begun and takes nothing")
    func boundless() throws {
        let peer = try Self.open()
        peer.feed([0x82, 127, 0x7F] + [UInt8](repeating: 0xFF, count: 7) + [1, 2])
        peer.feed([3])
        #expect(peer.messages == [.binary([1, 2]), .binary([3])])
    }

    @Test(
        "faults of frames, text and compression end the link as ever",
        arguments: [
            ([Frame(0, [1])], "1002"), ([Frame(2, [1], final: false), Frame(2, [2])], "1002"),
            ([Frame(1, [0xE6, 0xB0])], "1007"), ([Frame(1, [0xE6], final: false), Frame(0)], "1007"),
            ([Frame(2, [9, 9, 9, 9, 9], reserved: 4)], "1007"), ([Frame(9, [1], final: false)], "1002"),
        ] as [([Frame], String)])
    func faults(frames: [Frame], code: String) throws {
        for size in [Int.max, 1] {
            let peer = try Self.open()
            peer.feed(frames.flatMap { $0.bytes() }, by: size)
            peer.advance(by: .zero)
            #expect(peer.told.last == "failed protocolViolation \(code)")
        }
    }

    @Test("what came before a fault, or before the close frame, is handed on first")
    func order() throws {
        let peer = try Self.open()
        peer.feed(Frame(2, [1], final: false).bytes() + Frame.close(1_001).bytes())
        #expect(peer.told == ["binary 01", "closed 1001 "])
    }
}
