// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// What is not yet on a link: neutral messages in the order of the calls, bounded in number, bytes and time.
///
/// A message leaves once: to a link, by its time to live, by cancellation, or by the overflow policy.
struct Outbox: Sendable {
    struct Item: Sendable {
        var call: CallID
        var outbound: Outbound
        var weight: Int
        var queuedAt: Instant
        var expires: Instant?
    }

    enum Insertion: Equatable {
        case accepted
        /// The message finds no room; the call gets this code.
        case refused(SenteError.Code)
    }

    let policy: OutboxPolicy
    /// Slots of removed items are nil until the head passes them.
    private var items = Queue<Item?>()
    /// The number of the slot at the head; slots are numbered from the first ever.
    private var headNumber = 0
    private var numbers: [CallID: Int] = [:]
    private(set) var bytes = 0

    init(policy: OutboxPolicy) {
        self.policy = policy
    }

    var count: Int { numbers.count }
    var isEmpty: Bool { numbers.isEmpty }
    /// Every item has the same time to live and queues in order, so the head expires first.
    var deadline: Instant? { oldest?.expires }
    var oldest: Item? { items.first ?? nil }

    func contains(_ call: CallID) -> Bool { numbers[call] != nil }

    /// Queues a message.
    ///
    /// `dropped` receives what the policy threw out to make room, with the reason.
    mutating func insert(
        _ outbound: Outbound, for call: CallID, at now: Instant, dropped: inout [(CallID, SenteError.Code)]
    ) -> Insertion {
        let weight = outbound.weight
        if policy.overflow == .coalesce, let key = CoalescingKey(outbound), let older = find(key) {
            _ = remove(older)
            dropped.append((older, .superseded))
        }
        while !fits(weight) {
            switch policy.overflow {
            case .rejectNewest, .coalesce: return .refused(.outboxFull)
            case .dropNewest: return .refused(.dropped)
            case .dropOldest:
                guard let first = popFirst() else { return .refused(.outboxFull) }
                dropped.append((first.call, .dropped))
            }
        }
        numbers[call] = headNumber + items.count
        items.append(
            Item(
                call: call, outbound: outbound, weight: weight, queuedAt: now,
                expires: policy.timeToLive.map { now.advanced(by: $0) }))
        bytes += weight
        return .accepted
    }

    mutating func popFirst() -> Item? {
        guard let item = oldest else { return nil }
        dropHead()
        numbers[item.call] = nil
        bytes -= item.weight
        skipRemoved()
        return item
    }

    mutating func remove(_ call: CallID) -> Item? {
        guard let number = numbers.removeValue(forKey: call), let item = items[number - headNumber] else {
            return nil
        }
        items[number - headNumber] = nil
        bytes -= item.weight
        skipRemoved()
        return item
    }

    /// Takes the head if its time to live has passed.
    mutating func popExpired(at now: Instant) -> Item? {
        guard let expires = deadline, expires <= now else { return nil }
        return popFirst()
    }

    private func fits(_ weight: Int) -> Bool {
        count < policy.maximumMessages && bytes + weight <= policy.maximumBytes
    }

    private func find(_ key: CoalescingKey) -> CallID? {
        items.first { $0.flatMap { CoalescingKey($0.outbound) } == key }??.call
    }

    private mutating func dropHead() {
        if items.popFirst() != nil { headNumber += 1 }
    }

    private mutating func skipRemoved() {
        while let first = items.first, first == nil { dropHead() }
    }
}

/// What makes two waiting messages the same, for `.coalesce`.
private enum CoalescingKey: Hashable {
    case channel(String)
    case event(Keyword)

    init?(_ outbound: Outbound) {
        switch outbound {
        case .publish(let channel, _, _): self = .channel(channel)
        case .event(let event): self = .event(event.id)
        case .subscribe, .unsubscribe, .request, .answer, .ping, .pong, .listChannels, .listSubscriptions:
            return nil
        }
    }
}
