// SPDX-License-Identifier: Apache-2.0

import SenteWire

/// One thing an app's handle gets to consume.
package enum InboxElement: Sendable, Equatable {
    case message(ChannelMessage)
    /// `missed` counts what was lost right before it, as `ChannelMessage.missed` does.
    case event(Event, missed: Int)
    case request(IncomingRequest)
}

/// What one live handle has not consumed yet, bounded.
struct Inbox: Sendable {
    /// What it listens to, and how many times over.
    var filters: [InboxFilter: Int] = [:]
    /// The channel of a subscription's handle: `unsubscribe` finishes it.
    let subscription: String?
    private var queue = Queue<(element: InboxElement, size: Int)>()
    private var bytes = 0
    /// Taken, and not yet consumed.
    private var outstanding = 0
    private var isAnnounced = false
    /// Requests handed out and not answered.
    private(set) var unanswered = 0

    init(subscription: String?) {
        self.subscription = subscription
    }

    private func isOver(_ policy: InboxPolicy) -> Bool {
        queue.count + outstanding > policy.maximumMessages || bytes > policy.maximumBytes
    }

    mutating func append(
        _ element: InboxElement, size: Int, _ policy: InboxPolicy
    ) -> (missed: Int, isFull: Bool, announces: Bool) {
        queue.append((element, size))
        bytes += size
        if case .request = element { unanswered += 1 }
        if policy.overflow == .pauseReading, isOver(policy) { return (0, true, announces()) }
        return (trim(policy), false, announces())
    }

    /// Drops the oldest until the rest fits; the newest always stays.
    ///
    /// Returns how many went.
    mutating func trim(_ policy: InboxPolicy) -> Int {
        guard isOver(policy) else { return 0 }
        var dropped = 0
        var missed = 0
        while isOver(policy), queue.count > 1, let first = queue.popFirst() {
            bytes -= first.size
            dropped += 1
            missed += 1 + first.element.missed
            if case .request = first.element { unanswered -= 1 }
        }
        if dropped > 0, let next = queue.first { queue[0].element = next.element.missing(missed) }
        return dropped
    }

    /// Whether the handle is to be told now that something is here: once, and not while it holds untouched elements.
    mutating func announces() -> Bool {
        guard !isAnnounced, outstanding == 0, !queue.isEmpty else { return false }
        isAnnounced = true
        return true
    }

    mutating func take() -> [InboxElement] {
        let elements = queue.drain().map(\.element)
        bytes = 0
        outstanding += elements.count
        isAnnounced = false
        return elements
    }

    mutating func consumed(_ count: Int) {
        outstanding = max(0, outstanding - count)
    }

    mutating func answered() {
        unanswered = max(0, unanswered - 1)
    }
}

extension InboxElement {
    fileprivate var missed: Int {
        switch self {
        case .message(let message): message.missed
        case .event(_, let missed): missed
        case .request: 0
        }
    }

    fileprivate func missing(_ count: Int) -> InboxElement {
        switch self {
        case .message(var message):
            message.missed += count
            return .message(message)
        case .event(let event, let missed): return .event(event, missed: missed + count)
        case .request: return self
        }
    }
}
