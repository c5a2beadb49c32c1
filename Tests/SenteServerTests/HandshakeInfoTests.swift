// SPDX-License-Identifier: Apache-2.0

import SenteServer
import SenteSocket
import SenteWire
import Testing

@Suite("What a handshake says")
struct HandshakeInfoTests {
    @Test(
        "A query parameter is the last of its name, decoded",
        arguments: [
            ("/?a=1", "1"), ("/x?b=2&a=1", "1"), ("/?a=1&a=2", "2"), ("/?a=x%20y%C3%A9", "x yé"),
            ("/?a=x+y", "x y"),
            ("/?a", ""), ("/?a=", ""), ("/?a=1=2", "1=2"), ("/?%61=1", "1"), ("/?a=%", "%"), ("/?a=%4", "%4"),
            ("/?a=%zz", "%zz"), ("/?a=%+1", "% 1"), ("/?a=%-1", "%-1"), ("/", nil), ("/?", nil),
            ("/?b=1&&", nil),
        ] as [(String, String?)])
    func parameter(_ target: String, _ value: String?) {
        #expect(HTTPRequest(method: "GET", target: target).parameter("a") == value)
    }

    @Test("The target names the client")
    func handshake() {
        #expect(
            HandshakeInfo(target: "/chsk?client-id=c&udt=1", uid: 1, handshakeData: 2)
                == HandshakeInfo(clientID: "c", uid: 1, handshakeData: 2))
        #expect(HandshakeInfo(target: "/chsk") == HandshakeInfo())
    }
}
