// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// One consumer's share of what many hear: bounded, and what it loses shows on the next it gets.
final class FollowerQueue<Element: CountsMissed & Sendable>: Sendable {
    private struct State {
        var queue: BoundedQueue<Element>
        /// Handed over and not yet consumed; until they are, the rest can still make room.
        var outstanding = 0

        mutating func handOver() -> [Element] {
            guard outstanding == 0 else { return [] }
            let batch = queue.drain()
            outstanding = batch.count
            return batch
        }
    }

    private let mailbox = Mailbox<Element>()
    private let state: Guarded<State>

    init(maximumCount: Int, maximumBytes: Int = .max) {
        state = Guarded(
            State(queue: BoundedQueue(maximumCount: maximumCount, maximumBytes: maximumBytes)))
    }

    func put(_ element: Element, size: Int = 0) {
        let batch = state.withLock { state in
            state.queue.append(element, size: size)
            return state.handOver()
        }
        mailbox.put(batch)
    }

    /// Nothing more comes; what waits can still be taken.
    func finish() {
        mailbox.put(state.withLock { $0.queue.drain() })
        mailbox.finish()
    }

    func cursor() -> Cursor<Element> {
        Cursor(mailbox) { [self] count in
            let batch = state.withLock { state in
                state.outstanding = Swift.max(0, state.outstanding - count)
                return state.handOver()
            }
            mailbox.put(batch)
        }
    }
}
