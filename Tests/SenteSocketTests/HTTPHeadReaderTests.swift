// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("HTTP head")
struct HTTPHeadReaderTests {
    private func small() -> LinkLimits {
        var limits = LinkLimits()
        limits.headLine = 40
        limits.head = 100
        limits.headFields = 3
        return limits
    }

    private func verdict(_ text: String, by size: Int) throws -> String? {
        let (peer, _) = try Peer.client(limits: small())
        peer.feed(text, by: size)
        return peer.told.first
    }

    @Test(
        "RFC 6455 §10.4: a line, the number of fields and the whole head are bounded",
        arguments: [Int.max, 1, 7])
    func limits(size: Int) throws {
        let start = "HTTP/1.1 404 x\r\n"
        let long = "X: " + String(repeating: "y", count: 37)
        let refused = "refused 404"
        #expect(
            try verdict(start + long + "\r\nContent-Length: 0\r\n\r\n", by: size)?.hasPrefix(refused) == true)
        #expect(try verdict(start + long + "y\r\n\r\n", by: size) == "failed badHandshake -")
        #expect(
            try verdict(start + "A: 1\r\nB: 2\r\nContent-Length: 0\r\n\r\n", by: size)?.hasPrefix(refused)
                == true)
        #expect(
            try verdict(start + "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n", by: size) == "failed badHandshake -")
        #expect(try verdict(start + long + "\r\n" + long + "\r\n\r\n", by: size) == "failed badHandshake -")
    }

    @Test("RFC 6455 §10.4: endless lines, fields and 1 MiB fields end with the defaults too")
    func endless() throws {
        for text in [
            "HTTP/1.1 200 " + String(repeating: "x", count: 1 << 20),
            "HTTP/1.1 200 x\r\nX: " + String(repeating: "x", count: 1 << 20),
            "HTTP/1.1 200 x\r\n" + String(repeating: "X: y\r\n", count: 10_000),
        ] {
            let (peer, _) = try Peer.client()
            peer.feed(text, by: 4_096)
            #expect(peer.told == ["failed badHandshake -"])
        }
    }

    @Test("the folded lines of an answer are one value, bounded like every head", arguments: [Int.max, 1, 7])
    func folded(size: Int) throws {
        let start = "HTTP/1.1 404 x\r\nContent-Length: 0\r\n"
        let (peer, _) = try Peer.client(limits: small())
        peer.feed(start + "X: a \r\n \t b\r\n\tc\r\n\r\n", by: size)
        #expect(peer.refusal?.header("X") == "a b c")
        let fold = " " + String(repeating: "y", count: 30) + "\r\n"
        #expect(
            try verdict(start + "X: a\r\n" + fold + fold + fold + "\r\n", by: size)
                == "failed badHandshake -")
    }

    @Test("the folded lines of a request are refused")
    func foldedRequest() {
        let peer = Peer.server()
        peer.feed("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n")
        #expect(peer.told == ["failed badHandshake -"])
        #expect(String(decoding: peer.output(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
    }

    @Test("a server skips one empty line before a request, and no second")
    func emptyLine() {
        var peer = Peer.server()
        peer.feed("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", by: 1)
        #expect(
            peer.link.request == HTTPRequest(method: "GET", target: "/", headers: [HTTPHeader("Host", "h")]))
        peer = Peer.server()
        peer.feed("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", by: 1)
        #expect(peer.told == ["failed badHandshake -"])
    }
}
