// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteWire
import Testing

@Suite("Writers of lines")
struct LineWriterTests {
    /// Calls with a record as a call site in the program makes it, of which there are as many as there are lines.
    private static func record(
        _ id: StaticString, line: Int, level: SignalLevel, time: Int64, _ body: (SignalRecord) -> Void
    ) {
        var fields = SignalFields(in: .init(start: nil, count: 0), level: level, kind: .event)
        fields.setNamespace("my.app" as StaticString)
        fields.setID(id)
        fields.setFile("App/\"Main\".swift" as StaticString)
        fields.setLine(line)
        fields.setData("n", .integer(Int64(line)))
        body(fields.finish(at: time))
    }

    @Test(
        "what is remembered of call sites changes no line, though there are more than are remembered",
        arguments: LineFormat.allCases)
    func callSites(format: LineFormat) {
        var writer = LineWriter(format)
        for round in 0..<3 {
            for line in 0..<700 {
                let level = SignalLevel.named[line % 7]
                let time = Int64(round * 700 + line) * 300_000_000
                for id in ["joined", "left", "other.ns/id"] as [StaticString] {
                    Self.record(id, line: line, level: level, time: time) { record in
                        writer.removeAll()
                        writer.write(record)
                        let isSame =
                            String(decoding: writer.written, as: UTF8.self) == format.line(of: Signal(record))
                        if !isSame { Issue.record("\(id) at \(line) in round \(round)") }
                    }
                }
            }
        }
    }

    /// What a call site may write under its keys, by turns.
    private static let bodies: [@Sendable (inout SignalFields, String) -> Void] = [
        { fields, text in
            fields["text"] = text
            fields["count"] = text.utf8.count
            fields["is-long"] = text.utf8.count > 20
        },
        { fields, text in
            fields["text"] = text
            fields["count"] = Double(text.utf8.count) / 8
            fields["is-long"] = Value.null
        },
        { fields, text in
            fields["text"] = "of the program" as StaticString
            fields["count"] = 3
            fields["is-long"] = text.isEmpty
        },
        { fields, text in
            fields["text"] = text
            fields["count"] = Keyword("some/\(text.utf8.count)")
            fields["is-long"] = Value.vector([.string(text)])
        },
        { fields, text in
            fields["count"] = text.utf8.count
            fields["text"] = text
        },
        { fields, text in
            fields["text"] = "again"
            fields["count"] = 1
            fields["text"] = text
        },
        { fields, text in
            fields["text"] = text
            fields["count"] = Int64.min
            fields["is-long"] = true
            fields.setData("made", .string(text))
        },
        { fields, text in
            fields["text"] = text
            fields["count"] = UInt64.max
            fields["is-long"] = -Double.infinity
            fields.setContext("user", .string(text))
            fields.setMessage(text)
        },
        { _, _ in },
    ]

    @Test(
        "what is remembered of the keys of a call site changes no line, whatever it writes under them",
        arguments: LineFormat.allCases)
    func keys(format: LineFormat) {
        // All that must be escaped, around the ends of blocks.
        let plain = (0...40).map { String(repeating: "p", count: $0) }
        let escaped = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40].flatMap { count in
            ["\"", "\u{1}", "\\", "ä", "\u{2028}"].map { mark in
                String(repeating: "p", count: count) + mark + String(repeating: "q", count: 40 - count)
            }
        }
        let texts = plain + escaped + [String(repeating: "\u{1}", count: 3_000)]
        for first in Self.bodies.indices {
            // The site's first record is what is remembered of it.
            var writer = LineWriter(format)
            for (number, text) in texts.enumerated() {
                let body = number == 0 ? first : number % Self.bodies.count
                var fields = SignalFields(in: .init(start: nil, count: 0), level: .info, kind: .event)
                fields.setPlace(namespace: "my.app", id: "joined", file: "App/\"Main\".swift", line: 7)
                Self.bodies[body](&fields, text)
                let record = fields.finish(at: Int64(number) * 999_999)
                writer.removeAll()
                writer.write(record)
                let line = String(decoding: writer.written, as: UTF8.self)
                if line != format.line(of: Signal(record)) {
                    Issue.record("\(body) after \(first): \(line)")
                }
            }
        }
    }

    @Test("what was written first can be taken away")
    func removeFirst() {
        var writer = LineWriter(.text)
        Signal(time: 0, namespace: "a").withRecord { writer.write($0) }
        let count = writer.count
        Signal(time: 0, namespace: "b").withRecord { writer.write($0) }
        writer.removeFirst(count)
        #expect(String(decoding: writer.written, as: UTF8.self) == "1970-01-01T00:00:00.000Z INFO [b]\n")
    }
}
