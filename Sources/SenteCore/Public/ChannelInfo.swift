// SPDX-License-Identifier: Apache-2.0

/// What the server says of one of its channels.
///
/// Servers leave out what they do not know.
public struct ChannelInfo: Hashable, Sendable {
    /// The channel's name.
    public var name: String
    /// How many subscribers it has.
    public var subscriberCount: Int?
    /// How many messages went through it.
    public var messageCount: Int?
    /// When it was made, in milliseconds since 1970.
    public var createdAt: Int64?
    /// How many subscribers it may have.
    public var maximumSubscribers: Int?
    /// How many messages it keeps for later subscribers.
    public var messageRetention: Int?
    /// How long its requests may take, in milliseconds.
    public var requestLimitMilliseconds: Int?

    /// Makes the report of a channel.
    public init(
        name: String, subscriberCount: Int? = nil, messageCount: Int? = nil, createdAt: Int64? = nil,
        maximumSubscribers: Int? = nil, messageRetention: Int? = nil, requestLimitMilliseconds: Int? = nil
    ) {
        self.name = name
        self.subscriberCount = subscriberCount
        self.messageCount = messageCount
        self.createdAt = createdAt
        self.maximumSubscribers = maximumSubscribers
        self.messageRetention = messageRetention
        self.requestLimitMilliseconds = requestLimitMilliseconds
    }
}
