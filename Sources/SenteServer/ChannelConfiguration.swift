// SPDX-License-Identifier: Apache-2.0

/// The limits of one channel.
///
/// The configuration of a channel's first creator holds until it is deleted.
package struct ChannelConfiguration: Hashable, Sendable {
    /// The most connections that may be subscribed at once.
    ///
    /// The default is 1,000.
    package var maximumSubscribers: Int
    /// The number of recent messages that a new subscriber is given.
    ///
    /// The default is 0.
    package var retention: Int
    /// The longest a request of this channel stays open; a request's own limit can only be shorter.
    ///
    /// The default is 30 s.
    package var requestLimit: Duration

    package init(
        maximumSubscribers: Int = 1_000, retention: Int = 0, requestLimit: Duration = .seconds(30)
    ) {
        self.maximumSubscribers = maximumSubscribers
        self.retention = retention
        self.requestLimit = requestLimit
    }
}
