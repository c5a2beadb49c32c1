// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import SenteBase
import SenteTransport

/// Moves a world's time for those who wait for it, and only while the app is quiet.
///
/// Of what takes its turn in the time (the clients, the server, tasks on the world's executor, and the jobs that these give to
/// other executors: `CapturedJobs`) it is known whether anything is left to do. Of the rest it is not: an app that was told
/// something gets several turns of the ordinary executor and of the main queue, and is quiet when nothing came of the last few.
final class Pump: Sendable {
    enum Outcome: Sendable { case reached, late, nothingLeft, cancelled }

    /// Somebody who waits.
    private struct Goal {
        /// nil: for the instant alone.
        var isReached: (@Sendable () -> Bool)?
        var end: Instant
        var continuation: CheckedContinuation<Outcome, Never>?
    }

    private struct State {
        /// In the order of waiting.
        var goals: [(number: Int, goal: Goal)] = []
        var lastNumber = 0
        var isMoving = false
        /// The app may have something to do.
        var isUnsettled = false
    }

    /// How many turns in a row must bring nothing, and how often each lets everybody else of the ordinary executor go first.
    private static let turns = 2
    private static let yields = 2

    private let time: VirtualTime
    private let state = LockedValue(State())

    init(_ time: VirtualTime) {
        self.time = time
    }

    func wasTold() {
        state.withLock { $0.isUnsettled = true }
    }

    // MARK: Waiting

    /// Waits until the time has come, or until a condition holds, at the latest then.
    func wait(
        until end: Instant, or isReached: (@Sendable () -> Bool)? = nil,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Outcome {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { continuation in
                let starts = state.withLock { state in
                    let goal = Goal(isReached: isReached, end: end, continuation: continuation)
                    state.goals.append((number, goal))
                    state.isUnsettled = true
                    defer { state.isMoving = true }
                    return !state.isMoving
                }
                if starts { time.queue.async { self.move() } }
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled { cancel(number) }
            }
        } onCancel: {
            cancel(number)
        }
    }

    private func cancel(_ number: Int) {
        let goal = state.withLock { state in
            state.goals.firstIndex { $0.number == number }.map { state.goals.remove(at: $0).goal }
        }
        goal?.continuation?.resume(returning: .cancelled)
    }

    // MARK: Moving, on the queue

    private func move() {
        while true {
            guard state.withLock({ !$0.isUnsettled }) else { return settle(turn: 0) }
            guard let end = endGoals() else { return }
            if state.withLock({ $0.isUnsettled }) { continue }
            _ = time.step(by: end)
            time.drain()
        }
    }

    /// Tells those whose goal is reached; the soonest end of the others, nil when there are none.
    private func endGoals() -> Instant? {
        let goals = state.withLock { $0.goals }
        let now = time.now.instant
        let isOver = time.nextAlarm == nil && goals.allSatisfy { $0.goal.isReached != nil }
        // Conditions are the test's own code: not under the lock.
        let ended = goals.compactMap { number, goal -> (Int, Outcome)? in
            if let isReached = goal.isReached {
                if isReached() { return (number, .reached) }
                return goal.end <= now ? (number, .late) : isOver ? (number, .nothingLeft) : nil
            }
            let isDue = goal.end <= now && (time.nextAlarm.map { $0 > now } ?? true)
            return isDue ? (number, .reached) : nil
        }
        for (number, outcome) in ended {
            let goal = state.withLock { state in
                state.isUnsettled = true
                return state.goals.firstIndex { $0.number == number }.map { state.goals.remove(at: $0).goal }
            }
            time.turn { goal?.continuation?.resume(returning: outcome) }
        }
        return state.withLock { state in
            let end = state.goals.map(\.goal.end).min()
            state.isMoving = end != nil
            return end
        }
    }

    /// Lets the app take its turns; then it goes on.
    private func settle(turn: Int) {
        state.withLock { $0.isUnsettled = false }
        let before = time.posts
        Task.detached(priority: .medium) {
            for _ in 0..<Self.yields {
                await Task.yield()
                // Where threads outnumber processors: another one's turn of theirs.
                sched_yield()
            }
            self.time.queue.async {
                let isQuiet = self.time.posts == before && self.state.withLock { !$0.isUnsettled }
                if !isQuiet { return self.settle(turn: 0) }
                if turn + 1 < Self.turns { self.settle(turn: turn + 1) } else { self.move() }
            }
        }
    }
}
