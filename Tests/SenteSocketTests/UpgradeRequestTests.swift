// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSocket
import Testing

@Suite("Upgrade request")
struct UpgradeRequestTests {
    private func request(_ url: String, headers: [HTTPHeader] = [], subprotocols: [String] = []) throws
        -> [String]
    {
        let request = try UpgradeRequest(WebSocketURL(url), headers: headers, subprotocols: subprotocols)
        let key = try #require(HandshakeKey("dGhlIHNhbXBsZSBub25jZQ=="))
        let peer = Peer(Link(client: request, key: key, deadline: .distantFuture))
        let text = String(decoding: peer.output(), as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\n"))
        return text.split(separator: "\r\n").map(String.init)
    }

    @Test("RFC 6455 §4.1: the request has each field once, the user's after them")
    func whole() throws {
        let lines = try request(
            "ws://[::1]:9000?x=1", headers: [HTTPHeader("Cookie", "a=b"), HTTPHeader("X-Empty", "")],
            subprotocols: ["v2", "v1"])
        #expect(
            lines == [
                "GET /?x=1 HTTP/1.1", "Host: [::1]:9000", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Protocol: v2, v1", "Cookie: a=b", "X-Empty: ",
            ])
    }

    @Test("without subprotocols there is no such field")
    func plain() throws {
        #expect(try request("wss://h").allSatisfy { !$0.hasPrefix("Sec-WebSocket-Protocol") })
    }

    @Test(
        "RFC 6455 §4.1: subprotocols are distinct tokens",
        arguments: [
            ([""], UpgradeRequestError.subprotocolNotToken("")), (["a b"], .subprotocolNotToken("a b")),
            (["a,b"], .subprotocolNotToken("a,b")), (["a", "b", "a"], .subprotocolTwice("a")),
            (["a\r\nX: y"], .subprotocolNotToken("a\r\nX: y")), (["ü"], .subprotocolNotToken("ü")),
        ])
    func subprotocols(names: [String], error: UpgradeRequestError) {
        #expect(throws: error) { try request("ws://h", subprotocols: names) }
        #expect(error.description.hasSuffix("."))
    }

    @Test(
        "RFC 9110 §5.5: headers cannot inject lines nor replace the handshake's own",
        arguments: [
            (HTTPHeader("X", "a\r\nY: b"), UpgradeRequestError.headerValueInvalid("X")),
            (HTTPHeader("X", "a\n"), .headerValueInvalid("X")),
            (HTTPHeader("X", "a\u{0}"), .headerValueInvalid("X")),
            (HTTPHeader("X", "\u{7F}"), .headerValueInvalid("X")),
            (HTTPHeader("", "a"), .headerNameNotToken("")),
            (HTTPHeader("X Y", "a"), .headerNameNotToken("X Y")),
            (HTTPHeader("X:", "a"), .headerNameNotToken("X:")),
            (HTTPHeader("X\r\nY", "a"), .headerNameNotToken("X\r\nY")),
            (HTTPHeader("host", "a"), .headerReserved("host")),
            (HTTPHeader("UPGRADE", "a"), .headerReserved("UPGRADE")),
            (HTTPHeader("connection", "a"), .headerReserved("connection")),
            (HTTPHeader("sec-websocket-key", "a"), .headerReserved("sec-websocket-key")),
            (HTTPHeader("Sec-WebSocket-Anything", "a"), .headerReserved("Sec-WebSocket-Anything")),
            (HTTPHeader("Content-Length", "1"), .headerReserved("Content-Length")),
            (HTTPHeader("transfer-encoding", "a"), .headerReserved("transfer-encoding")),
        ])
    func headers(header: HTTPHeader, error: UpgradeRequestError) {
        #expect(throws: error) { try request("ws://h", headers: [header]) }
        #expect(error.description.hasSuffix("."))
    }
}
