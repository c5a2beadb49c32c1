// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteCore
import SenteLite
import SenteSignals
import SenteTelemetry
import SenteTestKit
import SenteTestSupport
import SenteWire
import Testing

@Suite("A client's signals as telemetry takes them", .timeLimit(.minutes(5)))
struct TelemetryFeedTests {
    private struct Keeper: TelemetryHandler {
        let signals = Collector<Signal>()

        func handle(_ batch: SignalBatch) {
            for signal in batch { signals.append(signal) }
        }
    }

    private static let now = Moment(
        instant: Instant(nanoseconds: 7), wallMilliseconds: 1_761_360_590_862)
    private static let error = SenteError(.rejected, "No.", details: ["secret": 1])

    private static let names: [(ClientSignal, String, String)] = [
        (ClientSignal(.attemptStarted, at: now), "attempt-started", ""),
        (
            ClientSignal(.opened(timeToOpen: .zero, isReconnect: true), at: now), "opened",
            "reconnect? time-to-open-ms"
        ),
        (ClientSignal(.linkEnded(error), at: now), "link-ended", "code"),
        (
            ClientSignal(.received(messages: 1, bytes: 2, large: 0), at: now), "traffic",
            "bytes direction messages"
        ),
        (
            ClientSignal(.transmitted(messages: 1, bytes: 2, large: 0), at: now), "traffic",
            "bytes direction messages"
        ),
        (ClientSignal(.dropped(reason: .expired), at: now), "message-dropped", "reason"),
        (ClientSignal(.failed(.timedOut), at: now), "call-failed", "code"),
        (ClientSignal(.missed(3), at: now), "inbox-overflow", "count"),
        (ClientSignal(.roundTrip(.zero), at: now), "ping-answered", "rtt-ms"),
        (ClientSignal(.undecodable("No."), at: now), "undecodable", "reason"),
        (ClientSignal(.serverError("No."), at: now), "server-error", "text"),
        (ClientSignal(.subscribed, of: "a", at: now), "subscription-added", "channel-id"),
        (ClientSignal(.ended, of: "a", at: now), "subscription-removed", "channel-id"),
        (ClientSignal(.refused(error), of: "a", at: now), "subscription-rejected", "channel-id reason"),
        (
            ClientSignal(
                .requestSent(id: "r", channel: "a", deliveredTo: 1, remaining: .seconds(5)), at: now),
            "rpc-request-sent", "request-id target-channel-id timeout-ms delivery-result"
        ),
        (
            ClientSignal(.requestEnded(id: "r", .seconds(1)), at: now), "rpc-correlation",
            "request-id duration-ms error?"
        ),
        (
            ClientSignal(.requestEnded(id: "r", .seconds(1), .timedOut), at: now), "rpc-request-expired",
            "request-id age-ms"
        ),
        (
            ClientSignal(.responseSent(requestID: "r", isError: false), at: now), "rpc-response-sent",
            "request-id error?"
        ),
    ]

    @Test(
        "Each has the documents' name where they have one, and its fields in their order",
        arguments: names.indices)
    func mapping(_ index: Int) {
        let (told, name, fields) = Self.names[index]
        let signal = Signal(told)
        #expect(signal.id == "sente-lite.client/\(name)")
        #expect(signal.namespace == "sente-lite.client")
        #expect(signal.data.keys.compactMap { $0.keywordValue?.text }.joined(separator: " ") == fields)
        #expect(signal.level.rawValue == told.level.rawValue)
        #expect(signal.time == 1_761_360_590_862_000_000)
        #expect(signal.message == told.message)
    }

    @Test("Of an error there are code and message, and never what a peer put into its details")
    func errors() {
        let signal = Signal(ClientSignal(.refused(Self.error), of: "a", at: Self.now))
        #expect(signal.error == SignalError(type: "SenteError", message: "No.", code: "rejected"))
        #expect(!"\(signal)".contains("secret"))
    }

    @Test("It belongs to the trace of what it tells of")
    func trace() throws {
        let trace = try #require(TraceContext(traceparent: TracingTests.text))
        var told = ClientSignal(.subscribed, of: "a", at: Self.now)
        #expect(Signal(told).trace == nil)
        told.trace = trace
        #expect(Signal(told).trace == trace)
    }

    @Test(
        "Its loop waits for no handler, and what finds no room is dropped",
        arguments: [HandlerOptions.Mode.synchronous, .blocking])
    func neverWaits(mode: HandlerOptions.Mode) async throws {
        let telemetry = Telemetry()
        telemetry.minimumLevel = nil
        let (entered, door) = (Collector<Void>(), DispatchSemaphore(value: 0))
        let handler = ClosureHandler { _ in
            entered.append(())
            door.wait()
            door.signal()
        }
        telemetry.add(handler, as: "shut", HandlerOptions(mode: mode, threads: 0))
        let other = Thread { telemetry.info("a/b") }
        other.start()
        await entered.first(1)
        let server = try LoopbackServer()
        try await server.start()
        // On a loop of its own, so that all its signals come of one thread.
        var configuration = SenteClient.Configuration()
        configuration.loop = try ClientLoop()
        configuration.telemetry = telemetry
        let client = try SenteClient(server.url, configuration: configuration)
        try await client.connect()
        // More than a thread's buffer holds.
        for _ in 0..<400 {
            _ = try await client.subscribe("news")
            try await client.unsubscribe("news")
        }
        await client.disconnect()
        await server.stop()
        door.signal()
        await telemetry.stop(within: .seconds(60))
        let dropped =
            mode == .synchronous ? telemetry.statistics["shut"]?.dropped : telemetry.intake.dropped
        #expect(dropped ?? 0 > 100)
    }

    @Test("A client tells telemetry what it wants as that stands now, each thing once")
    func client() async throws {
        let stage = DriverStage()
        let telemetry = Telemetry()
        let handler = Keeper()
        telemetry.minimumLevel = .warn
        telemetry.add(handler, as: "memory", HandlerOptions(mode: .synchronous))
        let client = try await stage.openClient { $0.telemetry = telemetry }
        _ = try await client.subscribe("news")
        #expect(handler.signals.elements.isEmpty, "Nothing below a warning happened.")
        telemetry.minimumLevel = .debug
        try await client.unsubscribe("news")
        let signals = handler.signals.elements
        let removed = signals.filter { $0.id == "sente-lite.client/subscription-removed" }
        #expect(removed.count == 1)
        #expect(removed.first?.data[Keyword("channel-id")] == "news")
        let name = client.status.identity?.connectionID
        #expect(name != nil)
        #expect(removed.first?.data[Keyword("conn-id")] == name.map { Value($0) })
        #expect(!signals.isEmpty)
        #expect(signals.allSatisfy { $0.level >= .debug && $0.namespace == "sente-lite.client" })
    }
}
