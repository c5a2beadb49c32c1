// SPDX-License-Identifier: Apache-2.0

import SenteBase

/// Who waits for which reply on one link.
///
/// A reply goes to the call that caused it or to nobody. Where the protocol has no correlation id, the oldest slot of
/// (kind, channel) takes the reply; a call that gives up leaves its slot, so that the reply it caused cannot go to
/// a later call. A fence (a ping with a unique stamp) clears such slots: servers answer in order, so its pong proves
/// that what was written before is answered or never will be.
struct PendingReplies: Sendable {
    enum Owner: Equatable, Sendable {
        case call(CallID)
        /// A subscribe on behalf of a wish; the number tells a wish from an earlier one for the same channel.
        case wish(channel: String, number: UInt64)
        /// Gave up, or never cared.
        case nobody
    }

    private struct Slot: Sendable {
        var sequence: UInt64
        var owner: Owner
        var sentAt: Instant
    }

    private enum Stamp: Sendable {
        case fence(UInt64)
        case ping(CallID, sentAt: Instant)
        case probe(sentAt: Instant)
    }

    enum Pong: Equatable {
        /// These calls will never be answered.
        case cleared([CallID])
        case roundTrip(CallID?, Duration)
        case unknown
    }

    private var slots: [Correlation: Queue<Slot>] = [:]
    private var stamps: [Int64: Stamp] = [:]
    /// Answers to requests whose ids are not known yet, oldest first.
    private var early = Queue<(Correlation, Reply)>()
    private var sequence: UInt64 = 0
    /// Up to where an outstanding fence will clear.
    private var fencedUpTo: UInt64 = 0

    func isPending(_ correlation: Correlation) -> Bool { slots[correlation] != nil }

    mutating func add(_ correlation: Correlation, owner: Owner, at now: Instant) {
        sequence += 1
        slots[correlation, default: Queue()].append(Slot(sequence: sequence, owner: owner, sentAt: now))
    }

    /// The owner of the oldest slot, which the reply fills; nil when nobody waits.
    mutating func take(_ correlation: Correlation, at now: Instant) -> (owner: Owner, elapsed: Duration)? {
        guard var queue = slots.removeValue(forKey: correlation), let slot = queue.popFirst() else {
            return nil
        }
        if !queue.isEmpty { slots[correlation] = queue }
        return (slot.owner, slot.sentAt.duration(to: now))
    }

    /// The call gives up.
    ///
    /// True when its slot needs a fence that is not already on its way.
    mutating func leave(_ correlation: Correlation, call: CallID) -> Bool {
        guard var queue = slots.removeValue(forKey: correlation) else { return false }
        defer { if !queue.isEmpty { slots[correlation] = queue } }
        guard let index = queue.firstIndex(where: { $0.owner == .call(call) }) else { return false }
        if case .id = correlation {
            // A name finds nobody, and that is all it takes.
            queue.removeAll { $0.owner == .call(call) }
            return false
        }
        queue[index].owner = .nobody
        return queue[index].sequence > fencedUpTo
    }

    /// The message of this slot was never sent after all.
    mutating func retract(_ correlation: Correlation, owner: Owner) {
        slots[correlation]?.removeAll { $0.owner == owner }
        if slots[correlation]?.isEmpty == true { slots[correlation] = nil }
    }

    mutating func addFence(stamp: Int64) {
        fencedUpTo = sequence
        stamps[stamp] = .fence(sequence)
    }

    mutating func addPing(stamp: Int64, call: CallID?, at now: Instant) {
        stamps[stamp] = call.map { .ping($0, sentAt: now) } ?? .probe(sentAt: now)
    }

    /// The call gives up on its ping.
    mutating func leavePing(call: CallID) {
        stamps = stamps.filter { if case .ping(call, _) = $0.value { false } else { true } }
    }

    mutating func pong(stamp: Int64, at now: Instant) -> Pong {
        switch stamps.removeValue(forKey: stamp) {
        case .fence(let limit)?: .cleared(clear(upTo: limit))
        case .ping(let call, let sentAt)?: .roundTrip(call, sentAt.duration(to: now))
        case .probe(let sentAt)?: .roundTrip(nil, sentAt.duration(to: now))
        case nil: .unknown
        }
    }

    /// Keeps an answer that nobody waits for yet, as long as some request's id is still to come.
    mutating func holdEarly(_ correlation: Correlation, _ reply: Reply) {
        guard slots.keys.contains(where: { if case .next(.request, _) = $0 { true } else { false } }) else {
            return
        }
        early.append((correlation, reply))
        if early.count > 64 { _ = early.popFirst() }
    }

    mutating func takeEarly(_ correlation: Correlation) -> Reply? {
        guard let found = early.first(where: { $0.0 == correlation }) else { return nil }
        early.removeAll { $0.0 == correlation }
        return found.1
    }

    private mutating func clear(upTo limit: UInt64) -> [CallID] {
        var cleared: [(UInt64, CallID)] = []
        for (correlation, queue) in slots {
            guard case .next = correlation else { continue }
            var queue = queue
            while let slot = queue.first, slot.sequence <= limit {
                _ = queue.popFirst()
                if case .call(let call) = slot.owner { cleared.append((slot.sequence, call)) }
            }
            slots[correlation] = queue.isEmpty ? nil : queue
        }
        return cleared.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
