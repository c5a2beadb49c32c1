// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Frame reader")
struct FrameReaderTests {
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

    static let rows = [
        Row("an empty text", [.text("")], ["text "]),
        Row("an empty binary", [Frame(2)], ["binary "]),
        Row(
            "fragments, some of them empty",
            [
                .text("", final: false), Frame(0, [0x41], final: false), Frame(0, final: false),
                Frame(0, [0x42]),
            ], ["text 4142"]),
        Row("fragments that are all empty", [Frame(2, final: false), Frame(0)], ["binary "]),
        Row(
            "RFC 6455 §5.5: control frames between fragments",
            [.text("a", final: false), Frame(9, [1]), Frame(10, [2]), Frame(0, [0x62])],
            ["text 6162"]),
        Row("RFC 6455 §5.5.3: a pong nobody asked for", [Frame(10), .text("a")], ["text 61"]),
        Row("RFC 6455 §5.4: a continuation without a start", [Frame(0)], ["failed protocolViolation 1002"]),
        Row(
            "RFC 6455 §5.4: a continuation after a whole message", [.text("a"), Frame(0, [1])],
            ["text 61", "failed protocolViolation 1002"]),
        Row(
            "RFC 6455 §5.4: a text inside a message", [.text("a", final: false), .text("b")],
            ["failed protocolViolation 1002"]),
        Row(
            "RFC 6455 §5.4: a binary inside a message", [Frame(2, final: false), Frame(2)],
            ["failed protocolViolation 1002"]),
        Row(
            "RFC 6455 §8.1: a scalar over two fragments",
            [Frame(1, [0xE6, 0xB0], final: false), Frame(0, [0xB4])],
            ["text e6b0b4"]),
        Row(
            "RFC 6455 §8.1: a scalar that does not end", [Frame(1, [0xE6, 0xB0])],
            ["failed protocolViolation 1007"]),
        Row(
            "RFC 6455 §8.1: a scalar that the last fragment does not end",
            [Frame(1, [0xE6], final: false), Frame(0)], ["failed protocolViolation 1007"]),
        Row("RFC 6455 §8.1: a surrogate", [Frame(1, [0xED, 0xA0, 0x80])], ["failed protocolViolation 1007"]),
        Row(
            "RFC 6455 §8.1: a bad byte in a fragment", [Frame(1, [0x41, 0xFF], final: false)],
            ["failed protocolViolation 1007"]),
        Row("binary may be anything", [Frame(2, [0xFF, 0xC0])], ["binary ffc0"]),
        Row(
            "RFC 6455 §8.1: a new text starts afresh", [.text("a"), Frame(1, [0x80])],
            ["text 61", "failed protocolViolation 1007"]),
    ]

    @Test(
        "messages, fragments and text are held to the RFC, by both roles, however the bytes are cut",
        arguments: rows)
    func table(row: Row) throws {
        for size in [Int.max, 1, 2, 3, 7] {
            let client = try Peer.openClient()
            client.feed(row.frames.flatMap { $0.bytes() }, by: size)
            #expect(client.told == row.told)
            let server = Peer.openServer()
            server.feed(row.frames.flatMap { masked($0).bytes() }, by: size)
            #expect(server.told == row.told)
        }
    }

    private func masked(_ frame: Frame) -> Frame {
        var frame = frame
        frame.key = [0x37, 0xFA, 0x21, 0x3D]
        return frame
    }

    @Test("RFC 6455 §8.1: bad UTF-8 fails the link in the middle of a frame, as soon as it is there")
    func failsFast() throws {
        let text = bytes("ceba e1bdb9 cf83 cebc ceb5 f4 90 80 80 656469746564")
        for threshold in [Int.max, 1] {
            let peer = try Peer.openClient()
            let frame = Frame(1, text).bytes()
            peer.feed(Array(frame[..<14]), by: 1, inPlaceFrom: threshold)
            #expect(peer.events.isEmpty)
            peer.feed([frame[14]], inPlaceFrom: threshold)
            #expect(peer.told == ["failed protocolViolation 1007"])
        }
    }

    @Test("RFC 6455 §10.4: the limit holds for the sum of fragments, before the payload comes")
    func fragmentsLimit() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 1_000)
        let peer = try Peer.openClient(limits: limits)
        let part = [UInt8](repeating: 1, count: 500)
        peer.feed(Frame(2, part, final: false).bytes() + Frame(0, part).bytes())
        #expect(peer.events == [.received([.binary(part + part)])])
        peer.feed(
            Frame(2, part, final: false).bytes() + Frame(0, part, final: false).bytes() + Frame(0).bytes())
        #expect(peer.events.count == 2)
        peer.feed(Frame(2, part, final: false).bytes() + Frame(0, part, final: false).bytes() + [0x80, 0x01])
        #expect(peer.told.last == "failed protocolViolation 1009")
    }

    @Test("RFC 6455 §10.4: 65,536 fragments make one message")
    func manyFragments() throws {
        var limits = LinkLimits()
        limits.message = MessageLimits(both: 4 << 20)
        let peer = try Peer.openClient(limits: limits)
        let part = [UInt8](repeating: 0x61, count: 64)
        var stream = Frame(1, part, final: false).bytes()
        let middle = Frame(0, part, final: false).bytes()
        for _ in 0..<65_534 { stream += middle }
        peer.feed(stream + Frame(0, part).bytes(), by: 100_000)
        #expect(peer.events == [.received([Message(.text, [UInt8](repeating: 0x61, count: 4 << 20))])])
    }

    @Test(
        "a large frame is received in place, masked or not, whole or in fragments",
        arguments: [1_000, 16_384, 70_000, 1_000_000])
    func inPlace(size: Int) throws {
        let text = Array(String(repeating: "水 water ", count: 20_000).utf8)
        let first = text.prefix(100_001)
        for masked in [false, true] {
            let peer = masked ? Peer.openServer() : try Peer.openClient()
            let stream =
                Frame(1, text, masked: masked).bytes()
                + Frame(1, Array(first), final: false, masked: masked).bytes()
                + Frame(9, [1], masked: masked).bytes()
                + Frame(0, Array(text[first.count...]), masked: masked).bytes()
            peer.feed(stream, by: size, inPlaceFrom: 16_384)
            #expect(peer.events == [.received([Message(.text, text)]), .received([Message(.text, text)])])
            #expect(frames(peer.output()).map(\.first) == [0x8A])
            #expect(peer.link.missingBytes == 0)
        }
    }

    @Test("what is missing is told for data frames only, and nothing is offered without")
    func missing() throws {
        let peer = try Peer.openClient()
        #expect(peer.link.missingBytes == 0)
        peer.feed(Array(Frame(9, [1, 2, 3]).bytes().prefix(3)))
        #expect(peer.link.missingBytes == 0)
        let count = peer.link.fill(at: peer.now, masks: &peer.masks, into: &peer.reports) { _ in
            Issue.record("nothing is missing")
            return 1
        }
        #expect(count == 0)
        peer.feed([2, 3] + Frame(2, [1, 2, 3, 4]).bytes().prefix(3))
        #expect(peer.link.missingBytes == 3)
        // A count that cannot be is cut to what was offered.
        let written = peer.link.fill(at: peer.now, masks: &peer.masks, into: &peer.reports) { target in
            target.copyBytes(from: [2, 3, 4])
            return 99
        }
        #expect(written == 3)
        #expect(peer.told == ["binary 01020304"])
    }
}
