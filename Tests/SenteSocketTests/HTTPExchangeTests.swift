// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("HTTP exchange")
struct HTTPExchangeTests {
    private static func peer(
        _ method: HTTPExchangeRequest.Method = .get, body: [UInt8] = [], limit: Int = 64,
        proxy: ProxyStage? = nil
    ) throws -> Peer {
        let request = try HTTPExchangeRequest(
            method, "http://files.test:8080/a?b=c", headers: [HTTPHeader("X-Key", "1")], body: body,
            limit: limit)
        let deadline = Instant(nanoseconds: 0).advanced(by: .seconds(10))
        return Peer(Link(exchange: request, proxy: proxy, deadline: deadline))
    }

    @Test("RFC 9112 §3: a GET says where it goes and that the connection ends with the answer")
    func get() throws {
        let text = String(decoding: try Self.peer().output(), as: UTF8.self)
        #expect(
            text == "GET /a?b=c HTTP/1.1\r\nHost: files.test:8080\r\nConnection: close\r\nX-Key: 1\r\n\r\n")
    }

    @Test("RFC 9110 §8.6: a PUT says how much it brings, also when that is nothing", arguments: ["", "abc"])
    func put(body: String) throws {
        let text = String(decoding: try Self.peer(.put, body: Array(body.utf8)).output(), as: UTF8.self)
        #expect(text.hasPrefix("PUT /a?b=c HTTP/1.1\r\n"))
        #expect(text.contains("\r\nContent-Length: \(body.utf8.count)\r\n"))
        #expect(text.hasSuffix("\r\n\r\n\(body)"))
    }

    struct Answer: Sendable {
        var sent: String
        var status = 200
        var body: String
        /// Whether only the connection's end completes it.
        var needsEnd = false
    }

    @Test(
        "RFC 9112 §6.3: an answer is whole where its framing says so, wherever its bytes are cut",
        arguments: [
            Answer(sent: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", body: "abc"),
            Answer(sent: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", body: "abc"),
            Answer(sent: "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", status: 201, body: ""),
            Answer(sent: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, body: ""),
            Answer(sent: "HTTP/1.1 200 OK\r\n\r\nabc", body: "abc", needsEnd: true),
            Answer(
                sent: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
                body: "abcd"),
            Answer(
                sent: "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + String(repeating: "z", count: 64),
                body: String(repeating: "z", count: 64)),
            Answer(sent: "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nabc", status: 403, body: "abc"),
            Answer(
                sent: "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n",
                status: 302, body: ""),
        ])
    func whole(answer: Answer) throws {
        let bytes = Array(answer.sent.utf8)
        for cut in 0...bytes.count {
            let peer = try Self.peer()
            _ = peer.output()
            peer.feed(Array(bytes[..<cut]))
            peer.feed(Array(bytes[cut...]))
            if answer.needsEnd {
                #expect(peer.events.isEmpty)
                peer.end()
            }
            #expect(peer.refusal?.status == answer.status)
            #expect(peer.refusal.map { String(decoding: $0.body, as: UTF8.self) } == answer.body)
            #expect(peer.link.isOver)
        }
        let slow = try Self.peer()
        slow.feed(bytes, by: 1)
        if answer.needsEnd { slow.end() }
        #expect(slow.refusal?.status == answer.status)
    }

    @Test(
        "RFC 9112 §6.3: a good answer of which nobody can tell that it is whole is none",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", "Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", "Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", "Content-Length"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                "both"
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "chunks"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "chunks"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "chunks"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", "larger than 64 bytes"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n"
                    + String(repeating: "z", count: 65),
                "larger than 64 bytes"
            ),
            ("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "z", count: 65), "larger than 64 bytes"),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "another protocol"),
            (String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9), "interim"),
            ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "token"),
            ("SSH-2.0-x\r\n", "not HTTP"),
            ("HTTP/1.1 200 OK\r\nA: " + String(repeating: "a", count: 17_000), "longer than"),
        ])
    func hostile(sent: String, words: String) throws {
        for size in [Int.max, 1] {
            let peer = try Self.peer()
            peer.feed(Array(sent.utf8), by: size)
            #expect(peer.refusal == nil)
            #expect(peer.failure?.message.contains(words) == true)
            #expect(peer.events.count == 1)
        }
    }

    @Test(
        "an answer that is cut by the connection's end is none",
        arguments: [
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ])
    func cut(sent: String) throws {
        let peer = try Self.peer()
        peer.feed(Array(sent.utf8))
        #expect(peer.events.isEmpty)
        peer.end()
        #expect(peer.failure?.message.contains("ended") == true)
    }

    @Test("a server that refuses before it has read all is heard, though it then resets the connection")
    func early() throws {
        let peer = try Self.peer(.put, body: [1, 2, 3])
        peer.feed(Array("HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\nno".utf8))
        peer.link.failed(LinkFailure(.lost, "Reset."), into: &peer.reports)
        #expect(peer.refusal?.status == 413)
    }

    @Test("an answer that does not come in time is none, and a bad one whose body does not is that answer")
    func late() throws {
        let silent = try Self.peer()
        silent.advance(by: .seconds(10))
        #expect(silent.failure?.kind == .timedOut)
        let slow = try Self.peer()
        slow.feed(Array("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nno".utf8))
        slow.advance(by: .seconds(10))
        #expect(slow.refusal?.status == 503)
    }

    @Test("a proxy is asked for the way first")
    func proxied() throws {
        let proxy = ProxyStage(try ProxyServer("http://proxy.test:3128"), host: "files.test", port: 8_080)
        let peer = try Self.peer(proxy: proxy)
        #expect(
            String(decoding: peer.output(), as: UTF8.self).hasPrefix("CONNECT files.test:8080 HTTP/1.1\r\n"))
        peer.feed(Array("HTTP/1.1 200 OK\r\n\r\n".utf8))
        #expect(String(decoding: peer.output(), as: UTF8.self).hasPrefix("GET /a?b=c HTTP/1.1\r\n"))
        peer.feed(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8))
        #expect(peer.refusal?.status == 204)
    }

    @Test(
        "what an app gives is refused with a sentence before anything is dialed",
        arguments: [
            ("ftp://a/", "https or http"), ("files.test/a", "no scheme"), ("http://", "no host"),
            ("http://user:pw@a/", "user name"), ("http://a:99999/", "port"), ("https://a/ b", "blank"),
        ])
    func wrongURL(url: String, words: String) {
        let error = #expect(throws: HTTPExchangeError.self) {
            try HTTPExchangeRequest(.get, url, limit: 1)
        }
        #expect(error.map(String.init(describing:))?.contains(words) == true)
    }

    @Test("a header that would end the head or belongs to HTTP itself is refused")
    func wrongHeader() {
        for header in [
            HTTPHeader("X", "a\r\nY: b"), HTTPHeader("Content-Length", "3"), HTTPHeader("a b", "c"),
        ] {
            #expect(throws: HTTPExchangeError.self) {
                try HTTPExchangeRequest(.put, "https://a/", headers: [header], limit: 1)
            }
        }
        #expect(throws: Never.self) {
            let request = try HTTPExchangeRequest(.get, "HTTPS://A/x#part", limit: .max)
            #expect(request.url.description == "wss://a/x")
        }
    }
}
