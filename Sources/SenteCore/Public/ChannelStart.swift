// SPDX-License-Identifier: Apache-2.0

/// Where in a channel a handle begins.
///
/// All but ``now`` need what the server keeps: a stream of NATS, or for ``next`` a session that survives its connections.
public enum ChannelStart: Hashable, Sendable {
    /// With what comes from now on; what is published while the client is away is missed, and told as a gap.
    case now
    /// With what comes from now on, and nothing of it is missed while the client is away.
    case next
    /// With the message of this sequence in the stream, and all that follow; 1 or more.
    case sequence(UInt64)
    /// With the first message that the stream kept at that time or later, in milliseconds since 1970.
    case time(Int64)
    /// With the last message of each subject that the channel stands for, and then all that follow.
    case lastOfEach
    /// Behind the message that was handed out last, now or by another process (`ChannelMessage.cursor`).
    case cursor(ChannelCursor)
}
