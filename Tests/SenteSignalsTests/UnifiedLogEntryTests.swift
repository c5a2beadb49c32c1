// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import Testing

@Suite("Entries of Apple's unified log")
struct UnifiedLogEntryTests {
    private static func entry(_ signal: Signal, by writer: inout LineWriter) -> UnifiedLogEntry? {
        var entry: UnifiedLogEntry?
        signal.withRecord { entry = UnifiedLogEntry($0, by: &writer) }
        return entry
    }

    private static func text(_ message: String) -> String? {
        var writer = LineWriter(.text)
        return entry(Signal(time: 0, namespace: "app", message: message), by: &writer)?.text
    }

    @Test(
        "each level has the log's that is kept as long",
        arguments: [
            (SignalLevel.trace, UnifiedLogEntry.Level.debug), (.debug, .debug), (.info, .info),
            (.warn, .default), (.error, .error), (.fatal, .fault), (.report, .default),
            (SignalLevel(rawValue: .min), .debug), (SignalLevel(rawValue: 55), .info),
            (SignalLevel(rawValue: 75), .error), (SignalLevel(rawValue: 89), .fault),
            (SignalLevel(rawValue: .max), .default),
        ])
    func levels(level: SignalLevel, expected: UnifiedLogEntry.Level) {
        var writer = LineWriter(.text)
        #expect(Self.entry(Signal(time: 0, level: level, namespace: "app"), by: &writer)?.level == expected)
    }

    @Test("a text has neither time nor level nor the end of a line, and nothing of the entry before")
    func text() {
        var writer = LineWriter(.text)
        for name in ["first", "second"] {
            let signal = Signal(time: 0, namespace: "app", message: "the \(name) [of two]")
            #expect(Self.entry(signal, by: &writer)?.text == "[app] - the \(name) [of two]")
        }
    }

    @Test("a long one is cut at 1,000 bytes, where a character ends")
    func cut() {
        let head = "[app] - "
        let room = 1_000 - head.utf8.count
        let fits = String(repeating: "x", count: room)
        #expect(Self.text(fits) == head + fits)
        #expect(Self.text(fits + "x") == head + fits)
        for (wide, bytes) in [("é", 2), ("€", 3), ("😀", 4)] {
            for missing in 0..<bytes {
                let start = String(repeating: "x", count: room - missing)
                #expect(Self.text(start + wide + "x") == head + start, "\(wide), \(missing) bytes of it fit")
            }
            let start = String(repeating: "x", count: room - bytes)
            #expect(Self.text(start + wide + "x") == head + start + wide)
        }
    }
}
