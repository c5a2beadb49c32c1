// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("The headers of NATS")
struct NATSHeadTests {
    private static func head(_ text: String) -> NATSHead? { NATSHead(Array(text.utf8)) }

    @Test("names may repeat and keep their case, values are UTF-8, and what is written is read again")
    func roundTrip() throws {
        let fields: NamedValues = [
            "a": "1", "A": "2", "a": "水 : x", "X-Empty": "", "traceparent": "00-ab-cd-01",
        ]
        let bytes = try NATSHead(fields).encoded()
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "NATS/1.0\r\na: 1\r\nA: 2\r\na: 水 : x\r\nX-Empty: \r\ntraceparent: 00-ab-cd-01\r\n\r\n")
        let read = try #require(NATSHead(bytes))
        #expect(read.fields == fields && read.status == nil)
        #expect(read["TRACEPARENT"] == "00-ab-cd-01" && read["none"] == nil)
        #expect(try NATSHead().encoded().isEmpty)
    }

    @Test("a status stands in the first line, with or without its text")
    func status() {
        #expect(Self.head("NATS/1.0 503\r\n\r\n") == NATSHead(status: 503))
        #expect(Self.head("NATS/1.0 100 Idle Heartbeat\r\na:b\r\n\r\n") == NATSHead(["a": "b"], status: 100))
        #expect(Self.head("NATS/1.0\n\n") == NATSHead())
    }

    @Test(
        "what is no head is none",
        arguments: [
            "", "\r\n", "NATS/2.0\r\n\r\n", "NATS/1.05\r\n\r\n", "NATS/1.0 x\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
            "NATS/1.0\r\nno colon\r\n\r\n", "NATS/1.0\r\n: nameless\r\n\r\n",
            "NATS/1.0\r\na b: blank\r\n\r\n",
            "NATS/1.0\r\n folded: x\r\n\r\n",
        ])
    func malformed(text: String) {
        #expect(Self.head(text) == nil)
    }

    @Test("more fields than anybody needs are none")
    func many() {
        #expect(Self.head("NATS/1.0\r\n" + String(repeating: "a:b\r\n", count: 1_024) + "\r\n") != nil)
        #expect(Self.head("NATS/1.0\r\n" + String(repeating: "a:b\r\n", count: 1_025) + "\r\n") == nil)
    }

    @Test(
        "what would break a line is not written",
        arguments: [
            ("", "x"), ("a b", "x"), ("a:b", "x"), ("a\r\nPUB x 0", "x"), ("ä", "x"), ("a", "1\r\n2"),
            ("a", "1\n2"), ("a", "\u{0}"),
        ])
    func injection(name: String, value: String) {
        let error = #expect(throws: SenteError.self) { try NATSHead([name: value]).encoded() }
        #expect(error?.code == .invalidArgument)
    }
}
