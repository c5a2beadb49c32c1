// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("What is said to a NATS server")
struct NATSCommandTests {
    @Test(
        "is spelled as its servers read it",
        arguments: [
            (.ping, "PING\r\n"), (.pong, "PONG\r\n"),
            (.connect(["verbose": false]), "CONNECT {\"verbose\":false}\r\n"),
            (.subscribe(subject: "a.>", sid: 7), "SUB a.> 7\r\n"),
            (.subscribe(subject: "a", group: "q", sid: 8), "SUB a q 8\r\n"),
            (.unsubscribe(sid: 9), "UNSUB 9\r\n"),
            (.publish(subject: "a", payload: Array("hi".utf8)), "PUB a 2\r\nhi\r\n"),
            (.publish(subject: "a", reply: "r", payload: []), "PUB a r 0\r\n\r\n"),
            (
                .publish(
                    subject: "a", reply: "r", head: Array("NATS/1.0\r\nb: c\r\n\r\n".utf8),
                    payload: Array("hi".utf8)),
                "HPUB a r 18 20\r\nNATS/1.0\r\nb: c\r\n\r\nhi\r\n"
            ),
            (.connect(["name": "a\r\nPUB x 0"]), "CONNECT {\"name\":\"a\\r\\nPUB x 0\"}\r\n"),
        ] as [(NATSCommand, String)])
    func spelled(command: NATSCommand, text: String) throws {
        var bytes = Array("+".utf8)
        try command.write(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "+" + text)
    }
}
