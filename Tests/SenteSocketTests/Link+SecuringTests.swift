// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Link: securing")
struct LinkSecuringTests {
    private static func client() throws -> (peer: Peer, answer: String) {
        let url = try WebSocketURL("wss://host/chat")
        let key = HandshakeKey(.seeded(1))
        let deadline = Instant(nanoseconds: 0).advanced(by: .seconds(10))
        let request = try UpgradeRequest(url, headers: [], subprotocols: [])
        return (Peer(Link(client: request, key: key, isSecure: true, deadline: deadline)), key.answer)
    }

    private static func server() -> Peer {
        Peer(Link(server: LinkLimits(), isSecure: true, at: Instant(nanoseconds: 0)))
    }

    @Test(
        "RFC 6455 §4.1: no byte of HTTP is there before the filter has made its handshake, and all of it afterwards"
    )
    func client() throws {
        let (peer, answer) = try Self.client()
        #expect(peer.link.needs.isSecuring)
        #expect(!peer.link.needs.hasOutput)
        peer.link.secured()
        #expect(!peer.link.needs.isSecuring)
        #expect(String(decoding: peer.output(), as: UTF8.self).hasPrefix("GET /chat HTTP/1.1\r\n"))
        peer.link.secured()
        #expect(!peer.link.hasOutput)
        peer.feed(Peer.switching(answer))
        #expect(peer.told == ["opened -"])
    }

    @Test("a plain link has nothing to secure")
    func plain() throws {
        let (peer, _) = try Peer.client()
        #expect(!peer.link.needs.isSecuring)
        #expect(!Peer.server().link.needs.isSecuring)
    }

    @Test("a server waits for the filter before it reads the request")
    func server() {
        let peer = Self.server()
        #expect(peer.link.needs.isSecuring)
        peer.feed(Peer.request())
        #expect(peer.link.request == nil)
        peer.link.secured()
        peer.feed(Peer.request())
        #expect(peer.link.request != nil)
        #expect(peer.accept())
    }

    @Test("the opening limit covers the TLS handshake")
    func deadline() throws {
        for peer in [try Self.client().peer, Self.server()] {
            peer.advance(by: .milliseconds(9_999))
            #expect(!peer.link.isOver)
            peer.advance(by: .milliseconds(1))
            #expect(peer.told == ["failed timedOut -"])
            #expect(peer.link.isOver)
        }
    }

    @Test("an end, a fault of the filter and our own close each end the link once")
    func ends() throws {
        let ended = try Self.client().peer
        ended.end()
        #expect(ended.told == ["failed lost -"])
        let failed = try Self.client().peer
        failed.link.failed(LinkFailure(.tls(.untrusted), "no"), into: &failed.reports)
        #expect(failed.told == ["failed tls(SenteBase.TLSProblem.untrusted) -"])
        let closed = try Self.client().peer
        #expect(closed.close())
        #expect(closed.told == ["failed lost -"])
        for peer in [ended, failed, closed] {
            peer.link.secured()
            #expect(peer.link.isOver)
            #expect(!peer.link.hasOutput)
            #expect(peer.events.count == 1)
        }
    }
}
