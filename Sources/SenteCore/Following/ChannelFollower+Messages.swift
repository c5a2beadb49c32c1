// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// What a consumer hands over, counted.
extension ChannelFollower {
    package mutating func heartbeat(
        _ heartbeat: ConsumerHeartbeat, room: Room, at now: Instant, using random: inout Generator,
        into actions: inout [Action]
    ) {
        guard case .following = phase else { return }
        heard(at: now)
        if let delivery = heartbeat.lastDelivery, delivery != consumer.delivery {
            return rest(at: now, using: &random, into: &actions)
        }
        if let reply = heartbeat.stalled { asked(reply, room: room, at: now, into: &actions) }
    }

    /// The consumer hands over no more until it is answered.
    package mutating func asked(
        _ reply: String, room: Room, at now: Instant, into actions: inout [Action]
    ) {
        switch phase {
        case .creating, .checking: consumer.withheld = reply
        case .following:
            heard(at: now)
            consumer.withheld = reply
            handOn(room, at: now, into: &actions)
        case .idle, .full, .resting, .naming, .over: break
        }
    }

    /// The consumer is gone, or says what nobody here understands.
    package mutating func interrupted(
        at now: Instant, using random: inout Generator, into actions: inout [Action]
    ) {
        switch phase {
        case .creating, .checking, .following: rest(at: now, using: &random, into: &actions)
        case .idle, .full, .resting, .naming, .over: break
        }
    }

    package mutating func arrived(
        _ message: ChannelMessage, _ place: ConsumerPlace, size: Int, room: Room, at now: Instant,
        using random: inout Generator, into actions: inout [Action]
    ) {
        switch phase {
        // A consumer hands over while the answer that it stands is still on its way.
        case .creating, .checking: break
        case .following: heard(at: now)
        case .idle, .full, .resting, .naming, .over: return
        }
        guard place.stream == stream, place.delivery == consumer.delivery + 1 else {
            return rest(at: now, using: &random, into: &actions)
        }
        consumer.delivery += 1
        if case .following = phase, consumer.held.isEmpty, room.fits(size) {
            return take(message, place, size, at: now, into: &actions)
        }
        consumer.held.append(Held(message: message, place: place, size: size))
        consumer.bytes += size
        guard consumer.held.count > Self.maximumHeld.messages || consumer.bytes > Self.maximumHeld.bytes
        else { return }
        if case .following = phase {
            stop(into: &actions)
        } else {
            rest(at: now, using: &random, into: &actions)
        }
    }

    /// Hands on what there is room for, and lets the consumer go on once nothing is held and the inbox is half empty.
    mutating func handOn(_ room: Room, at now: Instant, into actions: inout [Action]) {
        var room = room
        while let next = consumer.held.first, room.fits(next.size) {
            _ = consumer.held.popFirst()
            consumer.bytes -= next.size
            room.take(next.size)
            take(next.message, next.place, next.size, at: now, into: &actions)
        }
        guard let reply = consumer.withheld, consumer.held.isEmpty, room.isPlenty else { return }
        consumer.withheld = nil
        actions.append(.say(.flow(reply)))
    }

    private mutating func take(
        _ message: ChannelMessage, _ place: ConsumerPlace, _ size: Int, at now: Instant,
        into actions: inout [Action]
    ) {
        let last = last ?? 0
        let isOfSweep = isSweeping && place.sequence <= keptUpTo
        // With the last of them they are told; what the check showed behind it may have been kept since.
        if place.pending == 0 || place.sequence >= keptUpTo { isSweeping = false }
        self.last = max(last, place.sequence)
        // The last of each subject are told anew when telling them was interrupted.
        guard place.sequence > last else { return }
        if isWhole, !isOfSweep, place.sequence > last + 1 {
            missing(last + 1...place.sequence - 1, at: now, into: &actions)
        }
        var message = message
        let subject = message.subject
        message.channel = channel
        message.subject = subject
        message.isRetained = place.sequence <= keptUpTo
        message.cursor = created.map {
            ChannelCursor(stream: place.stream, created: $0, sequence: place.sequence)
        }
        message.gap = pending
        pending = nil
        actions.append(.deliver(message, size: size))
    }

    mutating func missing(
        _ sequences: ClosedRange<UInt64>?, isOtherStream: Bool = false, at now: Instant,
        into actions: inout [Action]
    ) {
        let gap = ChannelGap(
            since: heardAt, duration: heardAt.duration(to: now), sequences: sequences,
            isOtherStream: isOtherStream)
        pending = pending.map { $0.joined(with: gap) } ?? gap
        actions.append(.tell(gap))
    }
}

/// A consumer's sign of life.
package struct ConsumerHeartbeat: Hashable, Sendable {
    /// Of its last message, among what it handed over.
    package var lastDelivery: UInt64?
    /// What it waits to have answered.
    package var stalled: String?

    package init(lastDelivery: UInt64? = nil, stalled: String? = nil) {
        self.lastDelivery = lastDelivery
        self.stalled = stalled
    }
}
