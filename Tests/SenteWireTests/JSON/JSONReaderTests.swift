// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteWire
import Testing

@Suite("Reading JSON")
struct JSONReaderTests {
    private func read(_ text: String) throws(WireError) -> Value {
        try WireFormat.json.decode(Array(text.utf8))
    }

    @Test(
        "says what the document says",
        arguments: [
            ("null", .null), ("true", true), (" false ", false), ("0", 0), ("-0", 0), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("0.5", 0.5), ("-0.0", .double(-0.0)), ("1e3", 1000.0), ("1E-2", 0.01), ("123.456e+2", 12345.6),
            ("[]", []), ("{}", [:]), ("[1,[2,{}],[]]", [1, [2, [:]], []]), ("\"\"", ""),
            ("{\"a\":{\"b\":[1,2.5,\"x\"]},\"c\":null}", ["a": ["b": [1, 2.5, "x"]], "c": nil]),
            ("\"Grüße 👋 東京\"", "Grüße 👋 東京"),
            ("\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u00fc\\uD83D\\uDC4B!\"", "a\"b\\c/d\u{8}\u{C}\n\r\tü👋!"),
            ("\t\r\n [ 1 , 2 ] \n", [1, 2]),
        ] as [(String, Value)])
    func says(text: String, value: Value) throws {
        #expect(try read(text) == value)
    }

    @Test("keeps whole numbers beyond 64 bits and numbers beyond a double exactly")
    func bigNumbers() throws {
        #expect(try read("9223372036854775808") == Value(9_223_372_036_854_775_808 as UInt64))
        let digits = String(repeating: "7", count: 400)
        #expect(try read("-" + digits).description == "-\(digits)N")
        #expect(try read("1.5e999").description == "1.5E+999M")
        #expect(try read("1e-999") == 0.0)
        #expect(throws: WireError.self) { try read("1e99999999999") }
    }

    @Test("takes the last of equal keys, at the place of the first")
    func equalKeys() throws {
        let map = try #require(try read("{\"a\":1,\"b\":2,\"a\":3}").mapValue)
        #expect(map.keys == ["a", "b"])
        #expect(map["a"] == 3)
        let many = (0..<100).map { "\"k\($0 % 60)\":\($0)" }.joined(separator: ",")
        let large = try #require(try read("{\(many)}").mapValue)
        #expect(large.count == 60)
        #expect(large["k3"] == 63)
        #expect(large["k59"] == 59)
    }

    @Test(
        "says where a document goes wrong",
        arguments: [
            ("", .incomplete, 0), ("[1,", .incomplete, 3), ("{\"a\"", .incomplete, 4),
            ("\"ab", .incomplete, 3),
            ("[1 2]", .malformed, 3), ("[1,]", .malformed, 3), ("{\"a\":1,}", .malformed, 7),
            ("{a:1}", .malformed, 1),
            ("01", .malformed, 0), ("1.", .incomplete, 2), ("1.x", .malformed, 2), ("nul", .incomplete, 3),
            ("nulx", .malformed, 3), ("1 2", .malformed, 2), ("\"\\x\"", .malformed, 1),
            ("\"\n\"", .malformed, 1),
            ("\"\\uD800\"", .invalidText, 1), ("\"x\\uDC00\"", .invalidText, 2), ("\u{FEFF}1", .malformed, 0),
            ("[}", .malformed, 1), ("{]", .malformed, 1), ("]", .malformed, 0),
        ] as [(String, WireError.Kind, Int)])
    func wrong(text: String, kind: WireError.Kind, offset: Int) {
        let error = #expect(throws: WireError.self) { try read(text) }
        #expect(error?.kind == kind)
        #expect(error?.offset == offset)
    }

    @Test(
        "refuses bytes in strings that are not UTF-8",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x28, 0xA1], [0xC3, 0x28],
        ] as [[UInt8]])
    func notText(bytes: [UInt8]) {
        for escape in [[], Array("\\n".utf8)] {
            let document = [0x22] + escape + bytes + Array("      \"".utf8)
            let error = #expect(throws: WireError.self) { try WireFormat.json.decode(document) }
            #expect(error?.kind == .invalidText)
        }
    }

    @Test("stops at the limits of depth and size")
    func limits() throws {
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try read(nested(512)).arrayValue?.count == 1)
        #expect(#expect(throws: WireError.self) { try read(nested(513)) }?.kind == .tooDeep)
        #expect(
            #expect(throws: WireError.self) { try read(String(repeating: "[", count: 1_000_000)) }?.kind
                == .tooDeep)
        #expect(try WireFormat.json.decode(Array("[[]]".utf8), limits: WireLimits(maximumDepth: 2)) == [[]])
        let error = #expect(throws: WireError.self) {
            try WireFormat.json.decode(Array("[[]]".utf8), limits: WireLimits(maximumBytes: 3))
        }
        #expect(error?.kind == .tooLarge)
    }

    @Test("rounds every decimal as the C library does")
    func decimals() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let digits = Int.random(in: 1...21, using: &generator)
            var text = String(UInt64.random(in: 1...9, using: &generator))
            for _ in 1..<max(2, digits) { text += String(UInt8.random(in: 0...9, using: &generator)) }
            let point = Int.random(in: 1...text.count, using: &generator)
            if point < text.count { text.insert(".", at: text.index(text.startIndex, offsetBy: point)) }
            text += "e\(Int.random(in: -45...45, using: &generator))"
            #expect(try read(text).doubleValue?.bitPattern == strtod(text, nil).bitPattern, "\(text)")
        }
    }
}
