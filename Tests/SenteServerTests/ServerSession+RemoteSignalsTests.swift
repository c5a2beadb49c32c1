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

    private func signals(_ session: inout TestServerSession, _ text: String) -> [Signal] {
        var signals: [Signal] = []
        for case .remoteSignals(let some) in session.effects(of: .received(ConnectionID(1), .text(text))) {
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
        #expect(closed.receive(from: 1, #"{"type":"tel/signal","id":"a/b"}"#).count == 1, "an echo")
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
}
