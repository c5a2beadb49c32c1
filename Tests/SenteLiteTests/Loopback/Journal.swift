// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import Synchronization

/// Everything that happened, from any thread, in order; and waiting for it.
final class Journal<Element: Sendable>: Sendable {
    typealias Condition = @Sendable ([Element]) -> Bool

    private struct Waiter {
        let ticket: UInt64
        let condition: Condition
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var elements: [Element] = []
        var waiters: [Waiter] = []
        var lastTicket: UInt64 = 0
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        append(contentsOf: [element])
    }

    func append(contentsOf elements: [Element]) {
        let done = state.withLock { state -> [Waiter] in
            state.elements += elements
            guard !state.waiters.isEmpty else { return [] }
            let all = state.elements
            let done = state.waiters.filter { $0.condition(all) }
            state.waiters.removeAll { waiter in done.contains { $0.ticket == waiter.ticket } }
            return done
        }
        for waiter in done { waiter.continuation.resume() }
    }

    /// Returns once the whole of it satisfies `condition`.
    @discardableResult
    func wait(
        _ what: String, within limit: Duration = .seconds(60), _ condition: @escaping Condition
    ) async throws -> [Element] {
        try await bounded(what, within: limit) { try await self.wait(condition) }
        return elements
    }

    /// The first element that satisfies `condition`, waiting for it if need be.
    func first(
        _ what: String, within limit: Duration = .seconds(60),
        where condition: @escaping @Sendable (Element) -> Bool
    ) async throws -> Element {
        let all = try await wait(what, within: limit) { $0.contains(where: condition) }
        guard let found = all.first(where: condition) else { throw Overdue(what: what, limit: limit) }
        return found
    }

    private func wait(_ condition: @escaping Condition) async throws {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isDone = state.withLock { state -> Bool in
                    if condition(state.elements) { return true }
                    state.waiters.append(
                        Waiter(ticket: ticket, condition: condition, continuation: continuation))
                    return false
                }
                if isDone { continuation.resume() } else if Task.isCancelled { cancel(ticket) }
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    private func cancel(_ ticket: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }
}

extension SenteClient {
    /// Waits until the client stands so.
    func comes(to state: ConnectionState, within limit: Duration = .seconds(60)) async throws {
        let states = states
        try await bounded("the client is \(state)", within: limit) {
            for await status in states where status.state == state { return }
            try Task.checkCancellation()
        }
    }

    /// Every change of the state from now on.
    func journal() -> Journal<ConnectionStatus> {
        let journal = Journal<ConnectionStatus>()
        onStateChange { _, new in journal.append(new) }
        return journal
    }
}

extension Subscription {
    /// The next messages, that many.
    func take(_ count: Int, within limit: Duration = .seconds(60)) async throws -> [ChannelMessage] {
        let channel = channel
        let subscription = self
        return try await bounded("\(count) messages in \(channel)", within: limit) {
            var messages: [ChannelMessage] = []
            var iterator = subscription.makeAsyncIterator()
            while messages.count < count {
                guard let message = await iterator.next() else { throw CancellationError() }
                messages.append(message)
            }
            return messages
        }
    }
}
