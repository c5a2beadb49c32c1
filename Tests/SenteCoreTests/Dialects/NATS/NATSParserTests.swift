// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("The parser of NATS")
struct NATSParserTests {
    private static func message(
        _ subject: String, _ sid: UInt64?, reply: String? = nil, head: String = "", _ payload: String = ""
    ) -> NATSOperation {
        .message(
            NATSMessage(
                subject: subject, sid: sid, reply: reply, head: Array(head.utf8), payload: Array(payload.utf8)
            ))
    }

    static let understood: [(String, [NATSOperation])] = [
        ("MSG a 1 2\r\nhi\r\n", [message("a", 1, "hi")]),
        ("MSG a.b 17 _INBOX.x.1 2\r\nhi\r\n", [message("a.b", 17, reply: "_INBOX.x.1", "hi")]),
        ("MSG a 1 0\r\n\r\n", [message("a", 1)]),
        ("MSG a 1 4\r\n\r\n\r\n\r\n", [message("a", 1, "\r\n\r\n")]),
        ("MSG 水 1 3\r\n水\r\n", [message("水", 1, "水")]),
        ("MSG a theirs 1\r\nx\r\n", [message("a", nil, "x")]),
        (
            "HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            [message("a", 1, head: "NATS/1.0\r\n\r\n", "hi")]
        ),
        (
            "HMSG a 1 r 16 16\r\nNATS/1.0 503\r\n\r\n\r\n",
            [message("a", 1, reply: "r", head: "NATS/1.0 503\r\n\r\n")]
        ),
        ("PING\r\nPONG\r\n+OK\r\n", [.ping, .pong, .ok]),
        ("-ERR 'Stale Connection'\r\n", [.fault(.fatal("Stale Connection"))]),
        // Servers take any case, several blanks and bare line feeds, and what is taken may be said.
        ("ping\nPong  \n msg\ta   1 2\nhi\npInG \r\n", [.ping, .pong, message("a", 1, "hi"), .ping]),
    ]

    @Test("understands every operation, wherever it is cut", arguments: understood)
    func understands(text: String, operations: [NATSOperation]) throws {
        for size in [Int.max, 1, 2, 3, 5] {
            #expect(try NATSParser.operations(text, by: size) == operations)
        }
    }

    static let malformed = [
        "\r\n", "\n", " \r\n", "HELLO\r\n", "MESSAGE a 1 0\r\n", "PONGS\r\n", "MSG\r\n", "MSG a\r\n",
        "MSG a 1\r\n",
        "MSG a 1 -1\r\n", "MSG a 1 x\r\n", "MSG a 1 1x\r\n", "MSG a 1 r 2 3\r\n",
        "MSG a 1 99999999999999999999\r\n",
        "MSG a 1 999999999999999999\r\n", "MSG a 1 1179648\r\n", "HMSG a 1 2\r\n", "HMSG a 1 3 2\r\n",
        "HMSG a 1 r x 2\r\n",
        "HMSG a 1 r 1 2 3\r\n", "MSG a 1 2\r\nhiya\r\n", "MSG a 1 2\r\nhi\r\r\n", "MSG a 1 2\r\nhi MSG",
        "INFO\r\n",
        "INFO {\r\n", "INFO []\r\n", "INFO 7\r\n", "INFO {\"a\":}\r\n", "\u{0}\r\n", "GET / HTTP/1.1\r\n",
        "{\"type\":\"welcome\"}\r\n", "+NO\r\n", "-ERRR\r\n",
    ]

    @Test(
        "refuses every malformed line with a sentence, and hands on what came before it", arguments: malformed
    )
    func refuses(text: String) {
        for size in [Int.max, 1, 3] {
            var parser = NATSParser(keeps: 1 << 20)
            var operations: [NATSOperation] = []
            var rest = Array("PING\r\n\(text)".utf8)[...]
            let violation = #expect(throws: NATSViolation.self) {
                while !rest.isEmpty {
                    try parser.parse(Array(rest.prefix(size)), into: &operations)
                    rest = rest.dropFirst(size)
                }
            }
            #expect(operations == [.ping])
            #expect(violation?.message.hasPrefix("The server broke the NATS protocol: ") == true)
            #expect(violation?.message.hasSuffix(".") == true)
        }
    }

    @Test(
        "keeps no more than a line of an operation without end",
        arguments: [("MSG ", 4_096), ("x", 4_096), ("INFO {", 65_536), ("-ERR '", 4_096)])
    func endless(start: String, limit: Int) throws {
        var parser = NATSParser(keeps: 1 << 20)
        var operations: [NATSOperation] = []
        try parser.parse(Array(start.utf8), into: &operations)
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 512)
        var count = start.utf8.count
        let violation = #expect(throws: NATSViolation.self) {
            while count < 1 << 20 {
                try parser.parse(piece, into: &operations)
                count += piece.count
            }
        }
        #expect((limit - 512...limit).contains(count))
        #expect(violation?.message.contains("longer than \(limit) bytes") == true)
        #expect(parser.heldBytes <= 2 * limit)
        // At once is no better.
        #expect(throws: NATSViolation.self) {
            try NATSParser.operations(start + String(repeating: "a", count: 1 << 20) + "\r\n")
        }
    }

    @Test("takes no memory for bytes that are announced and do not come")
    func lyingCount() throws {
        var parser = NATSParser(keeps: 1 << 20)
        var operations: [NATSOperation] = []
        try parser.parse(Array("MSG a 1 1048576\r\nabc".utf8), into: &operations)
        #expect(operations.isEmpty && parser.heldBytes < 64)
    }

    @Test("passes over a message larger than is kept, wherever it is cut, and goes on behind it")
    func oversized() throws {
        let large = String(repeating: "x", count: 1_001)
        let text = "MSG a 1 1000\r\n\(large.dropLast())\r\nMSG b 2 r 1001\r\n\(large)\r\nPING\r\n"
        for size in [Int.max, 1, 7, 999] {
            let operations = try NATSParser.operations(Array(text.utf8), by: size, keeps: 1_000)
            #expect(
                operations == [
                    Self.message("a", 1, String(large.dropLast())), .oversized(subject: "b", size: 1_001),
                    .ping,
                ])
        }
        var parser = NATSParser(keeps: 1_000)
        var operations: [NATSOperation] = []
        try parser.parse(Array("MSG b 2 1000000\r\n".utf8), into: &operations)
        for _ in 0..<900 { try parser.parse([UInt8](repeating: 1, count: 1_000), into: &operations) }
        #expect(parser.heldBytes == 0 && operations.isEmpty)
    }

    @Test("a server that carries more may send more, and one that says nonsense no more than is usual")
    func maximumPayload() throws {
        let large = "MSG a 1 1200000\r\n"
        _ = try NATSParser.operations("INFO {\"max_payload\":8388608}\r\n\(large)")
        for said in ["0", "-1", "null", "\"9999999\"", "1e99"] {
            #expect(throws: NATSViolation.self) {
                try NATSParser.operations("INFO {\"max_payload\":\(said)}\r\n\(large)")
            }
        }
        _ = try NATSParser.operations(
            "INFO {\"max_payload\":9223372036854775807}\r\nMSG a 1 999999999999999999\r\n")
    }

    @Test("a million addresses are more than an INFO has, and of those that it has 256 are kept")
    func endpoints() throws {
        func info(_ count: Int) -> String {
            let addresses = (0..<count).map { "\"10.0.0.\($0 % 250):\($0 % 60_000)\"" }.joined(separator: ",")
            return "INFO {\"connect_urls\":[\(addresses)]}\r\n"
        }
        guard case .info(let some)? = try NATSParser.operations(info(2_000)).first else {
            return #expect(Bool(false), "no INFO")
        }
        #expect(some.endpoints.count == 256 && some.endpoints.first == "10.0.0.0:0")
        #expect(throws: NATSViolation.self) { try NATSParser.operations(info(1_000_000)) }
    }

    @Test("garbage never traps it", arguments: 0..<8)
    func garbage(seed: Int) {
        var random = Generator(seed: UInt64(seed))
        let words = [
            "MSG a 1 3\r\nabc\r\n", "HMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n", "PING\r\n", "-ERR 'x'\r\n",
            "INFO {}\r\n",
        ]
        var understood = 0
        for _ in 0..<2_000 {
            var bytes = (0..<4).flatMap { _ in Array(words[Int.random(in: 0..<5, using: &random)].utf8) }
            for _ in 0..<Int.random(in: 0..<3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if let operations = try? NATSParser.operations(bytes, by: Int.random(in: 1...20, using: &random))
            {
                understood += operations.count
            }
        }
        #expect(understood > 1_000)
    }
}
