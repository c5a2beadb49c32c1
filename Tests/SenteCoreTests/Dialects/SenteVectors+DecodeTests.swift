// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("Sente's vectors read")
struct SenteVectorsDecodeTests {
    private static let hello = Inbound.event(Event(id: "my/hello", data: 1))

    static let frames: [(String, [Inbound])] = [
        (
            #"[[:chsk/handshake ["cid-1" nil {:rig "sente"}]] nil]"#,
            [.greeting(Identity(uid: "cid-1", handshakeData: [.keyword("rig"): "sente"]))]
        ),
        (#"[[:chsk/handshake ["u" nil]]]"#, [.greeting(Identity(uid: "u"))]),
        (#"+[[:chsk/handshake ["u" "tok"]]]"#, [.greeting(Identity(uid: "u", csrfToken: "tok"))]),
        (#"-[:chsk/handshake ["u" nil]]"#, [.greeting(Identity(uid: "u"))]),
        (
            #"[[:chsk/handshake [:kw/user nil nil true]] nil]"#,
            [.greeting(Identity(uid: .keyword("kw/user")))]
        ),
        ("[[:chsk/handshake [[1 2] nil]] nil]", [.greeting(Identity(uid: [1, 2]))]),
        ("[[:chsk/handshake [:sente/nil-uid nil]] nil]", [.greeting(Identity())]),
        ("+[[:chsk/handshake [:taoensso.sente/nil-uid nil]]]", [.greeting(Identity())]),
        ("[[:chsk/handshake [nil nil]] nil]", [.greeting(Identity())]),
        ("[:chsk/ws-ping nil]", [.ping(stamp: nil)]),
        ("[:chsk/ws-ping]", [.ping(stamp: nil)]),
        ("+[:chsk/ws-ping]", [.ping(stamp: nil)]),
        ("[[[:my/hello 1]] nil]", [hello]),
        ("[[[:my/hello 1] [:my/hello 1] [:my/hello]] nil]", [hello, hello, .event(Event(id: "my/hello"))]),
        ("[[[:my/hello 1]]]", [hello]),
        ("+[[[:my/hello 1]]]", [hello]),
        ("-[[:my/hello 1]]", [hello]),
        ("[[] nil]", [.noise]),
        ("[([:my/hello 1]) nil]", [hello]),
        (#"["pong" "18bcfe5687b"]"#, [.pong(stamp: 1_700_000_000_123)]),
        (#"["pong" "000084"]"#, [.pong(stamp: 0x84)]),
    ]

    @Test("every kind of frame", arguments: frames)
    func decoding(_ frame: String, _ expected: [Inbound]) {
        let coder = SenteVectors(format: .edn)
        #expect(coder.hear(frame) == expected)
    }

    @Test(
        "the same in each format that Sente's packers have",
        arguments: frames.filter { $0.0.hasPrefix("[") },
        [WireFormat.transitJSON, .transitJSONVerbose, .senteMessagePack])
    func formats(_ frame: (String, [Inbound]), _ format: WireFormat) throws {
        let coder = SenteVectors(format: format)
        let bytes = try format.encode(try Vectors.edn(frame.0))
        let message = Message(format.isBinary ? .binary : .text, bytes)
        #expect(coder.decode(message, isCallback: Vectors.nobody) == frame.1)
    }

    @Test(
        "a reply by its callback id, whatever its value",
        arguments: [
            ("nil", .null), ("{:a 1}", [.keyword("a"): 1]), (":chsk/error", .keyword("chsk/error")),
            ("[[:my/hello 1]]", [[.keyword("my/hello"), 1]]), (#""pong""#, "pong"), ("[]", []),
        ] as [(String, Value)])
    func replies(_ text: String, _ value: Value) {
        let coder = SenteVectors(format: .edn)
        let heard = coder.hear(#"[\#(text) "00847f"]"#, Vectors.given("00847f"))
        #expect(heard == [.reply(.id(.event, "00847f"), .answered(value))])
    }

    @Test(
        "a reply that nobody waits for too, for who asked knows the session; a pong only where its id is a stamp",
        arguments: ["cb9", "0CB009", "0cb0090000000000000", "+cb009"])
    func unawaited(_ callback: String) {
        let coder = SenteVectors(format: .edn)
        let heard = coder.hear("[\"pong\" \"\(callback)\"]")
        #expect(heard == [.reply(.id(.event, WireName(callback)), .answered("pong"))])
    }

    @Test("in the order of Sente's own client: handshake and ping before replies")
    func order() {
        let coder = SenteVectors(format: .edn)
        let isCallback = Vectors.given("cb")
        #expect(coder.hear(#"[:chsk/ws-ping "cb"]"#, isCallback) == [.ping(stamp: nil)])
        #expect(
            coder.hear(#"[[:chsk/handshake ["u" nil]] "cb"]"#, isCallback) == [.greeting(Identity(uid: "u"))])
    }

    @Test(
        "what they do not understand, one by one, with the reason",
        arguments: [
            ("[1 2 3]", "one or two"), ("[]", "one or two"), ("nil", "one or two"), ("{}", "one or two"),
            ("[[] 5]", "callback id"), ("[[] :ajax]", "callback id"), ("[5 nil]", "no vector of events"),
            ("[nil nil]", "no vector of events"), ("[nil]", "no vector of events"),
            ("[[:chsk/handshake] nil]", "2, 3 or 4"), ("[[:chsk/handshake [1]] nil]", "2, 3 or 4"),
            ("[[[:chsk/recv 1]] nil]", ":chsk/recv"), ("[[[:plain 1]] nil]", "no namespace"),
            ("[[[\"s\"]] nil]", "no keyword"), ("[[5] nil]", "no vector"),
            ("[[[:a/b 1 2]] nil]", "3 elements"),
            ("this is ] not edn", "no edn"), ("", "no edn"), ("+", "no edn"), ("-5", "no vector of events"),
        ])
    func complaints(_ frame: String, _ reason: String) {
        let coder = SenteVectors(format: .edn)
        let heard = coder.hear(frame)
        #expect(heard.count == 1)
        #expect(heard.first?.complaint?.contains(reason) == true, "\(frame): \(heard)")
        #expect(heard.first?.complaint?.hasSuffix(".") == true)
    }

    @Test("a bad member of a batch, without losing the others")
    func badBatch() {
        let coder = SenteVectors(format: .edn)
        let heard = coder.hear("[[[:my/hello 1] [:plain 2] 5 [:chsk/state 1] [:my/hello 1]] nil]")
        #expect(heard.count == 5)
        #expect(heard[0] == Self.hello && heard[4] == Self.hello)
        #expect(heard[1...3].allSatisfy { $0.complaint != nil })
    }

    @Test("no message of the other kind than the format has")
    func kinds() {
        let text = SenteVectors(format: .edn)
        #expect(
            text.decode(.binary([1, 2]), isCallback: Vectors.nobody).first?.complaint?.contains("binary")
                == true)
        let binary = SenteVectors(format: .senteMessagePack)
        #expect(binary.hear("[]").first?.complaint?.contains("text") == true)
    }
}
