// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("The server in Prometheus' metrics")
struct ServerStatisticsPrometheusTests {
    private static func page(of server: TestServerSession) -> [Substring] {
        server.session.statistics(at: server.now).prometheus.text.split(separator: "\n")
    }

    @Test(
        "What the documents count is there: connections, messages, channels, requests, and how long they took"
    )
    func figures() {
        var server = TestServerSession()
        for number in 1...3 as ClosedRange<UInt64> { server.connect(number) }
        for number in 1...2 as ClosedRange<UInt64> {
            server.receive(from: number, #"{"type":"subscribe","channel-id":"room"}"#)
        }
        server.receive(from: 1, #"{"type":"publish","channel-id":"room","data":{}}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"room","data":{}}"#)
        server.advance(by: .milliseconds(15))
        server.receive(from: 2, #"{"type":"rpc-response","request-id":"<r1>","data":{},"error":true}"#)
        server.receive(from: 1, #"{"type":"rpc-request","channel-id":"room","data":{},"timeout-ms":100}"#)
        server.receive(from: 1, #"{"type":"publish","channel-id":"nowhere","data":{}}"#)
        server.receive(from: 1, "{")
        server.advance(by: .milliseconds(1_985))
        server.handle(.closed(ConnectionID(2)))
        let lines = Self.page(of: server)
        for line in [
            "sente_lite_server_uptime_seconds 2",
            "sente_lite_server_connections 2",
            "sente_lite_server_connections_opened_total 3",
            #"sente_lite_server_messages_total{direction="received"} 8"#,
            #"sente_lite_server_message_errors_total{type="unreadable"} 1"#,
            #"sente_lite_server_rejections_total{reason="channel-not-found"} 1"#,
            "sente_lite_server_channels 1",
            "sente_lite_server_subscriptions 1",
            "sente_lite_server_subscriptions_added_total 2",
            "sente_lite_server_subscriptions_removed_total 1",
            "sente_lite_server_publications_total 1",
            "sente_lite_server_deliveries_total 2",
            #"sente_lite_server_channel_subscribers{channel="room"} 1"#,
            #"sente_lite_server_channel_messages_total{channel="room"} 3"#,
            "sente_lite_server_requests_pending 0",
            "sente_lite_server_requests_total 2",
            "sente_lite_server_requests_failed_total 1",
            "sente_lite_server_requests_expired_total 1",
            "sente_lite_server_request_duration_seconds_sum 0.015",
            "sente_lite_server_request_duration_seconds_count 1",
            #"sente_lite_server_request_duration_seconds_bucket{le="0.02"} 1"#,
            "sente_lite_server_connection_duration_seconds_sum 2",
            "sente_lite_server_connection_duration_seconds_count 1",
            "# TYPE sente_lite_server_connection_duration_seconds histogram",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)\n\(lines.joined(separator: "\n"))")
        }
    }

    @Test("Labels hold the first hundred channels; no label holds a connection")
    func labels() {
        var server = TestServerSession()
        server.connect(1)
        for number in 1...150 { server.command(.createChannel("room-\(number)", nil)) }
        for number in [100, 101, 150] {
            server.receive(from: 1, #"{"type":"subscribe","channel-id":"room-\#(number)"}"#)
        }
        let lines = Self.page(of: server)
        let subscribers = lines.filter { $0.hasPrefix("sente_lite_server_channel_subscribers{") }
        #expect(subscribers.count == 101)
        #expect(subscribers.contains(#"sente_lite_server_channel_subscribers{channel="room-100"} 1"#))
        #expect(subscribers.last == #"sente_lite_server_channel_subscribers{channel="other"} 2"#)
        #expect(!lines.contains { $0.contains("conn-") })
    }

    @Test("The page /metrics is Prometheus' text, and /stats has what became of the signals")
    func pages() throws {
        var server = TestServerSession()
        guard
            case .answer(let answer) = server.session.admit(
                target: "/metrics?a=b", wantsUpgrade: false, at: server.now)
        else { return _ = Issue.record("No page came.") }
        #expect(answer.status == 200)
        #expect(answer.headers.first?.value == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            String(decoding: answer.body, as: UTF8.self).hasPrefix("# HELP sente_lite_server_uptime_seconds"))
        server.session.signalStatistics = [
            ":my-server": ["processed": 1_847, "queued": 0, "dropped": 0, "errors": 0]
        ]
        #expect(
            server.page("/stats").hasSuffix(
                #""telemetry-stats":{":my-server":{"processed":1847,"queued":0,"dropped":0,"errors":0}}}"#))
        #expect(
            Self.page(of: server).contains(
                #"sente_lite_server_signals_processed_total{handler=":my-server"} 1847"#))
    }
}
