// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The pages `/health`, `/stats` and `/channels` of sente-lite's servers: the fields that the project's documents
/// and its code show, together.
///
/// They are JSON whatever the format of the messages. `/metrics` is beside them, in Prometheus' own text.
enum StatusPages {
    /// The page of a path; nil: there is none.
    static func page(
        _ path: String, _ statistics: ServerStatistics, _ configuration: ServerConfiguration
    ) -> [UInt8]? {
        let value: Value? =
            switch path {
            case "/health": health(statistics)
            case "/stats": self.statistics(statistics, configuration)
            case "/channels":
                [
                    "channels": MapDialect.json.channelMap(
                        statistics.channels, configuration.subscriptionLimit)
                ]
            default: nil
            }
        return value.flatMap { try? WireFormat.json.encode($0) }
    }

    /// A channel's id as the key of a JSON object: text as it is, null as nothing, the rest as JSON or else as EDN.
    static func name(of channel: Value) -> String {
        if let text = channel.stringValue { return text }
        if channel.isNull { return "" }
        return (try? WireFormat.json.encode(channel)).map { String(decoding: $0, as: UTF8.self) }
            ?? channel.description
    }

    private static func table(_ reports: [ChannelReport], _ row: (ChannelReport) -> Value) -> Value {
        .map(ValueMap(reports.map { (.string(name(of: $0.id)), row($0)) }))
    }

    private static func health(_ statistics: ServerStatistics) -> Value {
        [
            "status": statistics.isHealthy ? "healthy" : "unhealthy",
            "connections": Value(statistics.connections.count),
            "channels": Value(statistics.channels.count),
            "system-health": [
                "healthy": .bool(statistics.isHealthy),
                "total-channels": Value(statistics.channels.count),
                "total-subscriptions": Value(statistics.subscriptions),
                "active-connections": Value(statistics.connections.count),
                "pending-rpc-requests": Value(statistics.pendingRequests),
                "old-rpc-requests": Value(statistics.oldRequests),
            ],
            "uptime-ms": .integer(statistics.uptime.wholeMilliseconds),
        ]
    }

    /// sente-lite also lists the request-ids that wait, for anyone to answer; this server does not.
    private static func statistics(
        _ statistics: ServerStatistics, _ configuration: ServerConfiguration
    ) -> Value {
        var page: ValueMap = [
            "active-connections": Value(statistics.connections.count),
            "total-messages": Value(statistics.messages),
            "server-config": [
                "port": Value(statistics.requestedPort), "host": .string(configuration.host),
                "actual-port": statistics.actualPort.map { Value($0) } ?? nil,
            ],
            "channel-stats": [
                "channels": table(statistics.channels) { report in
                    [
                        "subscriber-count": Value(report.subscriberCount),
                        "message-count": Value(report.messageCount),
                        "created-at": .integer(report.createdAt),
                        "retention-count": Value(report.retainedCount),
                    ]
                },
                "total-channels": Value(statistics.channels.count),
                "total-subscriptions": Value(statistics.subscriptions),
                "active-connections": Value(statistics.connections.count),
                "pending-rpc-requests": Value(statistics.pendingRequests),
            ],
            "metrics": [
                "rejected-connections": Value(statistics.counters.rejectedConnections),
                "oversized-messages": Value(statistics.counters.oversizedMessages),
                "parse-errors": Value(statistics.counters.unreadableMessages),
            ],
            "telemetry-stats": .map(statistics.signals),
        ]
        if configuration.flow != .off { page["flow" as Value] = flow(statistics) }
        return .map(page)
    }

    private static func flow(_ statistics: ServerStatistics) -> Value {
        let flow = statistics.counters.flow
        return [
            "agreements": Value(flow.agreements), "breaches": Value(flow.breaches),
            "sessions": [
                "parked": Value(statistics.parkedSessions), "kept-bytes": Value(statistics.parkedBytes),
                "lost-connections": Value(flow.parked), "resumed": Value(flow.resumed),
                "fresh": Value(flow.fresh), "expired": Value(flow.expired), "evicted": Value(flow.evicted),
                "sent-again": Value(flow.sentAgain), "missed": Value(flow.missed),
                "skipped": Value(flow.skipped),
            ],
            "batches": [
                "sent": Value(flow.batches), "messages": Value(flow.batched),
                "received": Value(flow.batchesReceived),
            ],
            "compression": [
                "messages": Value(flow.compressed), "bytes-before": Value(flow.bytesBefore),
                "bytes-after": Value(flow.bytesAfter), "incompressible": Value(flow.incompressible),
                "received": Value(flow.unfolded),
            ],
            "chunks": [
                "messages": Value(flow.inParts), "sent": Value(flow.parts), "let-go": Value(flow.letGo),
            ],
            "repeated-messages": Value(flow.repeated),
            "streams": streams(statistics),
        ]
    }

    private static func streams(_ statistics: ServerStatistics) -> Value {
        let streams = statistics.counters.streams
        return [
            "active": Value(statistics.streams), "started": Value(streams.started),
            "completed": Value(streams.completed), "failed": Value(streams.failed),
            "cancelled": Value(streams.cancelled), "bytes-received": Value(streams.received.bytes),
            "bytes-sent": Value(streams.sent.bytes),
        ]
    }
}
