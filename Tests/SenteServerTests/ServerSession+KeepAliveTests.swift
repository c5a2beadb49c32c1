// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Sente's keep-alive")
struct ServerSessionKeepAliveTests {
    private func server(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> TestServerSession {
        var server = TestServerSession(.sente) {
            $0.heartbeatInterval = .seconds(1)
            change(&$0)
        }
        server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        return server
    }

    @Test("A silent connection is pinged after 12.5 s and closed with 1000 ten seconds later")
    func silent() {
        var server = server()
        #expect(server.advance(by: .milliseconds(12_499)) == [])
        #expect(server.advance(by: .milliseconds(1)) == ["1 < [:chsk/ws-ping nil]"])
        #expect(server.advance(by: .milliseconds(9_999)) == [])
        #expect(server.advance(by: .milliseconds(1)) == ["1 close 1000"])
        #expect(server.session.counters.deadConnections == 1)
        #expect(server.advance(by: .seconds(60)) == [])
    }

    @Test(
        "Any message within the time is life",
        arguments: ["[[:chsk/ws-pong] nil]", "[[:a/b] \"x\"]", "garbage"])
    func alive(_ frame: String) {
        var server = server { $0.hasHook = true }
        server.advance(by: .milliseconds(12_500))
        server.receive(from: 1, frame)
        #expect(server.advance(by: .seconds(10)) == [])
        #expect(server.advance(by: .milliseconds(12_500)) == ["1 < [:chsk/ws-ping nil]"])
    }

    @Test("So is the server's own push, and a reply is not")
    func ownPush() {
        var server = server()
        server.advance(by: .milliseconds(12_500))
        server.command(.push([.keyword("a/b")], uid: "u", flushes: true))
        #expect(server.advance(by: .seconds(10)) == [])
        #expect(server.advance(by: .milliseconds(12_500)) == ["1 < [:chsk/ws-ping nil]"])
        server.command(.reply(1, callback: "cb", to: ConnectionID(1)))
        #expect(server.advance(by: .seconds(10)) == ["1 close 1000"])
    }

    @Test("Up to 1.20 there is no waiting for a pong, and the ping comes every 25 s")
    func old() {
        var server = server { $0.sente = SenteSettings(.short) }
        #expect(server.advance(by: .seconds(100)) == Array(repeating: "1 < [:chsk/ws-ping]", count: 4))
    }

    @Test("The connection that lost its client to another is not watched, and speaks for the other")
    func takenOver() {
        var server = server()
        server.advance(by: .seconds(5))
        server.connect(2, HandshakeInfo(clientID: "c", uid: "u"))
        server.receive(from: 1, "[[:chsk/ws-pong] nil]")
        #expect(server.advance(by: .seconds(12)) == [])
        #expect(server.advance(by: .milliseconds(500)) == [])
        #expect(server.advance(by: .milliseconds(12_500)) == ["2 < [:chsk/ws-ping nil]"])
        #expect(server.advance(by: .seconds(10)) == ["2 close 1000"])
        #expect(server.session.statistics(at: server.now).connections.count == 1)
    }

    @Test("Off means never, and a silent server pings nobody and gives nobody up")
    func off() {
        var server = server { $0.sente.keepAlive = nil }
        #expect(server.session.deadline == nil)
        var silent = self.server { $0.faults.isSilent = true }
        #expect(silent.advance(by: .seconds(60)) == [])
        server.advance(by: .seconds(60))
        #expect(server.session.statistics(at: server.now).connections.count == 1)
    }
}
