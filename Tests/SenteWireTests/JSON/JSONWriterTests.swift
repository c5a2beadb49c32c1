// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    private func write(_ value: Value, _ options: JSONOptions = JSONOptions()) throws(WireError) -> String {
        String(decoding: try WireFormat.json(options, named: "json under test").encode(value), as: UTF8.self)
    }

    @Test(
        "says what the value says, in the order of insertion",
        arguments: [
            (.null, "null"), (true, "true"), (-12, "-12"), (.integer(.min), "-9223372036854775808"), (0, "0"),
            (.integer(.max), "9223372036854775807"), (10, "10"), (1.0, "1.0"), (0.1, "0.1"),
            (1e300, "1e+300"),
            (.double(-0.0), "-0.0"), ([], "[]"), ([:], "{}"),
            (["z": 1, "a": [2, nil]], "{\"z\":1,\"a\":[2,null]}"),
            ("a\"b\\c\n\u{1}\u{1F}\u{7F}ü👋/", "\"a\\\"b\\\\c\\n\\u0001\\u001f\u{7F}ü👋/\""),
        ] as [(Value, String)])
    func says(value: Value, text: String) throws {
        #expect(try write(value) == text)
    }

    @Test(
        "writes by the documented choice what JSON has no word for",
        arguments: [
            (.keyword("a/b"), "\"a/b\""), (.symbol("x"), "\"x\""), (.list([1]), "[1]"),
            (.set([1, 2]), "[1,2]"),
            (.character("é"), "\"é\""), (.bytes([0, 255, 1, 2]), "\"AP8BAg==\""),
            (.uri("http://x/"), "\"http://x/\""),
            (.instant(Timestamp(milliseconds: 0)), "\"1970-01-01T00:00:00.000Z\""),
            (.map([.keyword("k"): 1, .symbol("s"): 2]), "{\"k\":1,\"s\":2}"),
            (Value(UInt64.max), "18446744073709551615"),
        ] as [(Value, String)])
    func lossy(value: Value, text: String) throws {
        #expect(try write(value) == text)
    }

    @Test("writes by other choices where they are made")
    func choices() throws {
        let options = JSONOptions(
            keywords: .colon, keys: .scalars, nonFinite: .text, exactNumbers: .text, instants: .milliseconds)
        let value: Value = [
            .keyword("a/b"): .double(.nan), 1: Value(UInt64.max), nil: .instant(Timestamp(milliseconds: 5)),
        ]
        #expect(try write(value, options) == "{\":a/b\":\"NaN\",\"1\":\"18446744073709551615\",\"null\":5}")
        #expect(try write(.double(.infinity), JSONOptions(nonFinite: .null)) == "null")
    }

    @Test(
        "names the path to what cannot be said",
        arguments: [
            (["a": [1, .double(.nan)]], ["a", 1]), (["a": ["b": .tagged("t", 1)]], ["a", "b"]),
            ([[1: 2]], [0, 1]), (.double(.infinity), []),
            (["x": 1, "k": [.keyword("a"): 1, "a": 2]], ["k"]),
        ] as [(Value, [Value])])
    func unencodable(value: Value, path: [Value]) {
        let error = #expect(throws: WireError.self) { try write(value) }
        #expect(error?.kind == .unencodable)
        #expect(error?.path == path)
    }

    @Test("stops at the limits of depth and size, and leaves the bytes as they were")
    func limits() throws {
        var deep: Value = 1
        for _ in 0..<513 { deep = [deep] }
        var bytes: [UInt8] = [1, 2]
        let error = #expect(throws: WireError.self) { try WireFormat.json.encode(deep, into: &bytes) }
        #expect(error?.kind == .tooDeep)
        let large = #expect(throws: WireError.self) {
            try WireFormat.json.encode("123456", into: &bytes, limits: WireLimits(maximumBytes: 7))
        }
        #expect(large?.kind == .tooLarge)
        #expect(bytes == [1, 2])
    }

    @Test("reads back what it wrote, for thousands of random values")
    func roundTrip() throws {
        for seed in 0..<3000 as Range<UInt64> {
            var generator = SplitMix(state: seed)
            let value = generator.jsonValue()
            let bytes = try WireFormat.json.encode(value)
            let again = try WireFormat.json.decode(bytes)
            #expect(again == value, "seed \(seed)")
            #expect(try WireFormat.json.encode(again) == bytes, "seed \(seed)")
        }
    }
}
