// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteSignals
package import SenteTransport
package import SenteWire

/// Everything the reference server can be told at its start.
///
/// The defaults are those of sente-lite.
package struct ServerConfiguration: Hashable, Sendable {
    /// A family of servers, by how its messages look.
    package enum Dialect: String, Hashable, Sendable, CaseIterable {
        /// sente-lite's first family, "v1": `{"type": …}`.
        case maps = "v1"
        /// sente-lite as it is now: `[id data]`.
        case vectors = "sente-lite"
        /// Sente: `[[id data] cb]`.
        case sente
    }

    /// Which family the server belongs to.
    ///
    /// The default is the first.
    package private(set) var dialect: Dialect = .maps
    /// The format of its values.
    ///
    /// The default is JSON for maps, EDN for the others.
    package var format: WireFormat = .json
    /// The settings that only Sente's dialect has.
    package var sente = SenteSettings()
    /// In sente-lite's vectors, the token that the greeting carries; nil: a random one.
    ///
    /// In Sente, what a client must bring
    /// in the parameter `csrf-token` or the header `X-CSRF-Token` or `X-XSRF-Token`; nil: nothing.
    package var csrfToken: String?
    /// In sente-lite's vectors, whether what goes to several at once comes inside `:chsk/recv`.
    ///
    /// The default is false.
    package var wrapsBroadcasts = false

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
    /// The certificate and key that secure connections; nil takes plain ones.
    ///
    /// The default is nil.
    package var tls: ServerTLS?

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
    /// A value of so many bytes is written and read off the loop for those who agreed on parts.
    ///
    /// The default is 64 KiB.
    package var largeValue: Int = 64 << 10
    /// The time for which `stop()` and a close wait for a peer's close frame.
    ///
    /// The default is 5 s.
    package var closeLimit: Duration = .seconds(5)

    /// The compression of messages, for clients that offer permessage-deflate; nil accepts no offer.
    ///
    /// The default is messages from 256 bytes on, at level 6, both contexts kept.
    package var compression: CompressionPolicy? = CompressionPolicy()

    /// The time between two pings of every connection; nil: none is pinged, and none is given up as dead.
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
    /// The configuration of a channel that is made without one.
    package var channelDefaults = ChannelConfiguration()
    /// Channels that exist from the start, in this order.
    package var channels: [NamedChannel] = []
    /// Requests on these channels are answered by the server itself, at once, with the request's own data.
    package var answeringChannels: Set<Value> = []
    /// Whether messages of unknown type and events go to the hook instead of being echoed.
    ///
    /// Sente has no echo: there an event with a callback is answered with its own data, and one without comes back as a
    /// push.
    ///
    /// `ReferenceServer` sets it when it is given a hook. The default is false.
    package var hasHook = false
    /// Whether a client may order a flood of deliveries with
    /// `{"type":"flood","channel-id":…,"count":…,"data":…}`.
    ///
    /// The default is false.
    package var allowsFlood = false

    /// What is announced beyond plain messages.
    ///
    /// The default is nothing.
    package var flow = Flow.off

    /// Whether clients may send telemetry (`:tel/signal`, `:tel/batch`), which goes to `ServerService.onRemoteSignals`.
    ///
    /// The default is false: it lets strangers write where that writes.
    package var takesSignals = false
    /// How many signals a connection may send; what is beyond is counted in its next one.
    ///
    /// The default is 100 a second.
    package var signalLimit = RateLimit(100, per: .seconds(1))

    /// The faults in force from the start.
    ///
    /// The default is not at all.
    package var faults = Faults()
    /// Bounds on what hostile clients can make the server remember.
    package var tables = TableLimits()

    /// The defaults.
    package init() {}

    /// The defaults of a family.
    package init(_ dialect: Dialect) {
        self.dialect = dialect
        guard dialect != .maps else { return }
        format = .edn
        // sente-lite, server.cljc, max-subscriptions-per-conn
        if dialect == .vectors { tables.subscriptionsPerConnection = 100 }
    }

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
        package var retainedBytes = 64 << 20
        package var delayedMessages = 10_000
        package var delayedBytes = 64 << 20
        /// Clients that are gone but still counted as there.
        package var awayClients = 10_000
        /// Pushes that wait for such clients.
        package var heldMessages = 10_000
        package var heldBytes = 64 << 20

        package init() {}
    }
}
