// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Frame header")
struct FrameHeaderTests {
    struct Row: Sendable, CustomStringConvertible {
        var description: String
        var bytes: [UInt8]
        var code: UInt16

        init(_ description: String, _ bytes: [UInt8], _ code: UInt16 = 1002) {
            self.description = description
            self.bytes = bytes
            self.code = code
        }
    }

    private static func reserved(_ masked: Bool) -> [Row] {
        [1, 2, 4, 7].flatMap { bits -> [Row] in
            [0, 1, 2, 8, 9, 10].map {
                Row(
                    "RFC 6455 §5.2: RSV \(bits) on opcode \($0)",
                    Frame($0, reserved: bits, masked: masked).bytes())
            }
        }
            + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map {
                Row("RFC 6455 §5.2: opcode \($0)", Frame($0, masked: masked).bytes())
            }
    }

    private static func lengths(_ masked: Bool) -> [Row] {
        let key: [UInt8] = masked ? [1, 2, 3, 4] : []
        let mask: UInt8 = masked ? 0x80 : 0
        return [
            Row(
                "RFC 6455 §5.2: the top bit of a length", [0x82, mask | 127, 0x80, 0, 0, 0, 0, 0, 0, 0] + key),
            Row(
                "RFC 6455 §5.2: a length of all ones",
                [0x82, mask | 127] + [UInt8](repeating: 0xFF, count: 8) + key),
            Row(
                "RFC 6455 §5.2: 125 in 16 bits",
                Frame(2, [UInt8](repeating: 0, count: 125), masked: masked).bytes(lengthBits: 16)),
            Row("RFC 6455 §5.2: 0 in 16 bits", Frame(2, [], masked: masked).bytes(lengthBits: 16)),
            Row(
                "RFC 6455 §5.2: 65535 in 64 bits",
                Frame(2, [UInt8](repeating: 0, count: 65_535), masked: masked).bytes(lengthBits: 64)),
            Row("RFC 6455 §5.2: 1 in 64 bits", Frame(1, [65], masked: masked).bytes(lengthBits: 64)),
            Row("RFC 6455 §10.4: 2^40", [0x82, mask | 127, 0, 0, 1, 0, 0, 0, 0, 0] + key, 1009),
            Row(
                "RFC 6455 §10.4: 2^63 - 1",
                [0x82, mask | 127, 0x7F] + [UInt8](repeating: 0xFF, count: 7) + key, 1009),
            Row(
                "RFC 6455 §10.4: the limit and one", [0x81, mask | 127, 0, 0, 0, 0, 0, 0x10, 0, 1] + key, 1009
            ),
        ]
            + [8, 9, 10].flatMap { opcode -> [Row] in
                [
                    Row(
                        "RFC 6455 §5.5: opcode \(opcode) of 126 bytes",
                        [0x80 | opcode, mask | 126, 0, 126] + key),
                    Row(
                        "RFC 6455 §5.5: opcode \(opcode) in 64 bits",
                        [0x80 | opcode, mask | 127, 0, 0, 0, 0, 0, 1, 0, 0] + key),
                    Row(
                        "RFC 6455 §5.5: opcode \(opcode) without FIN",
                        Frame(opcode, final: false, masked: masked).bytes()),
                ]
            }
    }

    static let clientRows =
        reserved(false) + lengths(false)
        + [1, 2, 8, 9, 10].map { Row("RFC 6455 §5.1: masked opcode \($0)", Frame($0, masked: true).bytes()) }
    static let serverRows =
        reserved(true) + lengths(true)
        + [1, 2, 8, 9, 10].map { Row("RFC 6455 §5.1: unmasked opcode \($0)", Frame($0).bytes()) }

    @Test("a client fails the link and tells the server why", arguments: clientRows)
    func client(row: Row) throws {
        try check(row, Peer.openClient())
    }

    @Test("a server fails the link and tells the client why", arguments: serverRows)
    func server(row: Row) throws {
        try check(row, Peer.openServer())
    }

    private func check(_ row: Row, _ open: Peer) throws {
        for size in [Int.max, 1] {
            let peer = open.copy()
            peer.feed(row.bytes, by: size)
            // Nothing behind the fault is read.
            peer.feed(Frame.text("late", masked: !row.description.hasPrefix("RFC 6455 §5.1: masked")).bytes())
            #expect(peer.told == ["failed protocolViolation \(row.code)"])
            let written = frames(peer.output())
            #expect(written.map(\.first) == [0x88])
            let payload = try #require(written.first?.payload)
            #expect(payload.prefix(2) == [UInt8(row.code >> 8), UInt8(row.code & 255)])
            #expect(peer.link.deadline == peer.now.advanced(by: .seconds(5)))
        }
    }

    @Test("the RFC's sample frames of §5.7 are read")
    func samples() throws {
        let client = try Peer.openClient()
        client.feed(bytes("81 05 48 65 6c 6c 6f"))
        client.feed(bytes("01 03 48 65 6c  80 02 6c 6f"))
        client.feed(bytes("89 05 48 65 6c 6c 6f"))
        client.feed(bytes("82 7e 01 00") + [UInt8](repeating: 7, count: 256))
        client.feed(bytes("82 7f 00 00 00 00 00 01 00 00") + [UInt8](repeating: 8, count: 65_536))
        #expect(
            client.events == [
                .received([.text("Hello")]), .received([.text("Hello")]),
                .received([.binary([UInt8](repeating: 7, count: 256))]),
                .received([.binary([UInt8](repeating: 8, count: 65_536))]),
            ])
        #expect(frames(client.output()).map(\.payload) == [Array("Hello".utf8)])
        let server = Peer.openServer()
        server.feed(bytes("81 85 37 fa 21 3d 7f 9f 4d 51 58"))
        server.feed(bytes("8a 85 37 fa 21 3d 7f 9f 4d 51 58"))
        #expect(server.events == [.received([.text("Hello")])])
    }

    @Test(
        "what is written has the shortest length", arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20])
    func written(count: Int) throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 1 << 20)
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let client = try Peer.openClient(limits: limits)
        let server = Peer.openServer(limits: limits)
        #expect(client.send(.binary(payload)) == .queued)
        let length = count < 126 ? 0 : count < 65_536 ? 2 : 8
        let up = client.output()
        #expect(up.count == 2 + length + 4 + count)
        server.feed(up)
        #expect(server.events == [.received([.binary(payload)])])
        #expect(server.send(.binary(payload)) == .queued)
        let down = server.output()
        #expect(down.count == 2 + length + count)
        client.feed(down)
        #expect(client.events == [.received([.binary(payload)])])
    }
}
