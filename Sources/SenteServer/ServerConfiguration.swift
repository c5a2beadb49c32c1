// SPDX-License-Identifier: Apache-2.0

/// Everything the reference server can be told at its start.
///
/// The defaults are those of sente-lite.
package struct ServerConfiguration: Hashable, Sendable {
    /// The port to listen on; 0 takes a free one.
    ///
    /// The default is 3000.
    package var port: Int = 3000
    /// The address to listen on.
    ///
    /// The default is 127.0.0.1: nothing from outside the machine.
    package var host: String = "127.0.0.1"
    /// A file that is given the real port, as decimal digits, once the server listens.
    ///
    /// It appears whole or not at all.
    package var portFile: String?

    /// Connections beyond this are answered with 503.
    ///
    /// The default is 1,000.
    package var maximumConnections: Int = 1_000
    /// A larger message ends its connection with 1009.
    ///
    /// The default is 1 MiB.
    package var maximumMessageBytes: Int = 1 << 20
    /// A connection with more than this still unwritten is dropped.
    ///
    /// The default is 16 MiB.
    package var maximumUnwrittenBytes: Int = 16 << 20
    /// How long `stop()` and a close wait for a peer's close frame.
    ///
    /// The default is 5 s.
    package var closeLimit: Duration = .seconds(5)

    /// How often connections are pinged; nil: never, and none is given up as dead.
    ///
    /// The default is 30 s.
    package var heartbeatInterval: Duration? = .seconds(30)
    /// A connection whose last pong is older than this at a heartbeat is closed.
    ///
    /// The default is 60 s.
    package var heartbeatTimeout: Duration = .seconds(60)

    /// Whether subscribing makes a channel that does not exist.
    ///
    /// The default is true.
    package var createsChannels: Bool = true
    /// What channels are made with, unless told otherwise.
    package var channelDefaults = ChannelConfiguration()
    /// Channels that exist from the start, in this order.
    package var channels: [NamedChannel] = []
    /// Requests on these channels are answered by the server itself, at once, with the request's own data.
    package var answeringChannels: Set<String> = []
    /// Whether messages of unknown type go to the hook instead of being echoed.
    ///
    /// `ReferenceServer` sets it when it is given a hook. The default is false.
    package var hasHook = false
    /// Whether a client may order a flood of deliveries with
    /// `{"type":"flood","channel-id":…,"count":…,"data":…}`.
    ///
    /// The default is false.
    package var allowsFlood = false

    /// How the server misbehaves from the start.
    ///
    /// The default is not at all.
    package var faults = Faults()
    /// What hostile clients may make the server remember.
    package var tables = TableLimits()

    /// The defaults.
    package init() {}

    /// One channel that exists from the start.
    package struct NamedChannel: Hashable, Sendable {
        package var name: String
        package var configuration: ChannelConfiguration

        package init(_ name: String, _ configuration: ChannelConfiguration = .init()) {
            self.name = name
            self.configuration = configuration
        }
    }

    /// Bounds on what clients can make grow.
    package struct TableLimits: Hashable, Sendable {
        package var channels = 10_000
        package var channelNameBytes = 1_024
        package var subscriptionsPerConnection = 1_000
        package var pendingRequests = 10_000
        package var pendingRequestsPerConnection = 1_000
        package var pendingRequestBytes = 64 << 20
        package var retainedBytes = 64 << 20
        package var delayedMessages = 10_000
        package var delayedBytes = 64 << 20

        package init() {}
    }
}
