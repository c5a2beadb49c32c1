// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteSignals
import SenteWire
import Testing

@Suite("Records")
struct SignalRecordTests {
    @Test("a signal comes out of its record as it went in")
    func roundTrip() {
        var random = RandomSignals(seed: 12)
        for _ in 0..<2_000 {
            let signal = random.next()
            #expect(signal.withRecord { Signal($0) } == signal)
        }
    }

    @Test("a record's size is a multiple of eight")
    func size() {
        var random = RandomSignals(seed: 13)
        for _ in 0..<500 {
            let size = random.next().withRecord { $0.size }
            #expect(size % 8 == 0)
            #expect(size <= SignalFields.maximumRecord)
        }
    }

    @Test("every kind of value is read as what it was written")
    func values() {
        let values: [Value] = [
            .null, .bool(true), .bool(false), 0, -1, .integer(.max), .integer(.min), .double(1.5),
            .double(.nan),
            .double(-0.0), .double(.infinity), "", "text", "a\u{0}b\n\"\\\u{7F}", .keyword("a/b"),
            .keyword(""),
            .keyword(Keyword("::x")), .keyword("not valid"), [1, "two", [3]], .map([.keyword("a"): nil]),
            .set([1, 2]), .bytes([0, 255]), .bigInteger(BigInteger(UInt64.max)), .character("x"),
        ]
        for value in values {
            let signal = Signal(time: 1, namespace: "n", data: [.keyword("v"): value])
            #expect(signal.withRecord { Signal($0) }.data[Keyword("v")] == value)
        }
    }

    @Test("a value that EDN cannot say becomes a text")
    func unencodable() {
        let value = Value.vector([.keyword("not valid")])
        let signal = Signal(time: 1, namespace: "n", data: [.keyword("v"): value])
        #expect(signal.withRecord { Signal($0) }.data[Keyword("v")] == .string("[:not valid]"))
    }

    @Test(
        "names and texts may hold anything",
        arguments: [
            "", "\u{0}", "a\nb\r\nc", "\u{1B}[31m", "\"}{\\", "é", "👩‍👩‍👧",
            String(decoding: [0xFF, 0xC0, 0x41], as: UTF8.self),
            "\u{FEFF}", "\u{2028}", "a/b/c", ":", "\u{202E}",
        ])
    func hostile(text: String) {
        let signal = Signal(
            time: -1, level: SignalLevel(rawValue: Int(Int16.min)), kind: .log, namespace: text, id: text,
            message: text,
            data: [.keyword(Keyword(namespace: nil, name: text)): .string(text)],
            error: SignalError(type: text, message: text, code: text),
            context: [.keyword(Keyword(namespace: nil, name: text)): .string(text)], file: text, line: 1)
        #expect(signal.withRecord { Signal($0) } == signal)
    }

    @Test("a text is cut after 16 KiB, between characters, and says how long it was")
    func cut() throws {
        for unit in ["a", "é", "€", "😀"] {
            let text = String(repeating: unit, count: 1 << 20)
            let signal = Signal(time: 1, namespace: "n", message: text)
            let message = try #require(signal.withRecord { Signal($0) }.message)
            #expect(message.utf8.count <= SignalFields.maximumText)
            #expect(message.utf8.count > SignalFields.maximumText - 4)
            #expect(message.hasSuffix("… (\(text.utf8.count) bytes)"))
            #expect(text.hasPrefix(message.prefix { $0 != "…" }))
        }
        let whole = String(repeating: "a", count: SignalFields.maximumText)
        #expect(Signal(time: 1, namespace: "n", message: whole).withRecord { Signal($0) }.message == whole)
    }

    @Test("what has no room is left out, and counted")
    func leftOut() throws {
        let text = Value.string(String(repeating: "a", count: 16 << 10))
        let signal = Signal(
            time: 1, namespace: "n", message: "m",
            data: ValueMap((0..<10).map { (.keyword(Keyword("k\($0)")), text) }))
        signal.withRecord { record in
            #expect(record.size <= SignalFields.maximumRecord)
            let data = Signal(record).data
            #expect(data["fields-left-out" as Keyword] == 7)
            #expect(data.count == 4)
            #expect(Signal(record).message == "m")
        }
        let many = Signal(
            time: 1, namespace: "n",
            data: ValueMap((0..<1_000).map { (.keyword(Keyword("k\($0)")), .integer($0)) }))
        let data = many.withRecord { Signal($0).data }
        #expect(data.count == 257)
        #expect(data["fields-left-out" as Keyword] == 744)
    }

    @Test("long names are cut, so that a record always has room for them")
    func longNames() {
        let name = String(repeating: "n", count: 100_000)
        let signal = Signal(time: 1, namespace: name, id: name, message: "m", file: name)
        signal.withRecord { record in
            let read = Signal(record)
            #expect(record.size < 16 << 10)
            #expect(read.message == "m")
            #expect(read.namespace.hasSuffix("… (100000 bytes)"))
        }
    }

    @Test("a nil id or file is not an empty one")
    func absent() {
        for (id, file) in [(nil, nil), ("", nil), (nil, ""), ("", "")] as [(String?, String?)] {
            let signal = Signal(time: 1, namespace: "", id: id, file: file)
            #expect(signal.withRecord { Signal($0) } == signal)
        }
    }
}
