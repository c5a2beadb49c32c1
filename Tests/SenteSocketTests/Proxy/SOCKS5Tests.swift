// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("SOCKS 5")
struct SOCKS5Tests {
    @Test(
        "names go to the proxy as they are, addresses as addresses",
        arguments: [
            ("ws://host/", "03 04 686f7374 0050"), ("wss://a.test:8443/", "03 06 612e74657374 20fb"),
            ("ws://10.1.2.3:65535/", "01 0a010203 ffff"),
            ("wss://[2001:db8::1]/", "04 20010db8 00000000 00000000 00000001 01bb"),
        ])
    func request(url: String, address: String) throws {
        let proxied = try ProxiedPeer("socks5://p", to: url)
        #expect(proxied.opening == [5, 1, 0])
        proxied.peer.feed([5, 0])
        #expect(proxied.peer.output() == [5, 1, 0] + bytes(address))
    }

    @Test("a login is offered beside none, and sent when the proxy wants it")
    func login() throws {
        let proxied = try ProxiedPeer("socks5://user:pass@p")
        #expect(proxied.opening == [5, 2, 0, 2])
        let other = proxied.peer.copy()
        proxied.peer.feed([5, 2])
        #expect(proxied.peer.output() == [1, 4] + Array("user".utf8) + [4] + Array("pass".utf8))
        proxied.peer.feed([1, 0])
        #expect(proxied.peer.output().starts(with: [5, 1, 0, 3]))
        other.feed([5, 0])
        #expect(other.output().starts(with: [5, 1, 0, 3]))
    }

    @Test(
        "the answer ends where its address does, and what follows is the server's",
        arguments: [
            "01 01020304 0009", "03 00 0009", "03 05 70726f7879 0009",
            "04 07070707 07070707 07070707 07070707 0009",
        ])
    func through(address: String) throws {
        for size in [Int.max, 1] {
            let proxied = try ProxiedPeer("socks5://u:p@p")
            let peer = proxied.peer
            peer.feed([5, 2], by: size)
            peer.feed([1, 0], by: size)
            _ = peer.output()
            peer.feed([5, 0, 0] + bytes(address) + Peer.switching(proxied.answer), by: size)
            #expect(peer.told == ["opened -"])
        }
    }

    @Test("each reply code has its own words")
    func replies() throws {
        var words: Set<String> = []
        for reply in UInt8(1)...9 {
            let proxied = try ProxiedPeer("socks5://p")
            proxied.peer.feed([5, 0])
            // Some send no address with a refusal.
            proxied.peer.feed([5, reply])
            #expect(proxied.reason == .reply(reply))
            #expect(proxied.peer.link.isOver)
            words.insert(proxied.peer.failure?.message ?? "")
        }
        #expect(words.count == 9)
        #expect(words.allSatisfy { $0.hasPrefix("The proxy socks5://p:1080 ") })
    }

    @Test(
        "refused logins and methods are told apart",
        arguments: [
            ("socks5://p", [5, 0xFF], ProxyFailure.noAcceptableMethod, "user:password"),
            ("socks5://u:p@p", [5, 0xFF], .noAcceptableMethod, "neither"),
            ("socks5://u:p@p", [5, 2, 1, 1], .credentialsRefused, "check them"),
            ("socks5://u:p@p", [5, 2, 1, 0xFF], .credentialsRefused, "check them"),
        ] as [(String, [UInt8], ProxyFailure, String)])
    func login(proxy: String, answer: [UInt8], reason: ProxyFailure, words: String) throws {
        for size in [Int.max, 1] {
            let proxied = try ProxiedPeer(proxy)
            proxied.peer.feed(answer, by: size)
            #expect(proxied.reason == reason)
            #expect(proxied.peer.failure?.message.contains(words) == true)
        }
    }

    @Test(
        "what is no SOCKS 5 is malformed",
        arguments: [
            ("socks5://p", [4]), ("socks5://p", Array("HTTP/1.1 400 Bad Request\r\n".utf8)),
            ("socks5://p", [5, 1]),
            ("socks5://p", [5, 2]), ("socks5://u:p@p", [5, 2, 5, 0]), ("socks5://p", [5, 0, 4, 0]),
            ("socks5://p", [5, 0, 5, 0, 0, 2, 0]),
        ] as [(String, [UInt8])])
    func malformed(proxy: String, answer: [UInt8]) throws {
        for size in [Int.max, 1] {
            let proxied = try ProxiedPeer(proxy)
            proxied.peer.feed(answer, by: size)
            #expect(proxied.reason == .malformed)
        }
    }
}
