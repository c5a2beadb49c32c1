// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteLite
import SenteSignals
import Testing

@Suite("A client in Prometheus' metrics")
struct ClientMetricsPrometheusTests {
    @Test("Each figure has its line, with the labels that were given")
    func figures() {
        let metrics = ClientMetrics(
            received: .init(messages: 3, bytes: 40),
            connection: .init(attempts: 2, connectedTime: .milliseconds(1_500), losses: [.silent: 1]),
            outbox: .init(messages: 4, oldestAge: .seconds(2), drops: [.expired: 5]),
            subscriptions: .init(wished: 2, confirmed: 1), refusedCalls: 6, pendingRequests: 7, missed: 8,
            undecodableReasons: [.shape: 9], ignored: .init(lateReplies: 10), errors: [.timedOut: 11],
            roundTrips: [.milliseconds(20)])
        let lines = metrics.prometheus(labels: ["app": "chat"]).split(separator: "\n")
        for line in [
            #"sente_lite_client_messages_total{app="chat",direction="received"} 3"#,
            #"sente_lite_client_message_bytes_total{app="chat",direction="received"} 40"#,
            #"sente_lite_client_connection_attempts_total{app="chat"} 2"#,
            #"sente_lite_client_connected_seconds_total{app="chat"} 1.5"#,
            #"sente_lite_client_connection_losses_total{app="chat",code="silent"} 1"#,
            #"sente_lite_client_round_trip_seconds{app="chat",quantile="0.95"} 0.02"#,
            #"sente_lite_client_outbox_messages{app="chat"} 4"#,
            #"sente_lite_client_outbox_oldest_seconds{app="chat"} 2"#,
            #"sente_lite_client_outbox_drops_total{app="chat",code="expired"} 5"#,
            #"sente_lite_client_subscriptions{app="chat",state="confirmed"} 1"#,
            #"sente_lite_client_refused_calls_total{app="chat"} 6"#,
            #"sente_lite_client_requests_pending{app="chat"} 7"#,
            #"sente_lite_client_missed_messages_total{app="chat"} 8"#,
            #"sente_lite_client_undecodable_messages_total{app="chat",reason="shape"} 9"#,
            #"sente_lite_client_ignored_messages_total{app="chat",reason="late-reply"} 10"#,
            #"sente_lite_client_errors_total{app="chat",code="timedOut"} 11"#,
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }

    @Test("Each figure of flow has its line, named after its property")
    func flow() {
        var metrics = ClientMetrics(resumption: .init(resumed: 1, replayedOut: 2))
        metrics.batching = .init(batches: 2, messages: 5, reasons: ["idle": 2])
        metrics.batching.waits = [.milliseconds(4)]
        metrics.compression = .init(messages: 3, bytesBefore: 900, bytesAfter: 90, time: .milliseconds(1_500))
        metrics.chunking = .init(messages: 1, chunksSent: 7, incomplete: 2, memory: 70, peakMemory: 80)
        let lines = metrics.prometheus(labels: ["app": "chat"]).split(separator: "\n")
        for line in [
            #"sente_lite_client_resumption_replayed_out_total{app="chat"} 2"#,
            #"sente_lite_client_batching_batches_total{app="chat"} 2"#,
            #"sente_lite_client_batching_average_size{app="chat"} 2.5"#,
            #"sente_lite_client_batching_reasons_total{app="chat",reason="idle"} 2"#,
            #"sente_lite_client_batching_linger_added_seconds{app="chat",quantile="0.99"} 0.004"#,
            #"sente_lite_client_compression_bytes_after_total{app="chat"} 90"#,
            #"sente_lite_client_compression_time_seconds_total{app="chat"} 1.5"#,
            #"sente_lite_client_chunking_chunks_sent_total{app="chat"} 7"#,
            #"sente_lite_client_chunking_incomplete{app="chat"} 2"#,
            #"sente_lite_client_chunking_peak_memory{app="chat"} 80"#,
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }

    @Test(
        "No property of flow is left out of what is shown",
        arguments: ["resumption", "batching", "compression", "chunking", "streaming", "largeData"])
    func allOfFlow(group: String) throws {
        let metrics = ClientMetrics()
        let part = try #require(Mirror(reflecting: metrics).children.first { $0.label == group }?.value)
        let properties = Mirror(reflecting: part).children.compactMap(\.label)
        let shown = metrics.flowFigures.filter { $0.group == group }.map(\.name)
        // The waits are shown as what they were computed to.
        #expect(Set(properties).subtracting(["waits"]).isSubset(of: shown))
    }

    @Test("Two clients on one page with the same labels add up")
    func together() {
        var page = PrometheusPage()
        for _ in 1...2 { ClientMetrics(missed: 4).add(to: &page) }
        #expect(page.text.contains("\nsente_lite_client_missed_messages_total 8\n"))
    }
}
