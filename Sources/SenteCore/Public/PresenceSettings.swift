// SPDX-License-Identifier: Apache-2.0

/// How a client keeps track of who is present in a channel.
///
/// All who are present in one channel should have the same.
public struct PresenceSettings: Sendable, Equatable {
    /// The channel that carries the presence; nil for one of its own, named after the channel with `-presence` behind it.
    ///
    /// The default is nil.
    public var channel: String?
    /// How often whoever is present says so at least.
    ///
    /// The default is 30 s.
    public var heartbeat: Duration
    /// How long somebody who says nothing counts as present.
    ///
    /// The default is 75 s.
    public var expiry: Duration
    /// How many others are kept; who comes when there are so many is not seen before another has gone.
    ///
    /// The default is 5,000.
    public var maximumMembers: Int
    /// How much the data of a member may weigh, in bytes as `OutboxPolicy.maximumBytes` counts; who says more is not seen.
    ///
    /// The default is 4 KiB.
    public var maximumBytes: Int

    /// Makes settings.
    public init(
        channel: String? = nil, heartbeat: Duration = .seconds(30), expiry: Duration = .seconds(75),
        maximumMembers: Int = 5_000, maximumBytes: Int = 4 << 10
    ) {
        self.channel = channel
        self.heartbeat = heartbeat
        self.expiry = expiry
        self.maximumMembers = maximumMembers
        self.maximumBytes = maximumBytes
    }

    /// The channel that carries the presence of `channel`.
    package func carrier(of channel: String) -> String { self.channel ?? channel + "-presence" }

    /// What is wrong with a number, by its name.
    package var problem: String? {
        if heartbeat <= .zero { return "`heartbeat` is \(heartbeat): give more than 0." }
        if expiry <= heartbeat {
            return "`expiry` is \(expiry): give more than `heartbeat`, which is \(heartbeat)."
        }
        if maximumMembers < 1 { return "`maximumMembers` is \(maximumMembers): give at least 1." }
        if maximumBytes < 1 { return "`maximumBytes` is \(maximumBytes): give at least 1." }
        return nil
    }
}
