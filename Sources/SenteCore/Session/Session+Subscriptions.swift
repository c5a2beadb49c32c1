// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// Wishes, the inboxes they fill, and the requests that come through them.
extension Session {
    mutating func subscribe(
        _ call: CallID, _ channel: WireName, _ inbox: InboxID, scoped: Bool, _ history: ChannelHistory
    ) {
        inboxes.open(
            inbox, subscription: channel, history: history, at: self.history.messages.count)
        inboxes.listen(inbox, .channel(channel))
        wish(channel, scope: scoped ? inbox : nil)
        let status = subscriptions.status(of: channel) ?? SubscriptionStatus()
        if let rejection = status.rejection { return resolve(call, .failure(rejection)) }
        guard case .open = state else { return resolve(call, .success(.subscribed(status))) }
        if status.isConfirmed, !writeHistoryRequest(channel, history) {
            inboxes.expectsNoHistory(inbox)
            return resolve(call, .success(.subscribed(status)))
        }
        subscriptions.addWaiter(call, channel)
        let deadline = now.instant.advanced(by: configuration.times.request)
        let purpose = Call.Purpose.subscribe(channel: channel, inbox, scoped: scoped)
        calls.add(call, Call(purpose: purpose, phase: .waiting, deadline: deadline))
    }

    /// Asks once more for a confirmed channel, whose answer brings what the server kept.
    ///
    /// False when there is nothing to ask for.
    private mutating func writeHistoryRequest(_ channel: WireName, _ history: ChannelHistory) -> Bool {
        guard case .open(let open) = state, history.surplus(of: 1) == 0, capabilities.retainsMessages,
            let encoded = try? encode(.subscribe(channel: channel.text), owner: .history(channel: channel))
        else { return false }
        effects.append(.transmit(open.link, [encoded.transmission]))
        return true
    }

    /// The server's word on what it kept of a confirmed channel.
    mutating func historyAnswered(_ channel: WireName) {
        let status = subscriptions.status(of: channel) ?? SubscriptionStatus()
        for call in subscriptions.asked(channel) { resolve(call, .success(.subscribed(status))) }
    }

    mutating func respond(_ channel: WireName, _ inbox: InboxID, _ limit: Int) {
        inboxes.open(inbox, requestLimit: limit)
        inboxes.listen(inbox, .requests(channel))
        wish(channel, scope: inbox)
    }

    private mutating func wish(_ channel: WireName, scope: InboxID?) {
        let known = subscriptions.status(of: channel)
        let isUnwritten = subscriptions.wish(channel, scope: scope)
        if known == nil || known?.rejection != nil { tell(channel, SubscriptionStatus()) }
        if isUnwritten, case .open = state { writeWishes([channel]) }
    }

    /// Where a wish stands now: the app's list of them is kept by these, one by one.
    mutating func tell(_ channel: WireName, _ status: SubscriptionStatus) {
        effects.append(.subscription(channel: channel.text, status))
    }

    mutating func writeWishes(_ channels: [WireName]) {
        guard case .open(let open) = state else { return }
        var batch: [Transmission] = []
        for channel in channels {
            guard let number = subscriptions.written(channel) else { continue }
            do throws(SenteError) {
                let owner = PendingReplies.Owner.wish(channel: channel, number: number)
                batch.append(try encode(.subscribe(channel: channel.text), owner: owner).transmission)
            } catch {
                effects.append(.record(.dropped(reason: error.code)))
                wishAnswered(channel, number, rejection: error.with(outcome: .notSent))
            }
        }
        if !batch.isEmpty { effects.append(.transmit(open.link, batch)) }
    }

    /// The server's word on a wish that this session wrote on this link.
    mutating func wishAnswered(
        _ channel: WireName, _ number: UInt64, rejection: SenteError?, _ kept: [KeptMessage] = []
    ) {
        let answered = subscriptions.answered(
            channel, number: number, rejection: rejection, at: now.instant)
        guard let (waiters, lostAt) = answered else { return ignore(.lateReply) }
        if let lostAt { noteGap(in: channel, since: lostAt, kept) }
        let status = SubscriptionStatus(isConfirmed: rejection == nil, rejection: rejection)
        tell(channel, status)
        if let rejection { effects.append(.record(.failed(rejection.code))) }
        for call in waiters {
            resolve(call, rejection.map(Result.failure) ?? .success(.subscribed(status)))
        }
    }

    private mutating func noteGap(in channel: WireName, since: Instant, _ kept: [KeptMessage]) {
        // A place among what came before shows that what was kept reaches back to it.
        let reachesBack = kept.contains { $0.place != nil }
        let gap = ChannelGap(
            since: since, duration: since.duration(to: now.instant),
            filling: reachesBack ? .all : kept.isEmpty ? .nothing : .some)
        inboxes.note(gap, in: channel)
        effects.append(.gap(channel: channel.text, gap))
    }

    /// The server ended a subscription on its own: the wish rests until the app asks again.
    mutating func lost(_ channel: WireName, _ error: SenteError) {
        guard subscriptions.status(of: channel)?.isConfirmed == true,
            let number = subscriptions.written(channel)
        else { return ignore(.lateReply) }
        wishAnswered(channel, number, rejection: error)
    }

    mutating func unsubscribe(_ call: CallID, _ channel: WireName) {
        for inbox in followers.inboxes(of: channel.text) { endScope(inbox) }
        endWish(channel)
        for inbox in inboxes.subscriptions(of: channel) {
            inboxes.close(inbox)
            effects.append(.finish(inbox))
        }
        resumeIfRoom()
        guard case .open = state else {
            if resumption?.parking != nil { subscriptions.dropped(channel) }
            return resolve(call, .success(.done))
        }
        let deadline = now.instant.advanced(by: configuration.times.request)
        calls.add(call, Call(purpose: .unsubscribe, phase: .waiting, deadline: deadline))
        writeUnsubscribe(channel, for: call)
    }

    mutating func endScope(_ inbox: InboxID) {
        if let id = followers.id(of: inbox) { endFollowing(id) }
        closeInbox(inbox)
        if let channel = subscriptions.release(scope: inbox) { dropWish(channel) }
    }

    mutating func closeInbox(_ inbox: InboxID) {
        guard inboxes.close(inbox) else { return }
        effects.append(.finish(inbox))
        if storageAwaitsConsumption { beginStorageWork() }
        resumeIfRoom()
    }

    /// Nobody holds the wish any more.
    ///
    /// Handles that only listen stay.
    mutating func dropWish(_ channel: WireName) {
        endWish(channel)
        if resumption?.parking != nil { subscriptions.dropped(channel) }
        writeUnsubscribe(channel, for: nil)
    }

    mutating func endWish(_ channel: WireName) {
        let waiters = subscriptions.remove(channel)
        tell(channel, SubscriptionStatus())
        let error = SenteError(.cancelled, "The subscription was ended before the server confirmed it.")
        for waiter in waiters { resolve(waiter, .failure(error)) }
    }

    mutating func writeUnsubscribe(_ channel: WireName, for call: CallID?) {
        guard case .open(let open) = state else { return }
        do throws(SenteError) {
            let (transmission, slot) = try encode(
                .unsubscribe(channel: channel.text), for: call, owner: call.map { .call($0) } ?? .nobody)
            if let call { calls.sent(call, slot, at: now.instant) }
            effects.append(.transmit(open.link, [transmission]))
        } catch {
            effects.append(.record(.dropped(reason: error.code)))
            if let call { resolve(call, .failure(error.with(outcome: .notSent))) }
        }
    }

    // MARK: Inboxes

    /// What came with the answer to a subscription, and which of it had come before.
    ///
    /// What was kept is news to older handles after a connection was lost alone: while it lasts they hear all of it live, by
    /// some servers without the id that it is kept under.
    mutating func kept(_ messages: [ChannelMessage], _ size: Int, isRestored: Bool) -> [KeptMessage] {
        zip(messages, messages.shares(of: size)).map { message, share in
            let place = message.id.flatMap { history.messages.insert($0, time: message.time) }
            return KeptMessage(message, size: share, place: place, isNew: isRestored && place == nil)
        }
    }

    mutating func deliver(_ kept: [KeptMessage], of channel: WireName) {
        let (taken, missed) = inboxes.deliver(kept, of: channel) { effects.append(.ready($0)) }
        if taken == 0 {
            for one in kept { ignore(one.isNew ? .unheard : .repeated) }
        }
        if missed > 0 { effects.append(.record(.missed(missed))) }
        pauseIfFull()
    }

    /// A live message for whoever listens to its channel.
    mutating func deliver(_ message: consuming ChannelMessage, size: Int) {
        // A constant that ends by `consume` is moved; the parameter itself would be copied.
        let message = consume message
        if let id = message.id { _ = history.messages.insert(id, time: message.time) }
        let channel = WireName(message.channel)
        if !deliver(.message(consume message), to: .channel(channel), size: size) { ignore(.unheard) }
    }

    /// An event for whoever listens to its id, or to all.
    mutating func deliver(_ event: consuming Event, size: Int) {
        let event = consume event
        let id = event.id
        if !deliver(.event(consume event, missed: 0), to: .event(id), size: size) { ignore(.unheard) }
    }

    /// False when no handle listens.
    @discardableResult
    mutating func deliver(_ element: consuming InboxElement, to filter: InboxFilter, size: Int) -> Bool {
        let missed = inboxes.deliver(element, to: filter, size: size) { effects.append(.ready($0)) }
        guard let missed else { return false }
        if missed > 0 { effects.append(.record(.missed(missed))) }
        pauseIfFull()
        return true
    }

    /// A request for this client as a service: once by id, not after its time, and not more than it can take.
    ///
    /// What has just come is in time, whatever the clocks show. Its age is the time that it then waits here, and
    /// `consumed` lets go of what became too old before it could be handed out.
    mutating func deliver(_ request: IncomingRequest, size: Int) {
        // Who keeps nothing hands nothing over twice, and its ids are of the requesters' making.
        if capabilities.retainsMessages,
            history.requests.insert(request.id, time: request.createdAt) != nil
        {
            return ignore(.repeated)
        }
        if request.isRetained, isOverdue(request) { return ignore(.overdueRequest) }
        let limit = min(max(0, request.limit ?? Self.defaultRequestLimit), 86_400_000)
        let isTaken = inboxes.deliver(
            request, size: size, until: now.instant.advanced(by: .milliseconds(limit))
        ) { effects.append(.ready($0)) }
        guard let isTaken else { return ignore(.unservedRequest) }
        guard !isTaken else { return }
        let busy: Value = ["reason": "busy", "message": "The service has too many requests under way."]
        answer(request.id, busy, isError: true)
    }

    /// How long a requester waits that does not say, in milliseconds, as sente-lite's servers have it.
    private static let defaultRequestLimit: Int64 = 30_000

    /// Whether nobody waits any more for the answer to a request that the server kept.
    ///
    /// How long it was kept only the server's clock tells, and nothing if the server did not show it: then it is too long,
    /// for what a service did once must not be done again at every subscription.
    private func isOverdue(_ request: IncomingRequest) -> Bool {
        guard let createdAt = request.createdAt, let clock = traffic.serverClock else { return true }
        let sinceGreeting = clock.readAt.duration(to: now.instant).wholeMilliseconds
        let (time, overflow) = clock.time.addingReportingOverflow(sinceGreeting)
        let (age, overflow2) = time.subtractingReportingOverflow(createdAt)
        return overflow || overflow2 || age > request.limit ?? Self.defaultRequestLimit
    }

    mutating func consumed(_ inbox: InboxID, _ count: Int) {
        let overdue = inboxes.consumed(inbox, count, at: now.instant) { effects.append(.ready($0)) }
        for _ in 0..<overdue { ignore(.overdueRequest) }
        if overdue > 0 { endDrains() }
        if storageAwaitsConsumption { beginStorageWork() }
        consumedOfStream(inbox)
        resumeIfRoom()
    }

    private mutating func pauseIfFull() {
        guard inboxes.isFull, case .open(var open) = state, open.pausedUntil == nil else { return }
        open.pausedUntil = now.instant.advanced(by: configuration.pauseLimit)
        state = .open(open)
        traffic.keepAlive?.suspend()
        effects.append(.pauseReading(open.link))
    }

    private mutating func resumeIfRoom() {
        guard case .open(let open) = state, open.pausedUntil != nil, !inboxes.isFull else { return }
        resumeReading()
    }

    mutating func resumeReading() {
        guard case .open(var open) = state else { return }
        open.pausedUntil = nil
        state = .open(open)
        let instant = now.instant
        traffic.keepAlive?.resume(at: instant)
        if !traffic.packing.arrivals.isPaused { effects.append(.resumeReading(open.link)) }
    }
}
