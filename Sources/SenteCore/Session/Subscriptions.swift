// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// What the app wishes to be subscribed to, and what the server confirmed on the current link.
///
/// A wish outlives links and is written once on each, in the order of wishing. It ends by `unsubscribe`, by its last
/// scope, or rests after a rejection until the app asks again. Every change costs the same however many wishes there
/// are; only the list of all of them, for a new link or for the app, is put in order.
package struct Subscriptions: Sendable {
    private struct Wish: Sendable {
        /// Where it stands among the wishes.
        let place: UInt64
        /// Tells this wish from an earlier one for the same channel, so that an old reply cannot confirm it.
        var number: UInt64
        var status = SubscriptionStatus()
        /// How many plain `subscribe` calls hold it.
        var claims = 0
        var scopes: Set<InboxID> = []
        /// The calls that wait for the server's word.
        var waiters: Set<CallID> = []
        /// Written on the current link.
        var isWritten = false
        /// Since when it is not confirmed any more, if it was once.
        var lostAt: Instant?

        var isHeld: Bool { claims > 0 || !scopes.isEmpty }
    }

    private var wishes: [WireName: Wish] = [:]
    /// The channel of each scope.
    private var scopes: [InboxID: WireName] = [:]
    /// Written on a link that is gone, and wished for no more: the server is to be told by the next one.
    private var droppedWhileParked = OrderedSet<WireName>()
    private var lastNumber: UInt64 = 0
    /// How many wishes were looked at in lists of all, for tests of what a step costs.
    package private(set) var steps = 0

    package init() {}

    /// The channels wished for, in order; a rejected one is not among them.
    package var wished: [WireName] { ordered.filter { $0.value.status.rejection == nil }.map(\.key) }

    /// Those of them that are not on the link, nor on one whose session goes on.
    var unwritten: [WireName] {
        ordered.filter { $0.value.status.rejection == nil && !$0.value.isWritten }.map(\.key)
    }

    /// Those that the server has confirmed, in order.
    var confirmed: [WireName] { ordered.filter(\.value.status.isConfirmed).map(\.key) }

    /// The wish ended while there was no link to say so on.
    mutating func dropped(_ channel: WireName) { droppedWhileParked.insert(channel) }

    /// What the server is still to be told of; a channel that is wished for again is subscribed anyway.
    mutating func takeDropped() -> [WireName] {
        defer { droppedWhileParked = OrderedSet() }
        return droppedWhileParked.filter { wishes[$0] == nil }
    }

    package func status(of channel: WireName) -> SubscriptionStatus? { wishes[channel]?.status }

    package func wish(for channel: WireName) -> WishStatus? {
        wishes[channel].map { WishStatus(place: $0.place, status: $0.status) }
    }

    package var statuses: [WireName: WishStatus] {
        wishes.mapValues { WishStatus(place: $0.place, status: $0.status) }
    }

    /// Records a wish.
    ///
    /// True when the server is to be asked on the current link.
    package mutating func wish(_ channel: WireName, scope: InboxID?) -> Bool {
        var wish = take(channel) ?? make()
        if wish.status.rejection != nil {
            // Asked again: a new wish in an old place.
            lastNumber += 1
            wish.number = lastNumber
            wish.status = SubscriptionStatus()
            wish.isWritten = false
        }
        if let scope {
            wish.scopes.insert(scope)
            scopes[scope] = channel
        } else {
            wish.claims += 1
        }
        wishes[channel] = wish
        return !wish.isWritten
    }

    package mutating func addWaiter(_ call: CallID, _ channel: WireName) {
        wishes[channel]?.waiters.insert(call)
    }

    package mutating func removeWaiter(_ call: CallID, _ channel: WireName) {
        wishes[channel]?.waiters.remove(call)
    }

    /// Notes that the wish is on the link; returns the number its reply must carry.
    package mutating func written(_ channel: WireName) -> UInt64? {
        wishes[channel]?.isWritten = true
        return wishes[channel]?.number
    }

    /// The server will not answer what was written for this wish: who asks again is to be heard.
    package mutating func lapsed(_ channel: WireName, number: UInt64) {
        guard let wish = wishes[channel], wish.number == number, !wish.status.isConfirmed else { return }
        wishes[channel]?.isWritten = false
    }

    /// The server's word on a wish.
    ///
    /// nil when that wish is gone; else the calls that waited, and since when a confirmed one had been lost.
    package mutating func answered(
        _ channel: WireName, number: UInt64, rejection: SenteError?, at now: Instant
    ) -> (waiters: [CallID], lostAt: Instant?)? {
        guard var wish = wishes[channel], wish.number == number else { return nil }
        let lostAt = rejection == nil ? wish.lostAt : nil
        if rejection == nil { wish.lostAt = nil } else if wish.status.isConfirmed { wish.lostAt = now }
        wish.status = SubscriptionStatus(isConfirmed: rejection == nil, rejection: rejection)
        wishes[channel] = wish
        return (takeWaiters(channel), lostAt)
    }

    /// The calls that wait for what the server kept of a confirmed channel.
    package mutating func asked(_ channel: WireName) -> [CallID] { takeWaiters(channel) }

    /// Drops one plain claim (a cancelled `subscribe`).
    ///
    /// True when nobody holds the wish any more.
    package mutating func release(_ channel: WireName) -> Bool {
        guard let claims = wishes[channel]?.claims, claims > 0 else { return false }
        wishes[channel]?.claims -= 1
        return wishes[channel]?.isHeld == false
    }

    /// Drops one scope.
    ///
    /// Returns the channel when nobody holds its wish any more.
    package mutating func release(scope: InboxID) -> WireName? {
        guard let channel = scopes.removeValue(forKey: scope) else { return nil }
        wishes[channel]?.scopes.remove(scope)
        return wishes[channel]?.isHeld == false ? channel : nil
    }

    /// Ends a wish.
    ///
    /// Returns the calls that waited for it.
    package mutating func remove(_ channel: WireName) -> [CallID] {
        guard let wish = wishes.removeValue(forKey: channel) else { return [] }
        for scope in wish.scopes { scopes[scope] = nil }
        return wish.waiters.sorted()
    }

    /// The link is gone, and was heard last at `time`: nothing is confirmed any more.
    ///
    /// Returns the channels whose status changed and the waiting calls.
    package mutating func linkEnded(heardAt time: Instant) -> (
        changed: [WireName], waiters: [(CallID, WireName)]
    ) {
        droppedWhileParked = OrderedSet()
        var changed: [WireName] = []
        var waiters: [(CallID, WireName)] = []
        steps += wishes.count
        for (channel, wish) in ordered {
            if wish.status.isConfirmed {
                changed.append(channel)
                wishes[channel]?.lostAt = time
            }
            wishes[channel]?.status.isConfirmed = false
            wishes[channel]?.isWritten = false
            waiters += takeWaiters(channel).map { ($0, channel) }
        }
        return (changed, waiters)
    }

    private var ordered: [(key: WireName, value: Wish)] {
        wishes.sorted { $0.value.place < $1.value.place }
    }

    /// A place among the wishes, for one of another kind.
    mutating func nextPlace() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    private mutating func make() -> Wish {
        lastNumber += 1
        return Wish(place: lastNumber, number: lastNumber)
    }

    /// Out of the table, so that its own tables are not copied when it changes.
    private mutating func take(_ channel: WireName) -> Wish? { wishes.removeValue(forKey: channel) }

    /// The oldest first.
    private mutating func takeWaiters(_ channel: WireName) -> [CallID] {
        guard let waiters = wishes[channel]?.waiters, !waiters.isEmpty else { return [] }
        wishes[channel]?.waiters = []
        return waiters.sorted()
    }
}
