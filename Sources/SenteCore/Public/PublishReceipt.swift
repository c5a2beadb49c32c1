// SPDX-License-Identifier: Apache-2.0

/// What the server said to a publish.
public struct PublishReceipt: Hashable, Sendable {
    /// What stands behind an acknowledgement.
    public enum Acknowledgement: String, Sendable, Hashable, CaseIterable {
        /// The server answered this message.
        case replied
        /// The server took it and did not refuse it (``Dialect/nats``): it may have been delivered to nobody, and the other nodes
        /// of its cluster get it afterwards.
        case accepted
    }

    /// `.acknowledged`, or `.written` where the dialect has no acknowledgement.
    public var outcome: Outcome
    /// What the acknowledgement proves; nil where there is none.
    public var acknowledgement: Acknowledgement?
    /// The server's id of the message, when it gives one.
    public var messageID: String?
    /// To how many subscribers it went, when the server says so.
    public var deliveredTo: Int?

    /// Makes a receipt.
    ///
    /// One that is acknowledged was `.replied` to unless something else is said.
    public init(
        outcome: Outcome = .acknowledged, messageID: String? = nil, deliveredTo: Int? = nil,
        acknowledgement: Acknowledgement? = nil
    ) {
        self.acknowledgement = outcome == .acknowledged ? acknowledgement ?? .replied : nil
        self.outcome = outcome
        self.messageID = messageID
        self.deliveredTo = deliveredTo
    }
}
