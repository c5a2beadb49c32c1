// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What is not yet on a link: neutral messages in the order of the calls, bounded in number, bytes and time.
///
/// A message leaves once: to a link, by its time to live, by cancellation, or by the overflow policy.
package struct Outbox: Sendable {
    package struct Item: Sendable {
        package var call: CallID
        package var outbound: Outbound
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
    /// Slots of removed items are nil until the head passes them.
    private var items = Queue<Item?>()
    /// The number of the slot at the head; slots are numbered as they come.
    private var headNumber = 0
    private var numbers: [CallID: Int] = [:]
    /// Who waits for each key, with `.coalesce`.
    private var holders: [CoalescingKey: CallID] = [:]
    package private(set) var bytes = 0
    /// How many slots were passed over or moved since the beginning, for tests of what a step costs.
    package private(set) var steps = 0

    package init(policy: OutboxPolicy) {
        self.policy = policy
    }

    package var count: Int { numbers.count }
    package var isEmpty: Bool { numbers.isEmpty }
    /// Every item has the same time to live and queues in order, so the head expires first.
    package var deadline: Instant? { isEmpty ? nil : oldest?.expires }
    package var oldest: Item? { items.first ?? nil }
    package var oldestQueuedAt: Instant? { isEmpty ? nil : oldest?.queuedAt }

    package func contains(_ call: CallID) -> Bool { numbers[call] != nil }

    /// Queues a message.
    ///
    /// `dropped` receives what the policy threw out to make room, with the reason.
    package mutating func insert(
        _ outbound: Outbound, for call: CallID, largest: Int = 0, at now: Instant,
        dropped: inout [(CallID, SenteError.Code)]
    ) -> Insertion {
        let weight = outbound.weight
        let key = policy.overflow == .coalesce ? CoalescingKey(outbound) : nil
        let older = key.flatMap { holders[$0] }
        if let code = makeRoom(for: weight, largest: largest, replacing: older, dropped: &dropped) {
            return .refused(code)
        }
        if let older, remove(older) != nil { dropped.append((older, .superseded)) }
        numbers[call] = headNumber + items.count
        if let key { holders[key] = call }
        items.append(
            Item(
                call: call, outbound: outbound, weight: weight, queuedAt: now,
                expires: policy.timeToLive.map { now.advanced(by: $0) }, key: key))
        bytes += weight
        return .accepted
    }

    /// Puts messages before all others that did not leave after all; they had their room, so nothing is asked of the bounds.
    mutating func putBack(_ messages: [LinkPacking.Leaving]) {
        let later = items.drain()
        headNumber = 0
        numbers = [:]
        for message in messages {
            items.append(
                Item(
                    call: message.call, outbound: message.outbound, weight: message.weight,
                    queuedAt: message.queuedAt,
                    expires: policy.timeToLive.map { message.queuedAt.advanced(by: $0) }, key: nil))
            bytes += message.weight
        }
        for item in later where item != nil { items.append(item) }
        for (number, item) in items.enumerated() {
            if let item { numbers[item.call] = number }
        }
    }

    package mutating func popFirst() -> Item? {
        guard let item = oldest else { return nil }
        dropHead()
        forget(item)
        skipRemoved()
        return item
    }

    package mutating func remove(_ call: CallID) -> Item? {
        guard let number = numbers[call], let item = items[number - headNumber] else { return nil }
        items[number - headNumber] = nil
        forget(item)
        skipRemoved()
        return item
    }

    /// Takes the head if its time to live has passed.
    package mutating func popExpired(at now: Instant) -> Item? {
        guard let expires = deadline, expires <= now else { return nil }
        return popFirst()
    }

    /// Why there is no room, when the policy can make none.
    private mutating func makeRoom(
        for weight: Int, largest: Int, replacing older: CallID?, dropped: inout [(CallID, SenteError.Code)]
    ) -> SenteError.Code? {
        let replaced = older.flatMap { numbers[$0] }.flatMap { items[$0 - headNumber] }
        while true {
            let load = OutboxPolicy.Load(
                messages: count - (replaced == nil ? 0 : 1), bytes: bytes - (replaced?.weight ?? 0))
            switch policy.admission(of: weight, beside: load, largest: largest) {
            // Those who cannot wait were refused before they came here.
            case .accepted, .waits: return nil
            case .refused(let code): return code
            case .replacesOldest:
                guard let first = popFirst() else { return .outboxFull }
                dropped.append((first.call, .dropped))
            }
        }
    }

    private mutating func forget(_ item: Item) {
        numbers[item.call] = nil
        bytes -= item.weight
        if let key = item.key { holders[key] = nil }
    }

    private mutating func dropHead() {
        if items.popFirst() != nil { headNumber += 1 }
        steps += 1
    }

    private mutating func skipRemoved() {
        while let first = items.first, first == nil { dropHead() }
        // Removed ones must not pile up behind a head that waits.
        guard items.count > 64, items.count > 2 * count else { return }
        steps += items.count
        items.removeAll { $0 == nil }
        headNumber = 0
        for (number, item) in items.enumerated() {
            if let item { numbers[item.call] = number }
        }
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
