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

    private func stage(_ faults: Faults, connections: UInt64 = 1) -> Stage {
        var stage = Stage()
        for number in 1...connections { stage.connect(number) }
        stage.command(.setFaults(faults, for: nil))
        return stage
    }

    @Test("A silent server takes everything and says nothing, not even a heartbeat")
    func silent() {
        var stage = Stage {
            $0.heartbeatInterval = .seconds(1)
            $0.faults.isSilent = true
        }
        #expect(stage.connect(1) == [])
        #expect(stage.send(1, subscribe) == [])
        #expect(stage.wait(.seconds(300)) == [])
        stage.command(.setFaults(Faults(), for: nil))
        #expect(stage.send(1, #"{"type":"get-subscriptions"}"#).first?.contains(#"["a"]"#) == true)
    }

    @Test("A server that never greets is otherwise itself")
    func neverGreets() {
        var stage = Stage { $0.faults.neverGreets = true }
        #expect(stage.connect(1) == [])
        #expect(stage.send(1, ping).count == 1)
    }

    @Test(
        "A connection ends by itself, at once or after so many messages, with a code or without",
        arguments: [(Faults.Ending.drop, "1 drop"), (.close(.internalError, "x"), "1 close 1011")])
    func ending(_ ending: Faults.Ending, _ line: String) {
        var stage = Stage { $0.faults.ending = ending }
        #expect(stage.connect(1) == [line])
        var later = Stage {
            $0.faults.ending = ending
            $0.faults.endingAfter = 2
        }
        later.connect(1)
        #expect(later.send(1, ping).count == 1)
        #expect(later.send(1, ping) == [line])
        #expect(later.send(1, ping) == [])
    }

    @Test("TCP stays open after a close where that is asked for")
    func keepsTCP() {
        var stage = stage(faults { $0.leavesTCPOpen = true })
        #expect(stage.command(.close(nil, .normal, reason: "")) == ["1 close 1000 keeping TCP"])
    }

    @Test("A delay holds everything up, in order, also when it is shortened meanwhile")
    func delay() {
        var stage = stage(faults { $0.delay = .seconds(5) })
        #expect(stage.send(1, subscribe) == [])
        stage.wait(.seconds(1))
        stage.command(.setFaults(Faults(), for: nil))
        #expect(stage.send(1, ping) == [])
        let seen = stage.wait(.seconds(4))
        #expect(seen.map { $0.contains("subscription-result") } == [true, false])
        #expect(stage.send(1, ping).count == 1)
    }

    @Test("What is held up for a connection that goes is dropped")
    func delayedGone() {
        var stage = stage(faults { $0.delay = .seconds(5) })
        stage.send(1, ping)
        stage.handle(.closed(ConnectionID(1)))
        #expect(stage.wait(.seconds(9)) == [])
        #expect(stage.session.deadline == nil)
    }

    @Test("What is held up is bounded: the earliest goes when there is too much")
    func delayBound() {
        var stage = Stage {
            $0.tables.delayedMessages = 3
            $0.faults.delay = .seconds(60)
        }
        stage.connect(1)
        stage.send(1, ping)
        stage.send(1, ping)
        #expect(stage.send(1, ping).first?.contains("welcome") == true)
        var tight = Stage {
            $0.tables.delayedBytes = 10
            $0.faults.delay = .seconds(60)
        }
        #expect(tight.connect(1).count == 1)
    }

    @Test("Replies that never come leave pongs and deliveries alone")
    func never() {
        var stage = stage(faults { $0.replies = .never })
        #expect(stage.send(1, subscribe) == [])
        #expect(stage.send(1, publish).map { $0.contains("channel-message") } == [true])
        #expect(stage.send(1, ping).count == 1)
        #expect(stage.send(1, #"{"type":"x"}"#) == [])
    }

    @Test("Late replies keep their order, and a pong waits behind them")
    func late() {
        var stage = stage(faults { $0.replies = .late(.seconds(2)) })
        #expect(stage.send(1, subscribe) == [])
        #expect(stage.send(1, publish).map { $0.contains("channel-message") } == [true])
        #expect(stage.send(1, ping) == [])
        #expect(stage.wait(.milliseconds(1_999)) == [])
        let seen = stage.wait(.milliseconds(1))
        #expect(
            zip(seen, ["subscription-result", "publish-result", "pong"]).allSatisfy { $0.contains($1) }
                && seen.count == 3)
    }

    @Test("Only replies with an id come twice")
    func twice() {
        var stage = stage(faults { $0.replies = .twice }, connections: 2)
        #expect(stage.send(2, subscribe).count == 1)
        #expect(stage.send(1, #"{"type":"rpc-request","channel-id":"a"}"#).count == 2)
        let seen = stage.send(2, #"{"type":"rpc-response","request-id":"<r1>","data":{}}"#)
        #expect(seen.map { $0.first } == ["1", "1", "2"])
    }

    @Test("Out of order, a response lets the next one pass, or goes alone after a second")
    func outOfOrder() {
        var stage = stage(faults { $0.replies = .outOfOrder }, connections: 2)
        stage.send(2, subscribe)
        for _ in 0..<3 { stage.send(1, #"{"type":"rpc-request","channel-id":"a"}"#) }
        func answer(_ number: Int) -> [String] {
            stage.send(2, #"{"type":"rpc-response","request-id":"<r\#(number)>","data":{}}"#).filter {
                $0.hasPrefix("1")
            }
        }
        #expect(answer(1) == [])
        let both = answer(2)
        #expect(both.map { $0.contains("<r2>") } == [true, false])
        #expect(answer(3) == [])
        #expect(stage.wait(.seconds(1)).map { $0.contains("<r3>") } == [true])
    }

    @Test("Out of order, the server's own answer comes before its result")
    func answerFirst() {
        var stage = Stage {
            $0.answeringChannels = ["echo"]
            $0.faults.replies = .outOfOrder
        }
        stage.connect(1)
        let seen = stage.send(1, #"{"type":"rpc-request","channel-id":"echo"}"#)
        #expect(seen.map { $0.contains(#""rpc-response""#) } == [true, false])
    }

    @Test("Flat and enveloped deliveries stand side by side")
    func flat() {
        var stage = stage(Faults(), connections: 2)
        stage.command(.setFaults(faults { $0.deliversFlat = true }, for: ConnectionID(2)))
        stage.send(1, subscribe)
        stage.send(2, subscribe)
        #expect(
            stage.send(1, publish).dropLast() == [
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
        var stage = stage(faults { $0.sendsErrors = true })
        let seen = stage.send(1, frame)
        #expect(seen.count == count)
        #expect(seen.last?.hasPrefix(#"1 < {"type":"error","message":""#) == true)
        #expect(seen.last?.contains(#""reason":"\#(reason)","timestamp":1000"#) == true)
    }

    @Test("With error frames on, a request's end of time is one, with the request-id")
    func errorTimeOut() {
        var stage = stage(faults { $0.sendsErrors = true })
        stage.send(1, subscribe)
        stage.send(1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":10}"#)
        #expect(
            stage.wait(.seconds(1)).first?.hasSuffix(
                #""reason":"rpc-timeout","timestamp":1010,"request-id":"<r1>"}"#) == true)
    }

    @Test("The old way, requests are counted and forwarded to nobody, and answers go nowhere")
    func oldRequests() {
        var stage = stage(faults { $0.forwardsNoRequests = true }, connections: 2)
        stage.send(2, subscribe)
        let seen = stage.send(1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":10}"#)
        #expect(seen.map { $0.contains(#""delivered-to":1"#) } == [true])
        #expect(
            stage.send(2, #"{"type":"rpc-response","request-id":"<r1>","data":{}}"#)
                == [#"2 < {"type":"rpc-response-result","request-id":"<r1>","success":true}"#])
        stage.send(1, #"{"type":"rpc-request","channel-id":"a","timeout-ms":10}"#)
        #expect(stage.wait(.seconds(1)) == [])
    }

    @Test("The old way, unfit data is answered with silence")
    func unfitData() {
        var stage = stage(faults { $0.ignoresUnfitData = true })
        stage.send(1, subscribe)
        #expect(stage.send(1, #"{"type":"publish","channel-id":"a","data":2}"#) == [])
    }

    @Test("Faults of one connection are its own, until they are set for all")
    func single() {
        var stage = stage(Faults(), connections: 2)
        stage.command(.setFaults(faults { $0.isSilent = true }, for: ConnectionID(1)))
        #expect(stage.send(1, ping) == [])
        #expect(stage.send(2, ping).count == 1)
        stage.command(.setFaults(Faults(), for: nil))
        #expect(stage.send(1, ping).count == 1)
    }

    @Test("Upgrades are refused with an answer or without one")
    func refusing() {
        var stage = stage(faults { $0.refusing = .answer(Refusal(status: 403)) })
        #expect(
            stage.session.admit(target: "/", wantsUpgrade: true, at: stage.now)
                == .answer(Refusal(status: 403)))
        stage.command(.setFaults(faults { $0.refusing = .disconnect }, for: nil))
        #expect(stage.session.admit(target: "/", wantsUpgrade: true, at: stage.now) == .disconnect)
        #expect(stage.page("/health").hasPrefix("200"))
    }
}
