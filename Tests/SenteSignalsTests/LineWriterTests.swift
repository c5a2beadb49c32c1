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
