// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Sente's keep-alive")
struct ServerSessionKeepAliveTests {
    private func stage(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> Stage {
        var stage = Stage(.sente) {
            $0.heartbeatInterval = .seconds(1)
            change(&$0)
        }
        stage.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        return stage
    }

    @Test("A silent connection is pinged after 12.5 s and closed with 1000 ten seconds later")
    func silent() {
        var stage = stage()
        #expect(stage.wait(.milliseconds(12_499)) == [])
        #expect(stage.wait(.milliseconds(1)) == ["1 < [:chsk/ws-ping nil]"])
        #expect(stage.wait(.milliseconds(9_999)) == [])
        #expect(stage.wait(.milliseconds(1)) == ["1 close 1000"])
        #expect(stage.session.counters.deadConnections == 1)
        #expect(stage.wait(.seconds(60)) == [])
    }

    @Test(
        "Any message within the time is life",
        arguments: ["[[:chsk/ws-pong] nil]", "[[:a/b] \"x\"]", "garbage"])
    func alive(_ frame: String) {
        var stage = stage { $0.hasHook = true }
        stage.wait(.milliseconds(12_500))
        stage.send(1, frame)
        #expect(stage.wait(.seconds(10)) == [])
        #expect(stage.wait(.milliseconds(12_500)) == ["1 < [:chsk/ws-ping nil]"])
    }

    @Test("So is the server's own push, and a reply is not")
    func ownPush() {
        var stage = stage()
        stage.wait(.milliseconds(12_500))
        stage.command(.push([.keyword("a/b")], uid: "u", flushes: true))
        #expect(stage.wait(.seconds(10)) == [])
        #expect(stage.wait(.milliseconds(12_500)) == ["1 < [:chsk/ws-ping nil]"])
        stage.command(.reply(1, callback: "cb", to: ConnectionID(1)))
        #expect(stage.wait(.seconds(10)) == ["1 close 1000"])
    }

    @Test("Up to 1.20 there is no waiting for a pong, and the ping comes every 25 s")
    func old() {
        var stage = stage { $0.sente = SenteSettings(.short) }
        #expect(stage.wait(.seconds(100)) == Array(repeating: "1 < [:chsk/ws-ping]", count: 4))
    }

    @Test("The connection that lost its client to another is not watched, and speaks for the other")
    func takenOver() {
        var stage = stage()
        stage.wait(.seconds(5))
        stage.connect(2, HandshakeInfo(clientID: "c", uid: "u"))
        stage.send(1, "[[:chsk/ws-pong] nil]")
        #expect(stage.wait(.seconds(12)) == [])
        #expect(stage.wait(.milliseconds(500)) == [])
        #expect(stage.wait(.milliseconds(12_500)) == ["2 < [:chsk/ws-ping nil]"])
        #expect(stage.wait(.seconds(10)) == ["2 close 1000"])
        #expect(stage.session.statistics(at: stage.now).connections.count == 1)
    }

    @Test("Off means never, and a silent server pings nobody and gives nobody up")
    func off() {
        var stage = stage { $0.sente.keepAlive = nil }
        #expect(stage.session.deadline == nil)
        var silent = self.stage { $0.faults.isSilent = true }
        #expect(silent.wait(.seconds(60)) == [])
        stage.wait(.seconds(60))
        #expect(stage.session.statistics(at: stage.now).connections.count == 1)
    }
}
