// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What is not yet on a link: neutral messages in three lanes, bounded together in number, bytes and time.
///
/// A message leaves once: to a link, by its time to live, by cancellation, or by the overflow policy. The more urgent lane
/// goes first; within a lane the order is that of the calls.
package struct Outbox: Sendable {
    package struct Item: Sendable {
        package var call: CallID
        package var outbound: Outbound
        package var priority: SendOptions.Priority
        package var weight: Int
        package var queuedAt: Instant
        package var expires: Instant?
        fileprivate var key: CoalescingKey?
    }

    package enum Insertion: Equatable {
        case accepted
        /// The message finds no room; the call gets this code.
        case refused(SenteError.Code)
    }

    package let policy: OutboxPolicy
    private var items: [CallID: Item] = [:]
    private var lanes = Lanes()
    /// All of them, the oldest first; each has the same time to live, so the head expires first.
    private var ages = Queue<CallID>()
    /// Who waits for each key, with `.coalesce`.
    private var holders: [CoalescingKey: CallID] = [:]
    package private(set) var bytes = 0
    /// How many entries were passed over or moved since the beginning, for tests of what a step costs.
    package private(set) var steps = 0

    package init(policy: OutboxPolicy) {
        self.policy = policy
    }

    package var count: Int { items.count }
    package var isEmpty: Bool { items.isEmpty }
    package var deadline: Instant? { oldest?.expires }
    package var oldest: Item? { ages.first.flatMap { items[$0] } }
    package var oldestQueuedAt: Instant? { oldest?.queuedAt }

    package func contains(_ call: CallID) -> Bool { items[call] != nil }

    /// Queues a message.
    ///
    /// `dropped` receives what the policy threw out to make room, with the reason.
    package mutating func insert(
        _ outbound: Outbound, for call: CallID, priority: SendOptions.Priority = .normal, largest: Int = 0,
        at now: Instant,
        dropped: inout [(CallID, SenteError.Code)]
    ) -> Insertion {
        let weight = outbound.weight
        let key = policy.overflow == .coalesce ? CoalescingKey(outbound) : nil
        let older = key.flatMap { holders[$0] }
        if let code = makeRoom(for: weight, largest: largest, replacing: older, dropped: &dropped) {
            return .refused(code)
        }
        if let older, remove(older) != nil { dropped.append((older, .superseded)) }
        if let key { holders[key] = call }
        items[call] = Item(
            call: call, outbound: outbound, priority: priority, weight: weight, queuedAt: now,
            expires: policy.timeToLive.map { now.advanced(by: $0) }, key: key)
        lanes.append(call, to: priority)
        ages.append(call)
        bytes += weight
        return .accepted
    }

    /// Puts messages before all others of their lanes that did not leave after all; they had their room, so nothing is asked of the
    /// bounds.
    mutating func putBack(_ messages: [LinkPacking.Leaving]) {
        guard !messages.isEmpty else { return }
        for message in messages {
            items[message.call] = Item(
                call: message.call, outbound: message.outbound, priority: message.priority,
                weight: message.weight, queuedAt: message.queuedAt,
                expires: policy.timeToLive.map { message.queuedAt.advanced(by: $0) }, key: nil)
            bytes += message.weight
        }
        lanes.prepend(messages.map { ($0.call, $0.priority) })
        var older = Queue<CallID>()
        for message in messages { older.append(message.call) }
        for call in ages { older.append(call) }
        ages = older
    }

    /// Takes the message whose turn it is.
    package mutating func popNext() -> Item? {
        guard let next = lanes.inTurn(passingOver: &steps, { items[$0] != nil }).flatMap({ items[$0] }) else {
            return nil
        }
        lanes.leaves(next.priority, weighing: next.weight)
        return remove(next.call)
    }

    /// Takes the oldest message, whatever its priority.
    package mutating func popOldest() -> Item? {
        ages.first.flatMap { remove($0) }
    }

    package mutating func remove(_ call: CallID) -> Item? {
        guard let item = items.removeValue(forKey: call) else { return nil }
        lanes.removed(from: item.priority)
        bytes -= item.weight
        if let key = item.key { holders[key] = nil }
        skipRemoved()
        return item
    }

    /// Takes the oldest message if its time to live has passed.
    package mutating func popExpired(at now: Instant) -> Item? {
        guard let expires = deadline, expires <= now else { return nil }
        return popOldest()
    }

    /// Why there is no room, when the policy can make none.
    private mutating func makeRoom(
        for weight: Int, largest: Int, replacing older: CallID?, dropped: inout [(CallID, SenteError.Code)]
    ) -> SenteError.Code? {
        let replaced = older.flatMap { items[$0] }
        while true {
            let load = OutboxPolicy.Load(
                messages: count - (replaced == nil ? 0 : 1), bytes: bytes - (replaced?.weight ?? 0))
            switch policy.admission(of: weight, beside: load, largest: largest) {
            // Those who cannot wait were refused before they came here.
            case .accepted, .waits: return nil
            case .refused(let code): return code
            case .replacesOldest:
                guard let first = popOldest() else { return .outboxFull }
                dropped.append((first.call, .dropped))
            }
        }
    }

    private mutating func skipRemoved() {
        while let first = ages.first, items[first] == nil {
            _ = ages.popFirst()
            steps += 1
        }
        // Removed ones must not pile up behind a head that waits.
        guard max(ages.count, lanes.count) > 2 * max(count, 32) else { return }
        steps += ages.count + lanes.count
        let items = items
        ages.removeAll { items[$0] == nil }
        lanes.removeAll { items[$0] == nil }
    }
}

/// What makes two waiting messages the same, for `.coalesce`.
private enum CoalescingKey: Hashable {
    case channel(WireName)
    case event(Keyword)

    init?(_ outbound: Outbound) {
        switch outbound {
        case .publish(let channel, _, _): self = .channel(WireName(channel))
        case .event(let event, callback: nil): self = .event(event.id)
        case .event, .subscribe, .unsubscribe, .request, .answer, .ping, .pong, .listChannels,
            .listSubscriptions, .flow:
            return nil
        }
    }
}
