// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// What any thread may bring to be worked off in order with a client's closures: bounded, so that a closure that never
/// returns piles up nothing.
final class ClosureFeed<Element: CountsMissed & Sendable>: Sendable {
    private struct State {
        var queue: BoundedQueue<Element>
        var isScheduled = false
    }

    private let state: Guarded<State>
    private let closures: ClosureQueue

    init(_ closures: ClosureQueue, bound: Int) {
        state = Guarded(State(queue: BoundedQueue(maximumCount: bound)))
        self.closures = closures
    }

    /// `body` is the same each time.
    func put(_ element: Element, _ body: @escaping @Sendable (Element) -> Void) {
        let schedules = state.withLock { state in
            state.queue.append(element)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        guard schedules else { return }
        closures.run { [weak self] in
            for element in self?.drain() ?? [] { body(element) }
        }
    }

    /// What is brought from here on is behind what the closures have waiting by now.
    private func drain() -> [Element] {
        state.withLock { state in
            state.isScheduled = false
            return state.queue.drain()
        }
    }
}
