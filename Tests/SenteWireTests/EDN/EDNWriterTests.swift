// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Writing EDN")
struct EDNWriterTests {
    private func write(_ value: Value) throws(WireError) -> String {
        String(decoding: try WireFormat.edn.encode(value), as: UTF8.self)
    }

    @Test(
        "writes what Clojure's pr-str writes",
        arguments: [
            (
                [.keyword("a"): [1, 2.5, nil, true], "s": "héllo\n\"\\"],
                "{:a [1 2.5 nil true], \"s\" \"héllo\\n\\\"\\\\\"}"
            ),
            (
                .list([.set([.symbol("x"), .character("a")]), .character(" "), .character("\n")]),
                "(#{x \\a} \\space \\newline)"
            ),
            ([.double(.nan), .double(.infinity), .double(-.infinity), 1e-7], "[##NaN ##Inf ##-Inf 1e-07]"),
            (.tagged("my/tag", .tagged("t", [:])), "#my/tag #t {}"),
            ([.bytes([255]), .uri("x:\"")], "[#bytes \"/w==\" #uri \"x:\\\"\"]"),
            ([.character("\u{0}"), .character("\u{2003}"), .character("世")], "[\\u0000 \\u2003 \\世]"),
            (
                .instant(Timestamp(milliseconds: 1, nanoseconds: 5000)),
                "#inst \"1970-01-01T00:00:00.001005-00:00\""
            ),
        ] as [(Value, String)])
    func text(value: Value, text: String) throws {
        #expect(try write(value) == text)
        #expect(value.description == text)
        #expect(try WireFormat.edn.decode(Array(text.utf8)) == value)
    }

    @Test(
        "refuses what no Clojure reader would take back, and names the way to it",
        arguments: [
            ([1, ["a": .keyword("a b")]], [1, "a"]), ([.keyword("x/1")], [0]), ([.symbol("nil")], [0]),
            ([.keyword("")], [0]), ([.tagged("inst", 1)], [0]), ([.tagged("uri", "x:y")], [0]),
            ([.tagged("uuid", "00000000-0000-0001-0000-000000000002")], [0]),
            ([.tagged("bytes", "AQI=")], [0]),
            (.tagged("1", 2), []), (.tagged("a", [.tagged("", 1)]), [0]),
            (.set([0, .bigInteger(BigInteger(0))]), []), (["m": [.list([]): 1, []: 2]], ["m"]),
            ([.character("😀")], [0]), ([.instant(Timestamp(milliseconds: .max))], [0]),
            ([[.keyword("a b"): 1]], [0, .keyword("a b")]), (.set([.keyword("a b")]), [0]),
        ] as [(Value, [Value])])
    func unencodable(value: Value, path: [Value]) {
        let error = #expect(throws: WireError.self) { try write(value) }
        #expect(error?.kind == .unencodable)
        #expect(error?.path == path, "\(value)")
    }

    @Test("stops at the limits of depth and size")
    func limits() {
        var deep: Value = 1
        for _ in 0..<513 { deep = .tagged("a", deep) }
        #expect(#expect(throws: WireError.self) { try write(deep) }?.kind == .tooDeep)
        let wide = Value.vector([Value](repeating: [], count: 100))
        let error = #expect(throws: WireError.self) {
            try WireFormat.edn.encode(wide, limits: WireLimits(maximumBytes: 50))
        }
        #expect(error?.kind == .tooLarge)
    }

    @Test("loses nothing of random values, and writes equal values of one making as the same bytes")
    func roundTrip() throws {
        var generator = SplitMix(state: 2026)
        var refused = 0
        for _ in 0..<Effort.roundTrips {
            let value = generator.value()
            do throws(WireError) {
                let bytes = try WireFormat.edn.encode(value)
                let result = try WireFormat.edn.decode(bytes)
                guard result == value else {
                    Issue.record("\(value) came back as \(result)")
                    return
                }
                #expect(try WireFormat.edn.encode(result) == bytes)
            } catch {
                // Keys such as 1 and 1N in one map.
                try #require(
                    error.kind == .unencodable && error.message.contains("equal"), "\(value): \(error)")
                refused += 1
            }
        }
        #expect(refused < Effort.roundTrips / 50)
    }
}
