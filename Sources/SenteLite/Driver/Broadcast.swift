// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteTransport

/// Brings what happens to everybody who follows it, each at its own pace.
package final class Broadcast<Element: Sendable>: Sendable {
    private struct State {
        /// What a new follower hears first, where there is such a thing: the latest.
        var current: Element?
        var followers = Roster<BoundedMailbox<Element>>()
        var isFinished = false
    }

    private let state: LockedValue<State>
    /// What each follower's mailbox begins with.
    private let queue: BoundedQueue<Element>

    /// With a `current` element a follower hears the latest first; else only what comes.
    package init(_ queue: BoundedQueue<Element>, current: Element? = nil) {
        self.queue = queue
        state = LockedValue(State(current: current))
    }

    var isFollowed: Bool { state.withLock { !$0.followers.isEmpty } }

    package func send(_ elements: [Element]) {
        let followers = state.withLock { state in
            if state.current != nil, let last = elements.last { state.current = last }
            return state.followers.members
        }
        for follower in followers { follower.put(elements) }
    }

    package func finish() {
        let followers = state.withLock { state in
            state.isFinished = true
            return state.followers.removeAll()
        }
        for follower in followers { follower.finish() }
    }

    /// A follower, for as long as the iterator is kept.
    package func makeIterator() -> MailboxIterator<Element> {
        let mailbox = BoundedMailbox(bounded: queue)
        let number = state.withLock { state in
            if let current = state.current { mailbox.put(current) }
            if state.isFinished { mailbox.finish() }
            return state.followers.add(mailbox)
        }
        let place = CancelOnDeinit { [weak self] in self?.state.withLock { $0.followers.remove(number) } }
        return mailbox.makeIterator(keeping: place)
    }
}
