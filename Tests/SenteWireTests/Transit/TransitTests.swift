// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Transit")
struct TransitTests {
    private func read(_ text: String) throws(WireError) -> Value {
        try WireFormat.transitJSON.decode(Array(text.utf8))
    }

    private func written(_ value: Value, _ format: WireFormat = .transitJSON) throws -> String {
        String(decoding: try format.encode(value), as: UTF8.self)
    }

    @Test(
        "says each type in its own way, and reads it back",
        arguments: [
            (nil, #"["~#'",null]"#, #"{"~#'":null}"#),
            ("a", #"["~#'","a"]"#, #"{"~#'":"a"}"#),
            ([true, false, 1, -0.5], "[true,false,1,-0.5]", "[true,false,1,-0.5]"),
            (["~a", "^a", "`a", "#a"], ##"["~~a","~^a","~`a","#a"]"##, ##"["~~a","~^a","~`a","#a"]"##),
            (
                [9_007_199_254_740_991, 9_007_199_254_740_992, .integer(.min)],
                #"[9007199254740991,"~i9007199254740992","~i-9223372036854775808"]"#,
                #"[9007199254740991,"~i9007199254740992","~i-9223372036854775808"]"#
            ),
            (
                [.double(.nan), .double(.infinity), .double(-.infinity)], #"["~zNaN","~zINF","~z-INF"]"#,
                #"["~zNaN","~zINF","~z-INF"]"#
            ),
            (
                [.keyword("a/b"), .symbol("c"), .character("x"), .uri("u:v"), .bytes([1, 2])],
                #"["~:a/b","~$c","~cx","~ru:v","~bAQI="]"#, #"["~:a/b","~$c","~cx","~ru:v","~bAQI="]"#
            ),
            (
                [
                    .bigInteger(BigInteger(5)), .decimal(BigDecimal("1.50")!),
                    .ratio(Ratio(BigInteger(1), BigInteger(3))!),
                ],
                ##"["~n5","~f1.50",["~#ratio",["~n1","~n3"]]]"##,
                ##"["~n5","~f1.50",{"~#ratio":["~n1","~n3"]}]"##
            ),
            (
                [.instant(Timestamp(milliseconds: 0)), .instant(Timestamp(milliseconds: 1, nanoseconds: 2))],
                #"["~m0","~t1970-01-01T00:00:00.001000002Z"]"#,
                #"["~t1970-01-01T00:00:00.000Z","~t1970-01-01T00:00:00.001000002Z"]"#
            ),
            (
                [.list([1]), .set([2]), .tagged("point", [1, 2]), .tagged("X", "y"), .tagged("X", 1)],
                ##"[["~#list",[1]],["~#set",[2]],["~#point",[1,2]],"~Xy",["~#X",1]]"##,
                ##"[{"~#list":[1]},{"~#set":[2]},{"~#point":[1,2]},"~Xy",{"~#X":1}]"##
            ),
            (
                [1: "i", nil: "n", true: "t", 1.5: "d", "s": "s"],
                #"["^ ","~i1","i","~_","n","~?t","t","~d1.5","d","s","s"]"#,
                #"{"~i1":"i","~_":"n","~?t":"t","~d1.5":"d","s":"s"}"#
            ),
            ([[1]: 2, "a": 3], ##"["~#cmap",[[1],2,"a",3]]"##, ##"{"~#cmap":[[1],2,"a",3]}"##),
            ([:], #"["^ "]"#, "{}"), (.set([]), ##"["~#set",[]]"##, ##"{"~#set":[]}"##),
            (.tagged("~", "x"), ##"["~#~","x"]"##, ##"{"~#~":"x"}"##),
        ] as [(Value, String, String)])
    func says(value: Value, text: String, verbose: String) throws {
        #expect(try written(value) == text)
        #expect(try written(value, .transitJSONVerbose) == verbose)
        #expect(try read(text) == value)
        #expect(try read(verbose) == value)
        let packed = try WireFormat.transitMessagePack.encode(value)
        #expect(try WireFormat.transitMessagePack.decode(packed) == value)
    }

    @Test("writes what comes again as a code: keys, keywords, symbols and tags of four characters and more")
    func caching() throws {
        let value: Value = [
            ["name": .keyword("abc"), "abc": .keyword("ab")], ["name": "name", "abc": .symbol("abc")],
            [.keyword("abc"), .symbol("abc"), "name", .set([]), .set([]), .keyword("a")],
            ["日本語": 1], ["日本語": 1], ["日本語四": 1], ["日本語四": 1],
        ]
        let text =
            ##"[["^ ","name","~:abc","abc","~:ab"],["^ ","^0","name","abc","~$abc"],"##
            + ##"["^1","^3","name",["~#set",[]],["^4",[]],"~:a"],"##
            + ##"["^ ","日本語",1],["^ ","日本語",1],["^ ","日本語四",1],["^ ","^5",1]]"##
        #expect(
            try written(value) == text)
        #expect(try read(text) == value)
    }

    @Test("begins its codes anew after 1,936 of them", arguments: [1935, 1936, 1937, 4000])
    func rollOver(count: Int) throws {
        let keywords = (0..<count).map { Value.keyword(Keyword("key\($0)")) }
        let value = Value.vector(keywords + keywords.suffix(40) + keywords.prefix(40))
        for format in [WireFormat.transitJSON, .transitMessagePack] {
            let bytes = try format.encode(value)
            #expect(try format.decode(bytes) == value)
        }
        let text = try written(.vector([.vector(keywords), keywords[count - 1]]))
        let code = [1935: "[Z", 1936: "[[", 1937: "0", 4000: "2W"][count] ?? ""
        #expect(text.hasSuffix(",\"^\(code)\"]"))
    }

    @Test("reads strings whose marks are written as escapes")
    func escapes() throws {
        #expect(
            try read(#"["\u007e:abc","\u005e0","^\u0030","~\u003aabc","~\u00fcb"]"#)
                == [.keyword("abc"), .keyword("abc"), .keyword("abc"), .keyword("abc"), .tagged("ü", "b")])
    }

    @Test("takes keys, tags and quotes where other writers put them")
    func lenient() throws {
        #expect(try read(##"{"~#set":[1,{"a":["~#'",[1]]}]}"##) == .set([1, ["a": [1]]]))
        #expect(try read(##"["^ ",1,2,["~#'","ab"],3,"ab",4]"##) == [1: 2, "ab": 4])
        #expect(try read(##"["~#m",5]"##) == .instant(Timestamp(milliseconds: 5)))
        #expect(try read(##"["~#u",[0,-1]]"##) == .uuid(UniqueID(high: 0, low: .max)))
        #expect(
            try read(##"["~#link",["^ ","href","~rhttp://x"]]"##)
                == .tagged("link", ["href": .uri("http://x")]))
        #expect(try read(##"["~",["~#ints",[1]]]"##) == ["~", .tagged("ints", [1])])
        #expect(try read("12") == 12)
    }

    @Test(
        "says where a document goes wrong",
        arguments: [
            ("", .incomplete, 0), ("[1", .incomplete, 2), (#"["^0"]"#, .malformed, 1),
            (#"["^"]"#, .malformed, 1),
            (#"["^0z"]"#, .malformed, 1), (#"[1,"^ "]"#, .malformed, 3), (#"["^ ",1]"#, .malformed, 7),
            (##"["~#set"]"##, .malformed, 8), (##"["~#set",1]"##, .malformed, 10),
            (##"["~#set",[],1]"##, .malformed, 11), (##"[1,"~#set"]"##, .malformed, 3),
            (##""~#set""##, .malformed, 0),
            (##"{"a":1,"~#set":[]}"##, .malformed, 7), (##"{"~#set":[],"a":1}"##, .malformed, 11),
            (##"["~#cmap",[1]]"##, .malformed, 13), (##"["~#ratio",[1,0]]"##, .malformed, 16),
            (#"["~n1x"]"#, .malformed, 1), (#"["~dinf"]"#, .malformed, 1), (#"["~d1e999"]"#, .malformed, 1),
            (#"["~u1"]"#, .malformed, 1), (#"["~cab"]"#, .malformed, 1), (#"["~?x"]"#, .malformed, 1),
            (#"["~zfoo"]"#, .malformed, 1), (#"["~bA"]"#, .malformed, 1), (#"["~t2020"]"#, .malformed, 1),
            (#"{"a" 1}"#, .malformed, 5), ("[1 2]", .malformed, 3), ("[1,]", .malformed, 3),
            ("[1]]", .malformed, 3),
            (#"["^ " 1]"#, .malformed, 6), ("[\"~:\u{1}\"]", .malformed, 4),
        ] as [(String, WireError.Kind, Int)])
    func wrong(text: String, kind: WireError.Kind, offset: Int) {
        let error = #expect(throws: WireError.self) { try read(text) }
        #expect(error?.kind == kind, "\(text)")
        #expect(error?.offset == offset, "\(text)")
    }

    @Test(
        "in MessagePack refuses what no writer writes",
        arguments: [
            [0x93, 0xA5, 0x7E, 0x23, 0x73, 0x65, 0x74, 0x90, 0x90], [0x92, 0xA2, 0x5E, 0x20, 0x01],
            [0xD4, 0x00, 0x61], [0x91, 0xA2, 0x5E, 0x30], [0xA5, 0x7E, 0x23, 0x73, 0x65, 0x74], [0xA1, 0x5E],
            [0x82, 0xA5, 0x7E, 0x23, 0x73, 0x65, 0x74, 0x90, 0x01, 0x02],
        ] as [[UInt8]])
    func wrongPacked(bytes: [UInt8]) {
        let error = #expect(throws: WireError.self) { try WireFormat.transitMessagePack.decode(bytes) }
        #expect(error?.kind == .malformed)
    }

    @Test("stops at its limits without recursion, quotes and tags included")
    func limits() {
        for opening in ["[", "{\"a\":", "[\"~#'\",", "[\"~#set\",[", "{\"~#x\":", "[\"^ \",1,"] {
            let error = #expect(throws: WireError.self) {
                try read(String(repeating: opening, count: 200_000))
            }
            #expect(error?.kind == .tooDeep, "\(opening)")
        }
        let packed = (0..<100_000).flatMap { _ in [0x92, 0xA3, 0x7E, 0x23, 0x27] as [UInt8] }
        #expect(
            #expect(throws: WireError.self) { try WireFormat.transitMessagePack.decode(packed) }?.kind
                == .tooDeep)
        let error = #expect(throws: WireError.self) {
            try WireFormat.transitMessagePack.decode([0xDF, 0xFF, 0xFF, 0xFF, 0xFF, 0xA1])
        }
        #expect(error?.kind == .incomplete)
    }

    @Test("cannot say values under its own tags, and says where they stand")
    func ownTags() {
        for tag in ["set", "u", "'", "cmap"] {
            let error = #expect(throws: WireError.self) {
                try WireFormat.transitJSON.encode([[[1]: [.tagged(tag, "x")]]])
            }
            #expect(error?.kind == .unencodable)
            #expect(error?.path == [0, [1], 0])
        }
    }
}
