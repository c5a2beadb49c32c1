// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteWire
import Testing

@Suite("Messages that come again by their ids")
struct RepeatTableTests {
    private func server(_ change: (inout ServerConfiguration) -> Void = { _ in }) -> TestServerSession {
        TestServerSession {
            $0.flow.deduplication = ServerConfiguration.Flow.Deduplication()
            change(&$0)
        }
    }

    private func begin(_ server: inout TestServerSession, _ number: UInt64, as client: String) {
        server.connect(number, HandshakeInfo(clientID: client))
        server.receive(from: number, #"{"type":"flow-handshake","capabilities":{"deduplication":true}}"#)
    }

    private func publish(_ id: String) -> String {
        #"{"type":"publish","channel-id":"a","data":{},"message-id":"\#(id)"}"#
    }

    @Test("A publish that comes again is answered as before, and delivered once, on whatever connection")
    func publishes() throws {
        var server = server()
        begin(&server, 1, as: "one")
        begin(&server, 2, as: "two")
        server.receive(from: 2, #"{"type":"subscribe","channel-id":"a"}"#)
        let first = server.receive(from: 1, publish("m1"))
        #expect(first.count == 2)
        server.handle(.closed(ConnectionID(1)))
        begin(&server, 3, as: "one")
        #expect(server.receive(from: 3, publish("m1")) == [first[1].replacing("1 < ", with: "3 < ")])
        #expect(server.session.counters.flow.repeated == 1)
        // Another client's id is another id.
        #expect(server.receive(from: 2, publish("m1")).count == 2)
        #expect(server.receive(from: 3, publish("m2")).count == 2)
    }

    @Test("A message of any other kind is handled once, too")
    func others() throws {
        var server = server { $0.answeringChannels = ["b"] }
        begin(&server, 1, as: "one")
        let request = #"{"type":"rpc-request","channel-id":"b","data":{},"message-id":"r"}"#
        #expect(server.receive(from: 1, request).count == 2)
        #expect(server.receive(from: 1, request).count == 1)
        #expect(server.session.counters.requests == 1)
        let other = #"{"type":"x","message-id":"o"}"#
        #expect(server.receive(from: 1, other) == server.receive(from: 1, other))
        #expect(server.session.counters.flow.repeated == 2)
    }

    @Test("In Sente an event is told once, and whoever waits for its reply is told that it came before")
    func events() {
        var server = TestServerSession(.sente) {
            $0.flow.deduplication = ServerConfiguration.Flow.Deduplication()
            $0.hasHook = true
        }
        server.connect(1, HandshakeInfo(clientID: "c", uid: "u"))
        server.receive(from: 1, #"[[:flow/handshake {:capabilities {:deduplication true}}] "h"]"#)
        let event = #"[[:a/b {:message-id "1"}] "cb"]"#
        #expect(server.receive(from: 1, event).count == 1)
        #expect(server.receive(from: 1, event) == [#"1 < [:flow/repeated "cb"]"#])
    }

    @Test("As many ids are remembered as may be, as long as they may be, of those who agreed on it")
    func limits() {
        var server = server {
            $0.flow.deduplication?.ids = 2
            $0.flow.deduplication?.age = .seconds(60)
        }
        begin(&server, 1, as: "one")
        func repeated() -> Int { server.session.counters.flow.repeated }
        for id in ["1", "2", "3", "1"] { server.receive(from: 1, publish(id)) }
        #expect(repeated() == 0)
        server.receive(from: 1, publish("3"))
        #expect(repeated() == 1)
        server.advance(by: .seconds(61))
        server.receive(from: 1, publish("3"))
        #expect(repeated() == 1)
        let long = String(repeating: "x", count: 300)
        for _ in 0..<2 { server.receive(from: 1, publish(long)) }
        server.connect(2)
        for _ in 0..<2 { server.receive(from: 2, publish("3")) }
        #expect(repeated() == 1)
    }

    @Test("The page of statistics tells of it only where something was announced")
    func page() {
        #expect(!TestServerSession().page("/stats").contains("flow"))
        #expect(!TestServerSession().page("/metrics").contains("sessions"))
        var server = server()
        begin(&server, 1, as: "one")
        #expect(
            server.page("/stats").contains(#""flow":{"agreements":1,"breaches":0,"sessions":{"parked":0,"#))
        #expect(server.page("/metrics").contains("sente_lite_server_sessions_parked 0"))
    }
}
