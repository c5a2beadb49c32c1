// SPDX-License-Identifier: Apache-2.0

/// What the app wishes to be subscribed to, and what the server confirmed on the current link.
///
/// A wish outlives links and is written once on each, in the order of wishing. It ends by `unsubscribe`, by its last
/// scope, or rests after a rejection until the app asks again.
struct Subscriptions: Sendable {
    private struct Wish: Sendable {
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
    private(set) var version = 0
    private var order: [String] = []
    private var lastNumber: UInt64 = 0

    /// The channels wished for, in order; a rejected one is not among them.
    var wished: [String] { order.filter { wishes[$0]?.status.rejection == nil } }
    var confirmedCount: Int { wishes.values.lazy.filter(\.status.isConfirmed).count }

    func status(of channel: String) -> SubscriptionStatus? { wishes[channel]?.status }

    /// Records a wish.
    ///
    /// True when the server is to be asked on the current link.
    mutating func wish(_ channel: String, scope: InboxID?) -> Bool {
        var wish = wishes[channel] ?? make(channel)
        if wish.status.rejection != nil {
            // Asked again: a new wish in an old place.
            lastNumber += 1
            wish.number = lastNumber
            wish.status = SubscriptionStatus()
            wish.isWritten = false
        }
        if let scope { wish.scopes.insert(scope) } else { wish.claims += 1 }
        wishes[channel] = wish
        return !wish.isWritten
    }

    mutating func addWaiter(_ call: CallID, _ channel: String) {
        wishes[channel]?.waiters.append(call)
    }

    mutating func removeWaiter(_ call: CallID, _ channel: String) {
        wishes[channel]?.waiters.removeAll { $0 == call }
    }

    /// Notes that the wish is on the link; returns the number its reply must carry.
    mutating func written(_ channel: String) -> UInt64? {
        wishes[channel]?.isWritten = true
        return wishes[channel]?.number
    }

    /// The server's word on a wish.
    ///
    /// nil when that wish is gone; else the calls that waited.
    mutating func answered(_ channel: String, number: UInt64, rejection: SenteError?) -> [CallID]? {
        guard var wish = wishes[channel], wish.number == number else { return nil }
        wish.status = SubscriptionStatus(isConfirmed: rejection == nil, rejection: rejection)
        defer { wishes[channel] = wish }
        return take(&wish.waiters)
    }

    /// Drops one plain claim (a cancelled `subscribe`).
    ///
    /// True when nobody holds the wish any more.
    mutating func release(_ channel: String) -> Bool {
        guard let claims = wishes[channel]?.claims, claims > 0 else { return false }
        wishes[channel]?.claims -= 1
        return wishes[channel]?.isHeld == false
    }

    /// Drops one scope.
    ///
    /// True when nobody holds the wish any more.
    mutating func release(_ channel: String, scope: InboxID) -> Bool {
        guard wishes[channel]?.scopes.remove(scope) != nil else { return false }
        return wishes[channel]?.isHeld == false
    }

    /// Ends a wish.
    ///
    /// Returns the calls that waited for it.
    mutating func remove(_ channel: String) -> [CallID] {
        order.removeAll { $0 == channel }
        return wishes.removeValue(forKey: channel)?.waiters ?? []
    }

    /// The link is gone: nothing is confirmed any more.
    ///
    /// Returns the channels whose status changed and the waiting calls.
    mutating func linkEnded() -> (changed: [String], waiters: [(CallID, String)]) {
        var changed: [String] = []
        var waiters: [(CallID, String)] = []
        for channel in order {
            guard var wish = wishes[channel] else { continue }
            if wish.status.isConfirmed { changed.append(channel) }
            wish.status.isConfirmed = false
            wish.isWritten = false
            waiters += take(&wish.waiters).map { ($0, channel) }
            wishes[channel] = wish
        }
        return (changed, waiters)
    }

    private mutating func make(_ channel: String) -> Wish {
        lastNumber += 1
        order.append(channel)
        return Wish(number: lastNumber)
    }

    private func take(_ calls: inout [CallID]) -> [CallID] {
        defer { calls = [] }
        return calls
    }
}
