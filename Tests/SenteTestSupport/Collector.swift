// SPDX-License-Identifier: Apache-2.0

/// Collects from any thread, in order; tests wait for what it collects.
package final class Collector<Element: Sendable>: Sendable {
    package typealias Condition = @Sendable ([Element]) -> Bool

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

    private let state = Locked(State())

    package init() {}

    package var elements: [Element] { state.withLock { $0.elements } }

    package func append(_ element: Element) {
        append(contentsOf: [element])
    }

    package func append(contentsOf elements: [Element]) {
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

    // MARK: Waiting

    /// Returns all of it once that satisfies `condition`, or the task is cancelled.
    @discardableResult
    package func wait(until condition: @escaping Condition) async -> [Element] {
        try? await waitOrThrow(until: condition)
        return elements
    }

    /// Returns all of it once that is so many elements, or the task is cancelled.
    @discardableResult
    package func first(_ count: Int) async -> [Element] {
        await wait { $0.count >= count }
    }

    /// Returns all of it once that satisfies `condition`; throws `Overdue` when it does not within the limit.
    @discardableResult
    package func wait(
        _ what: String, within limit: Duration = .seconds(300), _ condition: @escaping Condition
    ) async throws -> [Element] {
        try await bounded(what, within: limit) { try await self.waitOrThrow(until: condition) }
        return elements
    }

    /// The first element that satisfies `condition`, waiting for it if need be.
    package func first(
        _ what: String, within limit: Duration = .seconds(300),
        where condition: @escaping @Sendable (Element) -> Bool
    ) async throws -> Element {
        let all = try await wait(what, within: limit) { $0.contains(where: condition) }
        guard let found = all.first(where: condition) else { throw Overdue(what: what, limit: limit) }
        return found
    }

    private func waitOrThrow(until condition: @escaping Condition) async throws {
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
