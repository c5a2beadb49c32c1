// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Reading EDN")
struct EDNReaderTests {
    private func read(_ text: String) throws(WireError) -> Value {
        try WireFormat.edn.decode(Array(text.utf8))
    }

    @Test(
        "says what the document says",
        arguments: [
            ("nil", .null), ("[true false]", [true, false]), ("\"Grüße 👋\"", "Grüße 👋"), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("1.0E-7", 1e-7), ("-0.0", .double(-0.0)), ("##-Inf", .double(-.infinity)),
            ("## NaN", .double(.nan)),
            ("0x7fffffffffffffff", .integer(.max)), ("017", 15),
            ("(1 [2] #{3} {})", .list([1, [2], .set([3]), [:]])),
            ("{:a 1, \"b\" nil}", [.keyword("a"): 1, "b": nil]),
            (
                "#:user{:name 1 :_/id 2 :x/y 3 sym 4 \"s\" 5}",
                [
                    .keyword("user/name"): 1, .keyword("id"): 2, .keyword("x/y"): 3, .symbol("user/sym"): 4,
                    "s": 5,
                ]
            ),
            ("#:a\n, {:b #:c{:d 1}}", [.keyword("a/b"): [.keyword("c/d"): 1]]),
            ("#:,A{} ", [:]), ("#: \u{2003}a\u{2003}{:b 1}", [.keyword("a/b"): 1]),
            ("#:;x\n#_ #_ 1 2 ^:m a{:b 1}", [.keyword("a/b"): 1]),
            ("{^x [1] 2 #t 3 4}", [[1]: 2, .tagged("t", 3): 4]),
            ("[#_ #_ 1 2 #_[#_ x] 3 ; four\n 5] #_ six ; seven", [3, 5]),
            ("#a #b/c [#_ d]", .tagged("a", .tagged("b/c", []))), ("#^:x ^{:y 1} sym", .symbol("sym")),
            ("\\newline", .character("\n")),
            (
                "[\\a\\u0041\\o101\\世 \\ \\,]",
                [
                    .character("a"), .character("A"), .character("A"), .character("世"), .character(" "),
                    .character(","),
                ]
            ),
            ("\"\\u00fc\\uD83D\\uDC4B\\101\\7 \\\\\\\"\\b\\f\\n\\r\\t\"", "ü👋A\u{7} \\\"\u{8}\u{C}\n\r\t"),
            ("\"two\nlines\"", "two\nlines"), ("a\u{2003}", .symbol("a")), ("\u{FEFF}", .symbol("\u{FEFF}")),
            ("#bytes \"AQID\"", .bytes([1, 2, 3])), ("#bytes \"?\"", .tagged("bytes", "?")),
            ("#uri \"http://x\"", .uri("http://x")),
            ("#inst \"1970-01-01T01:00:00.5+01:00\"", .instant(Timestamp(milliseconds: 500))),
            ("#inst \"1971\"", .instant(Timestamp(milliseconds: 31_536_000_000))),
            ("#été 1", .tagged("été", 1)),
            (
                "[+ - . -a +.5 a.b/c.d ' %]",
                .vector(
                    ["+", "-", ".", "-a", "+.5", "a.b/c.d", "'", "%"].map { .symbol(Symbol($0)) })
            ),
        ] as [(String, Value)])
    func says(text: String, value: Value) throws {
        #expect(try read(text) == value)
    }

    @Test(
        "keeps numbers exactly that doubles and 64 bits cannot hold",
        arguments: [
            ("1N", "1N"), ("+9223372036854775808", "9223372036854775808N"), ("1.50M", "1.50M"),
            ("1e3M", "1E+3M"),
            ("22/7", "22/7"), ("-4/6", "-2/3"), ("18446744073709551616/2", "18446744073709551616/2"),
            ("0xFFFFFFFFFFFFFFFFFFFFFFFF", "79228162514264337593543950335N"),
            ("-36rZZZZZZZZZZZZZZ", "-6140942214464815497215N"),
            ("010N", "8N"), ("123456789012345678.0", "1.2345678901234568e+17"), ("1e400", "##Inf"),
            ("5.", "5.0"),
        ])
    func numbers(text: String, description: String) throws {
        #expect(try read(text).description == description)
    }

    @Test(
        "says where a document goes wrong",
        arguments: [
            ("", .incomplete, 0), ("[1 ", .incomplete, 3), ("\"ab", .incomplete, 3), ("#_ a", .incomplete, 4),
            ("\\", .incomplete, 1), ("#", .incomplete, 1), ("#:a", .incomplete, 3),
            ("\"\\u00", .incomplete, 5),
            ("1 2", .malformed, 2), ("[1 ]]", .malformed, 4), ("(1]", .malformed, 2), ("[#_]", .malformed, 3),
            ("{:a}", .malformed, 3), ("{:a 1 :a 2}", .malformed, 10), ("#{1 1N}", .malformed, 6),
            ("#{[] ()}", .malformed, 7), ("{0.0 1 -0.0 1}", .malformed, 13),
            ("#:a{:b 1 :a/b 2}", .malformed, 15),
            ("{^a b 1 b 2}", .malformed, 11),
            ("[:a/1]", .malformed, 1), ("::a", .malformed, 0), ("a/", .malformed, 0), ("08", .malformed, 0),
            ("1a", .malformed, 0), ("1/-2", .malformed, 0), ("1/0", .malformed, 0), ("37r1", .malformed, 0),
            ("a@b", .malformed, 1), ("@a", .malformed, 0), ("#(a)", .malformed, 1), ("#1 2", .malformed, 1),
            ("#true 1", .malformed, 1), ("##Foo", .malformed, 0), ("#:a/b{}", .malformed, 2),
            ("#:{}", .malformed, 2), ("#:a;x\n{}", .malformed, 3), ("#:nil{}", .malformed, 2),
            ("#: ", .incomplete, 3), ("#:a [1]", .malformed, 4), ("#::a{}", .malformed, 2),
            ("\\ab", .malformed, 0),
            ("\\uD800", .malformed, 0), ("\\😀", .malformed, 0), ("\"\\q\"", .malformed, 1),
            ("\"\\18\"", .malformed, 3),
            ("\"\\400\"", .malformed, 5), ("^1 a", .malformed, 2), ("^a 1", .malformed, 4),
            ("[#inst \"x\"]", .malformed, 1), ("#uuid 1", .malformed, 0), ("\"\\uD83D\"", .invalidText, 1),
            ("\"\\uD83D\\u0041\"", .invalidText, 1),
        ] as [(String, WireError.Kind, Int)])
    func wrong(text: String, kind: WireError.Kind, offset: Int) {
        let error = #expect(throws: WireError.self, "\(text)") { try read(text) }
        #expect(error?.kind == kind, "\(text)")
        #expect(error?.offset == offset, "\(text)")
    }

    @Test(
        "refuses bytes that are not UTF-8 wherever text may stand",
        arguments: ["\"", "; ", "a", ":a", "\\", "#", "#a", "#:", "\"\\n", "[\\a"])
    func notText(before: String) {
        for bytes: [UInt8] in [
            [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x28, 0xA1],
        ] {
            let document = Array(before.utf8) + bytes + Array("\" \n{} 1".utf8)
            let error = #expect(throws: WireError.self) { try WireFormat.edn.decode(document) }
            #expect(error?.kind == .invalidText)
            #expect(error?.offset == before.utf8.count)
        }
    }

    @Test(
        "stops at the limits of depth, size and digits",
        arguments: ["[", "(", "{", "#{", "#a ", "#_", "^", "#:a{"])
    func limits(opening: String) throws {
        let error = #expect(throws: WireError.self) { try read(String(repeating: opening, count: 100_000)) }
        #expect(error?.kind == .tooDeep)
        let tags = String(repeating: "#a ", count: 512) + "1"
        #expect(try read(tags).weight == 512 * 9 + 8)
        #expect(throws: WireError.self) { try read("#a " + tags) }
        #expect(throws: WireError.self) { try read("0x1" + String(repeating: "0", count: 5000)) }
        #expect(try read("1" + String(repeating: "0", count: 5000)).description.utf8.count == 5002)
    }

    @Test("tells many keys apart and refuses equal ones among them")
    func manyKeys() throws {
        let entries = (0..<10_000).map { ":k\($0) \($0)" }.joined(separator: ", ")
        #expect(try read("{\(entries)}")[Keyword("k9999")] == 9999)
        #expect(throws: WireError.self) { try read("{\(entries) :k7 1}") }
        #expect(throws: WireError.self) {
            try read("#{() \((0..<100).map(String.init).joined(separator: " ")) []}")
        }
    }

    @Test("hands tagged values to readers of the user's, who may refuse")
    func readers() throws {
        let point: EDNOptions.Reader = { value throws(WireError) in
            guard let x = value[0], let y = value[1] else {
                throw WireError(.malformed, "A point has two parts.")
            }
            return ["x": x, "y": y]
        }
        let format = WireFormat.edn(
            EDNOptions(readers: ["my/point": point, "uuid": { $0 }]), named: "points")
        #expect(try format.decode(Array("[#my/point [1 2] #uuid 1]".utf8)) == [["x": 1, "y": 2], 1])
        let error = #expect(throws: WireError.self) { try format.decode(Array("[#my/point 1]".utf8)) }
        #expect(error?.message == "A point has two parts." && error?.offset == 1)
        #expect(format.name == "points" && format != .edn)
        struct Unknown: Error {}
        let odd = WireFormat.edn(EDNOptions(readers: ["odd": { _ in throw Unknown() }]), named: "odd")
        let foreign = #expect(throws: WireError.self) { try odd.decode(Array("[#odd 1]".utf8)) }
        #expect(foreign == WireError(.malformed, "The tag's reader threw an error: Unknown()", offset: 1))
    }
}
