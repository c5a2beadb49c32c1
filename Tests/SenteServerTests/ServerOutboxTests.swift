// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Faults of the server")
struct ServerOutboxTests {
    private let subscribe = #"{"type":"subscribe","channel-id":"a"}"#
    private let publish = #"{"type":"publish","channel-id":"a","data":{"n":1}}"#
    private let ping = #"{"type":"ping"}"#

    private func faults(_ change: (inout Faults) -> Void) -> Faults {
        var faults = Faults()
        change(&faults)
        return faults
    }

    private func server(_ faults: Faults, connections: UInt64 = 1) -> TestServerSession {
        var server = TestServerSession()
        for number in 1...connections { server.connect(number) }
        server.command(.setFaults(faults, for: nil))
        return server
    }

    @Test("A silent server takes everything and says nothing, not even a heartbeat")
    func silent() {
        var server = TestServerSession {
            $0.heartbeatInterval = .seconds(1)
            $0.faults.isSilent = true
        }
        #expect(server.connect(1) == [])
        #expect(server.receive(from: 1, subscribe) == [])
        #expect(server.advance(by: .seconds(300)) == [])
        server.command(.setFaults(Faults(), for: nil))
        #expect(server.receive(from: 1, #"{"type":"get-subscriptions"}"#).first?.contains(#"["a"]"#) == true)
    }

    @Test("A server that never greets is otherwise itself")
    func neverGreets() {
        var server = TestServerSession { $0.faults.neverGreets = true }
        #expect(server.connect(1) == [])
        #expect(server.receive(from: 1, ping).count == 1)
    }

    @Test(
        "A connection ends by itself, at once or after so many messages, with a code or without",
        arguments: [(Faults.Ending.drop, "1 drop"), (.close(.internalError, "x"), "1 close 1011")])
    func ending(_ ending: Faults.Ending, _ line: String) {
        var server = TestServerSession { $0.faults.ending = ending }
        #expect(server.connect(1) == [line])
        var later = TestServerSession {
            $0.faults.ending = ending
            $0.faults.endingAfter = 2
        }
        later.connect(1)
        #expect(later.receive(from: 1, ping).count == 1)
        #expect(later.receive(from: 1, ping) == [line])
        #expect(later.receive(from: 1, ping) == [])
    }

    @Test("TCP stays open after a close where that is asked for")
    func keepsTCP() {
        var server = server(faults { $0.leavesTCPOpen = true })
        #expect(server.command(.close(nil, .normal, reason: "")) == ["1 close 1000 keeping TCP"])
    }

    @Test("A delay holds everything up, in order, also when it is shortened meanwhile")
    func delay() {
        var server = server(faults { $0.delay = .seconds(5) })
        #expect(server.receive(from: 1, subscribe) == [])
        server.advance(by: .seconds(1))
        server.command(.setFaults(Faults(), for: nil))
        #expect(server.receive(from: 1, ping) == [])
        let seen = server.advance(by: .seconds(4))
        #expect(seen.map { $0.contains("subscription-result") } == [true, false])
        #expect(server.receive(from: 1, ping).count == 1)
    }

    @Test("What is held up for a connection that goes is dropped")
    func delayedGone() {
        var server = server(faults { $0.delay = .seconds(5) })
        server.receive(from: 1, ping)
        server.handle(.closed(ConnectionID(1)))
        #expect(server.advance(by: .seconds(9)) == [])
        #expect(server.session.deadline == nil)
    }

    @Test("What is held up is bounded: the earliest goes when there is too much")
    func delayBound() {
        var server = TestServerSession {
            $0.tables.delayedMessages = 3
            $0.faults.delay = .seconds(60)
        }
        server.connect(1)
        server.receive(from: 1, ping)
        server.receive(from: 1, ping)
        #expect(server.receive(from: 1, ping).first?.contains("welcome") == true)
        var tight = TestServerSession {
            $0.tables.delayedBytes = 10
            $0.faults.delay = .seconds(60)
        }
        #expect(tight.connect(1).count == 1)
    }

    @Test("Replies that never come leave pongs and deliveries alone")
    func never() {
        var server = server(faults { $0.replies = .never })
        #expect(server.receive(from: 1, subscribe) == [])
        #expect(server.receive(from: 1, publish).map { $0.contains("channel-message") } == [true])
        #expect(server.receive(from: 1, ping).count == 1)
        #expect(server.receive(from: 1, #"{"type":"x"}"#) == [])
    }

    @Test("Late replies keep their order, and a pong waits behind them")
    func late() {
        var server = server(faults { $0.replies = .late(.seconds(2)) })
        #expect(server.receive(from: 1, subscribe) == [])
        #expect(server.receive(from: 1, publish).map { $0.contains("channel-message") } == [true])
        #expect(server.receive(from: 1, ping) == [])
        #expect(server.advance(by: .milliseconds(1_999)) == [])
        let seen = server.advance(by: .milliseconds(1))
        #expect(
            zip(seen, ["subscription-result", "publish-result", "pong"]).allSatisfy { $0.contains($1) }
                && seen.count == 3)
    }

    @Test("Only replies with an id come twice")
    func twice() {
        var server = server(faults { $0.replies = .twice }, connections: 2)
        #expect(server.receive(from: 2, subscribe).count == 1)
        #expect(server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a"}"#).count == 2)
        let seen = server.receive(from: 2, #"{"type":"rpc-response","request-id":"<r1>","data":{}}"#)
        #expect(seen.map { $0.first } == ["1", "1", "2"])
    }

    @Test("Out of order, a response lets the next one pass, or goes alone after a second")
    func outOfOrder() {
        var server = server(faults { $0.replies = .outOfOrder }, connections: 2)
        server.receive(from: 2, subscribe)
        for _ in 0..<3 { server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a"}"#) }
        func answer(_ number: Int) -> [String] {
            server.receive(from: 2, #"{"type":"rpc-response","request-id":"<r\#(number)>","data":{}}"#).filter
            {
                $0.hasPrefix("1")
            }
        }
        #expect(answer(1) == [])
        let both = answer(2)
        #expect(both.map { $0.contains("<r2>") } == [true, false])
        #expect(answer(3) == [])
        #expect(server.advance(by: .seconds(1)).map { $0.contains("<r3>") } == [true])
    }

    @Test("Out of order, the server's own answer comes before its result")
    func answerFirst() {
        var server = TestServerSession {
            $0.answeringChannels = ["echo"]
            $0.faults.replies = .outOfOrder
        }
        server.connect(1)
        let seen = server.receive(from: 1, #"{"type":"rpc-request","channel-id":"echo"}"#)
        #expect(seen.map { $0.contains(#""rpc-response""#) } == [true, false])
    }

    @Test("Flat and enveloped deliveries stand side by side")
    func flat() {
        var server = server(Faults(), connections: 2)
        server.command(.setFaults(faults { $0.deliversFlat = true }, for: ConnectionID(2)))
        server.receive(from: 1, subscribe)
        server.receive(from: 2, subscribe)
        #expect(
            server.receive(from: 1, publish).dropLast() == [
                #"1 < {"type":"channel-message","channel-id":"a","data":{"n":1},"broadcast-time":1000,"message-id":"msg-1"}"#,
                #"2 < {"n":1,"channel-id":"a","broadcast-time":1000}"#,
            ])
    }

    @Test(
        "Error frames stand beside failing results and instead of silence",
        arguments: [
            ("{broken", 1, "invalid-message"),
            (#"{"type":"publish","channel-id":"none"}"#, 2, "channel-not-found"),
            (#"{"type":"publish","channel-id":"a","data":1}"#, 2, "data-not-an-object"),
            (#"{"type":"rpc-request","channel-id":"none"}"#, 2, "channel-not-found"),
            (#"{"type":"rpc-response","request-id":"none"}"#, 2, "request-not-found"),
        ])
    func errors(_ frame: String, _ count: Int, _ reason: String) {
        var server = server(faults { $0.sendsErrors = true })
        let seen = server.receive(from: 1, frame)
        #expect(seen.count == count)
        #expect(seen.last?.hasPrefix(#"1 < {"type":"error","message":""#) == true)
        #expect(seen.last?.contains(#""reason":"\#(reason)","timestamp":1000"#) == true)
    }

    @Test("With error frames on, a request's end of time is one, with the request-id")
    func errorTimeOut() {
        var server = server(faults { $0.sendsErrors = true })
        server.receive(from: 1, subscribe)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":10}"#)
        #expect(
            server.advance(by: .seconds(1)).first?.hasSuffix(
                #""reason":"rpc-timeout","timestamp":1010,"request-id":"<r1>"}"#) == true)
    }

    @Test("The old way, requests are counted and forwarded to nobody, and answers go nowhere")
    func oldRequests() {
        var server = server(faults { $0.forwardsNoRequests = true }, connections: 2)
        server.receive(from: 2, subscribe)
        let seen = server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":10}"#)
        #expect(seen.map { $0.contains(#""delivered-to":1"#) } == [true])
        #expect(
            server.receive(from: 2, #"{"type":"rpc-response","request-id":"<r1>","data":{}}"#)
                == [#"2 < {"type":"rpc-response-result","request-id":"<r1>","success":true}"#])
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":10}"#)
        #expect(server.advance(by: .seconds(1)) == [])
    }

    @Test("The old way, unfit data is answered with silence")
    func unfitData() {
        var server = server(faults { $0.ignoresUnfitData = true })
        server.receive(from: 1, subscribe)
        #expect(server.receive(from: 1, #"{"type":"publish","channel-id":"a","data":2}"#) == [])
    }

    @Test("Faults of one connection are its own, until they are set for all")
    func single() {
        var server = server(Faults(), connections: 2)
        server.command(.setFaults(faults { $0.isSilent = true }, for: ConnectionID(1)))
        #expect(server.receive(from: 1, ping) == [])
        #expect(server.receive(from: 2, ping).count == 1)
        server.command(.setFaults(Faults(), for: nil))
        #expect(server.receive(from: 1, ping).count == 1)
    }

    @Test("Upgrades are refused with an answer or without one")
    func refusing() {
        var server = server(faults { $0.refusing = .answer(Refusal(status: 403)) })
        #expect(
            server.session.admit(target: "/", wantsUpgrade: true, at: server.now)
                == .answer(Refusal(status: 403)))
        server.command(.setFaults(faults { $0.refusing = .disconnect }, for: nil))
        #expect(server.session.admit(target: "/", wantsUpgrade: true, at: server.now) == .disconnect)
        #expect(server.page("/health").hasPrefix("200"))
    }
}
