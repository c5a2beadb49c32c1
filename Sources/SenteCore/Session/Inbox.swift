// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// One thing an app's handle gets to consume.
package enum InboxElement: Sendable, Equatable {
    case message(ChannelMessage)
    /// `missed` counts what was lost right before it, as `ChannelMessage.missed` does.
    case event(Event, missed: Int)
    indirect case request(IncomingRequest)
}

/// What one live handle has not consumed yet, bounded.
package struct Inbox: Sendable {
    /// What it listens to, and how many times over.
    package var filters: [InboxFilter: Int] = [:]
    /// The channel of a subscription's handle: `unsubscribe` finishes it.
    package let subscription: WireName?
    /// What it wants of what the server kept, until the server's next answer brought it; nil from then on.
    package var history: ChannelHistory?
    /// Where in the order of messages it was opened: what came later it got.
    package let openedAt: UInt64
    /// Told with the next message of the channel.
    private var gaps: [WireName: ChannelGap] = [:]
    /// How many requests are worked on at once.
    package let requestLimit: Int
    private var elements = Queue<InboxElement>()
    /// Of each element; apart, so that what is taken is handed over as it stands.
    private var sizes = Queue<Size>()
    private var bytes = 0
    /// Taken, and not yet consumed; the bytes on average.
    private var outstanding = (messages: 0, bytes: 0)
    private var isAnnounced = false
    /// Requests handed out and not answered.
    package private(set) var unanswered = 0
    /// Held reading up for as long as it may: until it has room again, the oldest goes.
    private var isStuck = false

    private struct Size: Sendable {
        var bytes: Int
        /// When it is too late for the element.
        var expiry: Instant?
    }

    package init(
        subscription: WireName? = nil, history: ChannelHistory? = nil, openedAt: UInt64 = 0,
        requestLimit: Int = 0
    ) {
        self.subscription = subscription
        self.history = history
        self.openedAt = openedAt
        self.requestLimit = requestLimit
    }

    private func isOver(_ policy: InboxPolicy) -> Bool {
        elements.count + outstanding.messages > policy.maximumMessages
            || bytes + outstanding.bytes > policy.maximumBytes
    }

    /// What is not consumed, in bytes.
    var load: Int { bytes + outstanding.bytes }

    /// Whether too much came although reading is to stop.
    private func isFarOver(_ policy: InboxPolicy) -> Bool {
        (bytes + outstanding.bytes) / 2 > policy.maximumBytes
    }

    /// Whether reading may go on: not before half of it is free, so as not to stop again at the next message.
    private func hasRoom(_ policy: InboxPolicy) -> Bool {
        elements.count + outstanding.messages <= policy.maximumMessages / 2
            && bytes + outstanding.bytes <= policy.maximumBytes / 2
    }

    func room(_ policy: InboxPolicy) -> ChannelFollower.Room {
        ChannelFollower.Room(
            messages: policy.maximumMessages - elements.count - outstanding.messages,
            bytes: policy.maximumBytes - bytes - outstanding.bytes, isEmpty: elements.isEmpty,
            of: (policy.maximumMessages, policy.maximumBytes))
    }

    package mutating func append(
        _ element: consuming InboxElement, size: Int, until expiry: Instant? = nil, _ policy: InboxPolicy
    ) -> (missed: Int, isFull: Bool, announces: Bool) {
        let element = gaps.isEmpty ? consume element : withGap(element)
        if element.isRequest { unanswered += 1 }
        elements.append(consume element)
        sizes.append(Size(bytes: size, expiry: expiry))
        bytes += size
        let isFull = policy.overflow == .pauseReading && !isStuck && isOver(policy)
        // What was on its way when reading stopped may still come, within reason. Of small messages one wake-up brings
        // thousands, so only bytes count.
        let missed = isFull && !isFarOver(policy) ? 0 : trim(policy)
        return (missed, isFull, announces())
    }

    /// Drops the oldest until the rest fits; the newest always stays.
    ///
    /// Returns how many went.
    package mutating func trim(_ policy: InboxPolicy) -> Int {
        guard isOver(policy) else { return 0 }
        var dropped = 0
        var missed = 0
        while isOver(policy), elements.count > 1, let first = elements.popFirst() {
            bytes -= sizes.popFirst()?.bytes ?? 0
            dropped += 1
            missed += 1 + first.missed
            if case .request = first { unanswered -= 1 }
            if case .message(let message) = first, let gap = message.gap {
                note(gap, in: WireName(message.channel))
            }
        }
        if dropped > 0, let next = elements.first { elements[0] = withGap(next.missing(missed)) }
        return dropped
    }

    /// Drops the requests whose requesters no longer wait.
    ///
    /// Returns how many. Few are looked at: no more wait than may be worked on at once.
    package mutating func dropOverdue(at now: Instant) -> Int {
        guard unanswered > 0 else { return 0 }
        var dropped = 0
        for index in sizes.indices.reversed() {
            guard let expiry = sizes[index].expiry, expiry <= now else { continue }
            _ = elements.remove(at: index)
            bytes -= sizes.remove(at: index).bytes
            dropped += 1
        }
        unanswered -= dropped
        return dropped
    }

    /// Messages of a channel may be missing here: the next one will say so.
    package mutating func note(_ gap: ChannelGap, in channel: WireName) {
        gaps[channel] = gaps[channel]?.joined(with: gap) ?? gap
    }

    private mutating func withGap(_ element: InboxElement) -> InboxElement {
        guard case .message(var message) = element,
            let gap = gaps.removeValue(forKey: WireName(message.channel))
        else { return element }
        message.gap = message.gap.map { gap.joined(with: $0) } ?? gap
        return .message(message)
    }

    /// Whether the handle is to be told now that something is here: once, and not while it holds untouched elements.
    package mutating func announces() -> Bool {
        guard !isAnnounced, outstanding.messages == 0, !elements.isEmpty else { return false }
        isAnnounced = true
        return true
    }

    package mutating func take() -> [InboxElement] {
        let elements = elements.drain()
        sizes.removeAll()
        outstanding.messages += elements.count
        outstanding.bytes += bytes
        bytes = 0
        isAnnounced = false
        return elements
    }

    /// Returns whether there is room again.
    package mutating func consumed(_ count: Int, _ policy: InboxPolicy) -> Bool {
        let count = max(0, min(count, outstanding.messages))
        if count > 0 { outstanding.bytes -= outstanding.bytes / outstanding.messages * count }
        outstanding.messages -= count
        if outstanding.messages == 0 { outstanding.bytes = 0 }
        guard hasRoom(policy) else { return false }
        isStuck = false
        return true
    }

    /// It may not hold reading up any longer.
    ///
    /// Returns how many messages went.
    package mutating func giveWay(_ policy: InboxPolicy) -> Int {
        isStuck = true
        return trim(policy)
    }

    package mutating func answered() {
        unanswered = max(0, unanswered - 1)
    }
}

extension InboxElement {
    fileprivate var isRequest: Bool {
        if case .request = self { true } else { false }
    }

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
