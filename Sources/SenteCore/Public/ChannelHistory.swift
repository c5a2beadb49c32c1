// SPDX-License-Identifier: Apache-2.0

/// What a new handle wants of the messages that the server kept of its channel.
///
/// Servers of `senteLiteMaps` hand over what they kept with the answer to a subscription; the others keep nothing. A handle
/// for a channel that is subscribed already has the server asked once more.
public enum ChannelHistory: Hashable, Sendable {
    /// All that the server kept.
    case all
    /// The last of them, so many at most; none for a number below one.
    case last(Int)
    /// None: live messages, and after a gap those that the server kept of it.
    case none

    /// Those of so many kept messages that are not wanted: the first ones.
    package func surplus(of count: Int) -> Int {
        switch self {
        case .all: 0
        case .last(let wanted): max(0, count - max(0, wanted))
        case .none: count
        }
    }
}
