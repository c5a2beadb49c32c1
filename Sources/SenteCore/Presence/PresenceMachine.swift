// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// Who is present in a channel, as one member sees it, and what that member says of itself.
///
/// A pure value: what comes and the time go in, what is to be published comes out. Nothing of it compares clocks of two
/// machines: members number what they say, and how long somebody is silent is measured here.
///
/// Whoever is present says so once a heartbeat. Whoever comes asks, and the others answer within a time that grows with their
/// number, each at most once for all who ask meanwhile: about a hundred answers a second, however many there are.
package struct PresenceMachine: Sendable {
    package enum Input: Sendable {
        /// A link is open: what is published reaches the channel, and what the others say comes.
        case online
        case offline
        case enter(Value)
        /// For a member that is present; else nothing happens.
        case update(Value)
        case leave
        /// A message of the channel.
        case heard(Value)
        case timerFired
    }

    package enum Effect: Hashable, Sendable {
        case publish(Value)
        /// The snapshot is another one.
        case changed
    }

    private struct Other: Sendable {
        var sequence: Int64
        /// Remembered, so that nothing older brings it back.
        var hasLeft: Bool
        var data: Value
        var order: UInt64
        var revision: UInt64
        var ticket: DeadlineQueue<WireName>.Ticket?
    }

    private let settings: PresenceSettings
    private let id: WireName
    private var random: Generator
    private var isOnline = false
    /// What this member says of itself, while it is present.
    private var own: PresenceSnapshot.Member?
    private var ownOrder: UInt64 = 0
    private var sequence: Int64 = 0
    /// Until when others may believe that this member is present, although it has left.
    private var farewellUntil: Instant?
    /// When this member speaks next, and when it spoke last.
    private var dueAt: Instant?
    private var spokeAt: Instant?
    private var others: [WireName: Other] = [:]
    /// When those who are present will have been silent for too long, and when those who left are forgotten.
    private var expiries = DeadlineQueue<WireName>()
    private var farewells = DeadlineQueue<WireName>()
    private var lastOrder: UInt64 = 0
    private var lastRevision: UInt64 = 0

    /// How soon this member may speak again, whatever the app changes.
    private static let pause: Duration = .milliseconds(100)
    /// How much time each member takes of those in which all answer.
    private static let share: Duration = .milliseconds(10)

    package init(id: String, settings: PresenceSettings, random: Generator) {
        self.id = WireName(id)
        self.settings = settings
        self.random = random
    }

    /// When it wants to be woken; after `handle`, nil or in the future.
    package var deadline: Instant? {
        // Without a link nobody can be heard, so nobody is called silent.
        guard isOnline else { return nil }
        return [dueAt, expiries.earliest, farewells.earliest].compactMap { $0 }.min()
    }

    package var snapshot: PresenceSnapshot {
        var members = others.filter { !$0.value.hasLeft }.map { name, other in
            (
                other.order,
                PresenceSnapshot.Member(
                    id: name.text, data: other.data, revision: other.revision, isSelf: false)
            )
        }
        if let own { members.append((ownOrder, own)) }
        return PresenceSnapshot(
            members: members.sorted { $0.0 < $1.0 }.map(\.1), isCurrent: isOnline)
    }

    package mutating func handle(_ input: Input, at now: Instant, into effects: inout [Effect]) {
        var isChanged = false
        switch input {
        case .online:
            isChanged = true
            cameOnline(at: now, &effects)
        case .offline:
            isChanged = isOnline
            isOnline = false
            dueAt = nil
        case .enter(let data):
            isChanged = true
            setOwn(data, at: now)
        case .update(let data):
            guard own != nil else { return }
            isChanged = true
            setOwn(data, at: now)
        case .leave: isChanged = leave(at: now, &effects)
        case .heard(let value):
            if let frame = PresenceFrame(value, maximumBytes: settings.maximumBytes) {
                isChanged = heard(frame, at: now)
            }
        case .timerFired: break
        }
        if expire(at: now) { isChanged = true }
        if let dueAt, dueAt <= now { speak(at: now, &effects) }
        if isChanged { effects.append(.changed) }
    }

    // MARK: Oneself

    /// Asks who is there.
    ///
    /// What was missed meanwhile is not known: whoever says nothing for a heartbeat has gone.
    private mutating func cameOnline(at now: Instant, _ effects: inout [Effect]) {
        isOnline = true
        expiries = DeadlineQueue()
        for (name, other) in others where !other.hasLeft {
            others[name]?.ticket = expiries.add(name, due: now.advanced(by: settings.heartbeat))
        }
        if own == nil, farewellUntil.map({ $0 <= now }) ?? true {
            effects.append(.publish(PresenceFrame(nil, asks: true).value))
        } else {
            speak(at: now, asks: true, &effects)
        }
    }

    private mutating func setOwn(_ data: Value, at now: Instant) {
        if own == nil { ownOrder = nextOrder() }
        own = PresenceSnapshot.Member(id: id.text, data: data, revision: nextRevision(), isSelf: true)
        farewellUntil = nil
        speak(by: now)
    }

    private mutating func leave(at now: Instant, _ effects: inout [Effect]) -> Bool {
        guard own != nil else { return false }
        own = nil
        farewellUntil = now.advanced(by: settings.expiry)
        dueAt = nil
        if isOnline { speak(at: now, &effects) }
        return true
    }

    /// Sees to it that this member speaks, then or soon after.
    private mutating func speak(by instant: Instant) {
        guard isOnline, own != nil else { return }
        let earliest = spokeAt.map { max(instant, $0.advanced(by: Self.pause)) } ?? instant
        dueAt = dueAt.map { min($0, earliest) } ?? earliest
    }

    private mutating func speak(at now: Instant, asks: Bool = false, _ effects: inout [Effect]) {
        sequence = min(sequence + 1, PresenceFrame.maximumSequence)
        let claim = PresenceFrame.Claim(
            member: id, sequence: sequence, hasLeft: own == nil, data: own?.data ?? .null)
        effects.append(.publish(PresenceFrame(claim, asks: asks).value))
        spokeAt = now
        dueAt = own == nil ? nil : now.advanced(by: nextBeat())
    }

    /// A little less than a heartbeat, and not for all the same.
    private mutating func nextBeat() -> Duration {
        let beat = settings.heartbeat.wholeNanoseconds
        return .nanoseconds(Int64.random(in: beat - beat / 4...beat, using: &random))
    }

    /// Within how long all who are present answer.
    private var answerTime: Duration {
        min(settings.heartbeat / 3, max(.milliseconds(100), Self.share * (others.count + 1)))
    }

    private mutating func speakWithinAnswerTime(at now: Instant) {
        let delay = Int64.random(in: 0...answerTime.wholeNanoseconds, using: &random)
        speak(by: now.advanced(by: .nanoseconds(delay)))
    }

    // MARK: The others

    /// Whether the snapshot is another one.
    private mutating func heard(_ frame: PresenceFrame, at now: Instant) -> Bool {
        if let claim = frame.claim, claim.member == id {
            contradict(claim, at: now)
            return false
        }
        if frame.asks { speakWithinAnswerTime(at: now) }
        guard let claim = frame.claim else { return false }
        let known = others[claim.member]
        if let known {
            guard claim.sequence > known.sequence else { return false }
        } else {
            guard makeRoom() else { return false }
        }
        let due = now.advanced(by: settings.expiry)
        var other = known ?? Other(sequence: 0, hasLeft: true, data: .null, order: 0, revision: 0)
        if let ticket = other.ticket {
            if other.hasLeft { farewells.remove(ticket) } else { expiries.remove(ticket) }
        }
        let isOther = other.hasLeft != claim.hasLeft || other.data != claim.data
        if other.hasLeft { other.order = nextOrder() }
        if isOther { other.revision = nextRevision() }
        other.sequence = claim.sequence
        other.hasLeft = claim.hasLeft
        other.data = claim.data
        other.ticket =
            claim.hasLeft ? farewells.add(claim.member, due: due) : expiries.add(claim.member, due: due)
        others[claim.member] = other
        return isOther
    }

    /// Somebody speaks in this member's name, or its own words come back: what is true is said again, as the latest.
    private mutating func contradict(_ claim: PresenceFrame.Claim, at now: Instant) {
        guard claim.sequence > sequence else { return }
        sequence = claim.sequence
        speakWithinAnswerTime(at: now)
    }

    /// Whether another one can be kept; who has left makes room.
    private mutating func makeRoom() -> Bool {
        guard others.count >= settings.maximumMembers else { return true }
        guard let name = farewells.take(by: nil) else { return false }
        others[name] = nil
        return true
    }

    /// Whether somebody was silent for too long.
    private mutating func expire(at now: Instant) -> Bool {
        guard isOnline else { return false }
        var isChanged = false
        while let name = expiries.take(by: now) {
            others[name] = nil
            isChanged = true
        }
        while let name = farewells.take(by: now) { others[name] = nil }
        return isChanged
    }

    private mutating func nextOrder() -> UInt64 {
        lastOrder += 1
        return lastOrder
    }

    private mutating func nextRevision() -> UInt64 {
        lastRevision += 1
        return lastRevision
    }
}
