// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteTelemetry
import Testing

@Suite("What is known of a handler")
struct HandlerStateTests {
    private struct Broken: Error {}

    private static let minute: Int64 = 60_000_000_000

    private var state = HandlerState(
        sieve: HandlerSieve(filter: SignalFilter(), sampler: Sampler(rate: 1), limits: []),
        queue: HandlerQueue(rule: .dropNewest, maximumCount: 10))

    @Test("it is failing for a minute after a call that threw")
    mutating func failing() {
        #expect(!state.health(at: 0).isFailing)
        _ = state.ran(1, Broken(), at: 5)
        #expect(state.health(at: 5).isFailing)
        _ = state.ran(1, nil, at: 6)
        #expect(state.health(at: 4 + Self.minute).isFailing)
        #expect(state.health(at: 5 + Self.minute).isHealthy)
    }

    @Test("after ten calls in a row that threw it is failing until one works")
    mutating func failingOn() {
        for _ in 0..<10 { _ = state.ran(1, Broken(), at: 0) }
        #expect(state.health(at: 0).isResting)
        #expect(!state.health(at: Self.minute).isResting)
        #expect(state.health(at: 10 * Self.minute).isFailing)
        _ = state.ran(1, nil, at: 10 * Self.minute)
        #expect(state.health(at: 10 * Self.minute).isHealthy)
        #expect(state.statistics.failed == 10 && state.statistics.handled == 1)
    }

    @Test("while it rests it is not called, and that is counted")
    mutating func resting() {
        for _ in 0..<10 { _ = state.ran(1, Broken(), at: 0) }
        let isSkipped = state.skips(3, at: 0)
        #expect(isSkipped)
        #expect(state.statistics.failed == 13 && state.statistics.skipped == 3)
        let isSkippedLater = state.skips(3, at: Self.minute)
        #expect(!isSkippedLater)
        #expect(state.statistics.failed == 13 && state.statistics.skipped == 3)
    }

    @Test("it is dropping for a minute after a drop")
    mutating func dropping() {
        state.drop(0, at: 5)
        #expect(!state.health(at: 5).isDropping)
        state.drop(1, at: 5)
        #expect(state.health(at: 4 + Self.minute).isDropping)
        #expect(state.health(at: 5 + Self.minute).isHealthy)
    }

    @Test("what it throws and what it dropped is told at most once a minute, and how many in all")
    mutating func told() {
        let failures = [0, 1, Self.minute - 1, Self.minute, Self.minute + 1].map { time in
            state.ran(0, Broken(), at: time) != nil
        }
        #expect(failures == [true, false, false, true, false])
        let drops = [0, 1, Self.minute - 1, Self.minute, Self.minute + 1].map { time in
            state.drop(2, at: time)
            return state.pressure(at: time)
        }
        #expect(drops == [2, nil, nil, 8, nil])
    }

    @Test("it is well when its queue is less than four fifths full")
    func fill() {
        #expect(HandlerHealth(isFailing: false, isDropping: false, fill: 0.79).isHealthy)
        #expect(!HandlerHealth(isFailing: false, isDropping: false, fill: 0.8).isHealthy)
        #expect(!HandlerHealth(isFailing: true, isDropping: false, fill: 0).isHealthy)
        #expect(!HandlerHealth(isFailing: false, isDropping: true, fill: 0).isHealthy)
    }
}
