// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteTelemetry
import Testing

@Suite("When lines must be on the disk")
struct SyncPlanTests {
    @Test("never is never")
    func never() {
        var plan = SyncPlan(.never, at: 0)
        plan.add(.fatal)
        #expect(plan.isDue(at: .max) == false)
    }

    @Test("an interval runs from the last time, and a clock that was set back ends it")
    func interval() {
        var plan = SyncPlan(.interval(.nanoseconds(100)), at: 1_000)
        #expect(plan.isDue(at: 1_099) == false)
        #expect(plan.isDue(at: 1_100) == true)
        #expect(plan.isDue(at: 1_199) == false)
        #expect(plan.isDue(at: 50) == true)
        #expect(plan.isDue(at: 149) == false)
        #expect(plan.isDue(at: 150) == true)
    }

    @Test("a level is due once behind the batch that held it")
    func level() {
        var plan = SyncPlan(.level(.error), at: 0)
        #expect(plan.isDue(at: 0) == false)
        plan.add(.warn)
        #expect(plan.isDue(at: 0) == false)
        plan.add(.fatal)
        plan.add(.info)
        #expect(plan.isDue(at: 0) == true)
        #expect(plan.isDue(at: 0) == false)
    }
}
