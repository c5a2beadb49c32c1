// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

/// The table in the documentation of `WireFormat`, row by row.
@Suite("The table of every type in each format")
struct MappingTableTests {
    /// What one value, in a vector, is in each format: text, or hexadecimal; nil where it cannot be said.
    struct Row: Sendable, CustomStringConvertible {
        let value: Value
        let json, edn, transit, verbose, transitPacked, packed: String?

        init(
            _ value: Value, _ json: String?, _ edn: String?, _ transit: String?, _ verbose: String?,
            _ transitPacked: String?, _ packed: String?
        ) {
            self.value = value
            (self.json, self.edn, self.transit, self.verbose) = (json, edn, transit, verbose)
            (self.transitPacked, self.packed) = (transitPacked, packed)
        }

        var description: String { value.description }
    }

    static let scalars: [Row] = [
        Row(.null, "null", "nil", "null", "null", "c0", "c0"),
        Row(true, "true", "true", "true", "true", "c3", "c3"),
        Row(1, "1", "1", "1", "1", "01", "01"),
        Row(
            .integer(1 << 53 - 1), "9007199254740991", "9007199254740991", "9007199254740991",
            "9007199254740991", "d3001fffffffffffff", "d3001fffffffffffff"),
        Row(
            .integer(-(1 << 53)), "-9007199254740992", "-9007199254740992", #""~i-9007199254740992""#,
            #""~i-9007199254740992""#, "d3ffe0000000000000", "d3ffe0000000000000"),
        Row(.bigInteger(BigInteger(1)), "1", "1N", #""~n1""#, #""~n1""#, "a37e6e31", "01"),
        Row(
            .bigInteger(BigInteger(UInt64.max)), "18446744073709551615", "18446744073709551615N",
            #""~n18446744073709551615""#, #""~n18446744073709551615""#,
            "b67e6e3138343436373434303733373039353531363135", nil),
        Row(1.5, "1.5", "1.5", "1.5", "1.5", "cb3ff8000000000000", "cb3ff8000000000000"),
        Row(.double(.nan), nil, "##NaN", #""~zNaN""#, #""~zNaN""#, "a57e7a4e614e", "cb7ff8000000000000"),
        Row(
            .double(-.infinity), nil, "##-Inf", #""~z-INF""#, #""~z-INF""#, "a67e7a2d494e46",
            "cbfff0000000000000"),
        Row(
            .decimal(BigDecimal(unscaled: BigInteger(150), scale: 2)), "1.50", "1.50M", #""~f1.50""#,
            #""~f1.50""#, "a67e66312e3530", "cb3ff8000000000000"),
        Row(
            Ratio(BigInteger(22), BigInteger(7)).map(Value.ratio) ?? .null, #""22/7""#, "22/7",
            #"["~#ratio",["~n22","~n7"]]"#, #"{"~#ratio":["~n22","~n7"]}"#,
            "92a77e23726174696f92a47e6e3232a37e6e37", "d5031607"),
        Row(
            .bytes([1, 2]), #""AQI=""#, #"#bytes "AQI=""#, #""~bAQI=""#, #""~bAQI=""#, "a67e624151493d",
            "c4020102"),
        Row(
            .instant(Timestamp(milliseconds: 1)), #""1970-01-01T00:00:00.001Z""#,
            #"#inst "1970-01-01T00:00:00.001-00:00""#, #""~m1""#, #""~t1970-01-01T00:00:00.001Z""#,
            "92a37e236d01", "c70cff000f42400000000000000000"),
        Row(
            .instant(Timestamp(milliseconds: 1, nanoseconds: 5000)), #""1970-01-01T00:00:00.001005Z""#,
            #"#inst "1970-01-01T00:00:00.001005-00:00""#, #""~t1970-01-01T00:00:00.001005Z""#,
            #""~t1970-01-01T00:00:00.001005Z""#,
            "bd7e74313937302d30312d30315430303a30303a30302e3030313030355a", "c70cff000f55c80000000000000000"),
        Row(
            .uuid(UniqueID(high: 1, low: 2)), #""00000000-0000-0001-0000-000000000002""#,
            #"#uuid "00000000-0000-0001-0000-000000000002""#, #""~u00000000-0000-0001-0000-000000000002""#,
            #""~u00000000-0000-0001-0000-000000000002""#, "92a37e2375920102",
            "c7240930303030303030302d303030302d303030312d303030302d303030303030303030303032"),
    ]

    static let named: [Row] = [
        Row("~x", #""~x""#, #""~x""#, #""~~x""#, #""~~x""#, "a37e7e78", "a27e78"),
        Row(.character("c"), #""c""#, #"\c"#, #""~cc""#, #""~cc""#, "a37e6363", "d40263"),
        Row(
            .keyword("ns/name"), #""ns/name""#, ":ns/name", #""~:ns/name""#, #""~:ns/name""#,
            "a97e3a6e732f6e616d65", "c707006e732f6e616d65"),
        Row(
            .symbol("ns/name"), #""ns/name""#, "ns/name", #""~$ns/name""#, #""~$ns/name""#,
            "a97e246e732f6e616d65", "c707016e732f6e616d65"),
        Row(.uri("a:b"), #""a:b""#, #"#uri "a:b""#, #""~ra:b""#, #""~ra:b""#, "a57e72613a62", nil),
        Row(.tagged("tag", 1), nil, "#tag 1", #"["~#tag",1]"#, #"{"~#tag":1}"#, "92a57e2374616701", nil),
        Row(.tagged("X", "t"), nil, #"#X "t""#, #""~Xt""#, #""~Xt""#, "a37e5874", nil),
        Row(
            .tagged("msgpack/ext42", .bytes([1])), nil, #"#msgpack/ext42 #bytes "AQ==""#,
            #"["~#msgpack/ext42","~bAQ=="]"#, #"{"~#msgpack/ext42":"~bAQ=="}"#,
            "92af7e236d73677061636b2f6578743432a67e6241513d3d", "d42a01"),
    ]

    static let collections: [Row] = [
        Row(.list([1]), "[1]", "(1)", #"["~#list",[1]]"#, #"{"~#list":[1]}"#, "92a67e236c6973749101", "9101"),
        Row([1], "[1]", "[1]", "[1]", "[1]", "9101", "9101"),
        Row(.set([1]), "[1]", "#{1}", #"["~#set",[1]]"#, #"{"~#set":[1]}"#, "92a57e237365749101", "d5049101"),
        Row(["a": 1], #"{"a":1}"#, #"{"a" 1}"#, #"["^ ","a",1]"#, #"{"a":1}"#, "81a16101", "81a16101"),
        Row(
            [.keyword("b"): 1], #"{"b":1}"#, "{:b 1}", #"["^ ","~:b",1]"#, #"{"~:b":1}"#, "81a37e3a6201",
            "81d4006201"),
        Row([.null: 1], nil, "{nil 1}", #"["^ ","~_",1]"#, #"{"~_":1}"#, "81c001", "81c001"),
        Row([true: 1], nil, "{true 1}", #"["^ ","~?t",1]"#, #"{"~?t":1}"#, "81c301", "81c301"),
        Row([2: 1], nil, "{2 1}", #"["^ ","~i2",1]"#, #"{"~i2":1}"#, "810201", "810201"),
        Row(
            [1.5: 1], nil, "{1.5 1}", #"["^ ","~d1.5",1]"#, #"{"~d1.5":1}"#, "81cb3ff800000000000001",
            "81cb3ff800000000000001"),
        Row(
            [.instant(Timestamp(milliseconds: 1)): 2], nil, #"{#inst "1970-01-01T00:00:00.001-00:00" 2}"#,
            #"["^ ","~m1",2]"#, #"{"~t1970-01-01T00:00:00.001Z":2}"#, "81a37e6d3102",
            "81c70cff000f4240000000000000000002"),
        Row(
            [.uuid(UniqueID(high: 1, low: 2)): 1], nil, #"{#uuid "00000000-0000-0001-0000-000000000002" 1}"#,
            #"["^ ","~u00000000-0000-0001-0000-000000000002",1]"#,
            #"{"~u00000000-0000-0001-0000-000000000002":1}"#,
            "81d9267e7530303030303030302d303030302d303030312d303030302d30303030303030303030303201",
            "81c7240930303030303030302d303030302d303030312d303030302d30303030303030303030303201"),
        Row(
            [[1]: 1], nil, "{[1] 1}", #"["~#cmap",[[1],1]]"#, #"{"~#cmap":[[1],1]}"#,
            "92a67e23636d617092910101", "81910101"),
    ]

    @Test("says what is written, and what cannot be", arguments: scalars + collections + named)
    func says(row: Row) throws {
        #expect(text(row.value, .json) == row.json)
        #expect(text(row.value, .edn) == row.edn)
        #expect(text(row.value, .transitJSON) == row.transit)
        #expect(text(row.value, .transitJSONVerbose) == row.verbose)
        #expect(text(row.value, .transitMessagePack) == row.transitPacked)
        #expect(text(row.value, .senteMessagePack) == row.packed)
    }

    @Test("says what comes back", arguments: scalars + collections + named)
    func back(row: Row) throws {
        for format in [WireFormat.edn, .transitJSON, .transitJSONVerbose, .transitMessagePack] {
            #expect(try format.decode(format.encode([row.value])) == [row.value])
        }
        guard row.packed != nil else { return }
        let back = try WireFormat.senteMessagePack.decode(WireFormat.senteMessagePack.encode([row.value]))
        switch row.value {
        case .list(let items): #expect(back == [.vector(items)])
        case .decimal(let decimal): #expect(back == [.double(Double(decimal))])
        case .bigInteger(let integer): #expect(back == [Value.integer(try #require(Int64(exactly: integer)))])
        default: #expect(back == [row.value])
        }
    }

    private func text(_ value: Value, _ format: WireFormat) -> String? {
        do throws(WireError) {
            let bytes = try format.encode([value])
            guard format.isBinary else {
                return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
            }
            return bytes.dropFirst().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        } catch {
            #expect(error.kind == .unencodable && error.path.first == 0)
            return nil
        }
    }
}
