// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteWire

/// The pages `/health`, `/stats` and `/channels`: the fields that the project's documents and its code show,
/// together.
extension MapSpelling {
    /// A channel's id as the key of a JSON object: text as it is, null as nothing, the rest as JSON.
    func name(of channel: Value) -> String {
        if let text = channel.stringValue { return text }
        if channel.isNull { return "" }
        return (try? WireFormat.json.encode(channel)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func channelMap(_ reports: [ChannelReport]) -> Value {
        .map(
            ValueMap(
                reports.map { report in
                    let settings = report.configuration
                    return (
                        .string(name(of: report.id)),
                        [
                            "config": [
                                "max-subscribers": Value(settings.maximumSubscribers),
                                "message-retention": Value(settings.retention),
                                "rpc-timeout-ms": .integer(settings.requestLimit.wholeMilliseconds),
                                "telemetry-enabled": true,
                            ],
                            "created-at": .integer(report.createdAt),
                            "message-count": Value(report.messageCount),
                            "subscriber-count": Value(report.subscriberCount),
                        ]
                    )
                }))
    }

    func health(_ statistics: ServerStatistics) -> [UInt8]? {
        bytes([
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
        ])
    }

    /// sente-lite also lists the request-ids that wait, for anyone to answer; this server does not.
    func statistics(_ statistics: ServerStatistics, _ configuration: ServerConfiguration) -> [UInt8]? {
        bytes([
            "active-connections": Value(statistics.connections.count),
            "total-messages": Value(statistics.messages),
            "server-config": [
                "port": Value(statistics.requestedPort), "host": .string(configuration.host),
                "actual-port": statistics.actualPort.map { Value($0) } ?? nil,
            ],
            "channel-stats": [
                "channels": .map(
                    ValueMap(
                        statistics.channels.map { report in
                            (
                                .string(name(of: report.id)),
                                [
                                    "subscriber-count": Value(report.subscriberCount),
                                    "message-count": Value(report.messageCount),
                                    "created-at": .integer(report.createdAt),
                                    "retention-count": Value(report.retainedCount),
                                ]
                            )
                        })),
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
            "telemetry-stats": [:],
        ])
    }

    func channels(_ reports: [ChannelReport]) -> [UInt8]? {
        bytes(["channels": channelMap(reports)])
    }

    private func bytes(_ value: Value) -> [UInt8]? { try? WireFormat.json.encode(value) }
}
