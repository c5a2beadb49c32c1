// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Where one consumer finds what came for it: one lock and one resume a batch.
///
/// Whoever takes gets everything that waits as one array. Several may wait; each batch goes to the one that waits longest.
/// What waits is bounded by the queue it is made with.
package final class BoundedMailbox<Element: Sendable>: Sendable {
    private typealias Continuation = CheckedContinuation<[Element], Never>

    private struct State {
        /// What was given back, and all that waits where nothing is bounded: an array, which goes as it is.
        var unbounded: [Element] = []
        /// One, or none where nothing is bounded; in an array for its being a word where there is none.
        var bounded: [BoundedQueue<Element>] = []
        var waiters: [(ticket: UInt64, continuation: Continuation)] = []
        var lastTicket: UInt64 = 0
        var isFinished = false

        mutating func popWaiter() -> Continuation? {
            waiters.isEmpty ? nil : waiters.removeFirst().continuation
        }

        mutating func append(_ element: Element, size: Int) {
            if bounded.isEmpty { unbounded.append(element) } else { bounded[0].append(element, size: size) }
        }

        mutating func append(_ elements: [Element]) {
            if !bounded.isEmpty {
                bounded[0].append(contentsOf: elements)
            } else if unbounded.isEmpty {
                unbounded = elements
            } else {
                unbounded += elements
            }
        }

        /// What can be had without waiting; nil when there is nothing yet.
        mutating func takeReady() -> [Element]? {
            let next = bounded.isEmpty ? [] : bounded[0].drain()
            guard unbounded.isEmpty else {
                defer { unbounded = [] }
                return next.isEmpty ? unbounded : unbounded + next
            }
            return next.isEmpty && !isFinished ? nil : next
        }
    }

    private let state: LockedValue<State>

    /// Leave the queue out where whoever puts bounds what may wait.
    package init(bounded queue: BoundedQueue<Element>? = nil) {
        state = LockedValue(State(bounded: queue.map { [$0] } ?? []))
    }

    var isFinished: Bool { state.withLock { $0.isFinished } }

    // MARK: Putting, on any thread

    package func put(_ element: Element, size: Int = 0) {
        let waiter = state.withLock { state -> Continuation? in
            guard !state.isFinished else { return nil }
            if let waiter = state.popWaiter() { return waiter }
            state.append(element, size: size)
            return nil
        }
        waiter?.resume(returning: [element])
    }

    func put(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        let waiter = state.withLock { state -> Continuation? in
            guard !state.isFinished else { return nil }
            if let waiter = state.popWaiter() { return waiter }
            state.append(elements)
            return nil
        }
        waiter?.resume(returning: elements)
    }

    /// Elements that were taken and not consumed, to be taken again before the others.
    func giveBack(_ elements: [Element]) {
        let waiter = state.withLock { state -> Continuation? in
            if let waiter = state.popWaiter() { return waiter }
            state.unbounded = elements + state.unbounded
            return nil
        }
        waiter?.resume(returning: elements)
    }

    /// Nothing more will be put; what waits can still be taken.
    package func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: []) }
    }

    // MARK: Taking

    /// Everything that waits, or what comes next; nothing when the mailbox is finished or the task cancelled.
    func take(isolation: isolated (any Actor)?) async -> [Element] {
        guard !Task.isCancelled else { return [] }
        let (ready, ticket) = state.withLock { state in
            state.lastTicket += 1
            return (state.takeReady(), state.lastTicket)
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
            if let ready = state.takeReady() { return ready }
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
}

extension BoundedMailbox<InboxElement>: InboxReceiver {
    func receive(_ elements: [InboxElement]) { put(elements) }
}
