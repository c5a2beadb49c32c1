// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteSignals
import SenteTelemetry
import Testing

@Suite("Handlers in memory and on terminals")
struct HandlersTests {
    private static func batch(_ numbers: Range<Int>) -> SignalBatch {
        SignalBatch(numbers.map { Signal(time: Int64($0), namespace: "a", message: "\($0)") })
    }

    @Test("a memory keeps the newest, the oldest first")
    func memory() {
        let memory = MemoryHandler(3)
        memory.handle(Self.batch(0..<2))
        #expect(memory.signals.map(\.time) == [0, 1])
        memory.handle(Self.batch(2..<8))
        #expect(memory.signals.map(\.time) == [5, 6, 7])
        memory.removeAll()
        #expect(memory.signals.isEmpty)
        memory.handle(Self.batch(8..<9))
        #expect(memory.signals.map(\.time) == [8])
    }

    @Test("a memory for nothing keeps nothing")
    func noMemory() {
        for count in [0, -1] {
            let memory = MemoryHandler(count)
            memory.handle(Self.batch(0..<5))
            #expect(memory.signals.isEmpty)
        }
    }

    @Test("a closure gets each signal until it throws")
    func closure() {
        struct Enough: Error {}
        let memory = MemoryHandler()
        let handler = ClosureHandler { signal in
            if signal.time == 3 { throw Enough() }
            memory.handle(SignalBatch([signal]))
        }
        #expect(throws: Enough.self) { try handler.handle(Self.batch(0..<9)) }
        #expect(memory.signals.map(\.time) == [0, 1, 2])
    }

    @Test(
        "colours are for terminals, unless the environment says otherwise",
        arguments: [
            (true, nil, "xterm", true), (true, "", "xterm", true), (true, "1", "xterm", false),
            (true, nil, "dumb", false), (false, nil, "xterm", false), (true, nil, nil, true),
        ] as [(Bool, String?, String?, Bool)])
    func colors(isTerminal: Bool, noColor: String?, terminal: String?, wanted: Bool) {
        #expect(Console.wantsColors(isTerminal: isTerminal, noColor: noColor, terminal: terminal) == wanted)
    }

    @Test(
        "the more a level matters, the warmer it is",
        arguments: [
            (10, "2"), (20, "2"), (49, "2"), (50, "32"), (59, "32"), (60, "33"), (69, "33"), (70, "1;31"),
            (80, "1;31"), (89, "1;31"), (90, "36"),
        ])
    func levelColors(level: Int, color: String) {
        var writer = LineWriter(.text, hasColors: true)
        let level = SignalLevel(rawValue: level)
        Signal(time: 0, level: level, namespace: "a").withRecord { writer.write($0) }
        #expect(
            String(decoding: writer.written, as: UTF8.self)
                == "1970-01-01T00:00:00.000Z \u{1B}[\(color)m\(level.name.uppercased())\u{1B}[0m [a]\n")
    }

    @Test("only the level is coloured, and what was logged cannot colour anything")
    func coloredLine() {
        var writer = LineWriter(.text, hasColors: true)
        Signal(time: 0, level: .warn, namespace: "a", message: "\u{1B}[31mred").withRecord {
            writer.write($0)
        }
        #expect(
            String(decoding: writer.written, as: UTF8.self)
                == "1970-01-01T00:00:00.000Z \u{1B}[33mWARN\u{1B}[0m [a] - \\u001b[31mred\n")
    }
}
