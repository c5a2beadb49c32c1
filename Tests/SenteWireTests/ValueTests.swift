// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Values")
struct ValueTests {
    /// One of each case, and pairs that are nearly the same.
    static let different: [Value] = [
        nil, true, false, 0, 1, .bigInteger(BigInteger(1)), 0.0, .double(-0.0), 1.0, .double(.nan),
        .double(.infinity),
        BigDecimal("1.5").map(Value.decimal) ?? nil, BigDecimal("1.50").map(Value.decimal) ?? nil,
        Ratio(BigInteger(1), BigInteger(2)).map(Value.ratio) ?? nil, "", "a", "é", "e\u{301}",
        .character("a"),
        .keyword("a"), .keyword("a/b"), .symbol("a"), .list([]), .list([1]), [], [1], [:], ["a": 1],
        [.keyword("a"): 1],
        .set([]), .set([1]), .bytes([]), .bytes([1]), .instant(Timestamp(milliseconds: 1)),
        .instant(Timestamp(milliseconds: 1, nanoseconds: 1)), .uuid(UniqueID(high: 0, low: 1)), .uri("a"),
        .tagged("a", 1), .tagged("b", 1), .tagged("a", 2),
    ]

    @Test("are equal only to values of the same case and exactly the same content")
    func equality() {
        let values = Self.different.filter { !$0.isNull } + [.null]
        for (left, a) in values.enumerated() {
            for (right, b) in values.enumerated() { #expect((a == b) == (left == right), "\(a) and \(b)") }
        }
        #expect(Set(values).count == values.count)
    }

    @Test("of maps and sets are equal and hash alike whatever their order")
    func order() {
        let a: Value = ["x": 1, "y": .set([1, 2, 3])]
        let b: Value = ["y": .set([3, 1, 2]), "x": 1]
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        #expect(a != ["x": 1, "y": .set([1, 2])])
        #expect(a != ["x": 1])
    }

    @Test("made of literals take the last of equal keys")
    func literals() {
        let value: Value = ["a": 1, "b": nil, "a": [2.5, true, "x"]]
        #expect(value["a"] == [2.5, true, "x"])
        #expect(value["b"] == .some(.null))
        #expect(value.mapValue?.count == 2)
        #expect(Value(UInt64.max).description == "18446744073709551615N")
        #expect("n \(1)" as Value == "n 1")
    }

    @Test("give what they hold to those who ask for the right kind")
    func accessors() {
        #expect(Value.null.isNull && !Value(false).isNull)
        #expect(Value("x").stringValue == "x" && Value(1).stringValue == nil)
        #expect(Value(true).boolValue == true && Value(1).boolValue == nil)
        #expect(Value.keyword("a/b").keywordValue == "a/b" && Value("a").keywordValue == nil)
        #expect(
            Value.list([1]).arrayValue == [1] && Value([1]).arrayValue == [1]
                && Value.set([1]).arrayValue == nil)
        #expect((["a": 1] as Value).mapValue?["a"] == 1 && Value([]).mapValue == nil)
        #expect(Value.bytes([1]).bytesValue == [1] && Value("a").bytesValue == nil)
        #expect(
            ([1, 2] as Value)[1] == 2 && ([1] as Value)[1] == nil && ([1] as Value)[-1] == nil
                && Value(1)[0] == nil)
        #expect((["a": 1] as Value)["a"] == 1 && Value(1)["a"] == nil)
        #expect(([.keyword("k"): 1] as Value)[Keyword("k")] == 1 && (["k": 1] as Value)[Keyword("k")] == nil)
    }

    @Test(
        "are whole numbers if nothing is lost",
        arguments: [
            (7, 7), (7.0, 7), (-0.0, 0), (7.5, nil), (.double(.nan), nil), (.double(.infinity), nil),
            (1e19, nil),
            (.double(-0x1p63), .min), (.double(0x1p63), nil), (.bigInteger(BigInteger(5)), 5),
            (Value(UInt64.max), nil),
            ("7", nil),
        ] as [(Value, Int64?)])
    func integers(value: Value, integer: Int64?) {
        #expect(value.integerValue == integer)
    }

    @Test("are the nearest doubles")
    func doubles() throws {
        #expect(Value(3).doubleValue == 3)
        #expect(Value(UInt64.max).doubleValue == 0x1p64)
        #expect(BigDecimal("-1.5e3").map(Value.decimal)?.doubleValue == -1500)
        #expect(BigDecimal("1e999").map(Value.decimal)?.doubleValue == .infinity)
        #expect(Ratio(BigInteger(1), BigInteger(4)).map(Value.ratio)?.doubleValue == 0.25)
        #expect(Value("1").doubleValue == nil)
    }

    @Test("weigh their texts and bytes and 8 for every node, however deep")
    func weight() {
        #expect(Value.null.weight == 8)
        #expect((["ab": [1, "xyz"], "c": .bytes([1, 2])] as Value).weight == 7 * 8 + 2 + 3 + 1 + 2)
        #expect(Value.tagged("t", .keyword("a/b")).weight == 16 + 1 + 3)
        var deep: Value = 1
        for _ in 0..<5000 { deep = [deep] }
        #expect(deep.weight == 5001 * 8)
    }

    @Test(
        "describe themselves as EDN",
        arguments: [
            (
                ["a": [1, -2.5, nil, true], .keyword("b/c"): .set([.symbol("x")])],
                "{\"a\" [1 -2.5 nil true], :b/c #{x}}"
            ),
            (.list([.character("a"), .character("\n"), "q\"\\\n"]), "(\\a \\newline \"q\\\"\\\\\\n\")"),
            ([.double(.nan), .double(.infinity), .double(-.infinity)], "[##NaN ##Inf ##-Inf]"),
            (.instant(Timestamp(milliseconds: -1)), "#inst \"1969-12-31T23:59:59.999-00:00\""),
            (
                .uuid(UniqueID(high: 0x0123_4567_89AB_CDEF, low: 1)),
                "#uuid \"01234567-89ab-cdef-0000-000000000001\""
            ),
            (.tagged("my/tag", [1]), "#my/tag [1]"), (.uri("http://x"), "#uri \"http://x\""),
            (.bytes([1, 2, 3]), "#bytes \"AQID\""), (Value(UInt64.max), "18446744073709551615N"),
        ] as [(Value, String)])
    func description(value: Value, text: String) {
        #expect(value.description == text)
    }

    @Test("too deep to describe are cut, not a crash")
    func deepDescription() {
        var deep: Value = 1
        for _ in 0..<2000 { deep = .tagged("t", [deep]) }
        #expect(deep.description.contains("…"))
    }
}
