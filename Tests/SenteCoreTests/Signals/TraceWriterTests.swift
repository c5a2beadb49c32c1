// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import SenteWire
import Testing

@Suite("The lines of a trace")
struct TraceWriterTests {
    private let writer = TraceWriter(redaction: Redaction(words: ["token"]), maximumLength: 40)
    private let time: Int64 = 45_296_007
    private let maps = SenteLiteMaps(format: .json)

    @Test("A message is shown with its direction, time, size and value, secrets taken out")
    func messages() {
        let out = [Message.text(#"{"type":"login","token":"s3cret"}"#), .text("[1]")]
        #expect(
            writer.lines(for: .sent(out, maps), at: time) == [
                #"> 12:34:56.007 33 B {"type" "login", "token" "…"}"#, "> 12:34:56.007 3 B [1]",
            ])
        #expect(
            writer.lines(for: .received([.text("+[[:a/b 1] nil]")], SenteVectors(format: .edn)), at: time)
                == ["< 12:34:56.007 15 B [[:a/b 1] nil]"])
    }

    @Test("What cannot be read is not shown, for it cannot be redacted")
    func unreadable() {
        #expect(
            writer.lines(for: .received([.text("token=s3cret")], maps), at: time)
                == ["< 12:34:56.007 12 B (no json)"])
        #expect(
            writer.lines(for: .received([.text("token=s3cret")], nil), at: time)
                == ["< 12:34:56.007 12 B (not readable yet)"])
    }

    @Test("A long value is cut, and says how long it is")
    func long() {
        let message = Message.text("[\"" + String(repeating: "ä", count: 60) + "\"]")
        let line = writer.lines(for: .sent([message], maps), at: time)[0]
        #expect(line.hasSuffix("ä… (64 characters)"))
        #expect(line.count < 90)
    }

    @Test("What happens to the connection is told between them, a URL without its secrets")
    func events() {
        let now = Moment(instant: Instant(nanoseconds: 0), wallMilliseconds: time)
        #expect(
            writer.lines(for: .opening("ws://h/?csrf-token=1"), at: time)
                == ["= 12:34:56.007 opening ws://h/?csrf-token=…"])
        #expect(
            writer.lines(for: .signal(ClientSignal(.linkEnded(nil), at: now)), at: time)
                == ["= 12:34:56.007 link-ended: The connection was closed by this client."])
        #expect(
            writer.lines(for: .signal(ClientSignal(.roundTrip(.zero), at: now)), at: time).isEmpty)
    }

    @Test(
        "The time of the day goes round, before 1970 too",
        arguments: [
            (0, "00:00:00.000"), (86_400_001, "00:00:00.001"), (-1, "23:59:59.999"),
            (Int64.min, "00:12:55.808"),
        ])
    func times(_ milliseconds: Int64, _ text: String) {
        if milliseconds != .min { #expect(TimeOfDay(milliseconds: milliseconds).description == text) }
        #expect(TimeOfDay(milliseconds: milliseconds).description.count == 12)
    }
}
