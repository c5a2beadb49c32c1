// SPDX-License-Identifier: Apache-2.0

public import SenteBase

/// A time in which a channel's messages could not reach this client.
///
/// It begins with the last sign of life on the connection that was lost, and ends when the server has confirmed the
/// subscription anew. In a channel that is followed (``ChannelStart``) it is what the stream does not have any more, which
/// `sequences` names, noticed at the end of that time.
public struct ChannelGap: Hashable, Sendable {
    /// How much of what was published meanwhile came afterwards, from what the server had kept.
    public enum Filling: String, Hashable, Sendable, CaseIterable {
        /// Nothing: the server kept nothing, or nothing was published.
        case nothing
        /// Some. Whether there was more is not known: what the server kept does not reach back to what came before the gap.
        case some
        /// All: what the server kept reaches back to a message that had come before the gap.
        case all
    }

    /// When the gap began, on the clock of `Instant`.
    public var since: Instant
    /// How long it was.
    public var duration: Duration
    /// How much of it came afterwards.
    public var filling: Filling
    /// Whether the session went on over it, so that the server had kept the client's place.
    public var isResumed: Bool
    /// The first and the last sequence that are missing, of a stream that is followed.
    ///
    /// In a stream of several channels others' messages may be among them, and perhaps they are all others'.
    public var sequences: ClosedRange<UInt64>?
    /// Whether the stream is not the one that was followed before, or that the place to begin at is of: it was made anew, and is
    /// followed from its first message on.
    public var isOtherStream: Bool

    /// A gap, for tests of an app.
    public init(
        since: Instant, duration: Duration, filling: Filling = .nothing, isResumed: Bool = false,
        sequences: ClosedRange<UInt64>? = nil, isOtherStream: Bool = false
    ) {
        self.since = since
        self.duration = duration
        self.filling = filling
        self.isResumed = isResumed
        self.sequences = sequences
        self.isOtherStream = isOtherStream
    }

    /// Both, when no message came between them.
    package func joined(with later: ChannelGap) -> ChannelGap {
        ChannelGap(
            since: since, duration: duration + later.duration,
            filling: filling == later.filling ? filling : .some, isResumed: isResumed && later.isResumed,
            sequences: later.isOtherStream ? later.sequences : sequences.joined(with: later.sequences),
            isOtherStream: isOtherStream || later.isOtherStream)
    }
}

extension ClosedRange<UInt64>? {
    /// From the first of both to the last.
    fileprivate func joined(with other: Self) -> Self {
        guard let self else { return other }
        guard let other else { return self }
        return Swift.min(self.lowerBound, other.lowerBound)...Swift.max(self.upperBound, other.upperBound)
    }
}
