// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// The queues between the session and the app's handles.
///
/// A handle is told once that something is there (`ready`), then takes everything at once. What it took counts until it
/// says it is consumed; until then the rest stays here, where the oldest can still make room.
package struct Inboxes: Sendable {
    package let policy: InboxPolicy
    /// By number, which is hashed faster.
    private var inboxes: [UInt64: Inbox] = [:]
    /// Whom a filter leads to, by the number of the inbox, so that one of many is found in few steps.
    private var routes: [InboxFilter: [InboxID]] = [:] {
        didSet { latest = nil }
    }
    /// Where the latest went: what comes together is mostly of one channel.
    private var latest: (filter: InboxFilter, listeners: [InboxID])?
    /// Inboxes over their bounds whose excess is not dropped yet (`.pauseReading`).
    private var full: Set<InboxID> = []
    /// Whether requests are handed to responders.
    package var takesRequests = true
    /// How many routes were looked at since the beginning, for tests of what a step costs.
    package private(set) var steps = 0

    package init(policy: InboxPolicy) {
        self.policy = policy
    }

    package var isFull: Bool { !full.isEmpty }

    package mutating func open(
        _ id: InboxID, subscription: WireName? = nil, history: ChannelHistory? = nil, at place: UInt64 = 0,
        requestLimit: Int = 0
    ) {
        guard inboxes[id.number] == nil else { return }
        inboxes[id.number] = Inbox(
            subscription: subscription, history: history, openedAt: place, requestLimit: requestLimit)
    }

    /// The server is not asked for it: what it keeps from now on is only of gaps.
    package mutating func expectsNoHistory(_ id: InboxID) {
        inboxes[id.number]?.history = nil
    }

    package mutating func listen(_ id: InboxID, _ filter: InboxFilter) {
        guard let count = inboxes[id.number]?.filters[filter, default: 0] else { return }
        inboxes[id.number]?.filters[filter] = count + 1
        guard count == 0 else { return }
        let position = position(of: id, in: filter)
        routes[filter, default: []].insert(id, at: position)
    }

    package mutating func unlisten(_ id: InboxID, _ filter: InboxFilter) {
        guard let count = inboxes[id.number]?.filters[filter] else { return }
        inboxes[id.number]?.filters[filter] = count > 1 ? count - 1 : nil
        if count == 1 { removeRoute(filter, id) }
    }

    /// False when it was closed already.
    @discardableResult
    package mutating func close(_ id: InboxID) -> Bool {
        guard let inbox = inboxes.removeValue(forKey: id.number) else { return false }
        for filter in inbox.filters.keys { removeRoute(filter, id) }
        full.remove(id)
        return true
    }

    /// The handles of a channel that `unsubscribe` finishes.
    package func subscriptions(of channel: WireName) -> [InboxID] {
        (routes[.channel(channel)] ?? []).filter { inboxes[$0.number]?.subscription == channel }
    }

    /// Routes to everyone who listens to `filter`, and an event to those who hear all.
    ///
    /// Returns how many were missed; nil when nobody listens.
    package mutating func deliver(
        _ element: consuming InboxElement, to filter: InboxFilter, size: Int, ready: (InboxID) -> Void
    ) -> Int? {
        if latest?.filter != filter { latest = (filter, listeners(to: filter)) }
        let listeners = latest?.listeners ?? []
        guard let last = listeners.last else { return nil }
        var missed = 0
        for id in listeners.dropLast() {
            missed += append(copy element, size, to: id, ready: ready)
        }
        return missed + append(element, size, to: last, ready: ready)
    }

    private func listeners(to filter: InboxFilter) -> [InboxID] {
        let ids = routes[filter] ?? []
        guard case .event = filter, let others = routes[.allEvents] else { return ids }
        return ids + others.filter { inboxes[$0.number]?.filters[filter] == nil }
    }

    /// Hands on what the server kept of a channel: to each handle what it did not get before, and to a new one as much as
    /// it wants.
    ///
    /// Returns how often somebody took one, and how many were missed.
    package mutating func deliver(
        _ kept: [KeptMessage], of channel: WireName, ready: (InboxID) -> Void
    ) -> (taken: Int, missed: Int) {
        var result = (taken: 0, missed: 0)
        for id in routes[.channel(channel)] ?? [] {
            let new: ArraySlice<KeptMessage>
            if let history = inboxes[id.number]?.history, let openedAt = inboxes[id.number]?.openedAt {
                inboxes[id.number]?.history = nil
                let missing = kept.filter { $0.place.map { $0 <= openedAt } ?? true }
                new = missing.dropFirst(history.surplus(of: missing.count))
            } else {
                new = kept.filter(\.isNew)[...]
            }
            result.taken += new.count
            for one in new { result.missed += append(.message(one.message), one.size, to: id, ready: ready) }
        }
        return result
    }

    /// Messages of a channel may be missing for those that listened before.
    package mutating func note(_ gap: ChannelGap, in channel: WireName) {
        for id in routes[.channel(channel)] ?? [] where inboxes[id.number]?.history == nil {
            inboxes[id.number]?.note(gap, in: channel)
        }
    }

    /// Hands a request to the channel's responder.
    ///
    /// nil when there is none, false when it has too many already.
    package mutating func deliver(
        _ request: IncomingRequest, size: Int, until expiry: Instant, ready: (InboxID) -> Void
    ) -> Bool? {
        guard takesRequests, let id = routes[.requests(WireName(request.channel))]?.first,
            let inbox = inboxes[id.number]
        else { return nil }
        guard inbox.unanswered < inbox.requestLimit else { return false }
        _ = append(.request(request), size, until: expiry, to: id, ready: ready)
        return true
    }

    /// How much more an inbox takes before the oldest would have to go.
    func room(of id: InboxID) -> ChannelFollower.Room? { inboxes[id.number]?.room(policy) }

    package mutating func answered(_ id: InboxID) {
        inboxes[id.number]?.answered()
    }

    /// Nothing more comes through it; what it holds can still be taken.
    package mutating func retire(_ id: InboxID) {
        guard let filters = inboxes[id.number]?.filters.keys else { return }
        for filter in filters { removeRoute(filter, id) }
        inboxes[id.number]?.filters = [:]
    }

    /// The channels whose requests somebody here answers, in order.
    package var served: [WireName] {
        routes.keys.compactMap { if case .requests(let channel) = $0 { channel } else { nil } }
            .sorted { $0.text < $1.text }
    }

    /// How many requests a responder, or all of them, have taken and not answered.
    package func unanswered(of id: InboxID?) -> Int {
        guard let id else { return inboxes.values.reduce(0) { $0 + $1.unanswered } }
        return inboxes[id.number]?.unanswered ?? 0
    }

    package mutating func take(_ id: InboxID) -> [InboxElement] {
        change(id) { $0.take() } ?? []
    }

    /// The handle has room for more, and is told of what waited meanwhile; a request that waited too long is not for it.
    ///
    /// Returns how many such there were.
    @discardableResult
    package mutating func consumed(
        _ id: InboxID, _ count: Int, at now: Instant, ready: (InboxID) -> Void
    ) -> Int {
        let policy = policy
        let result = change(id) { inbox in
            (
                overdue: inbox.dropOverdue(at: now), hasRoom: inbox.consumed(count, policy),
                announces: inbox.announces()
            )
        }
        guard let result else { return 0 }
        if result.hasRoom { full.remove(id) }
        if result.announces { ready(id) }
        return result.overdue
    }

    /// Drops what is over the bounds, now that it may not be held back any more.
    ///
    /// Returns how many were missed.
    package mutating func dropExcess() -> Int {
        let missed = full.reduce(0) { $0 + (inboxes[$1.number]?.giveWay(policy) ?? 0) }
        full = []
        return missed
    }

    /// What the one of those that hear one of the filters has not consumed, who has consumed the most; 0 when nobody hears.
    func leastLoad(of filters: [InboxFilter]) -> Int {
        filters.flatMap { routes[$0] ?? [] }.compactMap { inboxes[$0.number]?.load }.min() ?? 0
    }

    private mutating func append(
        _ element: consuming InboxElement, _ size: Int, until expiry: Instant? = nil, to id: InboxID,
        ready: (InboxID) -> Void
    ) -> Int {
        guard let index = inboxes.index(forKey: id.number) else { return 0 }
        let result = inboxes.values[index].append(element, size: size, until: expiry, policy)
        if result.isFull { full.insert(id) }
        if result.announces { ready(id) }
        return result.missed
    }

    /// Changes an inbox in its place: by its key the dictionary would move it out and in again, which costs more than the change.
    private mutating func change<Result>(_ id: InboxID, _ body: (inout Inbox) -> Result) -> Result? {
        guard let index = inboxes.index(forKey: id.number) else { return nil }
        return body(&inboxes.values[index])
    }

    private mutating func removeRoute(_ filter: InboxFilter, _ id: InboxID) {
        let position = position(of: id, in: filter)
        guard position < routes[filter]?.count ?? 0, routes[filter]?[position] == id else { return }
        routes[filter]?.remove(at: position)
        if routes[filter]?.isEmpty == true { routes[filter] = nil }
    }

    /// Where an inbox stands among others, or would.
    private mutating func position(of id: InboxID, in filter: InboxFilter) -> Int {
        let ids = routes[filter] ?? []
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            steps += 1
            if ids[middle].number < id.number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A message that the server kept, as it comes with the answer to a subscription.
package struct KeptMessage: Sendable {
    package var message: ChannelMessage
    package var size: Int
    /// Where in the order of messages it came before, if it did.
    package var place: UInt64?
    /// It may be news to handles that were there before.
    package var isNew: Bool

    package init(_ message: ChannelMessage, size: Int, place: UInt64?, isNew: Bool) {
        self.message = message
        self.size = size
        self.place = place
        self.isNew = isNew
    }
}
