// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("Traces through the server")
struct ServerTraceTests {
    static let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    static let field = #","traceparent":"\#(text)"}"#

    private static func server(
        _ dialect: ServerConfiguration.Dialect = .maps, clients: UInt64 = 2
    ) -> TestServerSession {
        var server = TestServerSession(dialect)
        server.session.signalLevel = .trace
        for number in 1...clients { server.connect(number) }
        return server
    }

    /// Those that belong to the trace.
    private static func traced(_ server: TestServerSession) -> [String] {
        server.signals.filter { $0.trace?.traceparent == text }.map {
            String($0.id.rawValue.split(separator: "/")[1])
        }
    }

    @Test("A publication's trace goes on with its deliveries, and every signal between says so")
    func published() {
        var server = Self.server()
        server.receive(from: 2, ServerSignalTests.subscribe)
        let sent = server.receive(from: 1, ServerSignalTests.publish.dropLast() + Self.field)
        #expect(sent.contains { $0.hasPrefix("2 < ") && $0.hasSuffix(Self.field) })
        #expect(!sent.contains { $0.hasPrefix("1 < ") && $0.contains("traceparent") })
        #expect(
            Self.traced(server) == [
                "message-parsed", "message-routing", "message-publish-start", "message-published",
                "channel-broadcast-start", "message-sent", "channel-broadcast-complete", "message-sent",
                "message-processed",
            ])
        server.receive(from: 1, ServerSignalTests.publish)
        #expect(server.signals.last?.trace == nil)
    }

    @Test(
        "What other vendors keep in a trace goes on with it",
        arguments: [
            (ServerConfiguration.Dialect.maps, ServerSignalTests.subscribe, #","tracestate":"a=1,b=2"}"#),
            (.vectors, #"[:sente-lite/subscribe {:channel-id "room"}]"#, #" :tracestate "a=1,b=2"}]"#),
        ])
    func state(_ dialect: ServerConfiguration.Dialect, _ subscribe: String, _ end: String) {
        var server = Self.server(dialect)
        server.receive(from: 2, subscribe)
        let publish =
            dialect == .maps
            ? ServerSignalTests.publish.dropLast() + Self.field.dropLast() + end
            : #"[:sente-lite/publish {:channel-id "room" :data {} :traceparent "\#(Self.text)""# + end
        let sent = server.receive(from: 1, publish)
        #expect(sent.contains { $0.hasPrefix("2 < ") && $0.contains("tracestate") && $0.contains("a=1,b=2") })
        let malformed = server.receive(from: 1, publish.replacing("b=2", with: "b="))
        #expect(malformed.contains { $0.hasPrefix("2 < ") && $0.contains("traceparent") })
        #expect(!malformed.contains { $0.contains("tracestate") })
    }

    @Test("A request's trace goes on with it, and holds for its answer, which names none")
    func answered() {
        var server = Self.server()
        server.receive(from: 2, ServerSignalTests.subscribe)
        let sent = server.receive(from: 1, ServerSignalTests.ask.dropLast() + Self.field)
        #expect(sent.contains { $0.hasPrefix("2 < ") && $0.contains(#""traceparent":"\#(Self.text)""#) })
        let before = Self.traced(server)
        #expect(before.contains("rpc-request-sent"))
        let response = server.receive(from: 2, ServerSignalTests.answer)
        #expect(!response.contains { $0.contains("traceparent") })
        let after = Self.traced(server).dropFirst(before.count)
        #expect(Array(after) == ["rpc-response-sent", "rpc-correlation", "message-sent"])
    }

    @Test("A request that runs out of time is told as a part of its trace")
    func expired() {
        var server = Self.server()
        server.receive(from: 2, ServerSignalTests.subscribe)
        server.receive(from: 1, ServerSignalTests.ask.dropLast() + Self.field)
        server.advance(by: .seconds(6))
        #expect(Self.traced(server).contains("rpc-request-expired"))
        #expect(server.signals.last { $0.id == .cleanupCompleted }?.trace == nil)
    }

    @Test("Vectors carry it inside the event's map, both ways")
    func vectors() {
        var server = Self.server(.vectors)
        server.receive(from: 2, #"[:sente-lite/subscribe {:channel-id "room"}]"#)
        let sent = server.receive(
            from: 1, #"[:sente-lite/publish {:channel-id "room" :data {} :traceparent "\#(Self.text)"}]"#)
        #expect(sent.contains { $0.hasPrefix("2 < ") && $0.contains(#":traceparent "\#(Self.text)""#) })
        #expect(Self.traced(server).contains("message-published"))
        server.receive(from: 1, #"[:my/ev {:traceparent "\#(Self.text)"}]"#)
        #expect(server.signals.last { $0.id == .messageParsed }?.trace != nil)
        var sente = Self.server(.sente)
        sente.receive(from: 1, #"[[:my/ev {:traceparent "\#(Self.text)"}] nil]"#)
        #expect(Self.traced(sente).contains("message-parsed"))
    }

    @Test("A connection belongs to the trace of its request")
    func connected() {
        var server = Self.server()
        var handshake = HandshakeInfo()
        handshake.trace = TraceFields { ["traceparent": .string(Self.text)][$0] }
        server.connect(3, handshake)
        #expect(Self.traced(server) == ["connection-added", "message-sent"])
    }

    @Test(
        "A text that is no trace is counted and goes no further",
        arguments: [#""nonsense""#, "7", "{}", #""""#, #""00-\#(String(repeating: "0", count: 52))""#])
    func hostile(_ text: String) {
        var server = Self.server()
        server.receive(from: 2, ServerSignalTests.subscribe)
        let sent = server.receive(
            from: 1, ServerSignalTests.publish.dropLast() + #","traceparent":\#(text)}"#)
        #expect(sent.contains { $0.hasPrefix("2 < ") })
        #expect(!sent.contains { $0.contains("traceparent") })
        #expect(server.session.counters.malformedTraces == 1)
        var handshake = HandshakeInfo()
        handshake.trace = TraceFields { ["traceparent": "nonsense"][$0] }
        server.connect(3, handshake)
        #expect(server.session.counters.malformedTraces == 2)
        #expect(server.signals.allSatisfy { $0.trace == nil })
        server.receive(from: 1, ServerSignalTests.publish.dropLast() + #","traceparent":null}"#)
        #expect(server.session.counters.malformedTraces == 2)
    }
}
