// SPDX-License-Identifier: Apache-2.0

import SenteBase
package import SenteSignals
import SenteWire

extension ServerStatistics {
    /// The channels that have a label of their own; those that came later are `other` together.
    ///
    /// Labels that clients could make grow without end would fill whoever scrapes them; so none holds a connection or a user.
    package static let namedChannels = 100

    /// The server in Prometheus' metrics.
    package var prometheus: PrometheusPage {
        var page = PrometheusPage()
        addServer(to: &page)
        addMessages(to: &page)
        addChannels(to: &page)
        addRequests(to: &page)
        addSignals(to: &page)
        // A server that announces nothing has nothing of it to tell.
        if counters.flow != ServerCounters.Flow() { addFlow(to: &page) }
        if counters.streams != ServerCounters.Streams() { addStreams(to: &page) }
        return page
    }

    private func addFlow(to page: inout PrometheusPage) {
        let flow = counters.flow
        page.gauge(
            "sente_lite_server_sessions_parked", "Sessions that wait for their client.", parkedSessions)
        page.gauge("sente_lite_server_sessions_kept_bytes", "What they keep.", parkedBytes)
        let ends = [
            "resumed": flow.resumed, "fresh": flow.fresh, "expired": flow.expired, "evicted": flow.evicted,
        ]
        for (end, count) in ends.sorted(by: { $0.key < $1.key }) {
            page.counter(
                "sente_lite_server_sessions_total", "What became of sessions whose connection was lost.",
                count,
                labels: ["end": end])
        }
        page.counter(
            "sente_lite_server_messages_resent_total", "Messages sent again after a lost connection.",
            flow.sentAgain)
        page.counter(
            "sente_lite_server_messages_missed_total",
            "Messages that had been let go when their client came back.",
            flow.missed)
        page.counter("sente_lite_server_batches_total", "Messages that held others.", flow.batches)
        page.counter("sente_lite_server_batched_messages_total", "Messages in them.", flow.batched)
        page.counter(
            "sente_lite_server_compressed_messages_total", "Messages that went compressed.", flow.compressed)
        page.counter(
            "sente_lite_server_compressed_before_bytes_total", "Their bytes before.", flow.bytesBefore)
        page.counter("sente_lite_server_compressed_after_bytes_total", "Their bytes after.", flow.bytesAfter)
        page.counter("sente_lite_server_chunked_messages_total", "Messages that went in parts.", flow.inParts)
        page.counter("sente_lite_server_chunks_total", "Their parts.", flow.parts)
        page.counter(
            "sente_lite_server_flow_breaches_total", "Clients that did not keep to what was agreed on.",
            flow.breaches)
        page.counter(
            "sente_lite_server_repeated_messages_total",
            "Messages that came again, and were not handled again.",
            flow.repeated)
    }

    private func addStreams(to page: inout PrometheusPage) {
        let figures = counters.streams
        page.gauge("sente_lite_server_streams", "Streams that are not over.", streams)
        page.counter("sente_lite_server_streams_started_total", "Streams that were taken.", figures.started)
        let ends = [
            "cancelled": figures.cancelled, "completed": figures.completed, "failed": figures.failed,
        ]
        for (end, count) in ends.sorted(by: { $0.key < $1.key }) {
            page.counter(
                "sente_lite_server_streams_total", "How streams ended.", count, labels: ["end": end])
        }
        for (direction, traffic) in [("received", figures.received), ("sent", figures.sent)] {
            page.counter(
                "sente_lite_server_stream_bytes_total", "Bytes of streams, sent again or not.",
                traffic.bytes, labels: ["direction": direction])
        }
    }

    private func addServer(to page: inout PrometheusPage) {
        page.gauge(
            "sente_lite_server_uptime_seconds", "How long the server runs.",
            Double(uptime.wholeMilliseconds) / 1_000)
        page.gauge("sente_lite_server_connections", "Connections that are open.", connections.count)
        page.counter(
            "sente_lite_server_connections_opened_total", "Connections that were greeted.",
            counters.connections)
        page.counter(
            "sente_lite_server_connections_rejected_total", "Connections beyond the limit.",
            counters.rejectedConnections)
        page.counter(
            "sente_lite_server_connections_dead_total", "Connections given up because they were silent.",
            counters.deadConnections)
        page.histogram(
            "sente_lite_server_connection_duration_seconds", "How long connections lived.",
            counters.connectionDurations)
    }

    private func addMessages(to page: inout PrometheusPage) {
        for (direction, traffic) in [("received", counters.received), ("sent", counters.sent)] {
            let labels = ["direction": direction]
            page.counter(
                "sente_lite_server_messages_total", "Whole messages.", traffic.messages, labels: labels)
            page.counter(
                "sente_lite_server_message_bytes_total", "Their bytes, without framing.", traffic.bytes,
                labels: labels)
        }
        let errors = [
            "unreadable": counters.unreadableMessages, "too-big": counters.oversizedMessages,
            "push-lost": counters.lostPushes, "trace-malformed": counters.malformedTraces,
        ]
        for (type, count) in errors.sorted(by: { $0.key < $1.key }) {
            page.counter(
                "sente_lite_server_message_errors_total", "Messages that came to nothing.", count,
                labels: ["type": type])
        }
        for (reason, count) in counters.rejections.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            page.counter(
                "sente_lite_server_rejections_total", "What clients asked for and were refused.", count,
                labels: ["reason": reason.rawValue])
        }
    }

    private func addChannels(to page: inout PrometheusPage) {
        page.gauge("sente_lite_server_channels", "Channels that exist.", channels.count)
        page.gauge("sente_lite_server_subscriptions", "Subscriptions of all channels.", subscriptions)
        page.counter(
            "sente_lite_server_subscriptions_added_total", "Subscriptions that began.",
            counters.subscriptionsAdded)
        page.counter(
            "sente_lite_server_subscriptions_removed_total", "Subscriptions that ended.",
            counters.subscriptionsRemoved)
        page.counter(
            "sente_lite_server_publications_total", "Messages published to channels.", counters.publications)
        page.counter(
            "sente_lite_server_deliveries_total", "Publications, counted for each of their subscribers.",
            counters.deliveries)
        for (place, channel) in channels.enumerated() {
            let labels = [
                "channel": place < Self.namedChannels ? StatusPages.name(of: channel.id) : "other"
            ]
            page.gauge(
                "sente_lite_server_channel_subscribers", "Subscribers of a channel.",
                channel.subscriberCount, labels: labels)
            page.counter(
                "sente_lite_server_channel_messages_total", "Messages of a channel.", channel.messageCount,
                labels: labels)
        }
    }

    /// The handlers are those that the server's own user has named.
    private func addSignals(to page: inout PrometheusPage) {
        for (handler, figures) in signals {
            let labels = ["handler": handler.stringValue ?? handler.description]
            func figure(_ name: String) -> Int64 { figures[name]?.integerValue ?? 0 }
            page.gauge(
                "sente_lite_server_signals_queued", "Signals that wait for a handler.", figure("queued"),
                labels: labels)
            page.counter(
                "sente_lite_server_signals_processed_total", "Signals that a handler has taken.",
                figure("processed"), labels: labels)
            page.counter(
                "sente_lite_server_signals_dropped_total", "Signals that found no room.", figure("dropped"),
                labels: labels)
            page.counter(
                "sente_lite_server_signals_failed_total", "Signals whose handler threw.", figure("errors"),
                labels: labels)
        }
    }

    private func addRequests(to page: inout PrometheusPage) {
        page.gauge("sente_lite_server_requests_pending", "Requests that wait for an answer.", pendingRequests)
        page.counter("sente_lite_server_requests_total", "Requests that came.", counters.requests)
        page.counter(
            "sente_lite_server_requests_failed_total", "Requests whose answer was an error.",
            counters.failedRequests)
        page.counter(
            "sente_lite_server_requests_expired_total", "Requests that nobody answered in time.",
            counters.expiredRequests)
        page.histogram(
            "sente_lite_server_request_duration_seconds", "How long requests took that were answered.",
            counters.requestDurations)
    }
}
