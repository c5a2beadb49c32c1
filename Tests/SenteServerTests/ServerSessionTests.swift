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
        var server = TestServerSession { $0.maximumConnections = 12_000 }
        var names: Set<String> = []
        for number in 1...12_000 as ClosedRange<UInt64> {
            _ = server.effects(of: .connected(ConnectionID(number)))
            names.insert(server.session.name(of: ConnectionID(number)) ?? "")
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
        var server = TestServerSession { $0.maximumConnections = 1 }
        server.connect(1)
        #expect(server.connect(2) == ["2 close 1013"])
        #expect(server.receive(from: 2, #"{"type":"ping"}"#) == [])
        server.handle(.closed(ConnectionID(1)))
        #expect(server.connect(3).count == 1)
    }

    @Test("A message beyond the limit ends its connection with 1009 and is not looked at")
    func tooBig() {
        var server = TestServerSession { $0.maximumMessageBytes = 20 }
        server.connect(1)
        #expect(server.receive(from: 1, #"{"type":"get-subscriptions"}"#) == ["1 close 1009"])
        #expect(server.receive(from: 1, #"{"type":"ping"}"#) == [])
    }

    // MARK: Heartbeat

    @Test("Everyone is pinged each interval, and whoever never answers is closed after the timeout")
    func heartbeat() {
        var server = TestServerSession { $0.heartbeatInterval = .seconds(30) }
        server.connect(1)
        server.connect(2)
        #expect(server.advance(by: .seconds(29)) == [])
        #expect(
            server.advance(by: .seconds(1)) == [
                #"1 < {"type":"ping","timestamp":31000}"#, #"2 < {"type":"ping","timestamp":31000}"#,
            ])
        server.receive(from: 1, pong)
        #expect(server.advance(by: .seconds(30)).count == 2)
        #expect(
            server.advance(by: .seconds(30)) == [#"1 < {"type":"ping","timestamp":91000}"#, "2 close 1000"])
        #expect(server.session.counters.deadConnections == 1)
        server.receive(from: 1, pong)
        #expect(server.advance(by: .seconds(30)) == [#"1 < {"type":"ping","timestamp":121000}"#])
    }

    @Test("Only a pong counts as life, not traffic and not a ping")
    func onlyPongs() {
        var server = TestServerSession { $0.heartbeatInterval = .seconds(30) }
        server.connect(1)
        for _ in 0..<8 {
            server.advance(by: .seconds(10))
            server.receive(from: 1, #"{"type":"ping"}"#)
            server.receive(from: 1, #"{"type":"list-channels"}"#)
        }
        #expect(server.advance(by: .seconds(10)) == ["1 close 1000"])
    }

    @Test("Without connections there is no deadline, and after every input it lies ahead")
    func deadline() {
        var server = TestServerSession { $0.heartbeatInterval = .zero }
        #expect(server.session.deadline == nil)
        server.connect(1)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":-5}"#)
        #expect(server.session.deadline.map { $0 > server.now.instant } == true)
        server.handle(.closed(ConnectionID(1)))
        server.advance(by: .seconds(1))
        #expect(server.session.deadline == nil)
    }

    @Test("A pong that is there when the timers are late comes in time")
    func latePong() {
        var server = TestServerSession { $0.heartbeatInterval = .seconds(30) }
        server.connect(1)
        server.moveClock(to: server.now.instant.advanced(by: .seconds(100)))
        let seen = server.receive(from: 1, pong)
        #expect(seen.map { $0.contains("pong-ack") } == [true, false])
        #expect(seen.last == #"1 < {"type":"ping","timestamp":101000}"#)
    }

    @Test("A late timer skips the heartbeats that were missed")
    func lateTimer() {
        var server = TestServerSession { $0.heartbeatInterval = .seconds(1) }
        server.connect(1)
        var late = server.now
        late.instant = late.instant.advanced(by: .seconds(50))
        var effects: [ServerEffect] = []
        server.session.handle(.timerFired, at: late, into: &effects)
        #expect(effects.count == 1)
        #expect(server.session.deadline == late.instant.advanced(by: .seconds(1)))
    }

    // MARK: Commands

    @Test("A broadcast reaches every connection, marked as one, and what is no map reaches nobody")
    func broadcast() {
        var server = TestServerSession()
        server.connect(1)
        server.connect(2)
        #expect(
            server.command(.broadcast(["type": "news", "n": 1])) == [
                #"1 < {"type":"news","n":1,"broadcast":true}"#,
                #"2 < {"type":"news","n":1,"broadcast":true}"#,
            ])
        #expect(server.command(.broadcast([1, 2])) == [])
    }

    @Test("A message to one connection goes out unchanged")
    func send() {
        var server = TestServerSession()
        server.connect(1)
        server.connect(2)
        #expect(server.command(.send([1, "x"], to: ConnectionID(2))) == [#"2 < [1,"x"]"#])
        #expect(server.command(.send([1, "x"], to: ConnectionID(9))) == [])
    }

    @Test("Stopping closes everyone with 1001 and takes nobody new")
    func stop() {
        var server = TestServerSession { $0.heartbeatInterval = .seconds(1) }
        server.connect(1)
        server.connect(2)
        #expect(server.command(.stop) == ["1 close 1001", "2 close 1001"])
        #expect(server.connect(3) == ["3 close 1001"])
        #expect(server.session.deadline == nil)
        #expect(server.session.admit(target: "/", wantsUpgrade: true, at: server.now) != .upgrade)
    }

    @Test("One connection or all can be closed with a code or dropped without one")
    func ending() {
        var server = TestServerSession()
        for number in 1...5 as ClosedRange<UInt64> { server.connect(number) }
        #expect(
            server.command(.close(ConnectionID(2), .internalError, reason: "test")) == ["2 close 1011"])
        #expect(server.command(.drop(ConnectionID(3))) == ["3 drop"])
        #expect(server.command(.drop(ConnectionID(3))) == [])
        #expect(
            server.command(.close(nil, .serviceRestart, reason: "")) == [
                "1 close 1012", "4 close 1012", "5 close 1012",
            ])
        #expect(server.session.statistics(at: server.now).connections.isEmpty)
    }

    @Test("With a hook, messages of unknown type go there, and what it answers comes back")
    func hook() {
        var server = TestServerSession { $0.hasHook = true }
        server.connect(1)
        #expect(
            server.effects(of: .received(ConnectionID(1), .text(#"{"type":"sum","of":[1,2]}"#)))
                == [.ask(ConnectionID(1), ["type": "sum", "of": [1, 2]])])
        #expect(
            server.command(.send(["type": "sum", "is": 3], to: ConnectionID(1))) == [
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
            var server = TestServerSession { $0.allowsFlood = allowsFlood }
            server.connect(1)
            server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
            server.receive(from: 1, text)
            #expect(server.receive(from: 1, #"{"type":"ping"}"#).count == 1)
            #expect(server.session.deadline.map { $0 > server.now.instant } != false)
        }
    }

    @Test("Messages of connections that are not there change nothing")
    func unknownConnections() {
        var server = TestServerSession()
        #expect(server.receive(from: 9, #"{"type":"subscribe","channel-id":"a"}"#) == [])
        #expect(server.handle(.closed(ConnectionID(9))) == [])
        server.connect(1)
        #expect(server.handle(.connected(ConnectionID(1))) == [])
        #expect(server.session.statistics(at: server.now).channels.isEmpty)
    }

    @Test("One client can make neither channels, subscriptions nor requests without end")
    func tables() {
        var server = TestServerSession {
            $0.tables.channels = 3
            $0.tables.channelNameBytes = 4
            $0.tables.subscriptionsPerConnection = 2
            $0.tables.pendingRequestsPerConnection = 1
            $0.tables.pendingRequests = 2
        }
        for number in 1...4 as ClosedRange<UInt64> { server.connect(number) }
        func reason(_ lines: [String]) -> Substring? {
            lines.last?.split(separator: #""reason":"#).last?.prefix { $0 != "," && $0 != "}" }
        }
        #expect(
            reason(server.receive(from: 1, #"{"type":"subscribe","channel-id":"12345"}"#))
                == #""channel-id-too-long""#)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)
        server.receive(from: 1, #"{"type":"subscribe","channel-id":"b"}"#)
        #expect(reason(server.receive(from: 1, #"{"type":"subscribe","channel-id":"a"}"#)) == "null")
        #expect(
            reason(server.receive(from: 1, #"{"type":"subscribe","channel-id":"c"}"#))
                == #""max-subscriptions-per-conn""#)
        #expect(
            reason(server.receive(from: 2, #"{"type":"subscribe","channel-id":"d"}"#))
                == #""max-channels-reached""#)
        for number in 2...4 as ClosedRange<UInt64> {
            let refusal = number == 4 ? #""max-pending-requests-reached""# : nil
            let seen = server.receive(from: number, #"{"type":"rpc-request","channel-id":"a"}"#)
            #expect(seen.last?.contains(refusal ?? #""success":true"#) == true)
        }
        server.handle(.closed(ConnectionID(3)))
        #expect(
            reason(server.receive(from: 2, #"{"type":"rpc-request","channel-id":"a"}"#))
                == #""max-pending-requests-reached""#)
        #expect(
            server.receive(from: 4, #"{"type":"rpc-request","channel-id":"a"}"#).last?.contains(
                #""success":true"#)
                == true)
    }
}
