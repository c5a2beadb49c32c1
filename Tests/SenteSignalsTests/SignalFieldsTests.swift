// SPDX-License-Identifier: Apache-2.0

import SenteSignals
import SenteWire
import Testing

@Suite("The fields of a call")
struct SignalFieldsTests {
    private struct Odd: Error, CustomStringConvertible {
        var description: String { "odd" }
    }

    /// What a call of that data makes.
    private func signal(
        space: Int = 1_024, id: StaticString = "joined", _ build: (inout SignalFields) -> Void
    ) -> Signal {
        withUnsafeTemporaryAllocation(byteCount: space, alignment: 8) { space in
            var fields = SignalFields(in: UnsafeMutableRawBufferPointer(space), level: .info, kind: .event)
            fields.setNamespace("my.app")
            fields.setID(id)
            build(&fields)
            return Signal(fields.finish(at: 5))
        }
    }

    @Test("each type has its setter", arguments: [0, 72, 80, 100, 1_024])
    func types(space: Int) {
        let text = String(repeating: "t", count: 18)
        let signal = signal(space: space) {
            $0["int"] = 7
            $0["int8"] = Int8(-7)
            $0["uint64"] = UInt64.max
            $0["double"] = 1.5
            $0["bool"] = true
            $0["string"] = text
            $0["static"] = "fixed" as StaticString
            $0["scalar"] = StaticString(unicodeScalarLiteral: "é")
            $0["keyword"] = Keyword("a/b")
            $0["duration"] = Duration.seconds(2) + .microseconds(1_500)
            $0["error"] = Odd()
            $0["value"] = [1, "two"]
            $0["null"] = nil
        }
        let expected: ValueMap = [
            .keyword("int"): 7, .keyword("int8"): -7, .keyword("uint64"): .bigInteger(BigInteger(UInt64.max)),
            .keyword("double"): 1.5, .keyword("bool"): true, .keyword("string"): .string(text),
            .keyword("static"): "fixed", .keyword("scalar"): "é", .keyword("keyword"): .keyword("a/b"),
            .keyword("duration"): 2_001.5,
            .keyword("error"): .map([.keyword("type"): "Odd", .keyword("message"): "odd"]),
            .keyword("value"): [1, "two"], .keyword("null"): nil,
        ]
        #expect(signal.data == expected)
        #expect(signal.data.keys == expected.keys)
        #expect(signal.time == 5)
    }

    @Test(
        "whole numbers are what they were, whatever room they take",
        arguments: [
            0, -1, Int64(Int32.max), Int64(Int32.max) + 1, Int64(Int32.min), Int64(Int32.min) - 1, .max, .min,
        ])
    func integers(number: Int64) {
        let signal = signal {
            $0["set"] = number
            $0["value"] = Value.integer(number)
            $0["behind"] = "text"
        }
        #expect(
            signal.data == [
                .keyword("set"): .integer(number), .keyword("value"): .integer(number),
                .keyword("behind"): "text",
            ])
    }

    @Test("a key that is written again has its last value, once")
    func again() {
        let signal = signal {
            $0["a"] = 1
            $0["b"] = 2
            $0["a"] = "three"
        }
        #expect(signal.data == [.keyword("a"): "three", .keyword("b"): 2])
    }

    @Test("an id without a slash belongs to the namespace, one with a slash to nobody")
    func ids() {
        #expect(signal(id: "joined") { _ in }.id == "my.app/joined")
        #expect(signal(id: "other/joined") { _ in }.id == "other/joined")
    }

    @Test("more than the stack holds goes on in allocated bytes")
    func overflow() {
        let text = String(repeating: "x", count: 5_000)
        let signal = signal {
            for _ in 0..<3 { $0["a"] = text }
            $0["b"] = text
        }
        #expect(signal.data == [.keyword("a"): .string(text), .keyword("b"): .string(text)])
    }

    @Test("a builder that never ends is bounded")
    func endless() {
        let signal = signal { fields in
            for number in 0..<100_000 { fields["n"] = number }
        }
        #expect(signal.data == [.keyword("n"): 255, .keyword("fields-left-out"): 99_744])
    }

    @Test("texts and keys of the greatest length stay, and longer ones say how long they were")
    func greatTexts() throws {
        let text = String(repeating: "é", count: SignalFields.maximumText / 2)
        let key = String(repeating: "k", count: 4_096)
        let signal = signal {
            $0["whole"] = text
            $0["cut"] = "x" + text
            $0.setData(key, 1)
            $0.setData(key + "k", 2)
        }
        #expect(signal.data[.keyword("whole")] == .string(text))
        let cut = try #require(signal.data[.keyword("cut")]?.stringValue)
        #expect(cut.utf8.count <= SignalFields.maximumText)
        #expect(cut.hasSuffix("é… (16385 bytes)") && ("x" + text).hasPrefix(cut.prefix { $0 != "…" }))
        #expect(signal.data[.keyword(Keyword(key))] == 1)
        let keys = signal.data.keys.compactMap { $0.keywordValue?.text }
        #expect(keys.last?.hasSuffix("k… (4097 bytes)") == true)
    }

    @Test("values that are too great to be read back are texts")
    func greatValues() {
        let numbers = Value.vector((0..<3_000).map { .integer($0) })
        let more = Value.vector((0..<6_000).map { .integer($0) })
        let signal = signal {
            $0["whole"] = numbers
            $0["cut"] = more
            $0["text"] = String(repeating: "x", count: 12_000)
            $0["late"] = numbers
        }
        #expect(signal.data[.keyword("whole")] == numbers)
        #expect(signal.data[.keyword("cut")]?.stringValue?.hasPrefix("[0 1 2") == true)
        #expect(signal.data[.keyword("late")]?.stringValue?.hasPrefix("[0 1 2") == true)
    }

    @Test("a context for which there is no room is left out whole, and counted")
    func contextWithoutRoom() {
        let wide = EncodedContext(ValueMap((0..<200).map { (.keyword(Keyword("c\($0)")), 1) }))
        let many = signal {
            for number in 0..<100 { $0["n"] = number }
            $0.setContext(wide)
            for number in 100..<256 { $0["n"] = number }
        }
        #expect(many.context.isEmpty)
        #expect(many.data == [.keyword("n"): 255, .keyword("fields-left-out"): 200])
        let both = signal {
            $0.setContext(wide)
            for number in 0..<100 { $0["n"] = number }
        }
        #expect(both.context.count == 200)
        #expect(both.data == [.keyword("n"): 55, .keyword("fields-left-out"): 44])
        let text = String(repeating: "x", count: 16_000)
        let great = EncodedContext([.keyword("a"): .string(text), .keyword("b"): .string(text)])
        let full = signal {
            $0["a"] = text
            $0["b"] = text
            $0.setContext(great)
        }
        #expect(full.context.isEmpty)
        #expect(full.data[.keyword("fields-left-out")] == 2)
    }

    @Test("a line that is none is left out")
    func oddLines() {
        for line in [-1, 1 << 40] {
            let signal = Signal(time: 0, namespace: "n", line: line)
            #expect(signal.withRecord { Signal($0) }.line == nil)
        }
    }

    @Test("numbers behind great texts do not pass the bound of a record either")
    func numbersBehindTexts() {
        var fields = SignalFields(in: .init(start: nil, count: 0), level: .info, kind: .event)
        fields.setNamespace("my.app")
        for _ in 0..<3 { fields["a"] = String(repeating: "x", count: 16_000) }
        for number in 0..<250 { fields["n"] = number }
        let record = fields.finish(at: 5)
        #expect(record.size <= SignalFields.maximumRecord)
        #expect(Signal(record).data[.keyword("fields-left-out")] != nil)
    }

    @Test("a context that was encoded once is the context of each signal")
    func context() {
        let context: ValueMap = [.keyword("user"): "ann", .keyword("deep"): [1, [2]]]
        let encoded = EncodedContext(context)
        let signal = signal {
            $0.setContext(encoded)
            $0["a"] = 1
        }
        #expect(signal.context == context)
        #expect(signal.data == [.keyword("a"): 1])
    }
}
