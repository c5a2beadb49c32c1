// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Close payload")
struct ClosePayloadTests {
    @Test(
        "RFC 6455 §7.4: codes that may stand on the wire are read and echoed, also those registered later",
        arguments: [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
        ] as [UInt16])
    func legal(code: UInt16) throws {
        for masked in [false, true] {
            let peer = masked ? Peer.openServer() : try Peer.openClient()
            peer.feed(Frame.close(code, "why", masked: masked).bytes(), by: 1)
            #expect(peer.told == ["closed \(code) why"])
            #expect(frames(peer.output()).map(\.payload) == [[UInt8(code >> 8), UInt8(code & 255)]])
        }
    }

    @Test(
        "RFC 6455 §7.4: other codes are the peer's fault, and the API refuses to send them",
        arguments: [0, 1, 999, 1004, 1005, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] as [UInt16])
    func illegal(code: UInt16) throws {
        let peer = try Peer.openClient()
        let other = peer.copy()
        peer.feed(Frame.close(code).bytes())
        #expect(peer.told == ["failed protocolViolation 1002"])
        #expect(!other.close(CloseCode(rawValue: code)))
        #expect(other.link.isOpen)
        #expect(!other.link.hasOutput)
    }

    @Test("RFC 6455 §7.4.1: 1006 on the wire is a lost connection, of a peer that is told what it did wrong")
    func abnormal() throws {
        let peer = try Peer.openClient()
        let other = peer.copy()
        peer.feed(Frame.close(1006, "Stale Connection").bytes(), by: 1)
        #expect(peer.told == ["failed lost -"])
        #expect(frames(peer.output()).first?.payload.prefix(2) == [0x03, 0xEA])
        #expect(!other.close(.abnormal) && other.link.isOpen && !other.link.hasOutput)
    }

    @Test("RFC 6455 §5.5.1: an empty close has no status, half a code and a bad reason are faults")
    func shapes() throws {
        let empty = try Peer.openClient()
        empty.feed(Frame(8).bytes())
        #expect(empty.told == ["closed 1005 "])
        #expect(frames(empty.output()).map(\.payload) == [[]])
        let half = try Peer.openClient()
        half.feed(Frame(8, [3]).bytes())
        #expect(half.told == ["failed protocolViolation 1002"])
        for reason: [UInt8] in [[0xFF], [0xE6, 0xB0], [0x61, 0xED, 0xA0, 0x80]] {
            let bad = try Peer.openClient()
            bad.feed(Frame(8, [3, 0xE8] + reason).bytes())
            #expect(bad.told == ["failed protocolViolation 1007"])
        }
        let longest = try Peer.openClient()
        longest.feed(Frame.close(1000, String(repeating: "x", count: 123)).bytes(), by: 3)
        #expect(longest.told == ["closed 1000 \(String(repeating: "x", count: 123))"])
    }

    @Test(
        "RFC 6455 §5.5.1: a reason is cut to 123 bytes where a scalar ends",
        arguments: [
            (String(repeating: "x", count: 123), 123), (String(repeating: "x", count: 124), 123),
            (String(repeating: "é", count: 62), 122), ("x" + String(repeating: "é", count: 62), 123),
            (String(repeating: "水", count: 42), 123), ("x" + String(repeating: "水", count: 42), 121),
            (String(repeating: "🙂", count: 40), 120), ("abc" + String(repeating: "🙂", count: 40), 123),
            ("", 0),
        ])
    func cut(reason: String, count: Int) throws {
        let peer = try Peer.openClient()
        #expect(peer.close(.goingAway, reason: reason))
        let payload = try #require(frames(peer.output()).first?.payload)
        #expect(payload.prefix(2) == [0x03, 0xE9])
        #expect(payload.count == 2 + count)
        let text = try #require(String(validating: payload.dropFirst(2), as: UTF8.self))
        #expect(reason.hasPrefix(text))
    }
}
