// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteServer
import SenteSignals
import SenteTelemetry
import SenteTransport
import SenteWire
import Testing

@Suite("What the server tells of its sockets", .serialized)
struct ReferenceServerSignalTests {
    /// The signals of a server in their order; `ended` yields once for each connection that is over.
    private struct Listener {
        let signals: AsyncStream<Signal>
        let service: ServerService

        init(_ level: SignalLevel = .info) {
            let (signals, continuation) = AsyncStream<Signal>.makeStream()
            var service = ServerService()
            service.signalLevel = { level }
            service.onSignal = { continuation.yield($0) }
            self.signals = signals
            self.service = service
        }

        /// Everything up to the first signal with that id.
        func all(until id: ServerSignal.ID) async -> [Signal] {
            var seen: [Signal] = []
            for await signal in signals {
                seen.append(signal)
                if signal.id == id.rawValue { break }
            }
            return seen
        }
    }

    private struct Keeper: TelemetryHandler {
        private let kept = LockedValue<[Signal]>([])
        var signals: [Signal] { kept.withLock { $0 } }

        func handle(_ batch: SignalBatch) {
            for signal in batch { kept.withLock { $0.append(signal) } }
        }
    }

    private func text(_ signals: [Signal], _ id: ServerSignal.ID) -> String? {
        signals.last { $0.id == id.rawValue }.map { Value.map($0.data).description }
    }

    @Test("A start, a visit and a stop are told from the first to the last")
    func conversation() async throws {
        let listener = Listener()
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.host = "localhost"
        configuration.heartbeatInterval = .seconds(3_600)
        let server = try ReferenceServer(configuration, service: listener.service)
        let port = try await server.start()
        let (client, greeting) = try await AsyncRawClient.webSocket(port: port, "/chat?csrf-token=secret")
        let name = try #require(try WireFormat.json.decode(Array(greeting.utf8))["conn-id"]?.stringValue)
        try await client.sendText(#"{"type":"subscribe","channel-id":"a"}"#)
        _ = try await client.readText()
        try await client.sendClose(1_000)
        var signals = await listener.all(until: .webSocketClosed)
        await server.stop()
        signals += await listener.all(until: .serverStopped)

        #expect(
            signals.compactMap(\.id).compactMap(ServerSignal.ID.init) == [
                .serverStarting, .serverStarted, .heartbeatStarting, .httpRequest, .webSocketRequest,
                .connectionAdded, .webSocketOpened, .channelCreated, .subscriptionAdded,
                .allSubscriptionsRemoved, .connectionRemoved, .webSocketClosed, .serverStopping,
                .heartbeatStopped, .serverStopped,
            ])
        #expect(
            text(signals, .serverStarting) == #"{:port 0, :host "localhost", :telemetry {:enabled true}}"#)
        #expect(
            text(signals, .serverStarted)
                == #"{:port \#(port), :host "localhost", :requested-port 0, :actual-port \#(port), "#
                + ":ephemeral? true}")
        #expect(text(signals, .httpRequest) == #"{:method "GET", :uri "/chat"}"#)
        #expect(text(signals, .webSocketRequest) == #"{:method "GET", :uri "/chat", :websocket? true}"#)
        #expect(
            text(signals, .webSocketOpened)
                == #"{:conn-id "\#(name)", :config {:port \#(port), :host "localhost"}, :wire-format "json"}"#
        )
        #expect(
            text(signals, .webSocketClosed)
                == #"{:conn-id "\#(name)", :status 1000, :final-message-count 1}"#)
        #expect(text(signals, .serverStopped) == "{}")
        // Whoever follows one connection finds all of it.
        let followed = signals.filter { $0.data[Keyword("conn-id")] == .string(name) }
        #expect(followed.first?.id == ServerSignal.ID.connectionAdded.rawValue)
        #expect(followed.last?.id == ServerSignal.ID.webSocketClosed.rawValue)
    }

    @Test("The documents' start comes out to the letter")
    func documents() async throws {
        let listener = Listener()
        var configuration = ServerConfiguration()
        configuration.port = 3_001
        configuration.host = "localhost"
        let server = try ReferenceServer(configuration, service: listener.service)
        // The port may be taken by another; that it is about to start was told before.
        _ = try? await server.start()
        let signals = await listener.all(until: .serverStarting)
        await server.stop()
        #expect(
            text(signals, .serverStarting) == #"{:port 3001, :host "localhost", :telemetry {:enabled true}}"#)
    }

    @Test("A client that breaks the protocol is an error, and so told; a page that is asked for is not")
    func errors() async throws {
        let listener = Listener()
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = try ReferenceServer(configuration, service: listener.service)
        let port = try await server.start()
        let client = try RawClient(port: port)
        _ = try client.upgrade("/any")
        // A frame that is not masked (RFC 6455 §5.1).
        try client.sendBytes([0x81, 0x01, 0x61])
        let signals = await listener.all(until: .webSocketClosed)
        await server.stop()
        let error = try #require(signals.last { $0.id == ServerSignal.ID.webSocketError.rawValue })
        #expect(error.level == .error)
        #expect(error.kind == .error)
        #expect(error.message == "WebSocket error occurred")
        #expect(error.error?.code == "protocolViolation")
        #expect(
            error.data.keys.compactMap { $0.keywordValue?.text } == ["conn-id", "error-type"])
        #expect(signals.last?.data[Keyword("status")] == 1_002)
    }

    @Test("A client that is gone without a word is no error")
    func lost() async throws {
        let listener = Listener()
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = try ReferenceServer(configuration, service: listener.service)
        let port = try await server.start()
        do {
            let client = try RawClient(port: port)
            _ = try client.upgrade("/any")
        }
        let signals = await listener.all(until: .webSocketClosed)
        await server.stop()
        #expect(!signals.contains { $0.level > .info })
        #expect(signals.last?.data[Keyword("status")] == 1_006)
    }

    @Test("What belongs to a request for a WebSocket belongs to the trace that it names")
    func trace() async throws {
        let listener = Listener()
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = try ReferenceServer(configuration, service: listener.service)
        let port = try await server.start()
        do {
            let client = try RawClient(port: port)
            _ = try client.upgrade("/any", "traceparent: \(ServerTraceTests.text)\r\n")
        }
        let signals = await listener.all(until: .webSocketClosed)
        await server.stop()
        let traced = signals.filter { $0.trace?.traceparent == ServerTraceTests.text }
        #expect(
            traced.compactMap(\.id).compactMap(ServerSignal.ID.init) == [
                .httpRequest, .webSocketRequest, .connectionAdded, .webSocketOpened, .webSocketClosed,
            ])
    }

    @Test("Nothing comes below the level that was asked for")
    func level() async throws {
        let listener = Listener(.warn)
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = try ReferenceServer(configuration, service: listener.service)
        try await server.start()
        await server.publish(["n": 1], to: "nowhere")
        let signals = await listener.all(until: .broadcastFailed)
        await server.stop()
        #expect(signals.count == 1)
    }

    @Test("Of each handler /stats has what it took, what waits, what was dropped and what failed")
    func statistics() async throws {
        let telemetry = Telemetry()
        let door = DispatchSemaphore(value: 0)
        telemetry.add(
            ClosureHandler { _ in door.wait() }, as: "slow",
            HandlerOptions(mode: .dropping, buffer: 1, threads: 1))
        telemetry.add(
            ClosureHandler { _ in throw CancellationError() }, as: "broken",
            HandlerOptions(mode: .synchronous, minimumLevel: .error, onError: { _ in }))
        for _ in 0..<5 { telemetry.error("a/b") }
        var raised = 5
        while telemetry.statistics["slow"]?.dropped ?? 0 < 3 {
            telemetry.info("a/b")
            raised += 1
            await Task.yield()
        }
        var service = ServerService()
        service.feed(telemetry)
        let figures = Value.map(service.signalStatistics())
        #expect(figures[":broken"]?.description == #"{"processed" 0, "queued" 0, "dropped" 0, "errors" 5}"#)
        let dropped = try #require(figures[":slow"]?["dropped"]?.integerValue)
        let queued = try #require(figures[":slow"]?["queued"]?.integerValue)
        #expect(dropped >= 3)
        #expect((1...2).contains(queued))
        for _ in 0..<raised { door.signal() }
        await telemetry.stop(within: .seconds(60))
    }

    @Test(
        "Its loop waits for no handler, and what finds no room is dropped", .timeLimit(.minutes(5)),
        arguments: [HandlerOptions.Mode.synchronous, .blocking])
    func neverWaits(mode: HandlerOptions.Mode) async throws {
        let telemetry = Telemetry()
        let (isInside, door) = (LockedValue(false), DispatchSemaphore(value: 0))
        let handler = ClosureHandler { _ in
            isInside.withLock { $0 = true }
            door.wait()
            door.signal()
        }
        telemetry.add(handler, as: "shut", HandlerOptions(mode: mode, threads: 0))
        let other = Thread { telemetry.info("a/b") }
        other.start()
        while !isInside.withLock({ $0 }) { await Task.yield() }
        var service = ServerService()
        service.feed(telemetry)
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = try ReferenceServer(configuration, service: service)
        try await server.start()
        // More than a thread's buffer holds.
        for number in 0..<2_500 { await server.publish(["n": Value(number)], to: "nowhere") }
        await server.stop()
        door.signal()
        await telemetry.stop(within: .seconds(60))
        let dropped =
            mode == .synchronous ? telemetry.statistics["shut"]?.dropped : telemetry.intake.dropped
        #expect(dropped ?? 0 > 100)
    }

    @Test("Telemetry takes what it wants, and /stats shows what became of it")
    func telemetry() async throws {
        let telemetry = Telemetry()
        let handler = Keeper()
        telemetry.add(handler, as: "my-server", HandlerOptions(mode: .synchronous))
        var service = ServerService()
        service.feed(telemetry)
        var configuration = ServerConfiguration()
        configuration.port = 0
        let server = try ReferenceServer(configuration, service: service)
        let port = try await server.start()
        #expect(handler.signals.map(\.id).contains("sente-lite.server/server-started"))
        let page = try RawClient.page("/stats", port: port)
        #expect(page.contains(#""telemetry-stats":{":my-server":{"processed":"#))
        telemetry.minimumLevel = .warn
        let count = handler.signals.count
        await server.createChannel("quiet")
        #expect(handler.signals.count == count)
        telemetry.minimumLevel = .info
        await server.createChannel("heard")
        #expect(handler.signals.last?.data[Keyword("channel-id")] == "heard")
        await server.stop()
    }
}
