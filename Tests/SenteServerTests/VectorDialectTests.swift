// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

/// The table of sente-lite's vectors: connection 1 sends the frame, connections 2 and 3 are there as well.
private let rows: [Row] = [
    Row(name: "a ping", frame: "[:chsk/ws-ping]", answers: ["1 < [:chsk/ws-pong]"]),
    Row(name: "a ping with data", frame: "[:chsk/ws-ping nil]", answers: ["1 < [:chsk/ws-pong]"]),
    Row(name: "a ping with a callback", frame: #"[[:chsk/ws-ping] "cb"]"#, answers: ["1 < [:chsk/ws-pong]"]),
    Row(name: "a pong", frame: "[:chsk/ws-pong]", answers: []),
    Row(name: "a handshake", frame: #"[:chsk/handshake ["x"]]"#, answers: []),
    Row(
        name: "subscribe", frame: #"[:sente-lite/subscribe {:channel-id "room"}]"#,
        answers: [#"1 < [:sente-lite/subscribed {:channel-id "room", :success true}]"#]),
    Row(
        name: "subscribe to a channel whose id is a keyword",
        frame: "[:sente-lite/subscribe {:channel-id :kw/chan}]",
        answers: ["1 < [:sente-lite/subscribed {:channel-id :kw/chan, :success true}]"]),
    Row(
        name: "subscribe without a map", frame: "[:sente-lite/subscribe 7]",
        answers: ["1 < [:sente-lite/subscribed {:channel-id nil, :success true}]"]),
    Row(
        name: "subscribe to a full channel",
        setUp: [
            (2, #"[:sente-lite/subscribe {:channel-id "room"}]"#),
            (3, #"[:sente-lite/subscribe {:channel-id "room"}]"#),
        ],
        frame: #"[:sente-lite/subscribe {:channel-id "room"}]"#,
        answers: [
            #"1 < [:sente-lite/subscribed {:channel-id "room", :success false, :error :max-subscribers-reached}]"#
        ]),
    Row(
        name: "subscribe to more than a connection may",
        setUp: [
            (1, #"[:sente-lite/subscribe {:channel-id "a"}]"#),
            (1, #"[:sente-lite/subscribe {:channel-id "b"}]"#),
            (1, #"[:sente-lite/subscribe {:channel-id "c"}]"#),
        ],
        frame: #"[:sente-lite/subscribe {:channel-id "d"}]"#,
        answers: [
            #"1 < [:sente-lite/subscribed {:channel-id "d", :success false, :error :max-subscriptions-per-conn}]"#
        ]),
    Row(
        name: "unsubscribe has the answer of subscribing",
        setUp: [(1, #"[:sente-lite/subscribe {:channel-id "room"}]"#)],
        frame: #"[:sente-lite/unsubscribe {:channel-id "room"}]"#,
        answers: [#"1 < [:sente-lite/subscribed {:channel-id "room", :success true}]"#]),
    Row(
        name: "unsubscribe by who is not subscribed",
        setUp: [(2, #"[:sente-lite/subscribe {:channel-id "room"}]"#)],
        frame: #"[:sente-lite/unsubscribe {:channel-id "room"}]"#,
        answers: [#"1 < [:sente-lite/subscribed {:channel-id "room", :success true}]"#]),
    Row(
        name: "unsubscribe from an unknown channel",
        frame: #"[:sente-lite/unsubscribe {:channel-id "room"}]"#,
        answers: [#"1 < [:sente-lite/subscribed {:channel-id "room", :success nil, :error :not-subscribed}]"#]
    ),
    Row(
        name: "publish has no answer and comes to the publisher too, whatever the flag says",
        setUp: [
            (1, #"[:sente-lite/subscribe {:channel-id "room"}]"#),
            (2, #"[:sente-lite/subscribe {:channel-id "room"}]"#),
        ],
        frame: #"[:sente-lite/publish {:channel-id "room" :data {:m 1} :exclude-sender? true}]"#,
        answers: [
            #"1 < [:sente-lite/channel-msg {:channel-id "room", :data {:m 1}, :from "<c1>"}]"#,
            #"2 < [:sente-lite/channel-msg {:channel-id "room", :data {:m 1}, :from "<c1>"}]"#,
        ]),
    Row(
        name: "publish of nothing", setUp: [(2, #"[:sente-lite/subscribe {:channel-id "room"}]"#)],
        frame: #"[:sente-lite/publish {:channel-id "room"}]"#,
        answers: [#"2 < [:sente-lite/channel-msg {:channel-id "room", :data nil, :from "<c1>"}]"#]),
    Row(
        name: "publish of what is no map", setUp: [(1, #"[:sente-lite/subscribe {:channel-id "room"}]"#)],
        frame: #"[:sente-lite/publish {:channel-id "room" :data [1 2]}]"#, answers: []),
    Row(
        name: "publish to an unknown channel", frame: #"[:sente-lite/publish {:channel-id "no" :data {}}]"#,
        answers: []),
    Row(
        name: "any other event", frame: #"[:test/ev {:a 1, "s" "é"}]"#,
        answers: [
            #"1 < [:sente-lite/echo {:original-event-id :test/ev, :original-data {:a 1, "s" "é"}, :conn-id "<c1>", :timestamp 1000}]"#
        ]),
    Row(
        name: "an event without data, and one with too much", setUp: [(1, "[:test/ev]")],
        frame: "[:test/ev 1 2]",
        answers: [
            #"1 < [:sente-lite/echo {:original-event-id :test/ev, :original-data 1, :conn-id "<c1>", :timestamp 1000}]"#
        ]),
    Row(
        name: "an event with a callback, which is forgotten", frame: #"[[:test/ev 1] "cb"]"#,
        answers: [
            #"1 < [:sente-lite/echo {:original-event-id :test/ev, :original-data 1, :conn-id "<c1>", :timestamp 1000}]"#
        ]),
]

@Suite("The dialect of sente-lite's vectors")
struct VectorDialectTests {
    private func server(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> TestServerSession {
        var server = TestServerSession(.vectors) {
            $0.channelDefaults.maximumSubscribers = 2
            $0.tables.subscriptionsPerConnection = 3
            $0.csrfToken = "token"
            change(&$0)
        }
        for number in 1...3 as ClosedRange<UInt64> { server.connect(number) }
        return server
    }

    @Test("Every row of the protocol's table is answered exactly", arguments: rows)
    func table(_ row: Row) {
        var server = server()
        for (number, frame) in row.setUp { server.receive(from: number, frame) }
        #expect(server.receive(from: 1, row.frame) == row.answers)
    }

    @Test(
        "What sente-lite drops is dropped without a word, and counted",
        arguments: [
            "[[:test/ev 1]]", "[[:test/ev 1] nil]", "[[:a/b 1] [:c/d 2]]", "[:plain 1]", #"["test/ev" 1]"#,
            "[]",
            " [:test/ev 1]", "{:type :ping}", #"{"type":"ping"}"#, "[broken", "", "   ", "nil", "7",
            "(:test/ev 1)",
            #"[[:plain 1] "cb"]"#, #"[[] "cb"]"#, "[:test/ev 1] 2",
        ])
    func dropped(_ frame: String) {
        var server = server()
        #expect(server.receive(from: 1, frame) == [])
        #expect(server.session.counters.unreadableMessages == 1)
    }

    @Test("A binary message is dropped")
    func binary() {
        var server = server()
        #expect(server.receive(from: 1, .binary(Array("[:test/ev]".utf8))) == [])
        #expect(server.session.counters.unreadableMessages == 1)
    }

    @Test(
        "The greeting names the user, the token, the version and whether it is the first, which it always is")
    func greeting() {
        var server = TestServerSession(.vectors) { $0.csrfToken = "token" }
        #expect(
            server.connect(1)
                == [#"1 < [:chsk/handshake ["<c1>" "token" {:sente-lite-version "2.0.0"} true]]"#])
        #expect(
            server.connect(2, HandshakeInfo(uid: "ann", handshakeData: [.keyword("a"): 1]))
                == [#"2 < [:chsk/handshake ["ann" "token" {:sente-lite-version "2.0.0", :a 1} true]]"#])
    }

    @Test("A token that nobody chose is random, and the same for every connection")
    func randomToken() throws {
        var server = TestServerSession(.vectors)
        let first = try #require(server.connect(1).first)
        let second = try #require(server.connect(2).first)
        #expect(first.dropFirst() == second.replacing("<c2>", with: "<c1>").dropFirst())
        #expect(UniqueID(String(first.split(separator: "\"")[3])) != nil)
    }

    @Test("JSON is one way: the server greets and delivers, and understands nothing")
    func json() {
        var server = TestServerSession(.vectors) {
            $0.format = .json
            $0.csrfToken = "token"
        }
        #expect(
            server.connect(1)
                == [#"1 < ["chsk/handshake",["<c1>","token",{"sente-lite-version":"2.0.0"},true]]"#])
        #expect(server.receive(from: 1, #"["chsk/ws-ping"]"#) == [])
        #expect(server.receive(from: 1, #"["test/ev",1]"#) == [])
        #expect(server.command(.broadcast([.keyword("a/b"), 1])) == [#"1 < ["a/b",1]"#])
    }

    @Test("Transit says the same")
    func transit() {
        var server = TestServerSession(.vectors) {
            $0.format = .transitJSON
            $0.csrfToken = "token"
        }
        #expect(
            server.connect(1)
                == [#"1 < ["~:chsk/handshake",["<c1>","token",["^ ","~:sente-lite-version","2.0.0"],true]]"#])
        #expect(server.receive(from: 1, #"["~:chsk/ws-ping"]"#) == [#"1 < ["~:chsk/ws-pong"]"#])
        #expect(
            server.receive(from: 1, #"["~:sente-lite/subscribe",["^ ","~:channel-id","a"]]"#)
                == [#"1 < ["~:sente-lite/subscribed",["^ ","~:channel-id","a","~:success",true]]"#])
    }

    @Test("Only what goes to several at once is wrapped, when asked for")
    func wrapping() {
        var server = server { $0.wrapsBroadcasts = true }
        #expect(
            server.receive(from: 1, #"[:sente-lite/subscribe {:channel-id "a"}]"#)
                == [#"1 < [:sente-lite/subscribed {:channel-id "a", :success true}]"#])
        #expect(
            server.receive(from: 2, #"[:sente-lite/publish {:channel-id "a" :data {}}]"#)
                == [
                    #"1 < [:chsk/recv [:sente-lite/channel-msg {:channel-id "a", :data {}, :from "<c2>"}]]"#
                ])
        #expect(server.command(.broadcast([.keyword("a/b"), 1])).first == "1 < [:chsk/recv [:a/b 1]]")
        #expect(server.receive(from: 1, "[:chsk/ws-ping]") == ["1 < [:chsk/ws-pong]"])
        #expect(server.command(.push([.keyword("a/b")], uid: "none", flushes: false)) == [])
    }

    @Test("The server's own messages to a channel come from nobody")
    func serverDelivery() {
        var server = server()
        server.receive(from: 1, #"[:sente-lite/subscribe {:channel-id "a"}]"#)
        #expect(
            server.command(.publish([.keyword("n"): 1], channel: "a"))
                == [#"1 < [:sente-lite/channel-msg {:channel-id "a", :data {:n 1}, :from nil}]"#])
    }

    @Test("Only a pong keeps a connection alive, and the end has no reason")
    func heartbeat() {
        var server = TestServerSession(.vectors) {
            $0.heartbeatInterval = .seconds(2)
            $0.heartbeatTimeout = .seconds(5)
        }
        server.connect(1)
        server.connect(2)
        #expect(server.advance(by: .seconds(2)) == ["1 < [:chsk/ws-ping]", "2 < [:chsk/ws-ping]"])
        server.receive(from: 1, "[:chsk/ws-pong]")
        server.advance(by: .seconds(3))
        server.receive(from: 1, "[:chsk/ws-pong]")
        server.receive(from: 2, "[:chsk/ws-ping]")
        server.receive(from: 2, "[:test/ev]")
        #expect(server.advance(by: .seconds(1)) == ["1 < [:chsk/ws-ping]", "2 close 1000"])
    }

    @Test("A full server takes a connection and closes it without a greeting")
    func full() {
        var server = TestServerSession(.vectors) { $0.maximumConnections = 1 }
        server.connect(1)
        #expect(server.session.admit(target: "/", wantsUpgrade: true, at: server.now) == .upgrade)
        #expect(server.connect(2) == ["2 close 1000"])
        #expect(server.session.counters.rejectedConnections == 1)
    }

    @Test(
        "A message with too many characters ends its connection, and what it publishes still reaches the others"
    )
    func oversized() {
        var server = server { $0.maximumMessageBytes = 100 }
        server.receive(from: 1, #"[:sente-lite/subscribe {:channel-id "room"}]"#)
        server.receive(from: 2, #"[:sente-lite/subscribe {:channel-id "room"}]"#)
        // A hundred characters, and more bytes.
        let largest = "[:test/ev \"" + String(repeating: "é", count: 87) + "\"]"
        #expect(largest.count == 100)
        #expect(server.receive(from: 1, largest).first?.contains("sente-lite/echo") == true)
        let tooLarge =
            #"[:sente-lite/publish {:channel-id "room" :data {:x "\#(String(repeating: "x", count: 60))"}}]"#
        let seen = server.receive(from: 1, tooLarge)
        #expect(seen.first == "1 close 1000")
        #expect(seen.count == 2)
        #expect(seen.last?.hasPrefix("2 < [:sente-lite/channel-msg") == true)
        #expect(seen.last?.hasSuffix(#":from "<c1>"}]"#) == true)
        #expect(server.session.counters.oversizedMessages == 1)
        #expect(server.receive(from: 3, largest + " ") == ["3 close 1000"])
    }

    @Test("The pages tell of the limit that only this family has")
    func pages() {
        var server = TestServerSession(.vectors)
        server.connect(1)
        server.receive(from: 1, #"[:sente-lite/subscribe {:channel-id "a"}]"#)
        #expect(server.page("/channels").contains(#""max-subscriptions-per-conn":100"#))
        #expect(server.page("/health").hasPrefix(#"200 {"status":"healthy","connections":1"#))
    }

    @Test("With a hook events go there instead of being echoed, and users are connections")
    func hook() {
        var server = TestServerSession(.vectors) {
            $0.hasHook = true
            $0.csrfToken = "token"
        }
        #expect(
            server.connect(1).dropFirst() == [
                #"1 tell [:chsk/connected] as "<c1>""#, #"1 tell [:chsk/uidport-open "<c1>"] as "<c1>""#,
            ])
        #expect(server.receive(from: 1, "[:test/ev 1]") == [#"1 tell [:test/ev 1] as "<c1>""#])
        #expect(server.receive(from: 1, "[:test/ev]") == [#"1 tell [:test/ev nil] as "<c1>""#])
        #expect(server.receive(from: 1, "[:chsk/ws-ping]") == ["1 < [:chsk/ws-pong]"])
        let name = server.session.name(of: ConnectionID(1)) ?? ""
        #expect(server.session.connectedUIDs.ws == [.string(name)])
        #expect(
            server.command(.push([.keyword("a/b"), 1], uid: .string(name), flushes: false)) == [
                "1 < [:a/b 1]"
            ]
        )
        #expect(
            server.handle(.closed(ConnectionID(1))) == [
                #"1 tell [:chsk/disconnected] as "<c1>""#, #"1 tell [:chsk/uidport-close "<c1>"] as "<c1>""#,
            ])
        #expect(server.session.connectedUIDs.any.isEmpty)
        #expect(server.session.deadline == nil)
    }

    @Test("The push that closes ends a connection at once")
    func closing() {
        var server = server()
        let name = server.session.name(of: ConnectionID(2)) ?? ""
        #expect(
            server.command(.push([.keyword("chsk/close")], uid: .string(name), flushes: false)) == [
                "2 close 1000"
            ])
    }
}
