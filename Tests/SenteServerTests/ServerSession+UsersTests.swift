// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Users of the server")
struct ServerSessionUsersTests {
    private func server(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> TestServerSession {
        TestServerSession(.sente) {
            $0.hasHook = true
            $0.sente.keepAlive = nil
            change(&$0)
        }
    }

    private func handshake(_ clientID: String, _ uid: Value? = "u") -> HandshakeInfo {
        HandshakeInfo(clientID: clientID, uid: uid)
    }

    private func push(_ n: Int64, _ uid: Value = "u", flushes: Bool = false) -> ServerCommand {
        .push([.keyword("a/n"), .integer(n)], uid: uid, flushes: flushes)
    }

    /// What is sent, without what is told.
    private func sent(_ lines: [String]) -> [String] { lines.filter { $0.contains(" < ") } }

    @Test("A user opens with the first connection and closes 2.5 s after the last one is gone")
    func opening() {
        var server = server()
        #expect(
            server.connect(1, handshake("c")) == [
                #"1 < [[:chsk/handshake ["u" nil nil]] nil]"#, #"1 tell [:chsk/connected] as "u""#,
                #"1 tell [:chsk/uidport-open "u"] as "u""#,
            ])
        #expect(server.connect(2, handshake("d")).last == #"2 tell [:chsk/connected] as "u""#)
        #expect(server.session.connectedUIDs == ConnectedUIDs(ws: ["u"], any: ["u"]))
        #expect(server.handle(.closed(ConnectionID(1))) == [#"1 tell [:chsk/disconnected] as "u""#])
        #expect(server.advance(by: .seconds(3)) == [])
        server.handle(.closed(ConnectionID(2)))
        #expect(server.advance(by: .milliseconds(2_499)) == [])
        #expect(server.session.connectedUIDs.any == ["u"])
        #expect(server.advance(by: .milliseconds(1)) == [#"2 tell [:chsk/uidport-close "u"] as "u""#])
        #expect(server.session.connectedUIDs.any.isEmpty)
        #expect(server.session.deadline == nil)
    }

    @Test("Back within the grace, a user was never gone")
    func grace() {
        var server = server()
        server.connect(1, handshake("c"))
        server.handle(.closed(ConnectionID(1)))
        server.advance(by: .seconds(2))
        #expect(server.connect(2, handshake("c")).last == #"2 tell [:chsk/connected] as "u""#)
        #expect(server.advance(by: .seconds(10)) == [])
        #expect(server.session.connectedUIDs.any == ["u"])
    }

    @Test("Users are any values, and those who are nobody are one")
    func values() {
        var server = server()
        server.connect(1, handshake("c", [.keyword("k"), 1]))
        server.connect(2, handshake("d", nil))
        server.connect(3, handshake("e", nil))
        #expect(server.session.connectedUIDs.any == [[.keyword("k"), 1], .keyword("sente/nil-uid")])
        #expect(sent(server.command(push(1, [.keyword("k"), 1], flushes: true))) == ["1 < [[[:a/n 1]] nil]"])
        for uid in [.null, .keyword("sente/nil-uid"), .keyword("sente/all-users-without-uid")] as [Value] {
            #expect(
                sent(server.command(push(2, uid, flushes: true))) == [
                    "2 < [[[:a/n 2]] nil]", "3 < [[[:a/n 2]] nil]",
                ])
        }
    }

    @Test("Pushes within 30 ms go together to every connection of their user, and to nobody else")
    func batches() {
        var server = server()
        for (number, uid) in [(1, "u"), (2, "u"), (3, "v")] as [(UInt64, Value)] {
            server.connect(number, handshake("c\(number)", uid))
        }
        #expect(server.command(push(0)) == [])
        #expect(server.advance(by: .milliseconds(20)) == [])
        #expect(server.command(push(1)) == [])
        #expect(
            server.advance(by: .milliseconds(10)) == [
                "1 < [[[:a/n 0] [:a/n 1]] nil]", "2 < [[[:a/n 0] [:a/n 1]] nil]",
            ])
        #expect(server.advance(by: .seconds(1)) == [])
        #expect(server.command(push(0, "nobody here")) == [])
        #expect(server.session.deadline == nil)
    }

    @Test("A flush takes along what waits, and nothing is left for the timer")
    func flush() {
        var server = server()
        server.connect(1, handshake("c"))
        server.command(push(0))
        #expect(server.command(push(1, flushes: true)) == ["1 < [[[:a/n 0] [:a/n 1]] nil]"])
        #expect(server.advance(by: .seconds(1)) == [])
    }

    @Test("Without a delay each goes at once; what grew beyond the largest message does not wait")
    func immediate() {
        var server = server { $0.sente.pushDelay = .zero }
        server.connect(1, handshake("c"))
        #expect(server.command(push(0)) == ["1 < [[[:a/n 0]] nil]"])
        var bounded = self.server { $0.maximumMessageBytes = 70 }
        bounded.connect(1, handshake("c"))
        #expect(bounded.command(push(0)) == [])
        #expect(bounded.command(push(1)) == [])
        #expect(bounded.command(push(2)).count == 1)
    }

    @Test("A reply overtakes the pushes before it and goes to who asked only; a second one is not stopped")
    func replies() {
        var server = server()
        server.connect(1, handshake("c"))
        server.connect(2, handshake("d"))
        server.command(push(0))
        let reply = ServerCommand.reply(.keyword("ok"), callback: "cb", to: ConnectionID(1))
        #expect(server.command(reply) == [#"1 < [:ok "cb"]"#])
        #expect(server.command(reply) == [#"1 < [:ok "cb"]"#])
        #expect(server.advance(by: .milliseconds(30)).count == 2)
        server.handle(.closed(ConnectionID(1)))
        #expect(server.command(reply) == [])
    }

    @Test("A broadcast is a push to every user")
    func broadcast() {
        var server = server()
        server.connect(1, handshake("c", "u"))
        server.connect(2, handshake("d", "v"))
        server.command(push(0, "v"))
        server.command(.broadcast([.keyword("a/all")]))
        #expect(
            server.advance(by: .milliseconds(30)) == [
                "2 < [[[:a/n 0] [:a/all]] nil]", "1 < [[[:a/all]] nil]",
            ])
    }

    @Test(
        "The last connection of a client takes over: the first gets its replies, no pushes, and may go unnoticed"
    )
    func takeover() {
        var server = server()
        server.connect(1, handshake("c"))
        server.connect(2, handshake("c"))
        #expect(server.command(push(0, flushes: true)) == ["2 < [[[:a/n 0]] nil]"])
        #expect(server.command(.reply(1, callback: "x", to: ConnectionID(1))) == [#"1 < [1 "x"]"#])
        #expect(server.receive(from: 1, "[[:a/b] nil]") == [#"1 tell [:a/b] as "u""#])
        server.handle(.closed(ConnectionID(1)))
        #expect(server.advance(by: .seconds(10)) == [])
        #expect(server.command(push(1, flushes: true)) == ["2 < [[[:a/n 1]] nil]"])
        #expect(
            server.command(.push([.keyword("chsk/close")], uid: "u", flushes: false)).first == "2 close 1000")
    }

    @Test("Closing a user closes its connections, and what waits is not sent before, even with a flush")
    func close() {
        var server = server()
        server.connect(1, handshake("c"))
        server.connect(2, handshake("d"))
        server.command(push(0))
        let lines = server.command(.push([.keyword("chsk/close")], uid: "u", flushes: true))
        #expect(lines.filter { $0.contains("close") } == ["1 close 1000", "2 close 1000"])
        #expect(sent(lines) == [])
        #expect(sent(server.advance(by: .seconds(10))) == [])
        #expect(server.session.counters.lostPushes == 1)
    }

    @Test("What is pushed to a client that is away waits for it, up to four seconds")
    func held() {
        for seconds in [1, 6] as [Int64] {
            var server = server { $0.sente.reconnectGrace = .seconds(20) }
            server.connect(1, handshake("c"))
            server.connect(2, handshake("d"))
            server.handle(.closed(ConnectionID(1)))
            for n in 0..<4 as Range<Int64> {
                #expect(sent(server.command(push(n, flushes: true))) == ["2 < [[[:a/n \(n)]] nil]"])
            }
            #expect(sent(server.advance(by: .seconds(seconds))) == [])
            #expect(
                sent(server.connect(3, handshake("c"))) == [#"3 < [[:chsk/handshake ["u" nil nil]] nil]"#])
            let late = sent(server.advance(by: .seconds(10)))
            let all = (0..<4).map { "3 < [[[:a/n \($0)]] nil]" }
            #expect(late.sorted() == (seconds == 1 ? all : []))
            #expect(server.session.counters.lostPushes == (seconds == 1 ? 0 : 4))
        }
    }

    @Test("Held pushes come in no certain order")
    func order() {
        var orders: Set<[String]> = []
        for seed in 0..<8 as Range<UInt64> {
            var server = server()
            for number in 0..<seed { server.connect(100 + number, handshake("other", "v")) }
            server.connect(1, handshake("c"))
            server.handle(.closed(ConnectionID(1)))
            for n in 0..<4 as Range<Int64> { server.command(push(n, flushes: true)) }
            server.advance(by: .milliseconds(500))
            server.connect(2, handshake("c"))
            orders.insert(sent(server.advance(by: .seconds(5))))
        }
        #expect(orders.allSatisfy { $0.count == 4 })
        #expect(orders.count > 2)
    }

    @Test("The fault brings them the newest first, right after the greeting")
    func reversed() {
        var server = server { $0.faults.reversesHeldPushes = true }
        server.connect(1, handshake("c"))
        server.connect(2, handshake("d"))
        server.handle(.closed(ConnectionID(1)))
        server.handle(.closed(ConnectionID(2)))
        for n in 0..<3 as Range<Int64> { server.command(push(n, flushes: true)) }
        #expect(
            sent(server.connect(3, handshake("c"))).dropFirst()
                == ["3 < [[[:a/n 2]] nil]", "3 < [[[:a/n 1]] nil]", "3 < [[[:a/n 0]] nil]"])
        #expect(sent(server.connect(4, handshake("d"))).count == 4)
        #expect(sent(server.advance(by: .seconds(10))) == [])
    }

    @Test("Pushes that come late are overtaken by answers")
    func late() {
        var server = server { $0.faults.pushesLate = .milliseconds(500) }
        server.connect(1, handshake("c"))
        server.command(push(0, flushes: true))
        #expect(server.command(.reply(1, callback: "cb", to: ConnectionID(1))) == [#"1 < [1 "cb"]"#])
        #expect(server.advance(by: .milliseconds(500)) == ["1 < [[[:a/n 0]] nil]"])
    }

    @Test("Replies come twice or never when the faults say so, and pongs all the same")
    func replyFaults() {
        for (replies, count) in [(Faults.Replies.twice, 2), (.never, 0), (.normal, 1)] {
            var server = server { $0.faults.replies = replies }
            server.connect(1, handshake("c"))
            #expect(server.command(.reply(1, callback: "cb", to: ConnectionID(1))).count == count)
            #expect(server.receive(from: 1, #"[[:chsk/ws-ping] "p"]"#).first == #"1 < ["pong" "p"]"#)
        }
    }

    @Test("What hostile clients and absent ones make the server remember is bounded")
    func bounds() {
        var server = server {
            $0.tables.awayClients = 3
            $0.tables.heldMessages = 5
        }
        for number in 1...10 as ClosedRange<UInt64> {
            server.connect(number, handshake("c\(number)", .integer(Int64(number))))
            server.handle(.closed(ConnectionID(number)))
        }
        #expect(server.session.connectedUIDs.any == [8, 9, 10])
        for n in 0..<10 as Range<Int64> { server.command(push(n, 10, flushes: true)) }
        #expect(server.session.counters.lostPushes == 5)
        var small = self.server { $0.tables.heldBytes = 40 }
        small.connect(1, handshake("c"))
        small.handle(.closed(ConnectionID(1)))
        for n in 0..<4 as Range<Int64> { small.command(push(n, flushes: true)) }
        #expect(small.session.counters.lostPushes == 2)
    }

    @Test("A batch that cannot be said is lost, and the next one is not")
    func unsayable() {
        var server = server()
        server.connect(1, handshake("c"))
        #expect(server.command(.push([.keyword("a b/c")], uid: "u", flushes: true)) == [])
        #expect(server.command(push(1, flushes: true)) == ["1 < [[[:a/n 1]] nil]"])
    }

    @Test("When the server stops nothing is left to wait for")
    func stop() {
        var server = server()
        server.connect(1, handshake("c"))
        server.command(push(1))
        #expect(server.command(.stop).first == "1 close 1001")
        #expect(server.session.deadline == nil)
        #expect(server.connect(2, handshake("c")) == ["2 close 1001"])
    }

    @Test("Who is dropped instead of being greeted was never there")
    func neverGreeted() {
        var server = server { $0.faults.ending = .drop }
        #expect(server.connect(1, handshake("c")) == ["1 drop"])
        #expect(server.session.connectedUIDs.any.isEmpty)
        #expect(server.session.deadline == nil)
    }

    @Test("Client-ids compare by their bytes: composed and decomposed they are two clients")
    func clientNames() {
        var server = server()
        server.connect(1, handshake("caf\u{e9}"))
        server.connect(2, handshake("cafe\u{301}"))
        #expect(
            server.command(push(1, flushes: true)) == ["1 < [[[:a/n 1]] nil]", "2 < [[[:a/n 1]] nil]"])
    }
}
