// SPDX-License-Identifier: Apache-2.0

import SenteCore
import SenteWire
import Testing

@Suite("Large data: content")
struct LargeDataContentTests {
    @Test("bytes are stored as they are, and every other value comes back as it was")
    func roundTrip() throws {
        let bytes = try LargeDataContent(of: .bytes([1, 2, 3]), limit: 3)
        #expect(bytes.bytes == [1, 2, 3])
        #expect(bytes.type == "application/octet-stream")
        for value: Value in [.null, ["a": [1, .double(2.5), .keyword("k/w")]], .bytes([]), "text"] {
            let content = try LargeDataContent(of: value, limit: 1_000)
            #expect(try LargeDataContent.value(of: content.bytes, type: content.type) == value)
        }
    }

    @Test("what others stored is read by its type, whose parameters do not matter")
    func types() throws {
        let json = Array(#"{"a":1}"#.utf8)
        #expect(try LargeDataContent.value(of: json, type: "Application/JSON; charset=utf-8") == ["a": 1])
        #expect(
            try LargeDataContent.value(of: Array("[:a]".utf8), type: "application/edn")
                == .vector([.keyword("a")]))
        #expect(try LargeDataContent.value(of: json, type: "image/png") == .bytes(json))
        #expect(try LargeDataContent.value(of: json, type: nil) == .bytes(json))
    }

    @Test("what is too large or no value of its type is a typed error")
    func errors() {
        let large = #expect(throws: SenteError.self) { try LargeDataContent(of: "1234567890", limit: 5) }
        #expect(large?.code == .messageTooLarge)
        let wrong = #expect(throws: SenteError.self) {
            try LargeDataContent.value(of: [0x7B], type: "application/json")
        }
        #expect(wrong?.code == .undecodable)
    }
}
