// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("CONNECT")
struct HTTPConnectTests {
    @Test(
        "the request names host and port, always, and has the login when there is one",
        arguments: [
            ("http://p", "ws://h/", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
            ("http://p", "wss://H:8443/x", "CONNECT h:8443 HTTP/1.1\r\nHost: h:8443\r\n\r\n"),
            ("http://p", "wss://[::1]/", "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"),
            (
                // RFC 7617 §2 and §2.1.
                "http://Aladdin:open%20sesame@p", "ws://h/",
                "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
            ),
            (
                "http://test:123%C2%A3@p", "ws://h/",
                "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Basic dGVzdDoxMjPCow==\r\n\r\n"
            ),
        ])
    func request(proxy: String, url: String, text: String) throws {
        let proxied = try ProxiedPeer(proxy, to: url)
        #expect(String(decoding: proxied.opening, as: UTF8.self) == text)
    }

    @Test("the login goes to the proxy only")
    func secrecy() throws {
        let peer = try ProxiedPeer("http://u:p@proxy").peer
        peer.feed("HTTP/1.1 200 OK\r\n\r\n")
        #expect(!String(decoding: peer.output(), as: UTF8.self).contains("uthorization"))
    }

    @Test(
        "any 2xx stands for a tunnel, whatever it says of a body, after a few interim answers",
        arguments: [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\n\r\n", "HTTP/1.1 204\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\n",
        ])
    func tunnel(text: String) throws {
        for size in [Int.max, 1] {
            let peer = try ProxiedPeer("http://p").peer
            peer.feed(text, by: size)
            #expect(String(decoding: peer.output(), as: UTF8.self).hasPrefix("GET /chat"))
            #expect(peer.events.isEmpty)
        }
    }

    @Test(
        "each refusal has its status and its words",
        arguments: [
            ("http://p", "407 x\r\nProxy-Authenticate: Basic realm=\"x\"", 407, "write them into its URL"),
            ("http://u:p@p", "407 x\r\nProxy-Authenticate: Basic realm=\"x\"", 407, "check them"),
            ("http://u:p@p", "407 x\r\nProxy-Authenticate: Digest realm=\"x\"", 407, "only Basic"),
            ("http://u:p@p", "401 Unauthorized", 401, "check them"),
            ("http://p", "403 Filtered", 403, "its rules"), ("http://p", "404 x", 404, "its rules"),
            ("http://p", "301 x", 301, "its rules"), ("http://p", "502 Bad Gateway", 502, "could not reach"),
            ("http://p", "503 x", 503, "could not reach"), ("http://p", "429 x", 429, "could not reach"),
        ])
    func refusals(proxy: String, answer: String, status: Int, words: String) throws {
        for size in [Int.max, 1] {
            let proxied = try ProxiedPeer(proxy)
            proxied.peer.feed("HTTP/1.1 \(answer)\r\n\r\n", by: size)
            #expect(proxied.reason == .status(status))
            #expect(proxied.peer.failure?.message.contains(words) == true)
            #expect(proxied.peer.link.isOver)
        }
    }

    @Test(
        "what is no answer is malformed",
        arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "\u{5}\u{0}",
            "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n",
            String(repeating: "HTTP/1.1 100 x\r\n\r\n", count: 9),
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 20_000),
        ])
    func malformed(text: String) throws {
        let proxied = try ProxiedPeer("http://p")
        proxied.peer.feed(text)
        #expect(proxied.reason == .malformed)
    }
}
