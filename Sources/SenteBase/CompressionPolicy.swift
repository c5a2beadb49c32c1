// SPDX-License-Identifier: Apache-2.0

/// How messages are compressed on the way, by permessage-deflate (RFC 7692).
///
/// *Outgoing* is what this side sends, *incoming* what its peer sends. A side that keeps its context may refer to what
/// it sent before, so that messages that resemble one another become very small; for that the receiver keeps a window
/// of the past.
public struct CompressionPolicy: Hashable, Sendable {
    /// How hard to try, from 1 (fastest) to 9 (smallest).
    ///
    /// The default is 6.
    public var level: Int
    /// Messages of fewer bytes than this are sent as they are.
    ///
    /// The default is 256 bytes.
    public var threshold: Int
    /// The base-2 logarithm of the bytes a sent message may refer back to, from 9 to 15.
    ///
    /// Less memory while sending, and larger messages. The server may ask for less. The default is 15: 32 KiB.
    public var outgoingWindowBits: Int
    /// The same for what is received.
    ///
    /// Anything under 15 insists: a server that does not agree is not talked to. The default is 15: 32 KiB.
    public var incomingWindowBits: Int
    /// Whether a sent message may refer to earlier ones.
    ///
    /// The server may forbid it. The default is true.
    public var keepsOutgoingContext: Bool
    /// Whether a received message may refer to earlier ones, for which a connection keeps about 40 KiB.
    ///
    /// `false` insists: a server that does not agree is not talked to. The default is true.
    public var keepsIncomingContext: Bool
    /// How long a stream of the library is kept after its last use, at least; it is freed before twice as long.
    package var idleTime = Duration.seconds(10)

    /// Makes a policy.
    public init(
        level: Int = 6, threshold: Int = 256, outgoingWindowBits: Int = 15, incomingWindowBits: Int = 15,
        keepsOutgoingContext: Bool = true, keepsIncomingContext: Bool = true
    ) {
        self.level = level
        self.threshold = threshold
        self.outgoingWindowBits = outgoingWindowBits
        self.incomingWindowBits = incomingWindowBits
        self.keepsOutgoingContext = keepsOutgoingContext
        self.keepsIncomingContext = keepsIncomingContext
    }
}
