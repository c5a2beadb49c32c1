// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite("Transit's readers and writers of one's own")
struct TransitOptionsTests {
    private static let options = TransitOptions(
        readers: [
            "inst": { value throws(WireError) in
                guard let instant = value.stringValue.flatMap({ Timestamp($0) }) else {
                    throw WireError(.malformed, "An inst is RFC 3339 text.")
                }
                return .instant(instant)
            },
            "point": { value in ["x": value[0] ?? nil, "y": value[1] ?? nil] },
            "U": { value in .string((value.stringValue ?? "").uppercased()) },
            ":": { value in .tagged("kw", value) },
        ],
        writers: [
            .instant: { value in
                guard case .instant(let instant) = value else { return value }
                return .tagged("inst", .string(instant.description))
            },
            .uuid: { value throws(WireError) in throw WireError(.unencodable, "No UUIDs here.") },
            .tagged("secret"): { _ in nil },
        ])

    private static let formats: [WireFormat] = [
        .transitJSON(options, named: "json"), .transitJSONVerbose(options, named: "verbose"),
        .transitMessagePack(options, named: "msgpack"),
    ]

    @Test("turn values both ways, as elements, keys and alone", arguments: formats)
    func both(format: WireFormat) throws {
        let now = Value.instant(Timestamp(milliseconds: 1_700_000_000_000))
        for value in [now, [now, [now: 1]], ["when": now]] as [Value] {
            let bytes = try format.encode(value)
            #expect(try format.decode(bytes) == value)
            #expect(String(decoding: bytes, as: UTF8.self).contains("~#inst"))
        }
        #expect(try format.decode(format.encode([.tagged("secret", 1)])) == [nil])
    }

    @Test("make values of tags and letters, Transit's own included")
    func reading() throws {
        let text = ##"[["~#point",[1,2]],"~Uab","~:k",["^ ","~Uab",1]]"##
        #expect(
            try Self.formats[0].decode(Array(text.utf8))
                == [["x": 1, "y": 2], "AB", .tagged("kw", "k"), ["AB": 1]])
    }

    @Test("fail with the place where they did")
    func failing() {
        let reading = #expect(throws: WireError.self) {
            try Self.formats[0].decode(Array(##"[1,["~#inst",2]]"##.utf8))
        }
        #expect(reading == WireError(.malformed, "An inst is RFC 3339 text.", offset: 14))
        let writing = #expect(throws: WireError.self) {
            try Self.formats[0].encode(["id": [.uuid(UniqueID(high: 0, low: 0))]])
        }
        #expect(writing?.path == ["id", 0])
    }

    private struct Unknown: Error {}

    @Test("fail as the format does when what they throw is another error")
    func foreign() {
        let handler: TransitOptions.Reader = { _ in throw Unknown() }
        let format = WireFormat.transitJSON(
            TransitOptions(readers: ["odd": handler], writers: [.uri: handler]), named: "odd")
        let reading = #expect(throws: WireError.self) {
            try format.decode(Array(##"["~#odd",1]"##.utf8))
        }
        #expect(reading?.kind == .malformed && reading?.offset != nil)
        #expect(reading?.message == "The tag's reader threw an error: Unknown()")
        let writing = #expect(throws: WireError.self) { try format.encode(["at": .uri("a:b")]) }
        #expect(writing?.kind == .unencodable && writing?.path == ["at"])
        #expect(writing?.message == "The kind's writer threw an error: Unknown()")
    }

    @Test("cannot nest without end")
    func endless() {
        let options = TransitOptions(writers: [.vector: { value in [value, value] }])
        let error = #expect(throws: WireError.self) {
            try WireFormat.transitJSON(options, named: "endless").encode([[1]])
        }
        #expect(error?.kind == .tooDeep)
    }
}
