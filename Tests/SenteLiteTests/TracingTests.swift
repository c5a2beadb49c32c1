// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteLite
import SenteTelemetry
import SenteTestSupport
import SenteTransport
import SenteWire
import Testing

@Suite("Traces of a client")
struct TracingTests {
    static let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("A link's handshake begins a trace, unless it is off or the app names its own")
    func handshake() {
        func headers(_ change: (inout SenteClient.Configuration) -> Void) -> [String] {
            var configuration = SenteClient.Configuration()
            change(&configuration)
            let setup = LinkSetup(url: "ws://server.test/", configuration: configuration)
            return setup.request(
                LinkTarget(deadline: .distantFuture), trace: setup.trace(.system)
            ).headers.filter { $0.name == "traceparent" }.map(\.value)
        }
        #expect(headers { _ in }.isEmpty)
        let made = headers { $0.tracing = true }
        #expect(made.count == 1 && made.allSatisfy { TraceContext(traceparent: $0) != nil })
        #expect(
            headers {
                $0.tracing = true
                $0.headers = ["traceparent": Self.text]
            } == [Self.text])
    }

    @Test("Off, nothing is written and nothing is read, whatever the caller's trace")
    func off() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { _ in }
        let seen = Collector<TraceContext?>()
        client.onMessage(in: "a") { seen.append($0.trace ?? Telemetry.currentTrace) }
        try Telemetry.default.withTrace(TraceContext(traceparent: Self.text)) {
            _ = try client.enqueue(publish: ["n": 1], to: "a")
        }
        stage.waitUntilIdle()
        #expect(stage.server.received.allSatisfy { $0["traceparent"] == nil })
        stage.server.send([
            [
                "type": "channel-message", "channel-id": "a", "data": [:], "broadcast-time": 1,
                "traceparent": Value(Self.text),
            ]
        ])
        await seen.first(1)
        #expect(seen.elements == [nil])
    }

    @Test("On, a call is the next step of its caller's trace, or the first of a new one")
    func written() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.tracing = true }
        let outer = try #require(TraceContext(traceparent: Self.text))
        try Telemetry.default.withTrace(outer) { _ = try client.enqueue(publish: ["n": 1], to: "a") }
        _ = try client.enqueue(Event(id: "my-event", data: ["n": 2]))
        stage.waitUntilIdle()
        let traces = stage.server.received.compactMap { frame in
            frame["traceparent"]?.stringValue.flatMap { TraceContext(traceparent: $0) }
        }
        try #require(traces.count == 2)
        #expect(traces[0].traceID == outer.traceID && traces[0].spanID != outer.spanID)
        #expect(traces[1].traceID != outer.traceID)
    }

    @Test(
        "On, closures run within the trace of what they are told, and hostile texts change nothing but a count"
    )
    func read() async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.tracing = true }
        let seen = Collector<String?>()
        client.onMessage(in: "a") { message in
            #expect(message.trace == Telemetry.currentTrace)
            seen.append(Telemetry.currentTrace?.traceparent)
        }
        client.on("news") { event in
            #expect(event.trace == Telemetry.currentTrace)
            seen.append(Telemetry.currentTrace?.traceparent)
        }
        for text in [Self.text, "nonsense"] {
            stage.server.send([
                [
                    "type": "channel-message", "channel-id": "a", "data": [:], "broadcast-time": 1,
                    "traceparent": Value(text),
                ]
            ])
            stage.server.send([["type": "news", "traceparent": Value(text)]])
        }
        await seen.first(4)
        #expect(seen.elements == [Self.text, Self.text, nil, nil])
        #expect(client.metrics.ignored.malformedTraces == 2)
    }

    @Test("Closures have no part in the trace of whoever registered them", arguments: [true, false])
    func registered(_ isOn: Bool) async throws {
        let stage = DriverStage()
        let client = try await stage.openClient { $0.tracing = isOn }
        let seen = Collector<TraceContext?>()
        let outer = try #require(TraceContext(traceparent: Self.text))
        _ = Telemetry.default.withTrace(outer) {
            client.onMessage(in: "a") { _ in seen.append(Telemetry.currentTrace) }
        }
        stage.server.send([
            ["type": "channel-message", "channel-id": "a", "data": [:], "broadcast-time": 1]
        ])
        await seen.first(1)
        #expect(seen.elements == [nil])
    }

    @Test("A router's handler has no part in the trace of an event before")
    func routed() async throws {
        let stage = DriverStage(.sente)
        let client = try await stage.openChannelSocket { $0.tracing = true }
        let seen = Collector<String?>()
        let gate = Collector<Void>()
        startRouter(client.chRecv) { message in
            guard message.id == "test/a" else { return }
            seen.append(Telemetry.currentTrace?.traceparent)
            await gate.first(1)
        }
        // The first one starts the router's task, which the second finds at work.
        stage.server.push(Event("test/a", [.keyword("traceparent"): .string(Self.text)]))
        await seen.first(1)
        stage.server.push(Event("test/a"))
        try await stage.waitUntilIdle(client)
        gate.append(())
        await seen.first(2)
        #expect(seen.elements == [Self.text, nil])
    }
}
