// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// A frame, what the server answers, and what its user is told.
struct SenteRow: CustomTestStringConvertible, Sendable {
    var name: String
    var version = SenteSettings.Version.current
    var frame: String
    var effects: [String]

    var testDescription: String { "\(name), \(version.rawValue)" }
}

private let rows: [SenteRow] = [
    SenteRow(name: "an event", frame: "[[:a/b 1] nil]", effects: [#"1 tell [:a/b 1] as "u""#]),
    SenteRow(name: "an event alone", frame: "[[:a/b 1]]", effects: [#"1 tell [:a/b 1] as "u""#]),
    SenteRow(name: "an event without data", frame: "[[:a/b] nil]", effects: [#"1 tell [:a/b] as "u""#]),
    SenteRow(
        name: "an event with a callback", frame: #"[[:a/b 1] "cb"]"#,
        effects: [#"1 tell [:a/b 1] "cb" as "u""#]),
    SenteRow(name: "a list", frame: "([:a/b 1] nil)", effects: [#"1 tell [:a/b 1] as "u""#]),
    SenteRow(
        name: "an id without namespace", frame: #"[[:plain 1] "cb"]"#,
        effects: [#"1 tell [:chsk/bad-event [:plain 1]] "cb" as "u""#]),
    SenteRow(name: "nil", frame: #"[nil "cb"]"#, effects: [#"1 tell [:chsk/bad-event nil] "cb" as "u""#]),
    SenteRow(name: "nothing", frame: "[]", effects: [#"1 tell [:chsk/bad-event nil] as "u""#]),
    SenteRow(
        name: "an event of three", frame: "[[:a/b 1 2] nil]",
        effects: [#"1 tell [:chsk/bad-event [:a/b 1 2]] as "u""#]),
    SenteRow(
        name: "an event unwrapped", frame: "[:a/b 1]", effects: [#"1 tell [:chsk/bad-event :a/b] 1 as "u""#]),
    SenteRow(
        name: "a text for an id", frame: #"[["a/b"] nil]"#,
        effects: [#"1 tell [:chsk/bad-event ["a/b"]] as "u""#]),
    SenteRow(
        name: "a ping with a callback", frame: #"[[:chsk/ws-ping] "cb"]"#,
        effects: [#"1 < ["pong" "cb"]"#, #"1 tell [:chsk/ws-ping] as "u""#]),
    SenteRow(
        name: "a ping without", frame: "[[:chsk/ws-ping] nil]", effects: [#"1 tell [:chsk/ws-ping] as "u""#]),
    SenteRow(
        name: "a ping with data, which is an event", frame: #"[[:chsk/ws-ping nil] "cb"]"#,
        effects: [#"1 tell [:chsk/ws-ping nil] "cb" as "u""#]),
    SenteRow(name: "a pong", frame: "[[:chsk/ws-pong] nil]", effects: [#"1 tell [:chsk/ws-pong] as "u""#]),
    SenteRow(name: "no EDN", frame: "this is ] not edn", effects: []),
    SenteRow(name: "nothing at all", frame: "", effects: []),
    SenteRow(name: "a map", frame: "{:type :ping}", effects: []),
    SenteRow(name: "a prefix", frame: "+[[:a/b 1]]", effects: []),
    SenteRow(
        name: "a ping", version: .short, frame: #"[[:chsk/ws-ping] "cb"]"#,
        effects: [#"1 < ["pong" "cb"]"#, #"1 tell [:chsk/ws-ping] as "u""#]),
    SenteRow(
        name: "a wrapped event", version: .short, frame: #"+[[:a/b 1] "cb"]"#,
        effects: [#"1 tell [:a/b 1] "cb" as "u""#]),
    SenteRow(
        name: "a bare event", version: .short, frame: "-[:a/b 1]", effects: [#"1 tell [:a/b 1] as "u""#]),
    SenteRow(
        name: "an event without prefix", version: .prefixed, frame: "[[:a/b 1] nil]",
        effects: [#"1 tell [:a/b 1] as "u""#]),
    SenteRow(
        name: "a wrapped event", version: .prefixed, frame: "+[[:a/b 1]]",
        effects: [#"1 tell [:a/b 1] as "u""#]),
    SenteRow(
        name: "a ping, which is never answered", version: .prefixed, frame: #"[[:chsk/ws-ping] "cb"]"#,
        effects: [#"1 tell [:chsk/ws-ping] as "u""#]),
]

@Suite("The dialect of Sente")
struct SenteDialectTests {
    private func server(_ version: SenteSettings.Version, hasHook: Bool = true) -> TestServerSession {
        TestServerSession(.sente) {
            $0.sente = SenteSettings(version)
            $0.sente.keepAlive = nil
            $0.hasHook = hasHook
        }
    }

    @Test("Every row of the protocol's table has exactly its effects", arguments: rows)
    func table(_ row: SenteRow) {
        var server = server(row.version)
        server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        #expect(server.receive(from: 1, row.frame) == row.effects)
        #expect(server.session.counters.unreadableMessages == (row.effects.isEmpty ? 1 : 0))
    }

    @Test(
        "The greeting, a push, a reply and a ping look as each release writes them",
        arguments: [
            (
                .current,
                [
                    #"1 < [[:chsk/handshake ["u" nil nil]] nil]"#, "1 < [[[:a/b 1]] nil]", #"1 < [nil "cb"]"#,
                    "1 < [:chsk/ws-ping nil]",
                ]
            ),
            (
                .short,
                [
                    #"1 < [[:chsk/handshake ["u" nil]]]"#, "1 < [[[:a/b 1]]]", #"1 < [nil "cb"]"#,
                    "1 < [:chsk/ws-ping]",
                ]
            ),
            (
                .prefixed,
                [
                    #"1 < +[[:chsk/handshake ["u" nil]]]"#, "1 < +[[[:a/b 1]]]", #"1 < +[nil "cb"]"#,
                    "1 < +[:chsk/ws-ping]",
                ]
            ),
        ] as [(SenteSettings.Version, [String])])
    func written(_ version: SenteSettings.Version, _ expected: [String]) {
        var server = TestServerSession(.sente) {
            $0.sente = SenteSettings(version)
            $0.sente.keepAlive = .seconds(1)
        }
        var seen = server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        server.command(.push([.keyword("a/b"), 1], uid: "u", flushes: false))
        seen += server.advance(by: .milliseconds(30))
        seen += server.receive(from: 1, #"[[:a/b] "cb"]"#)
        seen += server.advance(by: .seconds(2))
        #expect(seen == expected)
    }

    @Test("The greeting carries the app's data, and names nobody by a keyword that changed")
    func greetings() {
        var current = server(.current, hasHook: false)
        #expect(
            current.connect(1, HandshakeInfo(clientID: "c", handshakeData: [.keyword("a"): 1]))
                == ["1 < [[:chsk/handshake [:sente/nil-uid nil {:a 1}]] nil]"])
        var old = server(.prefixed, hasHook: false)
        #expect(
            old.connect(1, HandshakeInfo(clientID: "c", handshakeData: 7))
                == ["1 < +[[:chsk/handshake [:taoensso.sente/nil-uid nil 7]]]"])
    }

    @Test(
        "Without anybody who serves events a callback gets its data back, and an event without one comes back"
    )
    func echo() {
        var server = server(.current, hasHook: false)
        server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        #expect(server.receive(from: 1, #"[[:a/b {:x 1}] "cb"]"#) == [#"1 < [{:x 1} "cb"]"#])
        #expect(server.receive(from: 1, #"[[:a/b] "cb"]"#) == [#"1 < [nil "cb"]"#])
        #expect(server.receive(from: 1, "[[:a/b 1] nil]") == [])
        #expect(server.advance(by: .milliseconds(30)) == ["1 < [[[:a/b 1]] nil]"])
        #expect(server.receive(from: 1, #"[[:plain 1] "cb"]"#) == [])
    }

    @Test("A binary packer reads binary messages only, a text packer text only")
    func kinds() throws {
        let event: Value = [[.keyword("a/b"), 1], "cb"]
        for format in [
            WireFormat.senteMessagePack, .transitMessagePack, .edn, .transitJSON, .transitJSONVerbose,
        ] {
            var server = TestServerSession(.sente) { $0.format = format }
            server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
            let bytes = try format.encode(event)
            let answer = try format.encode([1, "cb"])
            let kind: Message.Kind = format.isBinary ? .binary : .text
            #expect(
                server.effects(of: .received(ConnectionID(1), Message(kind, bytes)))
                    == [.send(ConnectionID(1), Message(kind, answer))])
            #expect(
                server.effects(
                    of: .received(ConnectionID(1), Message(format.isBinary ? .text : .binary, bytes))) == [])
        }
    }

    @Test("Any message to one connection goes as it is")
    func raw() {
        var server = server(.current)
        server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        #expect(server.command(.send([1, 2, 3], to: ConnectionID(1))) == ["1 < [1 2 3]"])
    }
}
