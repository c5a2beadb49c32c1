// SPDX-License-Identifier: Apache-2.0

/// What the app wishes to be subscribed to, and what the server confirmed on the current link.
///
/// A wish outlives links and is written once on each, in the order of wishing. It ends by `unsubscribe`, by its last
/// scope, or rests after a rejection until the app asks again.
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
        var waiters: [CallID] = []
        /// Written on the current link.
        var isWritten = false

        var isHeld: Bool { claims > 0 || !scopes.isEmpty }
    }

    private var wishes: [String: Wish] = [:] {
        didSet { version &+= 1 }
    }
    /// Changes whenever a wish may have.
    package private(set) var version = 0
    /// The channel of each scope.
    private var scopes: [InboxID: String] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    /// The channels wished for, in order; a rejected one is not among them.
    package var wished: [String] { ordered.filter { $0.value.status.rejection == nil }.map(\.key) }
    package var confirmedCount: Int { wishes.values.lazy.filter(\.status.isConfirmed).count }

    package func status(of channel: String) -> SubscriptionStatus? { wishes[channel]?.status }

    /// Records a wish.
    ///
    /// True when the server is to be asked on the current link.
    package mutating func wish(_ channel: String, scope: InboxID?) -> Bool {
        var wish = wishes[channel] ?? make(channel)
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

    package mutating func addWaiter(_ call: CallID, _ channel: String) {
        wishes[channel]?.waiters.append(call)
    }

    package mutating func removeWaiter(_ call: CallID, _ channel: String) {
        wishes[channel]?.waiters.removeAll { $0 == call }
    }

    /// Notes that the wish is on the link; returns the number its reply must carry.
    package mutating func written(_ channel: String) -> UInt64? {
        wishes[channel]?.isWritten = true
        return wishes[channel]?.number
    }

    /// The server will not answer what was written for this wish: who asks again is to be heard.
    package mutating func lapsed(_ channel: String, number: UInt64) {
        guard let wish = wishes[channel], wish.number == number, !wish.status.isConfirmed else { return }
        wishes[channel]?.isWritten = false
    }

    /// The server's word on a wish.
    ///
    /// nil when that wish is gone; else the calls that waited.
    package mutating func answered(_ channel: String, number: UInt64, rejection: SenteError?) -> [CallID]? {
        guard var wish = wishes[channel], wish.number == number else { return nil }
        wish.status = SubscriptionStatus(isConfirmed: rejection == nil, rejection: rejection)
        defer { wishes[channel] = wish }
        return take(&wish.waiters)
    }

    /// Drops one plain claim (a cancelled `subscribe`).
    ///
    /// True when nobody holds the wish any more.
    package mutating func release(_ channel: String) -> Bool {
        guard let claims = wishes[channel]?.claims, claims > 0 else { return false }
        wishes[channel]?.claims -= 1
        return wishes[channel]?.isHeld == false
    }

    /// Drops one scope.
    ///
    /// Returns the channel when nobody holds its wish any more.
    package mutating func release(scope: InboxID) -> String? {
        guard let channel = scopes.removeValue(forKey: scope) else { return nil }
        wishes[channel]?.scopes.remove(scope)
        return wishes[channel]?.isHeld == false ? channel : nil
    }

    /// Ends a wish.
    ///
    /// Returns the calls that waited for it.
    package mutating func remove(_ channel: String) -> [CallID] {
        guard let wish = wishes.removeValue(forKey: channel) else { return [] }
        for scope in wish.scopes { scopes[scope] = nil }
        return wish.waiters
    }

    /// The link is gone: nothing is confirmed any more.
    ///
    /// Returns the channels whose status changed and the waiting calls.
    package mutating func linkEnded() -> (changed: [String], waiters: [(CallID, String)]) {
        var changed: [String] = []
        var waiters: [(CallID, String)] = []
        for (channel, wish) in ordered {
            var wish = wish
            if wish.status.isConfirmed { changed.append(channel) }
            wish.status.isConfirmed = false
            wish.isWritten = false
            waiters += take(&wish.waiters).map { ($0, channel) }
            wishes[channel] = wish
        }
        return (changed, waiters)
    }

    private var ordered: [(key: String, value: Wish)] { wishes.sorted { $0.value.place < $1.value.place } }

    private mutating func make(_ channel: String) -> Wish {
        lastNumber += 1
        return Wish(place: lastNumber, number: lastNumber)
    }

    private func take(_ calls: inout [CallID]) -> [CallID] {
        defer { calls = [] }
        return calls
    }
}
