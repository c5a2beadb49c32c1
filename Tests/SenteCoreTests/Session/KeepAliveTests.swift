// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Watching for silence")
struct KeepAliveTests {
    private let heartbeat = Heartbeat(interval: .seconds(20), limit: .seconds(5))
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test("Silence is probed after the interval and dead after the limit")
    func silence() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.deadline == at(20))
        #expect(keepAlive.check(at: at(19)) == .fine)
        #expect(keepAlive.check(at: at(20)) == .probe)
        #expect(keepAlive.deadline == at(25))
        #expect(keepAlive.check(at: at(24)) == .fine)
        #expect(keepAlive.check(at: at(25)) == .dead)
        #expect(keepAlive.silence(at: at(25)) == .seconds(25))
    }

    @Test("Any sign of life starts over, also after a probe")
    func life() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.check(at: at(20)) == .probe)
        keepAlive.life(at: at(24))
        #expect(keepAlive.deadline == at(44))
        #expect(keepAlive.check(at: at(25)) == .fine)
    }

    @Test("A probe out of turn is sent once, and not while nothing is read")
    func outOfTurn() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.probeNow(at: at(3)) == true)
        #expect(keepAlive.probeNow(at: at(4)) == false)
        #expect(keepAlive.deadline == at(8))
        keepAlive.life(at: at(5))
        keepAlive.suspend()
        #expect(keepAlive.probeNow(at: at(6)) == false)
    }

    @Test("While the app keeps us from reading, silence says nothing")
    func suspended() {
        var keepAlive = KeepAlive(heartbeat, at: at(0))
        #expect(keepAlive.check(at: at(20)) == .probe)
        keepAlive.suspend()
        #expect(keepAlive.deadline == nil)
        #expect(keepAlive.check(at: at(1_000)) == .fine)
        keepAlive.resume(at: at(1_000))
        #expect(keepAlive.deadline == at(1_020))
    }

    @Test("Without a limit silence is probed each interval, and never dead")
    func noLimit() {
        var keepAlive = KeepAlive(Heartbeat(interval: .seconds(20), limit: nil), at: at(0))
        for turn in Int64(1)...10 {
            #expect(keepAlive.deadline == at(20 * turn))
            #expect(keepAlive.check(at: at(20 * turn - 1)) == .fine)
            #expect(keepAlive.check(at: at(20 * turn)) == .probe)
        }
        keepAlive.life(at: at(205))
        #expect(keepAlive.deadline == at(225))
    }
}
