// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteServer
import SenteSignals
import SenteWire
import Testing

@Suite("Telemetry of clients")
struct ServerSessionRemoteSignalsTests {
    private func session(_ dialect: ServerConfiguration.Dialect) -> TestServerSession {
        var session = TestServerSession(dialect) { $0.takesSignals = true }
        session.connect(1, HandshakeInfo(uid: dialect == .sente ? "ann" : nil))
        return session
    }

    private func signals(
        _ session: inout TestServerSession, _ text: String, from number: UInt64 = 1
    ) -> [Signal] {
        var signals: [Signal] = []
        let input = ServerInput.received(ConnectionID(number), .text(text))
        for case .remoteSignals(let some) in session.effects(of: input) {
            signals += some
        }
        return signals
    }

    @Test(
        "one signal or a batch comes in each dialect",
        arguments: [
            (.maps, #"{"type":"tel/signal","signal":{"id":"a/b","data":{"n":1}}}"#, 1),
            (.maps, #"{"type":"tel/signal","id":"a/b","data":{"n":1}}"#, 1),
            (.maps, #"{"type":"tel/batch","signals":[{"id":"a/b","data":{"n":1}},{"msg":"x"},5]}"#, 2),
            (.vectors, #"[:tel/signal {:id "a/b" :data {:n 1}}]"#, 1),
            (.vectors, #"[:tel/batch [{:id :a/b :data {:n 1}} {:msg "x"} nil]]"#, 2),
            (.sente, #"[[:tel/batch [{:id "a/b" :data {:n 1}} {:msg "x"}]] nil]"#, 2),
            (.sente, #"[[:tel/batch {:id "a/b"}] nil]"#, 0),
        ] as [(ServerConfiguration.Dialect, String, Int)])
    func dialects(dialect: ServerConfiguration.Dialect, text: String, count: Int) {
        var session = session(dialect)
        let signals = signals(&session, text)
        #expect(signals.count == count)
        guard let first = signals.first else { return }
        #expect(first.id == "a/b")
        #expect(first.data.value(named: "n") == 1)
        #expect(first.time == 1_000_000_000, "the server's time, for it had none")
        #expect(first.context.value(named: "received") == "1970-01-01T00:00:01.000Z")
        #expect(first.context.value(named: "conn-id") != nil)
        #expect(dialect != .sente || first.context.value(named: "user") == "ann")
    }

    @Test("nothing is taken unless it is asked for, and nothing answers what is taken")
    func onlyIfAsked() {
        var closed = TestServerSession(.maps)
        closed.connect(1)
        let echoed = closed.receive(from: 1, #"{"type":"tel/signal","id":"a/b"}"#)
        #expect(echoed.count == 1 && echoed[0].hasPrefix("1 < "), "an echo: \(echoed)")
        var open = session(.maps)
        let lines = open.receive(from: 1, #"{"type":"tel/signal","id":"a/b"}"#)
        #expect(lines.count == 1 && lines[0].hasPrefix("signal"))
        var sente = session(.sente)
        let answered = sente.receive(from: 1, #"[[:tel/signal {:id "a/b"}] "cb1"]"#)
        #expect(answered.count == 2 && answered[1].contains("cb1"), "\(answered)")
    }

    @Test("a client may send 100 a second; what is beyond is counted in its next one")
    func limit() {
        var session = session(.vectors)
        let batch = "[:tel/batch [" + String(repeating: #"{:id "a/b"} "#, count: 150) + "]]"
        #expect(signals(&session, batch).count == 100)
        #expect(signals(&session, batch).isEmpty)
        session.advance(by: .seconds(1))
        let next = signals(&session, #"[:tel/signal {:id "a/b"}]"#)
        #expect(next.first?.context.value(named: "suppressed-count") == 200)
    }

    @Test(
        "who sent a signal and when it came is what the server knows, whatever the signal says",
        arguments: [
            (
                .maps,
                #"{"type":"tel/signal","signal":{"id":"a/b","ctx":{"session":"x","conn-id":"x","user":"x","received":"x"}}}"#
            ),
            (
                .vectors,
                #"[:tel/signal {:id "a/b" :ctx {:session "x" :conn-id "x" session "x" user "x" received "x"}}]"#
            ),
        ] as [(ServerConfiguration.Dialect, String)])
    func whoSentIt(dialect: ServerConfiguration.Dialect, text: String) throws {
        var session = TestServerSession(dialect) { $0.takesSignals = true }
        session.connect(1, HandshakeInfo(clientID: "phone-7", uid: "ann"))
        let signal = try #require(signals(&session, text).first)
        let name = try #require(session.session.name(of: ConnectionID(1)))
        // Vectors have no client's name.
        #expect(signal.context.value(named: "session") == .string(dialect == .maps ? "phone-7" : name))
        #expect(signal.context.value(named: "conn-id") == .string(name))
        #expect(signal.context.value(named: "user") == "ann")
        #expect(signal.context.value(named: "received") == "1970-01-01T00:00:01.000Z")
        #expect(!signal.context.description.contains(#""x""#), "\(signal.context)")
    }

    @Test("a client without a name of its own is known by its connection")
    func unnamed() throws {
        var session = session(.vectors)
        let signal = try #require(signals(&session, #"[:tel/signal {:id "a/b"}]"#).first)
        let name = try #require(session.session.name(of: ConnectionID(1)))
        #expect(signal.context.value(named: "session") == .string(name))
    }

    @Test("what is no signal is counted as unreadable")
    func unreadable() {
        var session = session(.vectors)
        #expect(signals(&session, #"[:tel/batch [nil 5 {} {:id "a/b"} {:level :info}]]"#).count == 1)
        #expect(session.session.counters.unreadableMessages == 4)
    }

    @Test("a client that sends too much takes nothing from another")
    func limitOfEach() {
        var session = session(.vectors)
        session.connect(2)
        let batch = "[:tel/batch [" + String(repeating: #"{:id "a/b"} "#, count: 150) + "]]"
        #expect(signals(&session, batch).count == 100)
        #expect(signals(&session, batch, from: 2).count == 100)
    }
}
