// SPDX-License-Identifier: Apache-2.0

/// What client and server have agreed on beyond plain messages, on one connection.
public struct FlowFeatures: Sendable, Hashable {
    /// What a session that survives its connections can rely on.
    public struct Resumption: Sendable, Hashable {
        /// How long the server keeps a session without a connection.
        public var window: Duration
        /// How many messages the other end keeps for it.
        public var messages: Int
        /// How many bytes of them.
        public var bytes: Int

        /// Makes it of its numbers.
        public init(window: Duration, messages: Int, bytes: Int) {
            self.window = window
            self.messages = messages
            self.bytes = bytes
        }
    }

    /// Messages that leave together may go in one.
    public var batching = false
    /// The ways in which single messages may be compressed; empty for none.
    public var compression: [MessageCompression.Algorithm] = []
    /// Large messages may go in parts.
    public var chunking = false
    /// Whoever gets a message in parts says when it is done with it, so that others need not wait while it is being read.
    public var acknowledgesChunks = false
    /// How many bytes a part may have.
    public var maximumChunkBytes = 65_536
    /// Files and endless data may go as streams.
    public var streaming = false
    /// Parts, compressed messages and chunks of streams may go as bytes.
    public var binaryEnvelope = false
    /// The server remembers the ids of messages, so that one sent twice is taken once.
    public var deduplication = false
    /// The largest message that may come, in bytes, however it travels; nil leaves `limits.incomingMessage`.
    public var maximumIncomingBytes: Int?
    /// The largest message that may go; nil leaves `limits.outgoingMessage`.
    public var maximumOutgoingBytes: Int?
    /// The session survives its connections.
    public var resumption: Resumption?

    /// Nothing.
    public init() {}
}

extension ConnectionStatus {
    /// What became of the session of the connection before.
    public enum Recovery: Sendable, Hashable {
        /// There was none, or server or client cannot resume.
        case none
        /// It is gone: what was in flight is *unknown*, what was missed is lost.
        case fresh
        /// It goes on. So many messages of the server were let go meanwhile, for they were more than it keeps.
        case resumed(missed: Int)
    }
}
