// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Server's upgrade")
struct ServerUpgradeTests {
    private static let upgrade =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

    private static func get(_ fields: String) -> String { "GET / HTTP/1.1\r\n\(fields)\r\n" }

    @Test("the RFC's request is accepted with the RFC's answer", arguments: [Int.max, 1])
    func sample(size: Int) throws {
        let peer = Peer.server()
        peer.feed(
            Peer.request("Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.com\r\n"),
            by: size)
        let request = try #require(peer.link.request)
        #expect(request.isUpgrade)
        #expect(request.path == "/chat")
        #expect(request.subprotocols == ["chat", "superchat"])
        #expect(request.header("ORIGIN") == "http://example.com")
        #expect(peer.accept(subprotocol: "chat", headers: [HTTPHeader("Set-Cookie", "a=b")]))
        #expect(
            String(decoding: peer.output(), as: UTF8.self)
                == "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n"
                + "Set-Cookie: a=b\r\n\r\n")
        #expect(peer.events.last == .opened(LinkOpening(subprotocol: "chat")))
        #expect(peer.link.deadline == nil)
        #expect(!peer.accept())
        #expect(!peer.respond(status: 200))
    }

    @Test("frames behind the request are read once it is accepted")
    func leftover() {
        let peer = Peer.server()
        peer.feed(Peer.request() + Frame.text("Hello", masked: true).bytes().prefix(8))
        #expect(peer.link.request != nil && peer.events.isEmpty)
        #expect(peer.accept())
        peer.feed(Array(Frame.text("Hello", masked: true).bytes().dropFirst(8)))
        #expect(peer.told.suffix(2) == ["opened -", "text 48656c6c6f"])
    }

    @Test("what an owner answers is checked")
    func wrongAnswers() {
        let peer = Peer.server()
        #expect(!peer.accept())
        peer.feed(Peer.request("Sec-WebSocket-Protocol: chat\r\n"))
        #expect(!peer.accept(subprotocol: "other"))
        #expect(!peer.accept(headers: [HTTPHeader("X", "a\r\nY: b")]))
        #expect(!peer.respond(status: 101))
        #expect(!peer.respond(status: 200, headers: [HTTPHeader("X Y", "a")]))
        #expect(!peer.link.hasOutput)
        #expect(peer.accept(subprotocol: "chat"))
    }

    @Test(
        "a wrong request is answered and ends the link",
        arguments: [
            ("GET / HTTP/1.0\r\nHost: h\r\n\r\n", 505), ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
            ("GET /\r\nHost: h\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("POST / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            (get(""), 400), (get("Host: a\r\nHost: b\r\n"), 400), (get("Host: h\r\nX : y\r\n"), 400),
            (get("Host: h\r\nContent-Length: 3\r\n"), 413),
            (get("Host: h\r\nTransfer-Encoding: chunked\r\n"), 413),
            (get("Host: h\r\nX: \(String(repeating: "y", count: 20_000))\r\n"), 431),
            (get("Host: h\r\n" + upgrade), 426),
            (get("Host: h\r\n" + upgrade + "Sec-WebSocket-Version: 8\r\n"), 426),
            (
                get("Host: h\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n"),
                426
            ),
            (get("Host: h\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), 400),
            (
                get("Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"),
                400
            ),
            (
                get(
                    "Host: h\r\n" + upgrade
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"), 400
            ),
            (
                get(
                    "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: abc\r\n"
                        + "Sec-WebSocket-Version: 13\r\n"), 400
            ),
            (
                get("Host: h\r\n" + upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a b\r\n"),
                400
            ),
            ("\u{16}\u{3}\u{1}", 400),
        ])
    func wrong(text: String, status: Int) {
        for size in [Int.max, 1] {
            let peer = Peer.server()
            peer.feed(text, by: size)
            #expect(peer.told == ["failed badHandshake -"])
            let answer = String(decoding: peer.output(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.contains("Connection: close\r\n"))
            #expect(answer.contains("Sec-WebSocket-Version: 13\r\n") == (status == 426))
            #expect(peer.link.mayShutDownWriting)
            #expect(!peer.link.isOver)
            peer.end()
            #expect(peer.link.isOver)
        }
    }

    @Test("a plain GET is the owner's to answer, and the answer ends the link")
    func plain() throws {
        let peer = Peer.server()
        peer.feed("GET http://h/health?x=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        let request = try #require(peer.link.request)
        #expect(!request.isUpgrade)
        #expect(request.path == "/health")
        #expect(request.query == "x=1")
        #expect(!peer.accept())
        peer.end()
        #expect(!peer.link.isOver)
        #expect(
            peer.respond(
                status: 200, headers: [HTTPHeader("Content-Type", "x/y")], body: [0x7B, 0x7D]))
        #expect(!peer.link.isOver)
        #expect(
            String(decoding: peer.output(), as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        #expect(peer.link.isOver)
        #expect(peer.link.request == nil)
        #expect(peer.events.isEmpty)
    }

    @Test("HEAD is answered without the body")
    func head() {
        let peer = Peer.server()
        peer.feed("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(peer.respond(status: 200, body: [1, 2, 3]))
        #expect(
            String(decoding: peer.output(), as: UTF8.self).hasSuffix(
                "Content-Length: 3\r\nConnection: close\r\n\r\n"))
    }

    @Test("a client that sends too much before it is answered is refused")
    func impatient() {
        let peer = Peer.server()
        peer.feed(Peer.request())
        peer.feed([UInt8](repeating: 0, count: 70_000), by: 1_000)
        #expect(peer.told.last == "failed badHandshake -")
        #expect(!peer.accept())
    }

    @Test("the handshake has ten seconds, the owner's answer included")
    func slow() {
        let peer = Peer.server()
        peer.feed(Peer.request())
        peer.advance(by: .seconds(9))
        #expect(peer.events.isEmpty)
        peer.advance(by: .seconds(1))
        #expect(peer.told.last == "failed timedOut -")
        #expect(peer.link.isOver)
    }

    @Test("RFC 6455 §7.1.7: a client that ends the connection before it could be accepted is lost")
    func ends() {
        let request = Peer.request()
        for cut in 0...request.count {
            let peer = Peer.server()
            peer.feed(Array(request[..<cut]))
            peer.end()
            #expect(peer.told.last == "failed lost -")
            #expect(peer.link.isOver)
            #expect(!peer.accept())
        }
    }
}
