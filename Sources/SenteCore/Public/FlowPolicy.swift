// SPDX-License-Identifier: Apache-2.0

/// What a client offers a server beyond plain messages.
///
/// With a server that announces nothing, nothing of it happens and not one byte differs. What both have, holds from the server's word
/// on; ``ConnectionStatus/features`` shows it.
public struct FlowPolicy: Sendable {
    /// How messages that leave together are put into one; nil for never.
    ///
    /// The default is ten messages or 4,096 bytes, and no waiting for company.
    public var batching: BatchPolicy?
    /// How single messages are compressed, on connections without permessage-deflate; nil for never.
    ///
    /// The default is gzip or deflate at level 6 from 512 bytes on.
    public var compression: MessageCompression?
    /// How large messages go in parts; nil for never.
    ///
    /// The default is parts of 64 KiB, 1,024 of them at most.
    public var chunking: ChunkPolicy?
    /// How a session survives its connections; nil for never.
    ///
    /// The default keeps 1,000 messages or 1 MiB until the server has them.
    public var resumption: ResumptionPolicy?
    /// How files and endless data go as streams; nil for never.
    ///
    /// The default is nil.
    public var streaming: StreamingPolicy?
    /// Whether parts and compressed messages go as bytes, where the format is of text too.
    ///
    /// The default is true; a binary `WireFormat` of the app's own turns it off, for its messages could begin like one.
    public var usesBinaryEnvelope: Bool

    /// Makes a policy.
    public init(
        batching: BatchPolicy? = BatchPolicy(), compression: MessageCompression? = MessageCompression(),
        chunking: ChunkPolicy? = ChunkPolicy(), resumption: ResumptionPolicy? = ResumptionPolicy(),
        streaming: StreamingPolicy? = nil, usesBinaryEnvelope: Bool = true
    ) {
        self.batching = batching
        self.compression = compression
        self.chunking = chunking
        self.resumption = resumption
        self.streaming = streaming
        self.usesBinaryEnvelope = usesBinaryEnvelope
    }

    /// Offers nothing: plain messages, whatever the server announces.
    public static let off = FlowPolicy(
        batching: nil, compression: nil, chunking: nil, resumption: nil, usesBinaryEnvelope: false)
}

/// How messages that leave together are put into one.
public struct BatchPolicy: Sendable, Equatable {
    /// How many messages one batch holds at most.
    ///
    /// The default is 10.
    public var maximumMessages: Int
    /// How many bytes they may weigh together; a message of half of it or more goes alone.
    ///
    /// The default is 4,096.
    public var maximumBytes: Int
    /// How long a message may wait for company.
    ///
    /// The default is zero: what waits anyway goes together, and nothing waits for it.
    public var linger: Duration
    /// Whether a message goes at once unless another left within the last `linger`, so that a lone one never waits.
    ///
    /// The default is true.
    public var flushesOnIdle: Bool

    /// Makes a policy.
    public init(
        maximumMessages: Int = 10, maximumBytes: Int = 4_096, linger: Duration = .zero,
        flushesOnIdle: Bool = true
    ) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
        self.linger = linger
        self.flushesOnIdle = flushesOnIdle
    }
}

/// How large messages go in parts, so that others pass between them.
public struct ChunkPolicy: Sendable, Equatable {
    /// How many bytes a part has; a message that has more goes in parts.
    ///
    /// The default is 65,536.
    public var size: Int
    /// How many parts a message may have.
    ///
    /// The default is 1,024: 64 MiB in parts of 64 KiB.
    public var maximumChunks: Int
    /// How long the next part of an unfinished message may take.
    ///
    /// The default is 30 s.
    public var timeout: Duration

    /// Makes a policy.
    public init(size: Int = 65_536, maximumChunks: Int = 1_024, timeout: Duration = .seconds(30)) {
        self.size = size
        self.maximumChunks = maximumChunks
        self.timeout = timeout
    }
}

/// How a session survives its connections (after XEP-0198).
///
/// Both ends count what they sent and received; after a lost connection each sends what the other has not. Calls in flight stay in
/// flight meanwhile, subscriptions stay confirmed.
public struct ResumptionPolicy: Sendable, Equatable {
    /// How many messages are kept until the server has them; with more, later ones wait in the outbox.
    ///
    /// The default is 1,000.
    public var maximumMessages: Int
    /// How many bytes they may have, beside two messages that are larger than that.
    ///
    /// The default is 1 MiB.
    public var maximumBytes: Int

    /// Makes a policy.
    public init(maximumMessages: Int = 1_000, maximumBytes: Int = 1 << 20) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
    }
}
