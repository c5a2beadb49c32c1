// SPDX-License-Identifier: Apache-2.0

package import SenteBase
package import SenteWire

/// A server's report of itself.
package struct ServerStatistics: Hashable, Sendable {
    package struct Connection: Hashable, Sendable {
        package var id: ConnectionID
        /// What it speaks through: itself, or a later one that its client came back on.
        package var link: ConnectionID
        /// The conn-id.
        package var name: String
        /// Milliseconds since 1970.
        package var openedAt: Int64
        /// When its last message came, in milliseconds since 1970.
        package var lastActivity: Int64
        /// The number of messages it has sent.
        package var messageCount: Int
        /// In the order of subscribing.
        package var subscriptions: [Value]
    }

    /// Whether the server listens.
    package var isRunning: Bool
    package var requestedPort: Int
    package var actualPort: Int?
    /// Whether the system chose the port.
    package var isEphemeral: Bool { requestedPort == 0 }
    /// Zero before the start.
    package var uptime: Duration
    /// In the order of connecting.
    package var connections: [Connection]
    /// In the order of creation.
    package var channels: [ChannelReport]
    /// Sessions that wait for their client.
    package var parkedSessions: Int
    /// What they keep.
    package var parkedBytes: Int
    /// Streams that are not over.
    package var streams: Int
    package var pendingRequests: Int
    /// Requests that have waited for more than a minute.
    package var oldRequests: Int
    package var counters: ServerCounters
    /// What became of the signals, by handler.
    package var signals: ValueMap

    package var subscriptions: Int { channels.reduce(0) { $0 + $1.subscriberCount } }
    /// Messages of the connections that are open now, as sente-lite counts them.
    package var messages: Int { connections.reduce(0) { $0 + $1.messageCount } }
    /// As in sente-lite: fewer than ten requests are old.
    package var isHealthy: Bool { oldRequests < 10 }
}

extension ServerSession {
    package func statistics(at now: Moment) -> ServerStatistics {
        ServerStatistics(
            isRunning: startedAt != nil && !isStopped,
            requestedPort: configuration.port, actualPort: actualPort,
            uptime: startedAt.map { max(.zero, $0.duration(to: now.instant)) } ?? .zero,
            connections: connectionIDs.compactMap { id in
                guard let connection = connections[id], let link = links[id] else { return nil }
                return ServerStatistics.Connection(
                    id: id, link: link, name: connection.name, openedAt: connection.openedAt,
                    lastActivity: connection.lastActivity, messageCount: connection.messageCount,
                    subscriptions: Array(connection.subscriptions))
            },
            channels: channels.reports,
            parkedSessions: parked.count, parkedBytes: parkedBytes, streams: streamCount,
            pendingRequests: requests.count,
            oldRequests: requests.count(olderThan: .seconds(60), at: now.instant),
            counters: counters, signals: signalStatistics)
    }
}
