// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("Changes of the network")
struct PathChangesTests {
    private static func at(_ milliseconds: Int64) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000)
    }

    /// A burst, and what it comes to.
    struct Burst: Sendable, CustomStringConvertible {
        /// What came when, in milliseconds.
        var noticed: [(time: Int64, change: NetworkChange)]
        /// What counted when.
        var counted: [(time: Int64, change: NetworkChange)]

        var description: String { "\(noticed)" }
    }

    @Test(
        "The first of a burst counts at once, the rest as one when a second is over",
        arguments: [
            Burst(noticed: [(0, .available)], counted: [(0, .available)]),
            Burst(noticed: [(0, .lost)], counted: [(0, .lost)]),
            Burst(
                noticed: [(0, .available), (1, .available), (2, .available), (999, .available)],
                counted: [(0, .available), (1_000, .available)]),
            Burst(
                noticed: [(0, .available), (1_000, .available)],
                counted: [(0, .available), (1_000, .available)]),
            // A way that opens is not held up by one that closed.
            Burst(noticed: [(0, .lost), (1, .available)], counted: [(0, .lost), (1, .available)]),
            Burst(
                noticed: [(0, .lost), (1, .lost), (2, .available), (3, .lost), (4, .lost)],
                counted: [(0, .lost), (2, .available), (1_002, .lost)]),
            // Of those that wait, one that opened outweighs those that closed.
            Burst(
                noticed: [(0, .available), (1, .available), (2, .lost)],
                counted: [(0, .available), (1_000, .available)]),
            Burst(
                noticed: [(0, .available), (1, .lost), (2, .available)],
                counted: [(0, .available), (1_000, .available)]),
            Burst(
                noticed: [(0, .available), (500, .lost), (1_500, .lost), (5_000, .lost)],
                counted: [(0, .available), (1_000, .lost), (2_000, .lost), (5_000, .lost)]),
        ])
    func burst(_ burst: Burst) {
        var changes = PathChanges()
        var counted: [(time: Int64, change: NetworkChange)] = []
        for (time, change) in burst.noticed {
            wake(&changes, until: time, &counted)
            if let change = changes.noticed(change, at: Self.at(time)) { counted.append((time, change)) }
            if let deadline = changes.deadline { #expect(deadline > Self.at(time)) }
        }
        wake(&changes, until: 100_000, &counted)
        #expect(counted.map(\.time) == burst.counted.map(\.time))
        #expect(counted.map(\.change) == burst.counted.map(\.change))
        #expect(changes.deadline == nil)
    }

    /// Wakes it whenever it asked for it.
    private func wake(
        _ changes: inout PathChanges, until end: Int64,
        _ counted: inout [(time: Int64, change: NetworkChange)]
    ) {
        while let deadline = changes.deadline, deadline <= Self.at(end) {
            #expect(changes.popDue(at: Instant(nanoseconds: deadline.nanoseconds - 1)) == nil)
            guard let change = changes.popDue(at: deadline) else {
                Issue.record("Nothing was due at the deadline.")
                return
            }
            counted.append((deadline.nanoseconds / 1_000_000, change))
        }
    }

    @Test("A network that never stops changing counts once a second, or twice when it closed first")
    func flapping() {
        var changes = PathChanges()
        var counted = 0
        for time in stride(from: Int64(0), to: 60_000, by: 7) {
            while let deadline = changes.deadline, deadline <= Self.at(time),
                changes.popDue(at: deadline) != nil
            {
                counted += 1
            }
            if changes.noticed(time % 2 == 0 ? .available : .lost, at: Self.at(time)) != nil { counted += 1 }
        }
        #expect((59...61).contains(counted))
    }

    @Test("A change that comes late, when one was due, is taken together with it")
    func late() {
        var changes = PathChanges()
        #expect(changes.noticed(.available, at: Self.at(0)) == .available)
        #expect(changes.noticed(.available, at: Self.at(10)) == nil)
        #expect(changes.noticed(.lost, at: Self.at(5_000)) == .available)
        #expect(changes.deadline == nil)
    }
}
