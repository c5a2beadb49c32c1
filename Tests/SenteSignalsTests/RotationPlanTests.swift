// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Plans of rotation")
struct RotationPlanTests {
    private static let day: Int64 = 86_400_000_000_000

    @Test("by size: a new file begins before the line that would not fit")
    func size() {
        var plan = RotationPlan(.size(100), keep: 3)
        plan.opened(size: 40, changedAt: 0)
        #expect(plan.add(60, at: 0) == false)
        #expect(plan.add(1, at: 0) == true)
        #expect(plan.add(99, at: 0) == false)
        #expect(plan.add(1, at: 0) == true)
    }

    @Test("a line that is too large for any file has one of its own, and no empty file is put aside")
    func giants() {
        var plan = RotationPlan(.size(100), keep: 3)
        #expect(plan.add(500, at: 0) == false)
        #expect(plan.add(500, at: 0) == true)
        #expect(plan.add(1, at: 0) == true)
        var nothing = RotationPlan(.size(-5), keep: 3)
        #expect(nothing.add(.max, at: 0) == false)
        #expect(nothing.add(1, at: 0) == true)
    }

    @Test("by day: a new file begins with the first line of another day, and none where the clock goes back")
    func daily() {
        var plan = RotationPlan(.daily, keep: 3)
        plan.opened(size: 10, changedAt: 5 * Self.day - 1)
        #expect(plan.add(1, at: 5 * Self.day) == true)
        #expect(plan.add(1, at: 6 * Self.day - 1) == false)
        #expect(plan.add(1, at: 3 * Self.day) == false)
        #expect(plan.add(1, at: 4 * Self.day) == true)
        #expect(plan.add(1, at: -1) == false)
        #expect(plan.add(1, at: 0) == true)
        #expect(plan.add(1, at: .max) == true)
        #expect(plan.add(1, at: .min) == false)
        // The first moment of a day is that day's, before 1970 too.
        #expect(plan.add(1, at: -Self.day - 1) == true)
        #expect(plan.add(1, at: -Self.day) == true)
        #expect(plan.add(1, at: -1) == false)
        plan.opened(size: 10, changedAt: 5 * Self.day)
        #expect(plan.add(1, at: 6 * Self.day - 1) == false)
    }

    @Test("by nothing: never")
    func none() {
        var plan = RotationPlan(.none, keep: 3)
        for day in 0..<100 as Range<Int64> {
            let rotates = plan.add(1 << 30, at: day * Self.day)
            #expect(!rotates)
        }
    }

    @Test("older files move up, and the oldest is written over")
    func steps() {
        #expect(
            RotationPlan(.daily, keep: 3).steps("a.log") == [
                .rename("a.log.2", to: "a.log.3"), .rename("a.log.1", to: "a.log.2"),
                .rename("a.log", to: "a.log.1"),
            ])
        #expect(RotationPlan(.daily, keep: 1).steps("a.log") == [.rename("a.log", to: "a.log.1")])
        #expect(RotationPlan(.daily, keep: 0).steps("a.log") == [.remove("a.log")])
        #expect(RotationPlan(.daily, keep: -1).steps("a.log") == [.remove("a.log")])
    }

    @Test("compressed ones move up beside those that could not be, and the newest is compressed last")
    func compressed() {
        #expect(
            RotationPlan(.daily, keep: 2, compresses: true).steps("a.log") == [
                .remove("a.log.2"), .remove("a.log.2.gz"), .rename("a.log.1", to: "a.log.2"),
                .rename("a.log.1.gz", to: "a.log.2.gz"), .rename("a.log", to: "a.log.1"),
                .compress("a.log.1", to: "a.log.1.gz"),
            ])
        #expect(RotationPlan(.daily, keep: 0, compresses: true).steps("a.log") == [.remove("a.log")])
    }
}
