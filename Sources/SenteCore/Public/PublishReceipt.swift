// SPDX-License-Identifier: Apache-2.0

/// What the server said to a publish.
public struct PublishReceipt: Hashable, Sendable {
    /// What an acknowledgement proves.
    public enum Acknowledgement: String, Hashable, Sendable, CaseIterable {
        /// The server answered this very message, as sente-lite's servers do: it has it and passed it on.
        ///
        /// Neither that anybody heard it, but where `deliveredTo` says so, nor that it is kept.
        case replied
        /// A node of NATS took the message, and this user may publish it.
        ///
        /// Neither that the other nodes have it, nor that anybody heard it, nor that it is kept.
        case accepted
        /// A stream of NATS keeps the message, on as many nodes as it has replicas; `messageID` says where.
        ///
        /// Not that anybody has heard it yet: whoever follows the channel will.
        case stored
    }

    /// `.acknowledged`, or `.written` where the dialect has no acknowledgement.
    public var outcome: Outcome
    /// What the acknowledgement proves; nil where there is none.
    public var acknowledgement: Acknowledgement?
    /// The server's id of the message, when it gives one.
    ///
    /// Of a stored message, `stream:sequence`, as its `ChannelMessage.id` will be.
    public var messageID: String?
    /// To how many subscribers it went, when the server says so.
    public var deliveredTo: Int?
    /// Whether the stream had a message of the same id already: it keeps that one, and nobody hears this one.
    public var isDuplicate: Bool

    /// Makes a receipt; without an `acknowledgement`, one that was acknowledged was replied to.
    public init(
        outcome: Outcome = .acknowledged, messageID: String? = nil, deliveredTo: Int? = nil,
        acknowledgement: Acknowledgement? = nil, isDuplicate: Bool = false
    ) {
        self.outcome = outcome
        self.messageID = messageID
        self.deliveredTo = deliveredTo
        self.acknowledgement = acknowledgement ?? (outcome == .acknowledged ? .replied : nil)
        self.isDuplicate = isDuplicate
    }
}
