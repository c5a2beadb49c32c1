// SPDX-License-Identifier: Apache-2.0

/// How a stream of NATS is to keep a message.
///
/// ```swift
/// let receipt = try await client.publish(order, to: "orders.new", stored: .once)
/// ```
public struct StoredPublish: Hashable, Sendable {
    /// By what the stream knows the message again: of those with one id it keeps the first, for as long as its
    /// `duplicate_window` says (2 minutes unless its operators set another).
    ///
    /// nil lets the client make one, under which it sends the message again until the stream has answered. An id of your own
    /// makes the message the same in another call, or in another process. The default is nil.
    public var messageID: String?

    /// The sequence that must be the stream's last, whatever its channel, or the message is refused (`rejected`).
    ///
    /// The default is nil: any.
    public var expectedLastSequence: UInt64?

    /// The sequence that must be the last of this channel in the stream, or the message is refused (`rejected`); 0 for none yet.
    ///
    /// The default is nil: any.
    public var expectedLastChannelSequence: UInt64?

    /// Once, under an id that the client makes, whatever the stream has.
    public static let once = StoredPublish()

    /// Makes it.
    public init(
        messageID: String? = nil, expectedLastSequence: UInt64? = nil,
        expectedLastChannelSequence: UInt64? = nil
    ) {
        self.messageID = messageID
        self.expectedLastSequence = expectedLastSequence
        self.expectedLastChannelSequence = expectedLastChannelSequence
    }
}
