// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("A server session")
struct ServerSessionTests {
    private let pong = #"{"type":"pong","timestamp":1}"#

    @Test("Every connection has its own conn-id, also when thousands come in one millisecond")
    func names() {
        var stage = Stage { $0.maximumConnections = 12_000 }
        var names: Set<String> = []
        for number in 1...12_000 as ClosedRange<UInt64> {
            _ = stage.effects(of: .connected(ConnectionID(number)))
            names.insert(stage.session.name(of: ConnectionID(number)) ?? "")
        }
        #expect(names.count == 12_000)
    }

    @Test("Equal seeds and inputs give equal effects")
    func repeatable() {
        func run() -> [ServerEffect] {
            var session = ServerSession(seed: 7)
            var effects: [ServerEffect] = []
            let now = Moment(instant: Instant(nanoseconds: 5), wallMilliseconds: 9)
            for number in 1...20 as ClosedRange<UInt64> {
                session.handle(.connected(ConnectionID(number)), at: now, into: &effects)
                session.handle(
                    .received(ConnectionID(number), .text(#"{"type":"subscribe","channel-id":"a"}"#)),
                    at: now,
                    into: &effects)
            }
            session.handle(
                .received(ConnectionID(3), .text(#"{"type":"rpc-request","channel-id":"a"}"#)), at: now,
                into: &effects)
            return effects
        }
        #expect(run() == run())
    }

    @Test("A connection beyond the limit is closed without a greeting")
    func full() {
        var stage = Stage { $0.maximumConnections = 1 }
        stage.connect(1)
        #expect(stage.connect(2) == ["2 close 1013"])
        #expect(stage.send(2, #"{"type":"ping"}"#) == [])
        stage.handle(.closed(ConnectionID(1)))
        #expect(stage.connect(3).count == 1)
    }

    @Test("A message beyond the limit ends its connection with 1009 and is not looked at")
    func tooBig() {
        var stage = Stage { $0.maximumMessageBytes = 20 }
        stage.connect(1)
        #expect(stage.send(1, #"{"type":"get-subscriptions"}"#) == ["1 close 1009"])
        #expect(stage.send(1, #"{"type":"ping"}"#) == [])
    }

    // MARK: Heartbeat

    @Test("Everyone is pinged each interval, and whoever never answers is closed after the timeout")
    func heartbeat() {
        var stage = Stage { $0.heartbeatInterval = .seconds(30) }
        stage.connect(1)
        stage.connect(2)
        #expect(stage.wait(.seconds(29)) == [])
        #expect(
            stage.wait(.seconds(1)) == [
                #"1 < {"type":"ping","timestamp":31000}"#, #"2 < {"type":"ping","timestamp":31000}"#,
            ])
        stage.send(1, pong)
        #expect(stage.wait(.seconds(30)).count == 2)
        #expect(stage.wait(.seconds(30)) == [#"1 < {"type":"ping","timestamp":91000}"#, "2 close 1000"])
        #expect(stage.session.counters.deadConnections == 1)
        stage.send(1, pong)
        #expect(stage.wait(.seconds(30)) == [#"1 < {"type":"ping","timestamp":121000}"#])
    }

    @Test("Only a pong counts as life, not traffic and not a ping")
    func onlyPongs() {
        var stage = Stage { $0.heartbeatInterval = .seconds(30) }
        stage.connect(1)
        for _ in 0..<8 {
            stage.wait(.seconds(10))
            stage.send(1, #"{"type":"ping"}"#)
            stage.send(1, #"{"type":"list-channels"}"#)
        }
        #expect(stage.wait(.seconds(10)) == ["1 close 1000"])
    }

    @Test("Without connections there is no deadline, and after every input it lies ahead")
    func deadline() {
        var stage = Stage { $0.heartbeatInterval = .zero }
        #expect(stage.session.deadline == nil)
        stage.connect(1)
        stage.send(1, #"{"type":"subscribe","channel-id":"a"}"#)
        stage.send(1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":-5}"#)
        #expect(stage.session.deadline.map { $0 > stage.now.instant } == true)
        stage.handle(.closed(ConnectionID(1)))
        stage.wait(.seconds(1))
        #expect(stage.session.deadline == nil)
    }

    @Test("A pong that is there when the timers are late comes in time")
    func latePong() {
        var stage = Stage { $0.heartbeatInterval = .seconds(30) }
        stage.connect(1)
        stage.move(to: stage.now.instant.advanced(by: .seconds(100)))
        let seen = stage.send(1, pong)
        #expect(seen.map { $0.contains("pong-ack") } == [true, false])
        #expect(seen.last == #"1 < {"type":"ping","timestamp":101000}"#)
    }

    @Test("A late timer skips the heartbeats that were missed")
    func lateTimer() {
        var stage = Stage { $0.heartbeatInterval = .seconds(1) }
        stage.connect(1)
        var late = stage.now
        late.instant = late.instant.advanced(by: .seconds(50))
        var effects: [ServerEffect] = []
        stage.session.handle(.timerFired, at: late, into: &effects)
        #expect(effects.count == 1)
        #expect(stage.session.deadline == late.instant.advanced(by: .seconds(1)))
    }

    // MARK: Commands

    @Test("A broadcast reaches every connection, marked as one, and what is no map reaches nobody")
    func broadcast() {
        var stage = Stage()
        stage.connect(1)
        stage.connect(2)
        #expect(
            stage.command(.broadcast(["type": "news", "n": 1])) == [
                #"1 < {"type":"news","n":1,"broadcast":true}"#,
                #"2 < {"type":"news","n":1,"broadcast":true}"#,
            ])
        #expect(stage.command(.broadcast([1, 2])) == [])
    }

    @Test("A message to one connection goes out unchanged")
    func send() {
        var stage = Stage()
        stage.connect(1)
        stage.connect(2)
        #expect(stage.command(.send([1, "x"], to: ConnectionID(2))) == [#"2 < [1,"x"]"#])
        #expect(stage.command(.send([1, "x"], to: ConnectionID(9))) == [])
    }

    @Test("Stopping closes everyone with 1001 and takes nobody new")
    func stop() {
        var stage = Stage { $0.heartbeatInterval = .seconds(1) }
        stage.connect(1)
        stage.connect(2)
        #expect(stage.command(.stop) == ["1 close 1001", "2 close 1001"])
        #expect(stage.connect(3) == ["3 close 1001"])
        #expect(stage.session.deadline == nil)
        #expect(stage.session.admit(target: "/", wantsUpgrade: true, at: stage.now) != .upgrade)
    }

    @Test("One connection or all can be closed with a code or dropped without one")
    func ending() {
        var stage = Stage()
        for number in 1...5 as ClosedRange<UInt64> { stage.connect(number) }
        #expect(
            stage.command(.close(ConnectionID(2), .internalError, reason: "test")) == ["2 close 1011"])
        #expect(stage.command(.drop(ConnectionID(3))) == ["3 drop"])
        #expect(stage.command(.drop(ConnectionID(3))) == [])
        #expect(
            stage.command(.close(nil, .serviceRestart, reason: "")) == [
                "1 close 1012", "4 close 1012", "5 close 1012",
            ])
        #expect(stage.session.statistics(at: stage.now).connections.isEmpty)
    }

    @Test("With a hook, messages of unknown type go there, and what it answers comes back")
    func hook() {
        var stage = Stage { $0.hasHook = true }
        stage.connect(1)
        #expect(
            stage.effects(of: .received(ConnectionID(1), .text(#"{"type":"sum","of":[1,2]}"#)))
                == [.ask(ConnectionID(1), ["type": "sum", "of": [1, 2]])])
        #expect(
            stage.command(.send(["type": "sum", "is": 3], to: ConnectionID(1))) == [
                #"1 < {"type":"sum","is":3}"#
            ])
    }

    // MARK: Hostile clients

    @Test(
        "Strange but valid messages are answered or ignored, and never end the connection",
        arguments: [
            #"{"type":"subscribe","channel-id":{"a":[1]}}"#, #"{"type":"publish","channel-id":[],"data":[]}"#,
            #"{"type":"rpc-request","channel-id":7,"timeout-ms":9223372036854775807}"#,
            #"{"type":"rpc-request","channel-id":"a","timeout-ms":-9223372036854775808}"#,
            #"{"type":"rpc-request","channel-id":"a","timeout-ms":1e300}"#,
            #"{"type":"rpc-request","channel-id":"a","timeout-ms":"soon"}"#,
            #"{"type":"rpc-response","request-id":{"a":1}}"#, #"{"type":"ping","timestamp":{"a":[[]]}}"#,
            #"{"type":"flood","channel-id":"a","count":9223372036854775807}"#,
            #"{"type":"flood","channel-id":"a","count":-1}"#, "\u{0}", "{\"type\":\"\\u0000\"}",
            String(repeating: "[", count: 100_000), String(repeating: "9", count: 100_000),
        ])
    func strange(_ text: String) {
        for allowsFlood in [false, true] {
            var stage = Stage { $0.allowsFlood = allowsFlood }
            stage.connect(1)
            stage.send(1, #"{"type":"subscribe","channel-id":"a"}"#)
            stage.send(1, text)
            #expect(stage.send(1, #"{"type":"ping"}"#).count == 1)
            #expect(stage.session.deadline.map { $0 > stage.now.instant } != false)
        }
    }

    @Test("Messages of connections that are not there change nothing")
    func ghosts() {
        var stage = Stage()
        #expect(stage.send(9, #"{"type":"subscribe","channel-id":"a"}"#) == [])
        #expect(stage.handle(.closed(ConnectionID(9))) == [])
        stage.connect(1)
        #expect(stage.handle(.connected(ConnectionID(1))) == [])
        #expect(stage.session.statistics(at: stage.now).channels.isEmpty)
    }

    @Test("One client can make neither channels, subscriptions nor requests without end")
    func tables() {
        var stage = Stage {
            $0.tables.channels = 3
            $0.tables.channelNameBytes = 4
            $0.tables.subscriptionsPerConnection = 2
            $0.tables.pendingRequestsPerConnection = 1
            $0.tables.pendingRequests = 2
        }
        for number in 1...4 as ClosedRange<UInt64> { stage.connect(number) }
        func reason(_ lines: [String]) -> Substring? {
            lines.last?.split(separator: #""reason":"#).last?.prefix { $0 != "," && $0 != "}" }
        }
        #expect(
            reason(stage.send(1, #"{"type":"subscribe","channel-id":"12345"}"#)) == #""channel-id-too-long""#)
        stage.send(1, #"{"type":"subscribe","channel-id":"a"}"#)
        stage.send(1, #"{"type":"subscribe","channel-id":"b"}"#)
        #expect(reason(stage.send(1, #"{"type":"subscribe","channel-id":"a"}"#)) == "null")
        #expect(
            reason(stage.send(1, #"{"type":"subscribe","channel-id":"c"}"#))
                == #""max-subscriptions-per-conn""#)
        #expect(
            reason(stage.send(2, #"{"type":"subscribe","channel-id":"d"}"#)) == #""max-channels-reached""#)
        for number in 2...4 as ClosedRange<UInt64> {
            let refusal = number == 4 ? #""max-pending-requests-reached""# : nil
            let seen = stage.send(number, #"{"type":"rpc-request","channel-id":"a"}"#)
            #expect(seen.last?.contains(refusal ?? #""success":true"#) == true)
        }
        stage.handle(.closed(ConnectionID(3)))
        #expect(
            reason(stage.send(2, #"{"type":"rpc-request","channel-id":"a"}"#))
                == #""max-pending-requests-reached""#)
        #expect(
            stage.send(4, #"{"type":"rpc-request","channel-id":"a"}"#).last?.contains(#""success":true"#)
                == true)
    }
}
