// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Who waits for which reply on one link.
///
/// A reply goes to the call that caused it or to nobody. Where the protocol has no correlation id, the oldest slot of
/// (kind, channel) takes the reply; a call that gives up leaves its slot, so that the reply it caused cannot go to
/// a later call. A fence (a ping with a unique stamp) clears such slots: servers answer in order, so its pong proves
/// that what was written before is answered or never will be. No step costs more for the slots beside the one it is about.
package struct PendingReplies: Sendable {
    package enum Owner: Equatable, Sendable {
        case call(CallID)
        /// A subscribe on behalf of a wish; the number tells a wish from an earlier one for the same channel.
        case wish(channel: WireName, number: UInt64)
        /// Never cared.
        case nobody
        /// Gave up.
        case gone

        fileprivate var isAbandoned: Bool { self == .nobody || self == .gone }
    }

    /// Where a slot is.
    package struct Place: Hashable, Sendable {
        package var correlation: Correlation
        package var sequence: UInt64

        package init(correlation: Correlation, sequence: UInt64) {
            self.correlation = correlation
            self.sequence = sequence
        }
    }

    private struct Slot: Sendable {
        var sequence: UInt64
        var owner: Owner
        var sentAt: Instant
    }

    /// What our own pings, those behind which no call stands, are for.
    private enum Purpose: Sendable {
        case fence(UInt64)
        case probe(sentAt: Instant)
    }

    package enum Pong: Equatable {
        /// These will never be answered.
        case cleared([Owner])
        case roundTrip(CallID?, Duration)
        case unknown
    }

    /// How many slots may be abandoned: with more of them, the server answers neither calls nor fences.
    package static let maximumAbandoned = 16_384
    /// How many of our own pings are remembered; a later one proves what an earlier one would have.
    package static let maximumStamps = 256
    /// How many early answers are held, and how many bytes of them.
    package static let maximumEarly = (count: 64, bytes: 1 << 20)

    private var slots: [Correlation: Queue<Slot>] = [:]
    /// Those without a name in the order of writing; what is answered is skipped when it comes up.
    private var nameless = Queue<Place>()
    /// How many of those without a name are not answered.
    private var namelessCount = 0
    /// How many requests wait for the server to say their ids.
    private var unnamedRequests = 0
    private var stamps: [Int64: Purpose] = [:]
    private var pings: [Int64: (call: CallID, sentAt: Instant)] = [:]
    /// The stamp of each call's ping.
    private var pingStamps: [CallID: Int64] = [:]
    /// Answers to requests whose ids are not known yet, oldest first.
    private var early = Queue<(correlation: Correlation, reply: Reply, size: Int)>()
    private var earlyBytes = 0
    private var sequence: UInt64 = 0
    /// Up to where an outstanding fence will clear.
    private var fencedUpTo: UInt64 = 0
    /// How many slots nobody waits for any more.
    package private(set) var abandoned = 0
    /// How many places were looked at beside the one that a step is about, for tests of what it costs.
    package private(set) var steps = 0

    package init() {}

    package func isPending(_ correlation: Correlation) -> Bool { slots[correlation] != nil }

    /// Whether something was sent that no fence is behind.
    package var isUnfenced: Bool { sequence > fencedUpTo }

    /// Opens a slot.
    @discardableResult
    package mutating func add(_ correlation: Correlation, owner: Owner, at now: Instant) -> Place {
        sequence += 1
        if owner.isAbandoned { abandoned += 1 }
        slots[correlation, default: Queue()].append(Slot(sequence: sequence, owner: owner, sentAt: now))
        let place = Place(correlation: correlation, sequence: sequence)
        if case .next(let kind, _) = correlation {
            nameless.append(place)
            namelessCount += 1
            if kind == .request { unnamedRequests += 1 }
        }
        return place
    }

    /// The owner of the oldest slot, which the reply fills; nil when nobody waits.
    package mutating func take(_ correlation: Correlation, at now: Instant) -> (
        owner: Owner, elapsed: Duration
    )? {
        guard var queue = slots.removeValue(forKey: correlation), let slot = queue.popFirst() else {
            return nil
        }
        if !queue.isEmpty { slots[correlation] = queue }
        filled(correlation)
        if slot.owner.isAbandoned { abandoned -= 1 }
        return (slot.owner, slot.sentAt.duration(to: now))
    }

    /// The call gives up.
    ///
    /// True when its slot needs a fence that is not already on its way; one with a name does if `fencesNamed`.
    package mutating func leave(_ place: Place, fencesNamed: Bool = false) -> Bool {
        guard let index = index(of: place) else { return false }
        if case .id = place.correlation {
            // A name finds nobody, and where servers use it that is all it takes.
            _ = remove(place, at: index)
            return fencesNamed && place.sequence > fencedUpTo
        }
        slots[place.correlation]?[index].owner = .gone
        abandoned += 1
        return place.sequence > fencedUpTo
    }

    /// Slots of one correlation stand in the order of their numbers.
    private func index(of place: Place) -> Int? {
        guard let queue = slots[place.correlation] else { return nil }
        let index = queue.partitioningIndex { $0.sequence >= place.sequence }
        return index < queue.count && queue[index].sequence == place.sequence ? index : nil
    }

    private mutating func remove(_ place: Place, at index: Int) -> Owner? {
        guard var queue = slots.removeValue(forKey: place.correlation) else { return nil }
        let slot = queue.remove(at: index)
        if !queue.isEmpty { slots[place.correlation] = queue }
        filled(place.correlation)
        return slot.owner
    }

    /// One slot of this correlation is gone.
    private mutating func filled(_ correlation: Correlation) {
        guard case .next(let kind, _) = correlation else { return }
        namelessCount -= 1
        if kind == .request { unnamedRequests -= 1 }
        // What is answered must not pile up behind one that is not.
        guard nameless.count > 64, nameless.count > 2 * namelessCount else { return }
        steps += nameless.count
        var unanswered = nameless
        nameless = Queue()
        unanswered.removeAll { index(of: $0) == nil }
        nameless = unanswered
    }

    package mutating func addFence(stamp: Int64) {
        fencedUpTo = sequence
        add(stamp, .fence(sequence))
    }

    package mutating func addProbe(stamp: Int64, at now: Instant) {
        add(stamp, .probe(sentAt: now))
    }

    package mutating func addPing(stamp: Int64, call: CallID, at now: Instant) {
        pings[stamp] = (call, now)
        pingStamps[call] = stamp
    }

    /// The call gives up on its ping.
    package mutating func leavePing(call: CallID) {
        if let stamp = pingStamps.removeValue(forKey: call) { pings[stamp] = nil }
    }

    package mutating func pong(stamp: Int64, at now: Instant) -> Pong {
        if let ping = pings.removeValue(forKey: stamp) {
            pingStamps[ping.call] = nil
            return .roundTrip(ping.call, ping.sentAt.duration(to: now))
        }
        switch stamps.removeValue(forKey: stamp) {
        case .fence(let limit)?: return .cleared(clear(upTo: limit))
        case .probe(let sentAt)?: return .roundTrip(nil, sentAt.duration(to: now))
        case nil: return .unknown
        }
    }

    /// Keeps an answer that nobody waits for yet, as long as some request's id is still to come.
    ///
    /// Returns how many answers went: this one, or older ones to make room.
    package mutating func holdEarly(_ correlation: Correlation, _ reply: Reply, size: Int) -> Int {
        guard unnamedRequests > 0 else { return 1 }
        early.append((correlation, reply, size))
        earlyBytes += size
        var dropped = 0
        while early.count > Self.maximumEarly.count || earlyBytes > Self.maximumEarly.bytes,
            let oldest = early.popFirst()
        {
            earlyBytes -= oldest.size
            dropped += 1
        }
        return dropped
    }

    package mutating func takeEarly(_ correlation: Correlation) -> Reply? {
        guard let found = early.first(where: { $0.correlation == correlation }) else { return nil }
        early.removeAll { $0.correlation == correlation }
        earlyBytes = early.reduce(0) { $0 + $1.size }
        return found.reply
    }

    private mutating func add(_ stamp: Int64, _ purpose: Purpose) {
        stamps[stamp] = purpose
        guard stamps.count > Self.maximumStamps, let oldest = stamps.keys.min() else { return }
        steps += stamps.count
        stamps[oldest] = nil
    }

    private mutating func clear(upTo limit: UInt64) -> [Owner] {
        var owners: [Owner] = []
        while let place = nameless.first, place.sequence <= limit {
            _ = nameless.popFirst()
            steps += 1
            guard let owner = index(of: place).flatMap({ remove(place, at: $0) }) else { continue }
            if owner.isAbandoned { abandoned -= 1 } else { owners.append(owner) }
        }
        return owners
    }
}
