// SPDX-License-Identifier: Apache-2.0

import SenteLite
import SenteTelemetry
import Testing
import pipeline

@Suite("The table of pipeline")
struct BoardTests {
    private static func signal(
        _ app: String?, _ level: SignalLevel = .info, milliseconds: Int? = nil
    ) -> Signal {
        Signal(
            time: 0, level: level, namespace: "shop",
            context: app.map { [.keyword("app"): .string($0)] } ?? [:],
            duration: milliseconds.map { .milliseconds($0) })
    }

    @Test("Apps stand by their names, with their counts, levels and latencies")
    func rows() {
        var board = Board()
        for number in 1...98 { board.add(Self.signal("south", milliseconds: number == 98 ? 80 : 20), at: 5) }
        for level in [.warn, .warn, .error, .info] as [SignalLevel] {
            board.add(Self.signal("north-west", level), at: 5)
        }
        board.add(Self.signal(nil, .report), at: 5)
        #expect(
            board.lines(at: 6) == [
                "app         signals  a second  info  warn  error    p50    p99",
                "?                 1       0.1     0     0      0      –      –",
                "north-west        4       0.4     1     2      1      –      –",
                "south            98       9.8    98     0      0  20 ms  80 ms",
            ])
        #expect(
            board.value(at: 6)[1] == [
                "app": "north-west", "signals": 4, "per-second": 0.4,
                "levels": ["info": 1, "warn": 2, "error": 1], "p50-ms": nil, "p99-ms": nil,
            ])
        #expect(board.value(at: 6)[0]?["levels"] == ["report": 1])
        let south = board.value(at: 6)[2]
        #expect((19...21).contains(south?["p50-ms"]?.doubleValue ?? 0))
        #expect((78...82).contains(south?["p99-ms"]?.doubleValue ?? 0))
    }

    @Test("The rate is that of the last ten whole seconds")
    func rate() {
        var board = Board()
        for second in Int64(100)...104 {
            for _ in 0..<20 { board.add(Self.signal("a"), at: second) }
        }
        func rate(at second: Int64) -> Double? { board.value(at: second)[0]?["per-second"]?.doubleValue }
        let rates = ([100, 101, 104, 105, 110, 111, 114, 115] as [Int64]).map(rate)
        #expect(rates == [0, 2, 8, 10, 10, 8, 2, 0])
        board.add(Self.signal("a"), at: 200)
        #expect(rate(at: 201) == 0.1)
    }

    @Test("What comes of more than fifty apps is counted, and the table does not grow")
    func many() {
        var board = Board()
        for number in 0..<1_000 { board.add(Self.signal("app \(number)"), at: 1) }
        board.add(Self.signal("app 3"), at: 1)
        let rows = board.value(at: 2).arrayValue ?? []
        #expect(rows.count == 51)
        func count(of app: String) -> Value? { rows.first { $0["app"]?.stringValue == app }?["signals"] }
        #expect(count(of: "others") == 950 && count(of: "app 3") == 2)
    }
}
