// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteServer
import SenteSignals
import SenteTelemetry
import SenteTestSupport
import SenteWire
import Testing

extension Loopback {
    /// One telemetry for both clients and the server between them, as if their logs were put together.
    @Suite("What is followed across client, server and service")
    struct FollowingTests {
        private struct Keeper: TelemetryHandler {
            let signals = Collector<Signal>()

            func handle(_ batch: SignalBatch) {
                for signal in batch { signals.append(signal) }
            }
        }

        @Test(
            "A request by its request-id, a connection by its conn-id, in the server's signals and in the clients'"
        )
        func followed() async throws {
            let telemetry = Telemetry()
            let keeper = Keeper()
            telemetry.minimumLevel = .debug
            telemetry.add(keeper, as: "keeper", HandlerOptions(mode: .synchronous))
            var service = ServerService()
            service.feed(telemetry)
            var configuration = ServerConfiguration()
            configuration.port = 0
            let server = try ReferenceServer(configuration, service: service)
            let port = try await server.start()
            let caller = try Loopback.client(port) { $0.telemetry = telemetry }
            let worker = try Loopback.client(port) { $0.telemetry = telemetry }
            try await caller.connect()
            try await worker.connect()
            let work = try await worker.respond(on: "api") { $0 }
            _ = try await caller.request(["n": 1], on: "api")
            let name = try #require(caller.status.identity?.connectionID)
            await caller.disconnect()
            await worker.disconnect()
            work.cancel()
            await server.stop()

            let signals = keeper.signals.elements
            let request = try #require(
                signals.first { $0.id == "sente-lite.channels/rpc-request-sent" }?.data[
                    Keyword("request-id")])
            let followed = signals.filter { $0.data[Keyword("request-id")] == request }.compactMap(\.id)
            // All of it happens on one loop; what the server sends is told before what a client makes of it.
            #expect(
                Set(followed) == [
                    "sente-lite.channels/rpc-request-sent", "sente-lite.client/rpc-request-sent",
                    "sente-lite.client/rpc-response-sent", "sente-lite.channels/rpc-response-sent",
                    "sente-lite.channels/rpc-correlation", "sente-lite.client/rpc-correlation",
                ])
            #expect(followed.count == 6)
            #expect(followed.first == "sente-lite.channels/rpc-request-sent")
            #expect(followed.last == "sente-lite.client/rpc-correlation")

            let connection = signals.filter { $0.data[Keyword("conn-id")] == .string(name) }.compactMap(\.id)
            for id in [
                "sente-lite.server/connection-added", "sente-lite.server/websocket-opened",
                "sente-lite.client/opened", "sente-lite.client/link-ended",
                "sente-lite.server/connection-removed", "sente-lite.server/websocket-closed",
            ] {
                #expect(connection.contains(id), "\(id)")
            }
        }
    }
}
