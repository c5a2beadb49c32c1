// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Keeps the errors of a channel socket, asks the policy about each, and tells who listens.
final class ErrorStore: Sendable {
    private struct State {
        var log = ErrorLog()
        var listeners = Roster<@Sendable (ErrorReport) -> Void>()
        /// What the listeners have not been told yet.
        var untold = BoundedQueue<ErrorReport>(maximumCount: ErrorLog.capacity)
    }

    private let state = LockedValue(State())
    private let followers = Broadcast<ErrorReport>(BoundedQueue(maximumCount: ErrorLog.capacity))
    private let policy: ErrorPolicy
    private let closures: ClosureQueue

    init(policy: ErrorPolicy, closures: ClosureQueue) {
        self.policy = policy
        self.closures = closures
    }

    var recent: [ErrorReport] { state.withLock { $0.log.recent } }

    /// Keeps and tells; the report says what is to be done.
    ///
    /// Not on the loop, where no code of the app runs.
    func add(_ error: any Error, _ context: ErrorContext, at time: Int64) -> ErrorReport {
        let report = ErrorReport(
            error, context, time: time, action: policy.action(for: error, in: context))
        let tells = state.withLock { state in
            state.log.append(report)
            return !state.listeners.isEmpty && state.untold.append(report)
        }
        followers.send([report])
        if tells { closures.run { [weak self] in self?.tell() } }
        return report
    }

    private func tell() {
        for report in state.withLock({ $0.untold.drain() }) {
            for listener in state.withLock({ $0.listeners.members }) { listener(report) }
        }
    }

    func listen(_ body: @escaping @Sendable (ErrorReport) -> Void) -> Registration {
        let number = state.withLock { $0.listeners.add(body) }
        return Registration { [weak self] in self?.state.withLock { $0.listeners.remove(number) } }
    }

    func makeIterator() -> MailboxIterator<ErrorReport> {
        followers.makeIterator()
    }

    func finish() {
        state.withLock { $0.listeners = Roster() }
        followers.finish()
    }
}
