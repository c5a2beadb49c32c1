// SPDX-License-Identifier: Apache-2.0

import SenteCore
import Testing

@Suite("Round trips of the metrics")
struct ClientMetricsTests {
    @Test("are absent before the first")
    func none() {
        #expect(ClientMetrics().roundTrip == nil)
    }

    @Test(
        "are the nearest rank, whatever their order",
        arguments: [
            (1, 1, 1, 1), (2, 1, 2, 2), (3, 2, 3, 3), (20, 10, 19, 20), (100, 50, 95, 99),
            (256, 128, 244, 254),
        ])
    func ranks(_ count: Int, _ p50: Int, _ p95: Int, _ p99: Int) {
        var metrics = ClientMetrics()
        metrics.roundTrips = (1...count).reversed().map { .milliseconds($0) }
        #expect(metrics.roundTrip?.p50 == .milliseconds(p50))
        #expect(metrics.roundTrip?.p95 == .milliseconds(p95))
        #expect(metrics.roundTrip?.p99 == .milliseconds(p99))
    }
}
