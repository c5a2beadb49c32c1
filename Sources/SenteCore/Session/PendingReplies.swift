// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Who waits for which reply on one link.
///
/// A reply goes to the call that caused it or to nobody. Where the protocol has no correlation id, the oldest slot that
/// fits takes the reply; a call that gives up leaves its slot, so that the reply it caused cannot go to a later call.
/// A fence clears such slots: servers answer in order, so its pong proves that what was written before is answered or
/// never will be. Where pongs carry no stamp every ping is a fence, for there the order is all that tells answers apart.
/// No step costs more for the slots beside the one it is about.
package struct PendingReplies: Sendable {
    package enum Owner: Equatable, Sendable {
        case call(CallID)
        /// A subscribe on behalf of a wish; the number tells a wish from an earlier one for the same channel.
        case wish(channel: WireName, number: UInt64)
        /// A further subscribe for a confirmed wish, for what the server kept.
        case history(channel: WireName)
        /// Never cared.
        case nobody
        /// Gave up.
        case gone

        fileprivate var isAbandoned: Bool { self == .nobody || self == .gone }
    }

    /// Names a slot; those opened later have higher ones.
    package struct SlotKey: Hashable, Sendable {
        package let number: UInt64

        package init(_ number: UInt64) {
            self.number = number
        }
    }

    private struct Slot: Sendable {
        var owner: Owner
        let sentAt: Instant
        let correlation: Correlation
        /// By what else its reply is known.
        var marks: [Correlation]
        /// Whether a fence clears it; a reply by a name may take its time.
        var isFenced: Bool
    }

    /// Numbers of slots, ascending.
    ///
    /// Most lines have one, which takes no memory of its own.
    private struct Line: Sendable {
        private(set) var first: UInt64?
        private var others = Queue<UInt64>()

        mutating func append(_ number: UInt64) {
            if first == nil { first = number } else { others.append(number) }
        }

        /// Takes one out, and says whether none is left.
        mutating func remove(_ number: UInt64) -> Bool {
            // Servers answer in order.
            if first == number {
                first = others.popFirst()
            } else {
                let index = others.partitioningIndex { $0 >= number }
                if index < others.count, others[index] == number { _ = others.remove(at: index) }
            }
            return first == nil
        }

        /// Takes the oldest out, and says whether none is left.
        mutating func popFirst() -> (number: UInt64, isEmpty: Bool)? {
            guard let number = first else { return nil }
            return (number, remove(number))
        }
    }

    package struct Pong: Equatable {
        /// The call whose ping it answers.
        package var call: CallID?
        /// How long it took; nil when nobody waits for it any more.
        package var elapsed: Duration?
        /// These will never be answered.
        package var cleared: [Owner] = []
        /// Up to where it clears once what came before it is read.
        package var clearsLater: UInt64?

        package init(
            call: CallID? = nil, elapsed: Duration? = nil, cleared: [Owner] = [], clearsLater: UInt64? = nil
        ) {
            self.clearsLater = clearsLater
            self.call = call
            self.elapsed = elapsed
            self.cleared = cleared
        }
    }

    /// How many slots may be abandoned: with more of them, the server answers neither calls nor fences.
    package static let maximumAbandoned = 16_384
    /// How many subscribes and unsubscribes may be owed their one acknowledgement.
    package static let maximumAcknowledgements = 65_536
    /// How many events may be owed answers that carry no name.
    package static let maximumMarked = 4_096
    /// How many early answers are held, and how many bytes of them.
    package static let maximumEarly = (count: 64, bytes: 1 << 20)

    private var slots: [UInt64: Slot] = [:]
    private var lines: [Correlation: Line] = [:]
    /// Those that the next fence clears.
    private var unfenced = Line()
    private var pings: PendingPings
    /// How many requests wait for the server to say their ids.
    private var unnamedRequests = 0
    private var acknowledgements = 0
    private var marked = 0
    /// Answers to requests whose ids are not known yet, oldest first.
    private var early = Queue<(correlation: Correlation, reply: Reply, size: Int)>()
    private var earlyBytes = 0
    private var sequence: UInt64 = 0
    /// The latest slot whose call gave up.
    private var lastLeft: UInt64 = 0
    /// How many slots nobody waits for any more.
    package private(set) var abandoned = 0
    /// How many slots were looked at beside the one that a step is about, for tests of what it costs.
    package private(set) var steps = 0

    /// `stampsPongs` tells whether a pong says which ping it answers.
    package init(stampsPongs: Bool = true) {
        pings = PendingPings(areStamped: stampsPongs)
    }

    /// Keeps no room for slots that are gone.
    package mutating func giveBackMemory() {
        if slots.isEmpty { slots = [:] }
        if lines.isEmpty { lines = [:] }
    }

    /// The number of the slot that was opened last.
    var lastSlot: UInt64 { sequence }

    /// Whether something was sent that no fence is behind.
    package var isUnfenced: Bool { sequence > pings.fencedUpTo }

    /// Whether a call gave up and no fence behind it is on this link.
    var owesFence: Bool { abandoned > 0 && lastLeft > pings.fencedUpTo }

    /// Why nothing more of this kind may be asked, if so.
    package func refusal(of outbound: Outbound) -> SenteError? {
        if case .identified(_, let outbound) = outbound { return refusal(of: outbound) }
        if case .traced(let outbound, _) = outbound { return refusal(of: outbound) }
        if case .headed(_, let outbound) = outbound { return refusal(of: outbound) }
        let (owed, limit) =
            switch outbound {
            case .subscribe, .unsubscribe: (acknowledgements, Self.maximumAcknowledgements)
            case .event(_, callback: _?): (marked, Self.maximumMarked)
            case .event, .identified, .traced, .headed, .publish, .ping, .pong, .request, .answer,
                .listChannels,
                .listSubscriptions, .flow, .jetStream:
                (0, 1)
            }
        guard owed >= limit else { return nil }
        return SenteError(
            .busy, "The server owes \(owed) answers already: wait for them before asking for more.",
            outcome: .notSent)
    }

    /// Opens a slot.
    @discardableResult
    package mutating func add(
        _ correlation: Correlation, marks: [Correlation] = [], owner: Owner, at now: Instant
    ) -> SlotKey {
        sequence += 1
        let slot = Slot(
            owner: owner, sentAt: now, correlation: correlation, marks: marks,
            isFenced: !marks.isEmpty || correlation.isNext)
        lines[correlation, default: Line()].append(sequence)
        for mark in marks { lines[mark, default: Line()].append(sequence) }
        if slot.isFenced { unfenced.append(sequence) }
        count(slot, 1)
        slots[sequence] = consume slot
        return SlotKey(sequence)
    }

    /// The owner of the oldest slot, which the reply fills; nil when nobody waits.
    package mutating func take(_ correlation: Correlation, at now: Instant) -> (
        owner: Owner, elapsed: Duration
    )? {
        guard let line = lines.index(forKey: correlation),
            let (number, isEmpty) = lines.values[line].popFirst()
        else {
            // Formats may change data a little on its way.
            if case .echo(let id, data: _?) = correlation { return take(.echo(id, data: nil), at: now) }
            return nil
        }
        if isEmpty { lines.remove(at: line) }
        guard let slot = slots.removeValue(forKey: number) else { return nil }
        // Without marks it stood in this line alone.
        if !slot.marks.isEmpty { strike(number, of: slot) }
        closed(number, slot)
        return (slot.owner, slot.sentAt.duration(to: now))
    }

    /// The call gives up.
    ///
    /// True when its slot needs a fence that is not already on its way.
    package mutating func leave(_ key: SlotKey) -> Bool {
        guard let slot = slots[key.number], !slot.owner.isAbandoned else { return false }
        guard slot.isFenced else {
            // A name finds nobody, and where servers use it that is all it takes.
            _ = remove(key.number)
            return false
        }
        slots[key.number]?.owner = .gone
        abandoned += 1
        lastLeft = max(lastLeft, key.number)
        return key.number > pings.fencedUpTo
    }

    // MARK: Pings

    /// A ping is written: for a call, as a fence, or as a sign of life; its pong will prove nothing of slots behind `limit`.
    package mutating func addPing(
        stamp: Int64, for call: CallID? = nil, isFence: Bool = false, provingUpTo limit: UInt64? = nil,
        at now: Instant
    ) {
        pings.add(
            stamp: stamp, for: call, clearing: min(sequence, limit ?? sequence), isFence: isFence, at: now)
    }

    /// The call gives up on its ping.
    package mutating func leavePing(stamp: Int64) {
        pings.leave(stamp)
    }

    /// What a pong proves; nil when it answers no ping of this link.
    ///
    /// Where answers that came before it are still to be read it clears nothing: `clear` is to follow them.
    package mutating func pong(stamp: Int64?, clears: Bool = true, at now: Instant) -> Pong? {
        guard let (ping, limit) = pings.take(stamp) else { return nil }
        return Pong(
            call: ping?.call, elapsed: ping?.sentAt.duration(to: now),
            cleared: clears ? limit.map { clear(upTo: $0) } ?? [] : [], clearsLater: clears ? nil : limit)
    }

    mutating func clear(upTo limit: UInt64) -> [Owner] {
        var owners: [Owner] = []
        while let number = unfenced.first, number <= limit, let slot = slots[number] {
            steps += 1
            if case .id = slot.correlation, !slot.owner.isAbandoned {
                outlive(number, slot)
            } else if remove(number) != nil, !slot.owner.isAbandoned {
                owners.append(slot.owner)
            }
        }
        return owners
    }

    /// An event is not echoed any more; an answer by its callback or `request-id` may take its time.
    private mutating func outlive(_ number: UInt64, _ slot: Slot) {
        var slot = slot
        count(slot, -1)
        slot.marks.removeAll { mark in
            guard case .echo = mark else { return false }
            strike(number, from: mark)
            return true
        }
        slot.isFenced = false
        count(slot, 1)
        _ = unfenced.remove(number)
        slots[number] = slot
    }

    /// The link of these pings is gone; what was sent before them is fenced by none.
    mutating func forgetPings() {
        pings = pings.renewed
    }

    /// What would have caused the reply is not sent after all.
    mutating func close(_ key: SlotKey) {
        _ = remove(key.number)
    }

    // MARK: Early answers

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

    // MARK: The table

    private mutating func count(_ slot: Slot, _ change: Int) {
        if slot.owner.isAbandoned { abandoned += change }
        if !slot.marks.isEmpty { marked += change }
        switch slot.correlation {
        case .next(.request, _): unnamedRequests += change
        case .next(.subscription, _): acknowledgements += change
        case .next, .id, .requestID, .echo: break
        }
    }

    private mutating func remove(_ number: UInt64) -> Slot? {
        guard let slot = slots.removeValue(forKey: number) else { return nil }
        strike(number, of: slot)
        closed(number, slot)
        return slot
    }

    private mutating func closed(_ number: UInt64, _ slot: Slot) {
        if slot.isFenced { _ = unfenced.remove(number) }
        count(slot, -1)
    }

    private mutating func strike(_ number: UInt64, of slot: Slot) {
        strike(number, from: slot.correlation)
        for mark in slot.marks { strike(number, from: mark) }
    }

    private mutating func strike(_ number: UInt64, from correlation: Correlation) {
        guard let line = lines.index(forKey: correlation), lines.values[line].remove(number) else { return }
        lines.remove(at: line)
    }
}
