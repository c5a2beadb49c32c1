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

        /// Three processes, three telemetries: only what goes over the wire joins them.
        @Test(
            "With tracing on a request is one trace from its caller over the server to its service and back")
        func traced() async throws {
            func telemetry() -> (Telemetry, Keeper) {
                let (telemetry, keeper) = (Telemetry(), Keeper())
                telemetry.minimumLevel = .debug
                telemetry.add(keeper, as: "keeper", HandlerOptions(mode: .synchronous))
                return (telemetry, keeper)
            }
            let ((atCaller, caller), (atServer, server), (atWorker, worker)) = (
                telemetry(), telemetry(), telemetry()
            )
            var service = ServerService()
            service.feed(atServer)
            var configuration = ServerConfiguration()
            configuration.port = 0
            let running = try ReferenceServer(configuration, service: service)
            let port = try await running.start()
            func client(_ telemetry: Telemetry) async throws -> SenteClient {
                let client = try Loopback.client(port) {
                    $0.telemetry = telemetry
                    $0.tracing = true
                }
                try await client.connect()
                return client
            }
            let (asking, serving) = (try await client(atCaller), try await client(atWorker))
            let log = atWorker.source("my.service")
            let work = try await serving.respond(on: "api") {
                log.info("worked")
                return $0
            }
            let trace = try #require(TraceContext(traceID: .init(high: 1, low: 2), spanID: 3))
            _ = try await atCaller.withTrace(trace) { try await asking.request(["n": 1], on: "api") }
            await asking.disconnect()
            await serving.disconnect()
            work.cancel()
            await running.stop()

            func told(_ keeper: Keeper) -> [String] {
                keeper.signals.elements.filter { $0.trace?.traceID == trace.traceID }.compactMap(\.id)
            }
            #expect(
                told(caller) == ["sente-lite.client/rpc-request-sent", "sente-lite.client/rpc-correlation"])
            #expect(told(worker) == ["my.service/worked", "sente-lite.client/rpc-response-sent"])
            #expect(
                Set(told(server)).isSuperset(of: [
                    "sente-lite.server/message-parsed", "sente-lite.channels/rpc-request-sent",
                    "sente-lite.server/message-sent", "sente-lite.channels/rpc-response-sent",
                    "sente-lite.channels/rpc-correlation",
                ]))
            // A connection is a trace of its own, the same at both its ends.
            func connection(_ id: String, _ keeper: Keeper) -> Set<TraceContext?> {
                Set(keeper.signals.elements.filter { $0.id == id }.map(\.trace))
            }
            let opened = connection("sente-lite.client/opened", caller).union(
                connection("sente-lite.client/opened", worker))
            #expect(opened.count == 2 && !opened.contains(nil))
            for id in ["websocket-request", "websocket-opened", "connection-added", "websocket-closed"] {
                #expect(connection("sente-lite.server/\(id)", server) == opened, "\(id)")
            }
        }
    }
}
