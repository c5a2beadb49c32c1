// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Keeps the errors of a channel socket, tells who listens, and has done what the policy says.
final class ErrorStore: Sendable {
    private struct State {
        var log = ErrorLog()
        var listeners: [(id: UInt64, body: @Sendable (ErrorReport) -> Void)] = []
        var followers: [UInt64: FollowerQueue<ErrorReport>] = [:]
        var last: UInt64 = 0
        var isFinished = false
        weak var hub: ReceiveHub?
    }

    /// An error that came up on the loop, where no code of the app runs.
    private struct Held: CountsMissed, Sendable {
        var error: SenteError
        var operation: ErrorContext.Operation
        var event: Event?
        var missed = 0
    }

    private let state = Guarded(State())
    private let policy: ErrorPolicy
    private let host: any Host
    private let held: ClosureFeed<Held>
    private let told: ClosureFeed<ErrorReport>

    init(policy: ErrorPolicy, host: any Host, closures: ClosureQueue) {
        self.policy = policy
        self.host = host
        held = ClosureFeed(closures, bound: ErrorLog.capacity)
        told = ClosureFeed(closures, bound: ErrorLog.capacity)
    }

    /// Names who does what the policy decides.
    ///
    /// Called once, before anything is reported.
    func connect(to hub: ReceiveHub) {
        state.withLock { $0.hub = hub }
    }

    var recent: [ErrorReport] { state.withLock { $0.log.recent } }

    /// Decides, keeps, tells and does; not on the loop.
    func report(
        _ error: any Error, _ operation: ErrorContext.Operation, event: Event? = nil, attempt: Int? = nil
    ) {
        let hub = state.withLock { $0.hub }
        let context = ErrorContext(operation, event: event, attempt: attempt ?? hub?.attempt ?? 0)
        let report = ErrorReport(
            error, context, time: host.now.wallMilliseconds, action: policy.action(for: error, in: context))
        let (followers, hasListeners) = state.withLock { state in
            state.log.append(report)
            return (Array(state.followers.values), !state.listeners.isEmpty)
        }
        for follower in followers { follower.put(report) }
        if hasListeners { told.put(report) { [weak self] in self?.tell($0) } }
        hub?.act(on: report)
    }

    /// The same, from the loop.
    func reportLater(
        _ error: SenteError, _ operation: ErrorContext.Operation, event: Event? = nil
    ) {
        held.put(Held(error: error, operation: operation, event: event)) { [weak self] held in
            self?.report(held.error, held.operation, event: held.event)
        }
    }

    private func tell(_ report: ErrorReport) {
        for listener in state.withLock({ $0.listeners }) { listener.body(report) }
    }

    // MARK: Listening

    func listen(_ body: @escaping @Sendable (ErrorReport) -> Void) -> Registration {
        let id = state.withLock { state in
            state.last += 1
            if !state.isFinished { state.listeners.append((state.last, body)) }
            return state.last
        }
        return Registration { [weak self] in
            self?.state.withLock { $0.listeners.removeAll { $0.id == id } }
        }
    }

    func follow() -> (FollowerQueue<ErrorReport>, Place) {
        let queue = FollowerQueue<ErrorReport>(maximumCount: ErrorLog.capacity)
        let (id, isFinished) = state.withLock { state in
            state.last += 1
            if !state.isFinished { state.followers[state.last] = queue }
            return (state.last, state.isFinished)
        }
        if isFinished { queue.finish() }
        return (queue, Place { [weak self] in self?.state.withLock { $0.followers[id] = nil } })
    }

    func finish() {
        let followers = state.withLock { state in
            state.isFinished = true
            state.listeners = []
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
    }
}
