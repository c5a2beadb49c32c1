// SPDX-License-Identifier: Apache-2.0

package import Dispatch
package import SenteBase
import SenteTransport

/// A time that stands still until somebody moves it, and everything that happens in it, one after the other on one queue.
///
/// What is posted runs at once, in the order of posting. What waits for an instant runs when the time is moved there; the
/// world's own comes before the app's then, as an event loop hands over what has come before it looks at its timers.
package final class VirtualTime: Sendable {
    package typealias Work = @Sendable () -> Void

    /// Whose work it is: while the app is suspended, its own waits.
    package enum Side: Sendable { case world, app }

    /// Finds a piece of work again that waits for an instant.
    package struct Ticket: Hashable, Sendable {
        fileprivate let side: Side
        fileprivate let ticket: DeadlineQueue<Work>.Ticket
    }

    private struct State {
        var now: Int64 = 1_000_000_000
        var work = Queue<(side: Side, work: Work)>()
        /// What the app would do if it were not suspended.
        var held: [Work] = []
        var isSuspended = false
        var worldAlarms = DeadlineQueue<Work>()
        var appAlarms = DeadlineQueue<Work>()
        /// Something posted has not run yet, or runs.
        var isBusy = false
        var posts = 0

        var nextAlarm: Instant? {
            let app = isSuspended ? nil : appAlarms.earliest
            return [worldAlarms.earliest, app].compactMap { $0 }.min()
        }
    }

    let queue: DispatchQueue
    private let capturesJobs: Bool
    private let state = LockedValue(State())
    private let key = DispatchSpecificKey<Bool>()

    /// The time of the main queue, which captures jobs where it can, or one of a queue of its own.
    package init(on queue: DispatchQueue? = nil) {
        self.queue = queue ?? .main
        capturesJobs = queue == nil && CapturedJobs.isPossible
        self.queue.setSpecific(key: key, value: true)
    }

    deinit {
        queue.setSpecific(key: key, value: nil)
    }

    package var isCurrent: Bool { DispatchQueue.getSpecific(key: key) ?? false }

    package var now: Moment {
        let time = state.withLock { $0.now }
        return Moment(
            instant: Instant(nanoseconds: time), wallMilliseconds: 1_700_000_000_000 + time / 1_000_000)
    }

    // MARK: What is to be done

    package func post(_ side: Side, _ work: @escaping Work) {
        let starts = state.withLock { state in
            state.posts += 1
            if side == .app, state.isSuspended {
                state.held.append(work)
                return false
            }
            state.work.append((side, work))
            defer { state.isBusy = true }
            return !state.isBusy
        }
        if starts { queue.async { self.drain() } }
    }

    package func add(_ side: Side, at instant: Instant, _ work: @escaping Work) -> Ticket {
        state.withLock { state in
            switch side {
            case .world: Ticket(side: side, ticket: state.worldAlarms.add(work, due: instant))
            case .app: Ticket(side: side, ticket: state.appAlarms.add(work, due: instant))
            }
        }
    }

    package func remove(_ ticket: Ticket) {
        // The work goes outside of the lock: with it may go what removes others.
        let work = state.withLock { state in
            switch ticket.side {
            case .world: state.worldAlarms.remove(ticket.ticket)
            case .app: state.appAlarms.remove(ticket.ticket)
            }
        }
        _ = work
    }

    /// How often something was posted.
    package var posts: Int { state.withLock { $0.posts } }

    /// The soonest of what waits for an instant.
    package var nextAlarm: Instant? { state.withLock { $0.nextAlarm } }

    /// Whether nothing posted is left.
    var isIdle: Bool { state.withLock { !$0.isBusy } }

    /// Does all that was posted; on the queue.
    func drain() {
        while true {
            let next = state.withLock { state -> Work? in
                while let next = state.work.popFirst() {
                    guard next.side == .app, state.isSuspended else { return next.work }
                    state.held.append(next.work)
                }
                state.isBusy = false
                return nil
            }
            guard let next else { return }
            turn(next)
        }
    }

    /// What the work gives to executors takes its turn here, too, if this is a time of the main queue.
    func turn<Result>(_ work: () -> Result) -> Result {
        capturesJobs ? CapturedJobs.withTurn(of: self, work) : work()
    }

    // MARK: Moving it

    /// Moves the time to an instant, or to what waits for an earlier one; that then runs, on the queue.
    ///
    /// False when nothing waited for it. Call it on the queue, when nothing posted is left.
    func step(by end: Instant) -> Bool {
        let due = state.withLock { state -> Work? in
            guard let next = state.nextAlarm, next <= end else {
                state.now = max(state.now, end.nanoseconds)
                return nil
            }
            state.now = max(state.now, next.nanoseconds)
            if let work = state.worldAlarms.take(by: next) { return work }
            return state.appAlarms.take(by: next)
        }
        guard let due else { return false }
        turn(due)
        return true
    }

    /// From now on the app does nothing, or goes on with what came meanwhile.
    func setSuspended(_ isSuspended: Bool) {
        let held = state.withLock { state in
            state.isSuspended = isSuspended
            defer { state.held = [] }
            return state.held
        }
        for work in held { post(.app, work) }
    }

    // MARK: From other threads

    /// Runs `body` on the queue.
    package func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        try queue.sync(execute: body)
    }

    /// Returns when nothing posted is left.
    package func waitUntilIdle() {
        while !isIdle { queue.sync {} }
    }

    /// Moves the time, doing what is due on the way, one after the other.
    package func advance(by duration: Duration) {
        waitUntilIdle()
        let end = now.instant.advanced(by: duration)
        while queue.sync(execute: { step(by: end) }) { waitUntilIdle() }
    }
}
