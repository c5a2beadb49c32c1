// SPDX-License-Identifier: Apache-2.0

/// What a client has done so far, in numbers.
///
/// A value: it does not change after it was asked for.
public struct ClientMetrics: Sendable, Equatable {
    /// Messages of one direction.
    public struct Traffic: Sendable, Equatable {
        /// Whole messages, those of the protocol itself included.
        public var messages = 0
        /// Their bytes, without the framing.
        public var bytes = 0
        /// How many of them counted as large (`SizeLimits.largeMessage`, 512 KiB by default).
        public var largeMessages = 0
        /// Messages a second over the last 10 s; of a younger client since its start, one second at least.
        public var messagesPerSecond = 0.0

        /// Makes them of their numbers.
        public init(
            messages: Int = 0, bytes: Int = 0, largeMessages: Int = 0, messagesPerSecond: Double = 0
        ) {
            self.messages = messages
            self.bytes = bytes
            self.largeMessages = largeMessages
            self.messagesPerSecond = messagesPerSecond
        }
    }

    /// The connection over time.
    public struct Connection: Sendable, Equatable {
        /// How often a link was begun.
        public var attempts = 0
        /// How often the server greeted again after a link was lost.
        public var reconnects = 0
        /// How often an open connection was lost, by the error that says why; ends by `disconnect()` are not among them.
        public var losses: [SenteError.Code: Int] = [:]
        /// How long the client exists.
        public var uptime: Duration = .zero
        /// How long it was open, all links together.
        public var connectedTime: Duration = .zero
        /// How long the last opening took, from the start of the attempt to the greeting.
        public var timeToOpen: Duration?

        /// Makes them of their numbers.
        public init(
            attempts: Int = 0, reconnects: Int = 0, uptime: Duration = .zero, connectedTime: Duration = .zero,
            timeToOpen: Duration? = nil, losses: [SenteError.Code: Int] = [:]
        ) {
            self.attempts = attempts
            self.reconnects = reconnects
            self.uptime = uptime
            self.connectedTime = connectedTime
            self.timeToOpen = timeToOpen
            self.losses = losses
        }
    }

    /// What waits to be sent, and what never was.
    public struct Outbox: Sendable, Equatable {
        /// How many messages wait.
        public var messages = 0
        /// How much they weigh, in bytes, as `OutboxPolicy.maximumBytes` counts.
        public var bytes = 0
        /// How long the oldest has waited; nil when none waits.
        public var oldestAge: Duration?
        /// How many were dropped, by reason (`outboxFull`, `expired`, `dropped`, `superseded` and others).
        public var drops: [SenteError.Code: Int] = [:]

        /// Makes them of their numbers.
        public init(
            messages: Int = 0, bytes: Int = 0, oldestAge: Duration? = nil, drops: [SenteError.Code: Int] = [:]
        ) {
            self.messages = messages
            self.bytes = bytes
            self.oldestAge = oldestAge
            self.drops = drops
        }
    }

    /// What is subscribed.
    public struct Subscriptions: Sendable, Equatable {
        /// How many channels the app wishes.
        public var wished = 0
        /// How many of them the server has confirmed on this connection.
        public var confirmed = 0

        /// Makes them of their numbers.
        public init(
            wished: Int = 0, confirmed: Int = 0
        ) {
            self.wished = wished
            self.confirmed = confirmed
        }
    }

    /// What came, was understood, and went to nobody.
    public struct Ignored: Sendable, Equatable {
        /// Replies to this client that nobody awaited any more: they came too late, or for the second time.
        public var lateReplies = 0
        /// Requests, and messages that the server kept, which had come before.
        public var repeated = 0
        /// Requests that had waited longer than who made them waits, so that no answer would have been of use.
        public var overdueRequests = 0
        /// Requests for channels that this client does not serve.
        public var unservedRequests = 0
        /// Pings left unanswered because the server read none of the answers.
        public var surplusPings = 0
        /// Messages and events that no handle listened to, or that came before the greeting or after `disconnect()`.
        public var unheard = 0
        /// What should be a `traceparent` and is none; the messages went on without it.
        public var malformedTraces = 0

        /// Makes them of their numbers.
        public init(
            lateReplies: Int = 0, repeated: Int = 0, overdueRequests: Int = 0, unservedRequests: Int = 0,
            surplusPings: Int = 0, unheard: Int = 0, malformedTraces: Int = 0
        ) {
            self.lateReplies = lateReplies
            self.repeated = repeated
            self.overdueRequests = overdueRequests
            self.unservedRequests = unservedRequests
            self.surplusPings = surplusPings
            self.unheard = unheard
            self.malformedTraces = malformedTraces
        }
    }

    /// Sessions that went on over a lost connection.
    public struct Resumption: Sendable, Equatable {
        /// How often one went on.
        public var resumed = 0
        /// How often one could not, so that what was in flight is unknown.
        public var fresh = 0
        /// How many messages of the server came again.
        public var replayedIn = 0
        /// How many of this client's went again.
        public var replayedOut = 0
        /// How many of them had nothing to say any more, so that only a word went that counts.
        public var skipped = 0
        /// How many the server had let go.
        public var missed = 0

        /// Makes them of their numbers.
        public init(
            resumed: Int = 0, fresh: Int = 0, replayedIn: Int = 0, replayedOut: Int = 0, skipped: Int = 0,
            missed: Int = 0
        ) {
            self.resumed = resumed
            self.fresh = fresh
            self.replayedIn = replayedIn
            self.replayedOut = replayedOut
            self.skipped = skipped
            self.missed = missed
        }
    }

    /// What came in.
    public var received = Traffic()
    /// What went out.
    public var sent = Traffic()
    /// The connection over time.
    public var connection = Connection()
    /// What waits to be sent, and what never was.
    public var outbox = Outbox()
    /// What is subscribed.
    public var subscriptions = Subscriptions()
    /// How many calls were refused at once, before anything of them was queued; `errors` has them too.
    public var refusedCalls = 0
    /// How many calls await a reply.
    public var pendingRequests = 0
    /// How many messages were lost because an inbox was full.
    public var missed = 0
    /// How many messages of the server could not be understood.
    public var undecodable = 0
    /// The same by the reason.
    public var undecodableReasons: [UndecodableReason: Int] = [:]
    /// How many errors the server reported that belong to no call.
    public var serverErrors = 0
    /// How many requests ended in an error that the requester was not told, because a handler of `respond` threw it.
    public var failedResponders = 0
    /// What came, was understood, and went to nobody.
    public var ignored = Ignored()
    /// Sessions that went on over a lost connection.
    public var resumption = Resumption()
    /// Messages that left together.
    public var batching = Batching()
    /// Messages that were compressed one by one.
    public var compression = Compression()
    /// Messages that travelled in parts.
    public var chunking = Chunking()
    /// Files and endless data.
    public var streaming = Streaming()
    /// Data that went by way of a storage.
    public var largeData = LargeData()
    /// How often each error was told to a call or a listener, or ended an attempt or a link.
    public var errors: [SenteError.Code: Int] = [:]
    /// The last round trips, in no order.
    package var roundTrips: [Duration] = []

    /// Makes them of their numbers; `roundTrip` is computed of the `roundTrips`.
    public init(
        received: Traffic = Traffic(), sent: Traffic = Traffic(), connection: Connection = Connection(),
        outbox: Outbox = Outbox(), subscriptions: Subscriptions = Subscriptions(), refusedCalls: Int = 0,
        pendingRequests: Int = 0, missed: Int = 0, undecodable: Int = 0,
        undecodableReasons: [UndecodableReason: Int] = [:], failedResponders: Int = 0, serverErrors: Int = 0,
        ignored: Ignored = Ignored(),
        errors: [SenteError.Code: Int] = [:], roundTrips: [Duration] = [],
        resumption: Resumption = Resumption()
    ) {
        self.received = received
        self.sent = sent
        self.connection = connection
        self.outbox = outbox
        self.subscriptions = subscriptions
        self.refusedCalls = refusedCalls
        self.pendingRequests = pendingRequests
        self.missed = missed
        self.undecodable = undecodable
        self.undecodableReasons = undecodableReasons
        self.failedResponders = failedResponders
        self.serverErrors = serverErrors
        self.ignored = ignored
        self.errors = errors
        self.roundTrips = roundTrips
        self.resumption = resumption
    }

    /// The round trips of the last 256 pings; nil before the first.
    ///
    /// Computed when asked for.
    public var roundTrip: Percentiles? { Percentiles(of: roundTrips) }
}
