// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Watching for silence")
struct KeepAliveTests {
    private let heartbeat = Heartbeat(interval: .seconds(20), limit: .seconds(5))
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    @Test("Silence is probed after the interval and dead after the limit")
    func silence() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.deadline == at(20))
        #expect(keepAlive.check(at: at(19)) == .wait)
        #expect(keepAlive.check(at: at(20)) == .ask(.dialect))
        #expect(keepAlive.deadline == at(22.5))
        #expect(keepAlive.check(at: at(22.5)) == .ask(.webSocket))
        #expect(keepAlive.deadline == at(25))
        #expect(keepAlive.check(at: at(24)) == .wait)
        #expect(keepAlive.check(at: at(25)) == .giveUp)
        #expect(keepAlive.silence(at: at(25)) == .seconds(25))
    }

    @Test("Any sign of life starts over, also after a probe")
    func life() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.check(at: at(20)) == .ask(.dialect))
        keepAlive.life(at: at(24))
        #expect(keepAlive.deadline == at(44))
        #expect(keepAlive.check(at: at(25)) == .wait)
    }

    @Test("A probe out of turn is sent once, and not while nothing is read")
    func outOfTurn() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.askNow(at: at(3)) == .dialect)
        #expect(keepAlive.askNow(at: at(4)) == nil)
        #expect(keepAlive.deadline == at(5.5))
        keepAlive.life(at: at(5))
        keepAlive.suspend()
        #expect(keepAlive.askNow(at: at(6)) == nil)
    }

    @Test("While the app keeps us from reading, silence says nothing")
    func suspended() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.check(at: at(20)) == .ask(.dialect))
        keepAlive.suspend()
        #expect(keepAlive.deadline == nil)
        #expect(keepAlive.check(at: at(1_000)) == .wait)
        keepAlive.resume(at: at(1_000))
        #expect(keepAlive.deadline == at(1_020))
        // At the very moment of the last life too.
        keepAlive.suspend()
        keepAlive.resume(at: at(1_000))
        #expect(keepAlive.deadline == at(1_020))
    }

    @Test("Without a limit silence is probed each interval, and never dead")
    func noLimit() {
        var keepAlive = KeepAlive(Heartbeat(interval: .seconds(20), limit: nil), at: at(0))
        for turn in 1...10 {
            let due = Double(20 * turn)
            #expect(keepAlive.deadline == at(due))
            #expect(keepAlive.check(at: at(due - 1)) == .wait)
            #expect(keepAlive.check(at: at(due)) == .ask(turn == 1 ? .dialect : .webSocket))
        }
        keepAlive.life(at: at(205))
        #expect(keepAlive.deadline == at(225))
    }

    @Test("Where the WebSocket answers and the dialect does not, only the WebSocket is asked from then on")
    func silentDialect() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.check(at: at(20)) == .ask(.dialect))
        #expect(keepAlive.check(at: at(22.5)) == .ask(.webSocket))
        keepAlive.life(at: at(23))
        for turn in 1...5 {
            let due = 23 + 20 * Double(turn)
            #expect(keepAlive.check(at: at(due)) == .ask(.webSocket))
            #expect(keepAlive.deadline == at(due + 5))
            keepAlive.life(at: at(due))
        }
        // A word of the dialect after all: it is asked again.
        keepAlive.answered()
        #expect(keepAlive.check(at: at(143)) == .ask(.dialect))
    }

    @Test("A dialect that answers after other bytes is asked again")
    func lateDialect() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.check(at: at(20)) == .ask(.dialect))
        keepAlive.life(at: at(21))
        keepAlive.answered()
        #expect(keepAlive.check(at: at(41)) == .ask(.dialect))
    }
}
