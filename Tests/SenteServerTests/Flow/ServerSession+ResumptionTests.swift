// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Sessions that survive their connections")
struct ServerSessionResumptionTests {
    private func publish(_ number: Int) -> String {
        #"{"type":"publish","channel-id":"a","data":{"n":\#(number)}}"#
    }

    private let subscribe = #"{"type":"subscribe","channel-id":"a"}"#

    @Test(
        "What came while its client was away reaches it, behind the answer to the handshake, and nothing twice"
    )
    func resumes() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        server.receive(from: 1, subscribe)
        server.connect(2)
        server.receive(from: 2, publish(1))
        #expect(server.lose(1) == [])
        server.receive(from: 2, publish(2))
        server.receive(from: 2, publish(3))
        // The client has the answer to its subscription, and not the first delivery.
        let said = try server.values(server.comeBack(3, to: session, received: 1, sent: 1))
        #expect(
            said.map { $0["type"]?.stringValue } == ["flow-handshake-ack"]
                + Array(repeating: "channel-message", count: 3))
        #expect(said[0]["resumed"] == true && said[0]["session"]?.stringValue == session)
        #expect(said[0]["received"] == 1 && said[0]["sent"] == 4 && said[0]["missed"] == 0)
        #expect(said[0]["conn-id"] == "<c1>")
        #expect(said.dropFirst().map { $0["data"]?["n"] } == [1, 2, 3])
        // What comes now goes to the new link, and comes from the connection of before.
        let delivered = try server.values(server.receive(from: 2, publish(4)))
        #expect(delivered.first?["data"] == ["n": 4])
        #expect(
            server.receive(from: 3, #"{"type":"get-subscriptions"}"#) == [
                #"3 < {"type":"subscription-list","subscriptions":["a"]}"#
            ])
        #expect(server.receive(from: 3, #"{"type":"flow-ack","received":6}"#) == [])
        #expect(server.session.counters.flow.resumed == 1)
        // And so it goes on, over any number of links.
        #expect(server.lose(3) == [])
        let again = try server.values(server.comeBack(4, to: session, received: 6, sent: 2, attempt: 2))
        #expect(again.count == 1 && again[0]["received"] == 2)
    }

    @Test("Messages that the client sends again are those the server has not counted")
    func repeats() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        server.receive(from: 1, publish(1))
        _ = server.lose(1)
        let said = try server.values(server.comeBack(2, to: session, received: 0, sent: 3))
        #expect(said[0]["received"] == 1)
        // What cannot be read is counted, as one of those that are sent again; after them it ends the link.
        #expect(server.receive(from: 2, "{") == [])
        #expect(server.receive(from: 2, subscribe).count == 1)
        #expect(server.advance(by: .seconds(1)) == [#"2 < {"type":"flow-ack","received":3}"#])
        #expect(server.receive(from: 2, "{") == ["2 close 1007"])
        let again = try server.values(server.comeBack(3, to: session, received: 2, sent: 3, attempt: 2))
        #expect(again[0]["resumed"] == true && again[0]["received"] == 3)
    }

    @Test("An answer that comes while the client is away is kept for it, and so is the news that none comes")
    func lateAnswers() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        server.connect(2)
        server.receive(from: 2, subscribe)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","data":{}}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","data":{},"timeout-ms":5000}"#)
        _ = server.lose(1)
        server.receive(from: 2, #"{"type":"rpc-response","request-id":"<r1>","data":{"ok":true}}"#)
        #expect(server.advance(by: .seconds(6)) == [])
        let said = try server.values(server.comeBack(3, to: session, received: 2, sent: 2))
        #expect(said.dropFirst().map { $0["request-id"] } == ["<r1>", "<r2>"])
        #expect(said[1]["data"] == ["ok": true] && said[2]["reason"] == "rpc-timeout")
    }

    @Test("Too many deliveries let the oldest go, and the client is told how many it missed")
    func missed() throws {
        var server = TestServerSession.resuming({ _ in }, { $0.messages = 2 })
        let session = try server.begin(1)
        server.receive(from: 1, subscribe)
        _ = server.lose(1)
        for number in 1...5 { server.command(.publish(["n": Value(number)], channel: "a")) }
        let said = try server.values(server.comeBack(2, to: session, received: 1, sent: 1))
        #expect(said[0]["missed"] == 3 && said[0]["sent"] == 6)
        #expect(said.dropFirst().map { $0["data"]?["n"] } == [4, 5])
        #expect(server.receive(from: 2, #"{"type":"flow-ack","received":6}"#) == [])
        #expect(server.session.counters.flow.missed == 3)
    }

    @Test("A session is gone after its window, with its subscriptions")
    func expiry() throws {
        var server = TestServerSession.resuming({ _ in }, { $0.window = .seconds(10) })
        let session = try server.begin(1)
        server.receive(from: 1, subscribe)
        _ = server.lose(1)
        #expect(server.session.statistics(at: server.now).channels[0].subscriberCount == 1)
        #expect(server.advance(by: .seconds(10)) == [])
        #expect(server.session.statistics(at: server.now).channels[0].subscriberCount == 0)
        #expect(server.session.statistics(at: server.now).parkedBytes == 0)
        #expect(server.session.deadline == nil)
        let said = try server.values(server.comeBack(2, to: session, received: 1, sent: 1))
        #expect(said[0]["resumed"] == false && said[0]["received"] == 0)
        #expect(server.session.counters.flow.fresh == 1)
    }

    @Test("A later link takes over: the earlier one is closed, and heard no more")
    func takeover() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        server.receive(from: 1, subscribe)
        let lines = server.comeBack(2, to: session, received: 0, sent: 1)
        #expect(lines[0] == "1 close 4001")
        let said = try server.values(lines)
        #expect(said[0]["resumed"] == true && said[1]["type"] == "subscription-result")
        #expect(server.receive(from: 1, publish(1)) == [])
        #expect(server.lose(1) == [])
        #expect(server.receive(from: 2, #"{"type":"ping"}"#).count == 1)
        // An earlier try that comes late is turned away, and changes nothing.
        #expect(server.comeBack(3, to: session, received: 0, sent: 1) == ["3 close 1008"])
        #expect(server.receive(from: 2, publish(1)).count == 2)
    }

    @Test("An earlier link is heard no more even where its session does not go on")
    func takeoverInVain() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        server.receive(from: 1, subscribe)
        let lines = server.comeBack(2, to: session, received: 9, sent: 1)
        #expect(lines[0] == "1 close 4001")
        #expect(try server.values(lines)[0]["resumed"] == false)
        #expect(server.receive(from: 1, #"{"type":"ping"}"#) == [])
        #expect(server.session.statistics(at: server.now).channels[0].subscriberCount == 0)
        #expect(server.session.statistics(at: server.now).connections.count == 1)
    }

    // The last says that less went than has come.
    @Test(
        "Counts that do not fit end the session",
        arguments: [(received: 2, sent: 1), (0, 0), (.max, 1), (0, 1), (1, 0)])
    func counts(_ counts: (received: Int, sent: Int)) throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1)
        server.receive(from: 1, subscribe)
        server.receive(from: 1, #"{"type":"flow-ack","received":1}"#)
        _ = server.lose(1)
        let said = try server.values(
            server.comeBack(2, to: session, received: counts.received, sent: counts.sent))
        #expect(said.count == 1 && said[0]["resumed"] == false)
        #expect(said[0]["session"]?.stringValue != session)
        #expect(server.session.statistics(at: server.now).channels[0].subscriberCount == 0)
    }

    @Test("Nobody comes back to another's session, and it stays what it was")
    func others() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1, as: "one")
        let said = try server.values(server.comeBack(2, to: session, received: 0, sent: 0, as: "two"))
        #expect(said[0]["resumed"] == false)
        #expect(server.session.counters.flow.breaches == 1)
        #expect(server.receive(from: 1, #"{"type":"ping"}"#).count == 1)
        for text in ["", String(repeating: "x", count: 100_000), session.uppercased() + "0"] {
            server.handle(.closed(ConnectionID(9)))
            let answer = try server.values(
                server.comeBack(100 + UInt64(text.count), to: text, received: 0, sent: 0))
            #expect(answer[0]["resumed"] == false)
        }
    }

    @Test("A client that says it goes is forgotten, and so is one that comes afresh")
    func forgotten() throws {
        var server = TestServerSession.resuming()
        let session = try server.begin(1, as: "one")
        #expect(server.receive(from: 1, #"{"type":"flow-end"}"#) == [])
        _ = server.lose(1)
        #expect(server.session.statistics(at: server.now).parkedSessions == 0)
        let said = try server.values(server.comeBack(2, to: session, received: 0, sent: 0, as: "one"))
        #expect(said[0]["resumed"] == false)
        _ = server.lose(2)
        #expect(server.session.statistics(at: server.now).parkedSessions == 1)
        try server.begin(3, as: "one")
        #expect(server.session.statistics(at: server.now).parkedSessions == 0)
        // Without a name of its own a client may be one of many.
        try server.begin(4)
        _ = server.lose(4)
        try server.begin(5)
        #expect(server.session.statistics(at: server.now).parkedSessions == 1)
    }

    @Test("Of too many sessions, or too much kept, the one that waits longest goes")
    func room() throws {
        var server = TestServerSession.resuming({ _ in }) {
            $0.sessions = 2
            $0.totalBytes = 5_000
        }
        var sessions: [String] = []
        for number in 1...3 as ClosedRange<UInt64> {
            sessions.append(try server.begin(number))
            server.receive(from: number, subscribe)
        }
        for number in 1...3 as ClosedRange<UInt64> { _ = server.lose(number) }
        #expect(server.session.statistics(at: server.now).parkedSessions == 2)
        let data = Value.string(String(repeating: "x", count: 1_000))
        for _ in 0..<3 { server.command(.publish(["x": data], channel: "a")) }
        let statistics = server.session.statistics(at: server.now)
        #expect(statistics.parkedSessions == 1 && statistics.parkedBytes <= 5_000)
        #expect(server.session.counters.flow.evicted == 2)
        let said = try server.values(server.comeBack(4, to: sessions[2], received: 1, sent: 1))
        #expect(said.count == 4)
        #expect(server.session.statistics(at: server.now).parkedBytes == 0)
    }

    @Test("Heartbeats leave a session without connection alone, and it takes no place among the connections")
    func heartbeats() throws {
        var server = TestServerSession.resuming {
            $0.heartbeatInterval = .seconds(1)
            $0.heartbeatTimeout = .seconds(2)
            $0.maximumConnections = 1
        }
        let session = try server.begin(1)
        _ = server.lose(1)
        #expect(server.advance(by: .seconds(60)) == [])
        #expect(server.session.statistics(at: server.now).connections.isEmpty)
        let said = try server.values(server.comeBack(2, to: session, received: 0, sent: 0))
        #expect(said[0]["resumed"] == true)
        #expect(server.advance(by: .seconds(1)).count == 1)
        // One that is silent is lost, and can come back.
        #expect(server.advance(by: .seconds(2)).last == "2 close 1000")
        let again = try server.values(server.comeBack(3, to: session, received: 0, sent: 0, attempt: 2))
        #expect(again[0]["resumed"] == true)
    }

    @Test("A fault that ends connections after so many messages counts those of each link")
    func faults() throws {
        var server = TestServerSession.resuming {
            $0.faults.ending = .drop
            $0.faults.endingAfter = 3
        }
        let session = try server.begin(1)
        #expect(server.receive(from: 1, subscribe).count == 1)
        #expect(server.receive(from: 1, publish(1)) == ["1 drop"])
        let said = try server.values(server.comeBack(2, to: session, received: 1, sent: 2))
        #expect(said[0]["resumed"] == true && said[0]["received"] == 1)
        #expect(server.receive(from: 2, publish(1)).count == 2)
        #expect(server.receive(from: 2, publish(2)) == ["2 drop"])
    }

    @Test("A server that stops forgets its sessions")
    func stop() throws {
        var server = TestServerSession.resuming { $0.heartbeatInterval = .seconds(1) }
        try server.begin(1)
        try server.begin(2)
        _ = server.lose(1)
        #expect(server.command(.stop) == ["2 close 1001"])
        #expect(server.session.statistics(at: server.now).parkedSessions == 0)
        #expect(server.session.deadline == nil)
    }

    @Test(
        "In Sente a push reaches a client that is away, also while its new connection has not said what it wants"
    )
    func pushes() throws {
        var server = TestServerSession(.sente) {
            $0.flow = .all
            $0.sente.pushDelay = .zero
            $0.sente.keepAlive = nil
            $0.hasHook = true
        }
        let ann = HandshakeInfo(clientID: "c", uid: "ann")
        let offer = ":capabilities {:resume {:messages 100 :bytes 10000}}"
        server.connect(1, ann)
        let answer = server.receive(from: 1, #"[[:flow/handshake {\#(offer)}] "cb"]"#)
        let session = try #require(answer[0].firstMatch(of: /:session "([-0-9a-f]{36})"/)?.1)
        #expect(server.lose(1) == [])
        server.command(.push([.keyword("a/b"), 1], uid: "ann", flushes: true))
        #expect(server.advance(by: .seconds(60)) == [])
        #expect(server.connect(2, ann).last == #"2 tell [:chsk/connected] as "ann""#)
        #expect(
            server.command(.push([.keyword("a/b"), 2], uid: "ann", flushes: true)) == ["2 < [[[:a/b 2]] nil]"]
        )
        let resume = #":resume {:session "\#(session)" :received 0 :sent 0 :attempt 1}"#
        let resumed = server.receive(from: 2, #"[[:flow/handshake {\#(offer) \#(resume)}] "cb2"]"#)
        #expect(resumed.count == 4)
        #expect(resumed[0] == #"2 tell [:chsk/disconnected] as "ann""#)
        #expect(resumed[1].hasSuffix(#":resumed true, :received 0, :sent 2, :missed 0, :uid "ann"} "cb2"]"#))
        #expect(resumed[2...] == ["2 < [[[:a/b 1]] nil]", "2 < [[[:a/b 2]] nil]"])
        #expect(
            server.command(.push([.keyword("a/b"), 3], uid: "ann", flushes: true)) == ["2 < [[[:a/b 3]] nil]"]
        )
        #expect(server.session.connectedUIDs.any == ["ann"])
        #expect(server.advance(by: .seconds(60)) == [])
        // It ends as any connection does.
        #expect(server.receive(from: 2, "[[:flow/end] nil]") == [])
        #expect(server.lose(2) == [#"1 tell [:chsk/disconnected] as "ann""#])
        #expect(server.advance(by: .seconds(3)) == [#"1 tell [:chsk/uidport-close "ann"] as "ann""#])
    }

    @Test(
        "A message that is too big ends the link of a session, and is not handled for a client that sends it again"
    )
    func tooBig() throws {
        var server = TestServerSession(.vectors) {
            $0.flow = .all
            $0.maximumMessageBytes = 200
        }
        server.connect(1)
        server.receive(from: 1, "[:flow/handshake {:capabilities {:resume {:messages 9 :bytes 9}}}]")
        server.receive(from: 1, #"[:sente-lite/subscribe {:channel-id "a"}]"#)
        server.connect(2)
        server.receive(from: 2, #"[:sente-lite/subscribe {:channel-id "a"}]"#)
        let text = String(repeating: "x", count: 300)
        #expect(
            server.receive(from: 1, #"[:sente-lite/publish {:channel-id "a" :data {:x "\#(text)"}}]"#)
                == ["1 close 1009"])
        #expect(server.session.statistics(at: server.now).parkedSessions == 1)
    }
}
