// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

/// A client's link that asks a proxy first.
struct ProxiedPeer {
    let peer: Peer
    let answer: String
    /// What it wrote to the proxy first.
    let opening: [UInt8]

    init(_ proxy: String, to url: String = "ws://host/chat", limits: LinkLimits = LinkLimits()) throws {
        let url = try WebSocketURL(url)
        let key = HandshakeKey(.seeded(1))
        let stage = ProxyStage(try ProxyServer(proxy), host: url.host, port: url.port, limits: limits)
        let link = Link(
            client: try UpgradeRequest(url), key: key, limits: limits, proxy: stage, isSecure: url.isSecure,
            deadline: Instant(nanoseconds: 0).advanced(by: .seconds(10)))
        peer = Peer(link)
        answer = key.answer
        opening = peer.output()
    }

    var reason: ProxyFailure? {
        if case .proxy(let reason)? = peer.failure?.kind { return reason }
        return nil
    }
}

@Suite("Link: proxying")
struct ProxyStageTests {
    private static let established = "HTTP/1.1 200 Connection established\r\n\r\n"

    @Test(
        "the upgrade is written once the proxy has agreed, and its bytes may come with the proxy's",
        arguments: [Int.max, 1])
    func plain(size: Int) throws {
        let proxied = try ProxiedPeer("http://proxy:3128")
        let peer = proxied.peer
        #expect(!peer.link.hasOutput)
        #expect(!peer.link.needs.isSecuring)
        peer.feed(Self.established, by: size)
        #expect(
            String(decoding: peer.output(), as: UTF8.self).hasPrefix("GET /chat HTTP/1.1\r\nHost: host\r\n"))
        peer.feed(Peer.switching(proxied.answer), by: size)
        #expect(peer.told == ["opened -"])
    }

    @Test("a tunnel for TLS is secured before anything else is written")
    func secure() throws {
        let peer = try ProxiedPeer("http://proxy:3128", to: "wss://host/chat").peer
        peer.feed(Self.established)
        #expect(peer.link.needs.isSecuring)
        #expect(!peer.link.hasOutput)
        peer.link.secured()
        #expect(String(decoding: peer.output(), as: UTF8.self).hasPrefix("GET /chat"))
    }

    @Test("bytes of the proxy's before TLS has begun are none of the server's")
    func talkative() throws {
        let proxied = try ProxiedPeer("http://proxy:3128", to: "wss://host/chat")
        proxied.peer.feed(Self.established + "x")
        #expect(proxied.reason == .malformed)
        #expect(proxied.peer.link.isOver)
        let early = try ProxiedPeer("socks5://u:p@proxy", to: "wss://host/chat")
        early.peer.feed([5, 2, 1, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        #expect(early.reason == .malformed)
    }

    @Test(
        "silence, an end, a reset and our own close each end the link once",
        arguments: ["http://p", "socks5://p"])
    func ends(proxy: String) throws {
        let silent = try ProxiedPeer(proxy)
        silent.peer.advance(by: .milliseconds(9_999))
        #expect(!silent.peer.link.isOver)
        silent.peer.advance(by: .milliseconds(1))
        #expect(silent.reason == .silent)
        let ended = try ProxiedPeer(proxy)
        ended.peer.end()
        #expect(ended.reason == .ended)
        let reset = try ProxiedPeer(proxy)
        reset.peer.link.failed(LinkFailure(.lost, "reset"), into: &reset.peer.reports)
        #expect(reset.reason == .ended)
        let closed = try ProxiedPeer(proxy)
        #expect(closed.peer.close())
        #expect(closed.peer.failure?.kind == .lost)
        for proxied in [silent, ended, reset, closed] {
            #expect(proxied.peer.failure?.message.hasSuffix(".") == true)
            #expect(proxied.peer.link.isOver)
            #expect(!proxied.peer.link.hasOutput)
            proxied.peer.feed(Self.established)
            #expect(proxied.peer.events.count == 1)
        }
    }

    @Test("garbage ends the link and never traps", arguments: ["http://u:p@proxy", "socks5://u:p@proxy"])
    func garbage(proxy: String) throws {
        var random = Generator(seed: 11)
        for _ in 0..<2_000 {
            let proxied = try ProxiedPeer(proxy)
            var bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Half of them begin well.
            if Bool.random(using: &random) { bytes = [5, 2, 1, 0, 5, 0, 0] + bytes }
            proxied.peer.feed(bytes, by: Int.random(in: 1...8, using: &random))
            proxied.peer.end()
            #expect(proxied.peer.link.isOver)
            #expect(proxied.peer.events.count == 1)
            #expect(!proxied.peer.isOpened)
        }
    }
}
