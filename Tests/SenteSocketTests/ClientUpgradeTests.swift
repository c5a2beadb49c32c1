// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Client's upgrade")
struct ClientUpgradeTests {
    /// Feeds an answer in which `$A` stands for the right Sec-WebSocket-Accept, whole and a byte at a time.
    private func answer(_ text: String, subprotocols: [String] = [], check: (Peer) -> Void) throws {
        for size in [Int.max, 1] {
            let (peer, accept) = try Peer.client(subprotocols: subprotocols)
            let parts = text.split(separator: "$A", omittingEmptySubsequences: false)
            peer.feed(parts.joined(separator: accept), by: size)
            check(peer)
        }
    }

    static let upgrade = "Upgrade: websocket\r\n"
    static let connection = "Connection: Upgrade\r\n"
    static let accept = "Sec-WebSocket-Accept: $A\r\n"
    static let ok = "HTTP/1.1 101 Switching Protocols\r\n"
    static let all = upgrade + connection + accept

    @Test(
        "RFC 6455 §4.1: what is right is accepted",
        arguments: [
            (ok + all + "\r\n", "-"),
            ("HTTP/1.1 101\r\n" + all + "\r\n", "-"),
            ("HTTP/1.1 101 \r\n" + all + "\r\n", "-"),
            (ok + "upgrade: WebSocket\r\n" + "CONNECTION: keep-alive, UPGRADE\r\n" + accept + "\r\n", "-"),
            (ok + upgrade + "Connection: keep-alive\r\nConnection: upgrade\r\n" + accept + "\r\n", "-"),
            (ok + upgrade + connection + "Sec-WebSocket-Accept: \t $A \t\r\n\r\n", "-"),
            (ok + upgrade + connection + "Sec-WebSocket-Accept:$A\r\n\r\n", "-"),
            (ok + all + "Sec-WebSocket-Protocol: v1\r\n\r\n", "v1"),
            (ok + all + "Sec-WebSocket-Extensions:\r\n\r\n", "-"),
            (ok + all + "Content-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n", "-"),
            (ok + upgrade + all + "\r\n", "-"), (ok + connection + all + "\r\n", "-"),
            (ok + "Upgrade: websocket, WebSocket\r\nConnection: Upgrade, upgrade\r\n" + accept + "\r\n", "-"),
            (ok + all + "Sec-WebSocket-Protocol:\r\n\r\n", "-"),
            (ok + all + "X: a\r\n folded\r\n\tline\r\n\r\n", "-"),
            (ok + upgrade + "Connection: keep-alive,\r\n Upgrade\r\n" + accept + "\r\n", "-"),
            (ok + upgrade + connection + "Sec-WebSocket-Accept:\r\n $A\r\n \r\n\r\n", "-"),
            (ok + all + "X-Text: caf\u{E9} \u{9}x\r\nX-Empty:\r\n\r\n", "-"),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + all
                    + "\r\n", "-"
            ),
        ])
    func right(text: String, subprotocol: String) throws {
        try answer(text, subprotocols: ["v2", "v1"]) { peer in
            #expect(peer.told == ["opened \(subprotocol)"])
            #expect(peer.link.isOpen)
            #expect(peer.link.deadline == nil)
        }
    }

    @Test(
        "RFC 6455 §4.1: what is wrong fails the handshake",
        arguments: [
            ok + connection + accept, ok + "Upgrade: h2c\r\n" + connection + accept,
            ok + "Upgrade: websocket, foo\r\n" + connection + accept, ok + "Upgrade: foo\r\n" + all,
            ok + "Upgrade:\r\n" + connection + accept,
            ok + upgrade + accept, ok + upgrade + "Connection: close\r\n" + accept,
            ok + upgrade + "Connection: upgraded\r\n" + accept,
            ok + upgrade + connection, ok + upgrade + connection + "Sec-WebSocket-Accept: \r\n",
            ok + upgrade + connection + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            ok + upgrade + connection + "Sec-WebSocket-Accept: $A=\r\n",
            ok + all + "Sec-WebSocket-Extensions: x-foo\r\n",
            ok + all + "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            ok + all + "Sec-WebSocket-Extensions:\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
            ok + all + "Sec-WebSocket-Protocol: other\r\n", ok + all + "Sec-WebSocket-Protocol: V1\r\n",
            ok + all + "Sec-WebSocket-Protocol: v1, v2\r\n",
            "HTTP/1.0 101 Switching Protocols\r\n" + all, "HTTP/2 101\r\n" + all, "HTTP/2.0 101 x\r\n" + all,
            "HTTP/1.1 1010 x\r\n" + all, "HTTP/1.1 10 x\r\n" + all, "HTTP/1.1 099 x\r\n" + all,
            "HTTP/1.1 600 x\r\n" + all, "HTTP/1.1  101 x\r\n" + all, "HTTP/1.1 1x1 x\r\n" + all,
            "HTTP/1.1101 x\r\n" + all,
            "SSH-2.0-OpenSSH_9.2\r\n", "\r\n" + ok + all, "HTTP/1.1 101 a\u{0}b\r\n" + all,
        ])
    func wrong(text: String) throws {
        try answer(text + "\r\n") { peer in
            #expect(peer.told == ["failed badHandshake -"])
            #expect(peer.link.isOver)
            #expect(peer.link.deadline == nil)
            #expect(!peer.link.hasOutput)
        }
    }

    @Test("a server that answers with a record of TLS is told by name")
    func tls() throws {
        let alert = "\u{15}\u{03}\u{01}\u{00}\u{02}\u{02}\u{46}"
        try answer(alert) { peer in
            #expect(peer.told == ["failed badHandshake -"])
            #expect(peer.link.isOver)
        }
    }

    @Test("a server that ends without a word may expect TLS; one that spoke, or speaks TLS, does not")
    func silence() throws {
        for (scheme, answer, isAdvised) in [
            ("ws", "", true), ("ws", "HTTP/1.1 101", false), ("wss", "", false),
        ] {
            for isReset in [false, true] {
                let request = try UpgradeRequest(WebSocketURL("\(scheme)://host/chat"))
                let peer = Peer(
                    Link(
                        client: request, key: HandshakeKey(.seeded(1)),
                        deadline: Instant(nanoseconds: 0).advanced(by: .seconds(10))))
                peer.feed(answer)
                if isReset {
                    peer.link.failed(LinkFailure(.lost, "It was reset."), into: &peer.reports)
                } else {
                    peer.end()
                }
                let message = try #require(peer.failure).message
                #expect(message.contains("use wss:") == isAdvised, "\(message)")
            }
        }
    }

    @Test(
        "an answer with a mistake in it is a broken one, not that of another protocol",
        arguments: [
            ok + all + "X : y\r\n", ok + " folded: nothing\r\n" + all,
            ok + all + "X: a\rb\r\n", ok + all + "X: a\u{0}\r\n", ok + all + "X: a\u{7F}\r\n",
            ok + all + "X: a\r\n b\u{0}\r\n", ok + all + "no colon\r\n", ok + all + ": y\r\n",
            ok + all + "X@: y\r\n", ok + all + "X: bare\n", "HTTP/1.1 101 Switching Protocols\n" + all,
            ok + all + accept,
            ok + all + "Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v1\r\n",
        ])
    func broken(text: String) throws {
        try answer(text + "\r\n", subprotocols: ["v1"]) { peer in
            #expect(peer.told == ["failed protocolViolation -"])
            #expect(peer.link.isOver)
            #expect(!peer.link.hasOutput)
        }
    }

    @Test("RFC 6455 §4.1: an answer with its letters in another case is wrong")
    func caseOfAccept() throws {
        let (peer, accept) = try Peer.client()
        peer.feed(Peer.switching(accept == accept.lowercased() ? accept.uppercased() : accept.lowercased()))
        #expect(peer.failure?.kind == .badHandshake)
    }

    @Test("RFC 6455 §4.1: a subprotocol where none was offered fails the handshake")
    func unasked() throws {
        try answer(Self.ok + Self.all + "Sec-WebSocket-Protocol: v1\r\n\r\n") { peer in
            #expect(peer.told == ["failed badHandshake -"])
        }
    }

    @Test(
        "RFC 9112 §4: TLS and other bytes that are no HTTP fail at once, without a line's end",
        arguments: ["150301000202", "00", "485454503a", "53"])
    func alert(text: String) throws {
        let (peer, _) = try Peer.client()
        peer.feed(bytes(text))
        #expect(peer.failure?.kind == .badHandshake)
    }

    @Test(
        "RFC 6455 §4.1: any other status is a refusal with status, headers and body",
        arguments: [200, 301, 302, 307, 308, 400, 401, 403, 404, 426, 503])
    func refusals(status: Int) throws {
        try answer("HTTP/1.1 \(status) No\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nhello and more") {
            peer in
            let headers = [HTTPHeader("Location", "/x"), HTTPHeader("Content-Length", "5")]
            #expect(peer.refusal == Refusal(status: status, headers: headers, body: Array("hello".utf8)))
            #expect(peer.events.count == 1)
            #expect(peer.link.isOver)
        }
    }

    @Test("RFC 6455 §4.1: 204 has no body, and HTTP/1.0 may refuse")
    func bare() throws {
        try answer("HTTP/1.1 204 No Content\r\n\r\n") { #expect($0.refusal == Refusal(status: 204)) }
        try answer("HTTP/1.0 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") {
            #expect($0.refusal?.status == 502)
        }
    }

    @Test("RFC 6455 §4.1: interim answers are skipped, but not for ever")
    func interim() throws {
        let interim = "HTTP/1.1 102 Processing\r\n\r\n"
        try answer(String(repeating: interim, count: 8) + "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n") {
            #expect($0.refusal?.status == 404)
        }
        try answer(String(repeating: interim, count: 9)) { #expect($0.told == ["failed badHandshake -"]) }
    }

    @Test("RFC 6455 §4.1: bytes behind the blank line are the first frames, whole or half")
    func leftover() throws {
        for cut in 0...7 {
            let (peer, accept) = try Peer.client()
            let frame = Frame.text("Hello").bytes()
            peer.feed(Peer.switching(accept) + frame[..<cut])
            peer.feed(Array(frame[cut...]))
            #expect(peer.told == ["opened -", "text 48656c6c6f"])
        }
    }

    @Test("RFC 6455 §7.1.7: an end at any byte of the head is a lost connection, never a close")
    func ends() throws {
        let (_, accept) = try Peer.client()
        let head = Peer.switching(accept)
        for cut in 0...head.count {
            let (peer, _) = try Peer.client()
            peer.feed(Array(head[..<cut]))
            peer.end()
            #expect(peer.failure?.kind == .lost)
            #expect(peer.link.isOver)
            #expect(peer.events.filter { if case .closed = $0 { true } else { false } }.count == 1)
        }
    }

    @Test("RFC 6455 §7.1.7: a reset during the handshake is told as the transport says")
    func reset() throws {
        let (peer, _) = try Peer.client()
        peer.feed("HTTP")
        peer.reports = []
        peer.link.failed(LinkFailure(.lost, "Connection reset."), into: &peer.reports)
        #expect(peer.events == [.closed(.failed(LinkFailure(.lost, "Connection reset.")))])
        #expect(peer.link.isOver)
    }

    @Test("RFC 6455 §10.4: the limit is one for the whole handshake, whatever comes meanwhile")
    func slow() throws {
        let (peer, accept) = try Peer.client()
        for byte in Peer.switching(accept).prefix(9) {
            peer.advance(by: .seconds(1))
            peer.feed([byte])
            #expect(peer.events.isEmpty)
        }
        peer.advance(by: .seconds(1))
        #expect(peer.told == ["failed timedOut -"])
        #expect(peer.link.isOver)
        peer.advance(by: .seconds(1))
        #expect(peer.events.count == 1)
    }
}
