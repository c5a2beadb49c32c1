// SPDX-License-Identifier: Apache-2.0

/// Where the loop leaves what a handle is to consume: one lock and one resume a batch.
///
/// Whoever takes gets everything that waits as one array. Several may wait; each batch goes to the one that
/// waits longest.
final class Mailbox<Element: Sendable>: Sendable {
    private typealias Continuation = CheckedContinuation<[Element], Never>

    private struct State {
        var waiting: [Element] = []
        var waiters: [(ticket: UInt64, continuation: Continuation)] = []
        var lastTicket: UInt64 = 0
        var isFinished = false
    }

    private let state = Guarded(State())
    private let bound: Int

    /// Beyond `bound` waiting elements the oldest go; leave it out where the session bounds what it hands
    /// over.
    init(bound: Int = .max) {
        self.bound = bound
    }

    func put(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        let waiter = state.withLock { state -> Continuation? in
            guard !state.isFinished else { return nil }
            guard state.waiters.isEmpty else { return state.waiters.removeFirst().continuation }
            state.waiting += elements
            if state.waiting.count > bound { state.waiting.removeFirst(state.waiting.count - bound) }
            return nil
        }
        waiter?.resume(returning: elements)
    }

    /// Elements that were taken and not consumed, to be taken again.
    func giveBack(_ elements: ArraySlice<Element>) {
        guard !elements.isEmpty else { return }
        let waiter = state.withLock { state -> Continuation? in
            guard state.waiters.isEmpty else { return state.waiters.removeFirst().continuation }
            state.waiting.insert(contentsOf: elements, at: 0)
            return nil
        }
        waiter?.resume(returning: Array(elements))
    }

    /// Nothing more will be put; what waits can still be taken.
    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: []) }
    }

    /// Everything that waits, or what comes next; nothing when the mailbox is finished or the task cancelled.
    func take(isolation: isolated (any Actor)?) async -> [Element] {
        guard !Task.isCancelled else { return [] }
        let (ready, ticket) = state.withLock { state in
            state.lastTicket += 1
            return (Self.ready(&state), state.lastTicket)
        }
        if let ready { return ready }
        return await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: isolation) { continuation in
                wait(continuation, ticket)
                // The handler may have run before there was anything to cancel.
                if Task.isCancelled { cancel(ticket) }
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    private func wait(_ continuation: Continuation, _ ticket: UInt64) {
        let ready = state.withLock { state -> [Element]? in
            if let ready = Self.ready(&state) { return ready }
            state.waiters.append((ticket, continuation))
            return nil
        }
        if let ready { continuation.resume(returning: ready) }
    }

    private func cancel(_ ticket: UInt64) {
        let waiter = state.withLock { state -> Continuation? in
            guard let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiters.remove(at: index).continuation
        }
        waiter?.resume(returning: [])
    }

    /// What can be had without waiting; nil when there is nothing yet.
    private static func ready(_ state: inout State) -> [Element]? {
        guard state.waiting.isEmpty else {
            defer { state.waiting = [] }
            return state.waiting
        }
        return state.isFinished ? [] : nil
    }
}
