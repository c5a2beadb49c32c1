// SPDX-License-Identifier: Apache-2.0

/// How the client finds out that a silent server is gone.
public struct Heartbeat: Sendable, Equatable {
    /// Silence after which the client asks for a sign of life.
    ///
    /// The default is 20 s.
    public var interval: Duration
    /// How long after asking the link counts as dead; nil asks again after each `interval` and never gives up, for servers
    /// that answer no ping (Sente 1.17).
    ///
    /// The default is 5 s.
    public var limit: Duration?

    /// Makes a heartbeat; the defaults lie under the 55–60 s after which proxies cut idle connections.
    public init(interval: Duration = .seconds(20), limit: Duration? = .seconds(5)) {
        self.interval = interval
        self.limit = limit
    }
}

/// What may wait to be sent.
public struct OutboxPolicy: Sendable, Equatable {
    /// What happens to a message that finds the outbox full.
    public enum Overflow: String, Sendable, CaseIterable {
        /// The call throws `outboxFull`. The default.
        case rejectNewest
        /// The oldest waiting message makes room; it resolves *not sent* with the code `dropped`.
        case dropOldest
        /// The new message resolves *not sent* with the code `dropped`.
        case dropNewest
        /// A publish replaces a waiting publish to the same channel, an event a waiting event of the same id; the one
        /// replaced resolves *not sent* with the code `superseded`. What finds no such place and no room is rejected.
        case coalesce
        /// The call waits its turn, in the order of the calls, until its time to live or its limit is over or its task is
        /// cancelled: its task holds the message all the same. `enqueue`, which holds up nobody, throws `outboxFull`.
        case wait
    }

    /// How many messages may wait.
    ///
    /// The default is 1,000.
    public var maximumMessages: Int
    /// How many bytes may wait, as `Value.weight` counts.
    ///
    /// A message that is larger than this counts apart, where both ends allow it: such messages may together be as large as the
    /// largest that they allow, and leave the others their room. The default is 1 MiB.
    public var maximumBytes: Int
    /// How long a message may wait; nil for ever.
    ///
    /// The default is 30 s.
    public var timeToLive: Duration?
    /// What happens when it is full.
    ///
    /// The default is `.rejectNewest`.
    public var overflow: Overflow
    /// Whether messages may wait for a connection at all.
    ///
    /// The default is true.
    public var waitsForConnection: Bool

    /// Makes a policy.
    public init(
        maximumMessages: Int = 1_000, maximumBytes: Int = 1 << 20, timeToLive: Duration? = .seconds(30),
        overflow: Overflow = .rejectNewest
    ) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
        self.timeToLive = timeToLive
        self.overflow = overflow
        waitsForConnection = true
    }

    /// Nothing waits for a connection: unless the client is open, sending throws `notConnected` at once.
    public static let off: OutboxPolicy = {
        var policy = OutboxPolicy()
        policy.waitsForConnection = false
        return policy
    }()
}

/// What may wait to be consumed, for each live handle (a subscription, `events`, the closures of a client).
public struct InboxPolicy: Sendable, Equatable {
    /// What happens when a handle does not keep up.
    public enum Overflow: String, Sendable, CaseIterable {
        /// The oldest message goes, and the next one says how many are missing. The default.
        case dropOldest
        /// The client stops reading the socket, for at most 10 s; then the oldest goes. Whoever awaits a reply inside a
        /// subscription's loop waits for itself: use it only where nothing does.
        case pauseReading
    }

    /// How many messages a handle may leave waiting.
    ///
    /// The default is 16,384.
    public var maximumMessages: Int
    /// How many bytes, as received.
    ///
    /// The default is 16 MiB.
    public var maximumBytes: Int
    /// What happens then.
    ///
    /// The default is `.dropOldest`.
    public var overflow: Overflow

    /// Makes a policy.
    public init(
        maximumMessages: Int = 16_384, maximumBytes: Int = 16 << 20, overflow: Overflow = .dropOldest
    ) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
        self.overflow = overflow
    }
}

/// How long things may take.
public struct TimeLimits: Sendable, Equatable {
    /// Opening a link and hearing the greeting together, providers included.
    ///
    /// The default is 10 s.
    public var connect: Duration
    /// A call that awaits an answer, from the call on; a publish, from when it left the outbox.
    ///
    /// The default is 10 s.
    public var request: Duration
    /// The closing handshake.
    ///
    /// The default is 5 s.
    public var close: Duration

    /// Makes limits.
    public init(
        connect: Duration = .seconds(10), request: Duration = .seconds(10), close: Duration = .seconds(5)
    ) {
        self.connect = connect
        self.request = request
        self.close = close
    }
}

/// How large things may be, in bytes.
public struct SizeLimits: Sendable, Equatable {
    /// The largest message accepted from the server; a larger one ends the link with 1009.
    ///
    /// The default is 1 MiB.
    public var incomingMessage: Int
    /// The largest message sent; a larger one is refused at the call.
    ///
    /// The default is 1 MiB.
    public var outgoingMessage: Int
    /// From which size on a message counts as large in the metrics.
    ///
    /// The default is 512 KiB.
    public var largeMessage: Int

    /// Makes limits.
    public init(incomingMessage: Int = 1 << 20, outgoingMessage: Int = 1 << 20, largeMessage: Int = 512 << 10)
    {
        self.incomingMessage = incomingMessage
        self.outgoingMessage = outgoingMessage
        self.largeMessage = largeMessage
    }
}
