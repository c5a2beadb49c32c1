// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// What survives links: wishes, outbox, pending calls, identity, backoff.
///
/// Decides everything, does nothing.
///
/// ```
/// commands ─┐                                   ┌─▶ link: open, transmit, close
/// link says ─┼─▶ handle(input, at: now) ─────────┼─▶ app: resolve, publish, ready
/// time is up ┘        changes the state          └─▶ providers: ask
/// ```
///
/// Two rules keep the corners clean. Every input of a link carries its id, and `isCurrent` alone lets it pass: a late
/// word of an old link changes nothing. And `deadline` is the only timer: whatever wants waking says so there.
///
/// The extensions are the parts: `+Connection` (attempts, ends, retries), `+Calls` (outbox, replies, outcomes),
/// `+Subscriptions` (wishes, inboxes, requests), `+Inbound` (what the server says).
package struct Session: Sendable {
    let configuration: SessionConfiguration
    var state = State.closed
    package internal(set) var status = ConnectionStatus(state: .closed)
    /// What the app was told last.
    private var published = ConnectionStatus(state: .closed)
    var backoff: Backoff
    var endpoints: EndpointList
    var outbox: Outbox
    var calls = Calls()
    var subscriptions = Subscriptions()
    var inboxes: Inboxes
    var traffic = Traffic()
    var history = History()
    var pathChanges = PathChanges()
    var numbers = Numbers()
    var random: Generator

    /// What goes on on the open link.
    ///
    /// Beside the state, not in it: collections in an enum's payload are copied whenever they change.
    struct Traffic: Sendable {
        var pending = PendingReplies()
        var window = WriteWindow()
        var keepAlive: KeepAlive?
        /// How many milliseconds the server's wall clock was ahead of ours when it greeted.
        var clockOffset: Int64 = 0
    }

    /// What earlier links left behind.
    struct History: Sendable {
        /// A server of this client greeted once: from then on every failure is retried.
        var wasGreeted = false
        /// Messages seen, by id, so that a retained one is delivered once.
        var messages = RecentIDs()
        /// Requests seen, by id.
        var requests = RecentIDs()
        /// The last stamp of a ping; they are unique for the life of the session.
        var lastStamp: Int64 = 0
    }

    /// The identifiers handed out last.
    struct Numbers: Sendable {
        var link: UInt64 = 0
        var send: UInt64 = 0
        var ask: UInt64 = 0
        /// Messages that no call stands behind; counted down so as not to meet the app's.
        var internalCall = UInt64.max
    }

    package init(configuration: SessionConfiguration, random: Generator) {
        self.configuration = configuration
        self.random = random
        backoff = Backoff(policy: configuration.reconnect)
        endpoints = EndpointList(configuration.endpoints, order: configuration.endpointOrder)
        outbox = Outbox(policy: configuration.outbox)
        inboxes = Inboxes(policy: configuration.inbox)
    }

    /// The one way in.
    ///
    /// Effects are to be performed in order.
    package mutating func handle(_ input: Input, at now: Moment, into effects: inout [Effect]) {
        switch input {
        case .command(let command): perform(command, at: now, into: &effects)
        case .opened(let link): opened(link)
        case .received(let link, let inbound, let size):
            received(link, inbound, size, at: now, into: &effects)
        case .mismatched(let link, let error): mismatched(link, error, at: now, into: &effects)
        case .progressed(let link): progressed(link, at: now)
        case .wrote(let link, let ids): wrote(link, ids, at: now, into: &effects)
        case .unsayable(let link, let id, let error): unsayable(link, id, error, at: now, into: &effects)
        case .refused(let link, let refusal): refused(link, refusal, at: now, into: &effects)
        case .closed(let link, let end): ended(link, end, at: now, into: &effects)
        case .provided(let ask, let provision): provided(ask, provision, at: now, into: &effects)
        case .consumed(let inbox, let count): consumed(inbox, count, at: now, into: &effects)
        case .pathChanged(let change): pathChanged(change, at: now, into: &effects)
        case .timerFired: break
        }
        expire(at: now, into: &effects)
    }

    /// When the session wants to be woken; after `handle`, nil or in the future.
    package var deadline: Instant? {
        var earliest = earliest(earliest(outbox.deadline, calls.deadline), pathChanges.deadline)
        switch state {
        case .closed, .failed: break
        case .connecting(let attempt): earliest = self.earliest(earliest, attempt.deadline)
        case .open(let open):
            earliest = self.earliest(earliest, self.earliest(traffic.keepAlive?.deadline, open.pausedUntil))
        case .closing(let closing): earliest = self.earliest(earliest, closing.deadline)
        case .reconnecting(let waiting): earliest = self.earliest(earliest, waiting.until)
        }
        return earliest
    }

    /// Takes what an inbox holds; the driver calls it for each `ready`.
    package mutating func take(_ inbox: InboxID) -> [InboxElement] {
        inboxes.take(inbox)
    }

    /// Of the server spoken with last; before the first one, v1's.
    var capabilities: Capabilities { (status.dialect ?? .senteLiteMaps).capabilities }

    /// What the link's first message showed.
    package mutating func speaks(_ dialect: Dialect, _ format: WireFormat) {
        status.dialect = dialect
        status.format = format
    }

    private func earliest(_ a: Instant?, _ b: Instant?) -> Instant? {
        guard let a else { return b }
        guard let b else { return a }
        return min(a, b)
    }

    private mutating func perform(_ command: Command, at now: Moment, into effects: inout [Effect]) {
        switch command {
        case .connect(let call, let limit): connect(call, limit, at: now, into: &effects)
        case .disconnect(let call): disconnect(call, at: now, into: &effects)
        case .reconnect: reconnect(at: now, into: &effects)
        case .breakLink: breakLink(at: now, into: &effects)
        case .subscribe(let call, let channel, let inbox, let scoped):
            subscribe(call, channel, inbox, scoped: scoped, at: now, into: &effects)
        case .unsubscribe(let call, let channel): unsubscribe(call, channel, at: now, into: &effects)
        case .respond(let channel, let inbox): respond(channel, inbox, at: now, into: &effects)
        case .endScope(let inbox): endScope(inbox, at: now, into: &effects)
        case .openInbox(let inbox): inboxes.open(inbox)
        case .listen(let inbox, let filter): inboxes.listen(inbox, filter)
        case .unlisten(let inbox, let filter): inboxes.unlisten(inbox, filter)
        case .closeInbox(let inbox): closeInbox(inbox, at: now, into: &effects)
        case .answer(let inbox, let id, let data, let isError):
            inboxes.answered(inbox)
            answer(id, data, isError: isError, at: now, into: &effects)
        case .submit(let call, let outbound, let limit, let awaited):
            submit(call, outbound, limit, awaited, at: now, into: &effects)
        case .settle(let call, let value): settle(call, value, into: &effects)
        case .ping(let call): ping(call, at: now, into: &effects)
        case .cancel(let call): cancel(call, at: now, into: &effects)
        }
    }

    /// Does whatever is due.
    ///
    /// Each turn moves the deadline it served, so the loop ends.
    private mutating func expire(at now: Moment, into effects: inout [Effect]) {
        while let deadline, deadline <= now.instant {
            if let item = outbox.popExpired(at: now.instant) {
                expired(item, into: &effects)
            } else if let call = calls.expired(at: now.instant) {
                expired(call, at: now, into: &effects)
            } else if let change = pathChanges.popDue(at: now.instant) {
                follow(change, at: now, into: &effects)
            } else {
                expireState(at: now, into: &effects)
            }
        }
    }

    /// The only place that changes the public state.
    mutating func move(to state: State, into effects: inout [Effect]) {
        self.state = state
        status.state = state.name
        if case .open = state {
        } else {
            status.identity = nil
            status.openedAt = nil
        }
        if case .reconnecting = state {} else { status.retryAt = nil }
        if case .closed = state { status.attempt = 0 }
        switch state {
        case .closed, .closing, .failed: pathChanges = PathChanges()
        case .connecting, .open, .reconnecting: break
        }
        publish(into: &effects)
    }

    /// Tells the app when what it can see has changed.
    mutating func publish(into effects: inout [Effect]) {
        guard status != published else { return }
        published = status
        effects.append(.publish(status))
    }

    /// Whether `link` is the one whose words count.
    func isCurrent(_ link: LinkID) -> Bool {
        switch state {
        case .connecting(let attempt): attempt.link == link
        case .open(let open): open.link == link
        case .closing(let closing): closing.link == link
        case .closed, .reconnecting, .failed: false
        }
    }

    /// A stamp no other ping of this session carries.
    mutating func nextStamp(at now: Moment) -> Int64 {
        history.lastStamp = max(now.wallMilliseconds, history.lastStamp &+ 1)
        return history.lastStamp
    }
}
