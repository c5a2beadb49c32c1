// SPDX-License-Identifier: Apache-2.0

import SenteBase
public import SenteCore
public import SenteSignals

extension ClientMetrics {
    /// A page of these metrics as Prometheus reads it; its `content-type` is `PrometheusPage.contentType`.
    ///
    /// `labels` stand at each of them, such as `["app": "chat"]`. What differs for each user or connection is no label: a series is
    /// kept for each value.
    public func prometheus(labels: [String: String] = [:]) -> String {
        var page = PrometheusPage()
        add(to: &page, labels: labels)
        return page.text
    }

    /// Adds these metrics to a page; those of several clients with the same labels add up.
    public func add(to page: inout PrometheusPage, labels: [String: String] = [:]) {
        addTraffic(to: &page, labels)
        addConnection(to: &page, labels)
        addOutbox(to: &page, labels)
        addCalls(to: &page, labels)
        addLosses(to: &page, labels)
        for figure in flowFigures { page.add(figure, labels) }
    }

    private func addTraffic(to page: inout PrometheusPage, _ labels: [String: String]) {
        for (direction, traffic) in [("received", received), ("sent", sent)] {
            let labels = labels.merging(["direction": direction]) { $1 }
            page.counter(
                "sente_lite_client_messages_total", "Whole messages.", traffic.messages, labels: labels)
            page.counter(
                "sente_lite_client_message_bytes_total", "Their bytes, without framing.", traffic.bytes,
                labels: labels)
            page.counter(
                "sente_lite_client_large_messages_total", "Those that counted as large.",
                traffic.largeMessages, labels: labels)
        }
    }

    private func addConnection(to page: inout PrometheusPage, _ labels: [String: String]) {
        page.counter(
            "sente_lite_client_connection_attempts_total", "How often a connection was begun.",
            connection.attempts, labels: labels)
        page.counter(
            "sente_lite_client_reconnects_total", "How often a lost connection was made good.",
            connection.reconnects, labels: labels)
        page.counters(
            "sente_lite_client_connection_losses_total", "Open connections that were lost.",
            connection.losses, labels)
        page.gauge(
            "sente_lite_client_uptime_seconds", "How long the client exists.", connection.uptime.seconds,
            labels: labels)
        page.counter(
            "sente_lite_client_connected_seconds_total", "How long it was connected.",
            connection.connectedTime.seconds, labels: labels)
        if let time = connection.timeToOpen {
            page.gauge(
                "sente_lite_client_time_to_open_seconds", "How long the last opening took.", time.seconds,
                labels: labels)
        }
        page.quantiles(
            "sente_lite_client_round_trip_seconds", "Round trips of the last 256 answers.", roundTrip, labels)
    }

    private func addOutbox(to page: inout PrometheusPage, _ labels: [String: String]) {
        page.gauge(
            "sente_lite_client_outbox_messages", "Messages that wait to be sent.", outbox.messages,
            labels: labels)
        page.gauge(
            "sente_lite_client_outbox_bytes", "How much they weigh.", outbox.bytes, labels: labels)
        page.gauge(
            "sente_lite_client_outbox_oldest_seconds", "How long the oldest has waited.",
            outbox.oldestAge?.seconds ?? 0, labels: labels)
        page.counters(
            "sente_lite_client_outbox_drops_total", "Messages that were never sent.", outbox.drops, labels)
    }

    private func addCalls(to page: inout PrometheusPage, _ labels: [String: String]) {
        for (state, count) in [("wished", subscriptions.wished), ("confirmed", subscriptions.confirmed)] {
            page.gauge(
                "sente_lite_client_subscriptions", "Channels.", count,
                labels: labels.merging(["state": state]) { $1 })
        }
        page.gauge(
            "sente_lite_client_requests_pending", "Calls that await a reply.", pendingRequests,
            labels: labels)
        page.counter(
            "sente_lite_client_refused_calls_total", "Calls that were refused at once.", refusedCalls,
            labels: labels)
        page.counter(
            "sente_lite_client_failed_responders_total", "Requests whose handler failed.", failedResponders,
            labels: labels)
        page.counters(
            "sente_lite_client_errors_total", "Errors that were told.", errors, labels)
    }

    private func addLosses(to page: inout PrometheusPage, _ labels: [String: String]) {
        page.counter(
            "sente_lite_client_missed_messages_total", "Messages lost because an inbox was full.", missed,
            labels: labels)
        for (reason, count) in undecodableReasons.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            page.counter(
                "sente_lite_client_undecodable_messages_total", "Messages that could not be understood.",
                count, labels: labels.merging(["reason": reason.rawValue]) { $1 })
        }
        page.counter(
            "sente_lite_client_server_errors_total", "Errors of the server that belong to no call.",
            serverErrors, labels: labels)
        let ignored = [
            ("late-reply", ignored.lateReplies), ("repeated", ignored.repeated),
            ("overdue-request", ignored.overdueRequests), ("unserved-request", ignored.unservedRequests),
            ("surplus-ping", ignored.surplusPings), ("unheard", ignored.unheard),
            ("malformed-trace", ignored.malformedTraces),
        ]
        for (reason, count) in ignored {
            page.counter(
                "sente_lite_client_ignored_messages_total", "What was understood, and went to nobody.", count,
                labels: labels.merging(["reason": reason]) { $1 })
        }
    }
}

extension PrometheusPage {
    fileprivate mutating func add(_ figure: ClientMetrics.FlowFigure, _ labels: [String: String]) {
        let words = figure.name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
        let name = "sente_lite_client_\(figure.group)_\(words)"
        switch figure.amount {
        case .total(let count): counter(name + "_total", figure.help, count, labels: labels)
        case .totalTime(let time):
            counter(name + "_seconds_total", figure.help, time.seconds, labels: labels)
        case .totals(let counts):
            for (reason, count) in counts.sorted(by: { $0.key < $1.key }) {
                counter(
                    name + "_total", figure.help, count, labels: labels.merging(["reason": reason]) { $1 })
            }
        case .level(let level): gauge(name, figure.help, level, labels: labels)
        case .times(let times): quantiles(name + "_seconds", figure.help, times, labels)
        }
    }

    fileprivate mutating func quantiles(
        _ name: String, _ help: String, _ times: ClientMetrics.Percentiles?, _ labels: [String: String]
    ) {
        guard let times else { return }
        for (quantile, time) in [("0.5", times.p50), ("0.95", times.p95), ("0.99", times.p99)] {
            gauge(name, help, time.seconds, labels: labels.merging(["quantile": quantile]) { $1 })
        }
    }

    /// One series for each code.
    fileprivate mutating func counters(
        _ name: String, _ help: String, _ counts: [SenteError.Code: Int], _ labels: [String: String]
    ) {
        for (code, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            counter(name, help, count, labels: labels.merging(["code": code.rawValue]) { $1 })
        }
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(wholeNanoseconds) / 1e9 }
}
