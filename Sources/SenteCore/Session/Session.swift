// SPDX-License-Identifier: Apache-2.0

package import SenteBase
import SenteWire

/// What survives links: wishes, outbox, pending calls, identity, backoff.
///
/// Decides everything, does nothing.
///
/// ```
/// commands ─┐                                   ┌─▶ link: open, transmit, close
/// link says ─┼─▶ handle(input) ─────────┼─▶ app: resolve, publish, ready
/// time is up ┘        changes the state          └─▶ providers: ask
/// ```
///
/// Two rules keep the corners clean. Every input of a link carries its id, and `isCurrent` alone lets it pass: a late
/// word of an old link changes nothing. And `deadline` is the only timer: whatever wants waking says so there.
///
/// It cannot be copied. What can is, wherever a method only looks at it: half of what a message over a link with flow cost.
///
/// The extensions are the parts: `+Connection` (attempts), `+Ends` (ends, retries), `+Calls` (calls and their outcomes), `+Sending` (what
/// leaves), `+Subscriptions` (wishes, inboxes, requests), `+Inbound` (what the server says).
package struct Session: ~Copyable, Sendable {
    let configuration: SessionConfiguration
    var state = State.closed
    package internal(set) var status = ConnectionStatus(state: .closed) {
        didSet { isStatusTold = isStatusTold && status == oldValue }
    }
    private var isStatusTold = true
    var backoff: Backoff
    var endpoints: EndpointList
    var outbox: Outbox
    var calls = Calls()
    /// What streams are to keep.
    var stored = StoredPublishes()
    /// The handles that follow streams.
    var followers = Followers()
    /// The services that end in good order, in the order of being asked to.
    var draining: [Drain] = []
    var subscriptions = Subscriptions()
    var inboxes: Inboxes
    var traffic = Traffic()
    var history = History()
    var pathChanges = PathChanges()
    var numbers = Numbers()
    var callbacks = CallbackNames()
    /// What goes on over links, with a server that keeps sessions.
    var resumption: Resumption?
    /// What goes on over links too, with a server that takes streams: one table, or none where there are to be no streams.
    ///
    /// In an array it is a word where it is held: it is asked for at every step.
    var streams: [StreamTable] = []
    /// What waits for the storage of large data, where there is one; an array for the same reason.
    var largeData: [LargeData] = []
    /// Messages of one turn wait for one another.
    var isGathering = false
    /// The outbox is being emptied, so that nothing else begins to.
    var isDraining = false
    /// The link that compresses by itself.
    var deflatedLink: LinkID?
    /// The link that spoke last.
    private(set) var speaker: LinkID?
    /// Reads and writes on it; it dies with the link.
    var coder: (any DialectCoder)?
    var random: Generator
    /// The number of the least level that somebody wants; what requests would tell below it is not made.
    package var signalFloor = 0
    /// The time of the step that runs; of the last one between steps.
    private(set) var now = Moment(instant: .distantPast, wallMilliseconds: 0)
    /// What the step that runs wants done; empty between steps.
    var effects: [Effect] = []
    /// When the next timer goes off, as long as nothing happens; nil when something has since it was looked for.
    var earliest: Instant?

    /// What goes on on the open link.
    ///
    /// Beside the state, not in it: collections in an enum's payload are copied whenever they change.
    struct Traffic: ~Copyable, Sendable {
        var pending = PendingReplies()
        var window = WriteWindow()
        var keepAlive: KeepAlive?
        /// What the server's clock showed when it greeted, in milliseconds since 1970, and when that was.
        ///
        /// Only stamps of the same server are compared with it; our own wall clock is never asked.
        var serverClock: (time: Int64, readAt: Instant)?
        /// What holds beyond plain messages; nil with a server that announced nothing.
        var flow: LinkFlow?
        var packing = LinkPacking()
    }

    /// What earlier links left behind.
    struct History: Sendable {
        /// A server of this client greeted once: from then on every failure is retried.
        var wasGreeted = false
        /// How many fresh tokens a server refused since the last greeting or the app's last wish to connect.
        var freshTokensRefused = 0
        /// Messages seen, by id, so that a retained one is delivered once.
        var messages = RecentIDs()
        /// Requests seen, by id.
        var requests = RecentIDs()
        /// The last stamp of a ping; they are unique for the life of the session.
        var lastStamp: Int64 = 0
        /// A server announced flow and did not answer: nothing is offered any more.
        var flowFailed = false
        /// A session could not go on since the last greeting.
        var lostSession = false
        /// The messages of which parts had left when the server closed the last link for what came.
        var blamed: [CallID] = []
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
        endpoints = EndpointList(
            configuration.asksEndpoint ? [] : configuration.endpoints, order: configuration.endpointOrder)
        outbox = Outbox(policy: configuration.outbox)
        inboxes = Inboxes(policy: configuration.inbox)
        if let settings = configuration.largeData { largeData = [LargeData(settings)] }
        if let streaming = configuration.flow.streaming {
            streams = [StreamTable(settings: StreamSettings(streaming, digests: configuration.digests))]
        }
    }

    /// The one way in: one step, from an input to its effects.
    ///
    /// Effects are to be performed in order. For the time of the step the session itself holds them, and the time.
    package mutating func handle(_ input: consuming Input, at now: Moment, into effects: inout [Effect]) {
        accept(input, at: now, into: &effects)
        expire(at: now, into: &effects)
    }

    /// The same for one of several inputs that came at one time: `expire` is to follow the last of them, so that nothing is
    /// called late before all that came was heard.
    package mutating func accept(_ input: consuming Input, at now: Moment, into effects: inout [Effect]) {
        self.now = now
        earliest = nil
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        switch consume input {
        case .command(let command): perform(command)
        case .opened(let link): opened(link)
        case .received(let link, let inbound, let size): received(link, inbound, size)
        case .heard(let link, let heard): hear(heard, on: link)
        case .gathered: gathered()
        case .arrived(let link, let message): arrived(message, on: link)
        case .worked(let done): worked(done)
        case .storageDone(let id, let outcome): storageDone(id, outcome)
        case .mismatched(let link, let error): mismatched(link, error)
        case .progressed(let link): progressed(link)
        case .wrote(let link, let ids): wrote(link, ids)
        case .measured(let link, let loss): measured(link, loss: loss)
        case .refused(let link, let refusal): refused(link, refusal)
        case .closed(let link, let end): if !holdsEnd(of: link, end) { ended(link, end) }
        case .provided(let ask, let provision): provided(ask, provision)
        case .consumed(let inbox, let count): consumed(inbox, count)
        case .pathChanged(let change): pathChanged(change)
        case .timerFired: break
        }
    }

    /// A step that is no input: it gives something.
    mutating func step<R>(at now: Moment, into effects: inout [Effect], _ body: (inout Session) -> R) -> R {
        self.now = now
        earliest = nil
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        return body(&self)
    }

    /// Does whatever is due.
    package mutating func expire(at now: Moment, into effects: inout [Effect]) {
        self.now = now
        swap(&self.effects, &effects)
        defer { swap(&self.effects, &effects) }
        expire()
    }

    // MARK: Time

    /// What can wake a session; of those that are due, the first in this list goes first.
    private struct Timers {
        /// A message of the outbox has waited its time to live.
        var outbox = never
        /// A call's time limit.
        var call = never
        /// A change of the network waited for others to settle.
        var path = never
        /// The state's own: the attempt's limit, the heartbeat or the end of a pause, the closing handshake's limit,
        /// the next attempt.
        var state = never
        /// An answer about flow, our count, or the end of what the server keeps.
        var flow = never
        /// What most sessions have nothing of.
        var rare = never

        static let never = Instant(nanoseconds: .max)

        var earliest: Instant {
            min(min(outbox, call), min(min(path, state), min(flow, rare)))
        }
    }

    private var timers: Timers {
        var timers = Timers()
        if let deadline = outbox.deadline { timers.outbox = deadline }
        if let deadline = calls.deadline { timers.call = deadline }
        if let deadline = pathChanges.deadline { timers.path = deadline }
        switch state {
        case .closed, .failed: break
        case .connecting(let attempt): timers.state = attempt.deadline
        case .open(let open):
            if let deadline = traffic.keepAlive?.deadline { timers.state = deadline }
            if let end = open.pausedUntil { timers.state = min(timers.state, end) }
            if let departure = open.departure { timers.state = min(timers.state, departure.at) }
        case .closing(let closing): timers.state = closing.deadline
        case .reconnecting(let waiting): timers.state = waiting.until
        }
        if traffic.flow != nil || resumption != nil, let deadline = flowDeadline { timers.flow = deadline }
        if !(streams.isEmpty && largeData.isEmpty && stored.isEmpty && followers.isEmpty) {
            timers.rare = rareDeadline
        }
        return timers
    }

    /// When a stream wants a sign of life or something again, storing or fetching large data takes too long, a message that a
    /// stream is to keep goes again, or a follower has waited long enough.
    private var rareDeadline: Instant {
        var earliest = Timers.never
        if !streams.isEmpty, let deadline = streams[0].deadline { earliest = deadline }
        if !largeData.isEmpty, let deadline = largeData[0].deadline { earliest = min(earliest, deadline) }
        if !stored.isEmpty, let deadline = stored.deadline { earliest = min(earliest, deadline) }
        if !followers.isEmpty, let deadline = followers.deadline { earliest = min(earliest, deadline) }
        return earliest
    }

    private mutating func expireRare() {
        if !streams.isEmpty { expireStreams() }
        expireStorageWork()
        if !stored.isEmpty { expireStored() }
        if !followers.isEmpty { expireFollowing() }
    }

    /// When the session wants to be woken; after `handle`, nil or in the future.
    package var deadline: Instant? {
        let earliest = earliest ?? timers.earliest
        return earliest == Timers.never ? nil : earliest
    }

    /// Each turn moves the time it served, so the loop ends.
    private mutating func expire() {
        if resumption?.owesAck == true { acknowledge() }
        while true {
            let timers = timers
            let earliest = timers.earliest
            guard isDue(earliest) else {
                self.earliest = earliest
                return
            }
            if isDue(timers.outbox), let item = outbox.popExpired(at: now.instant) {
                expired(item)
            } else if isDue(timers.call), let call = calls.expired(at: now.instant) {
                expired(call)
            } else if isDue(timers.path), let change = pathChanges.popDue(at: now.instant) {
                follow(change)
            } else if isDue(timers.flow) {
                expireFlow()
            } else if isDue(timers.rare) {
                expireRare()
            } else {
                expireState()
            }
        }
    }

    private func isDue(_ time: Instant) -> Bool { time <= now.instant && time != Timers.never }

    /// What the tables of the session did beside what each step is about.
    package var tableSteps: Int {
        calls.steps + outbox.steps + subscriptions.steps + inboxes.steps + traffic.pending.steps
    }

    /// Takes what an inbox holds; the driver calls it for each `ready`.
    package mutating func take(_ inbox: InboxID) -> [InboxElement] {
        inboxes.take(inbox)
    }

    /// Of the server spoken with last; before the first one, those of the dialect that is configured, else v1's.
    var capabilities: Capabilities {
        (status.dialect ?? configuration.dialect ?? .senteLiteMaps).capabilities
    }

    /// Whether what comes over the link that spoke last are pieces of a stream.
    ///
    /// Kept, for whoever asks the coder copies it.
    package private(set) var readsStream = false

    /// The link's first message showed who speaks: from it on, this reads and writes for the link.
    package mutating func speaks(_ coder: any DialectCoder, on link: LinkID) {
        speaker = link
        readsStream = coder.readsStream
        self.coder = coder
        status.dialect = coder.dialect
        status.format = coder.format
    }

    /// Reads a message of a link that has spoken; nil when this is its first.
    package mutating func decode(_ message: Message, on link: LinkID) -> [Inbound]? {
        // A closure that stays on the stack; the method itself, as one, would be allocated for each message.
        let callbacks = callbacks
        guard speaker == link,
            let inbounds = coder?.decode(message, isCallback: { callbacks.contains($0) })
        else { return nil }
        return status.dialect == .sente && traffic.flow != nil ? named(inbounds) : inbounds
    }

    private mutating func perform(_ command: consuming Command) {
        switch consume command {
        case .connect(let call, let limit): connect(call, limit)
        case .disconnect(let call):
            stopDraining()
            disconnect(call)
        case .reconnect: reconnect()
        case .breakLink: breakLink()
        case .subscribe(let call, let channel, let inbox, let scoped, let history):
            subscribe(call, WireName(channel), inbox, scoped: scoped, history)
        case .follow(let call, let channel, let inbox, let start): follow(call, channel, inbox, from: start)
        case .unsubscribe(let call, let channel): unsubscribe(call, WireName(channel))
        case .respond(let channel, let inbox, let limit): respond(WireName(channel), inbox, limit)
        case .drain(let call, let inbox): drain(call, inbox)
        case .drainAll(let call, let limit): drainAll(call, limit)
        case .endScope(let inbox): endScope(inbox)
        case .openInbox(let inbox): inboxes.open(inbox)
        case .listen(let inbox, let filter): inboxes.listen(inbox, filter)
        case .unlisten(let inbox, let filter): inboxes.unlisten(inbox, filter)
        case .closeInbox(let inbox): closeInbox(inbox)
        case .answer(let inbox, let id, let data, let isError, let options, let trace):
            answered(inbox, id, data, isError: isError, options, trace)
        case .submit(let call, let submission): submit(call, submission)
        case .restore(let call, let submission): restore(call, submission)
        case .settle(let call, let value): settle(call, value)
        case .stream(let id, let command): perform(command, on: id)
        case .fetch(let call, let reference): fetch(call, reference)
        case .ping(let call): ping(call)
        case .cancel(let call): cancel(call)
        }
    }

    /// The only place that changes the public state.
    mutating func move(to state: State) {
        self.state = state
        status.state = state.name
        if case .open = state {
        } else {
            status.identity = nil
            status.openedAt = nil
            status.features = nil
            status.recovery = .none
        }
        if case .reconnecting = state {} else { status.retryAt = nil }
        if case .closed = state { status.attempt = 0 }
        switch state {
        case .closed, .closing, .failed: pathChanges = PathChanges()
        case .connecting, .open, .reconnecting: break
        }
        publish()
    }

    /// Tells the app when what it can see has changed.
    mutating func publish() {
        guard !isStatusTold else { return }
        isStatusTold = true
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
    mutating func nextStamp() -> Int64 {
        history.lastStamp = max(now.wallMilliseconds, history.lastStamp &+ 1)
        return history.lastStamp
    }
}
