// SPDX-License-Identifier: Apache-2.0

/// What the server said to a publish.
public struct PublishReceipt: Hashable, Sendable {
    /// `.acknowledged`, or `.written` where the dialect has no acknowledgement.
    public var outcome: Outcome
    /// The server's id of the message, when it gives one.
    public var messageID: String?
    /// To how many subscribers it went, when the server says so.
    public var deliveredTo: Int?

    /// Makes a receipt.
    public init(outcome: Outcome = .acknowledged, messageID: String? = nil, deliveredTo: Int? = nil) {
        self.outcome = outcome
        self.messageID = messageID
        self.deliveredTo = deliveredTo
    }
}
