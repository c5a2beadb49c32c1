// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite(
    "transit-format's exemplars",
    .enabled(if: Witness.folder != nil, "SENTE_SHARED does not name the folder of test data"))
struct TransitExemplarTests {
    private let folder = "conformance/transit/simple"

    private func names() throws -> [String] {
        try Witness.names(folder).filter { $0.hasSuffix(".mp") }.map { String($0.dropLast(3)) }
    }

    @Test("are read as equal in all three encodings")
    func equal() throws {
        let names = try names()
        #expect(names.count == 67)
        for name in names {
            let json = try WireFormat.transitJSON.decode(Witness.bytes("\(folder)/\(name).json"))
            let verbose = try WireFormat.transitJSONVerbose.decode(
                Witness.bytes("\(folder)/\(name).verbose.json"))
            let packed = try WireFormat.transitMessagePack.decode(Witness.bytes("\(folder)/\(name).mp"))
            #expect(json == verbose, "\(name)")
            #expect(json == packed, "\(name)")
        }
    }

    @Test(
        "are written again with the same bytes, but for the spelling of numbers",
        arguments: [
            ("json", .transitJSON), ("verbose.json", .transitJSONVerbose), ("mp", .transitMessagePack),
        ] as [(String, WireFormat)])
    func written(suffix: String, format: WireFormat) throws {
        // Java writes 4.0E11 where Swift writes 4e+11, and whole numbers of 64 bits unsigned.
        let spelled = [
            "doubles_interesting", "dates_interesting", "ints_interesting", "one_date", "one_uuid", "uuids",
            "map_mixed",
        ]
        for name in try names() {
            let bytes = try Witness.bytes("\(folder)/\(name).\(suffix)")
            let value = try format.decode(bytes)
            let written = try format.encode(value)
            #expect(try format.decode(written) == value, "\(name)")
            if !spelled.contains(name) {
                let expected = bytes.last == 0x0A ? bytes.dropLast() : bytes[...]
                #expect(written[...] == expected, "\(name)")
            }
        }
    }

    @Test("are what their twins in EDN say, links and URIs apart, which EDN cannot say")
    func twins() throws {
        var compared = 0
        for name in try names() {
            let text = String(decoding: try Witness.bytes("\(folder)/\(name).edn"), as: UTF8.self)
            if text.contains("#object[") { continue }
            let twin = try WireFormat.edn.decode(Array(text.utf8))
            #expect(
                try WireFormat.transitJSON.decode(Witness.bytes("\(folder)/\(name).json")) == twin, "\(name)")
            compared += 1
        }
        #expect(compared >= 60)
    }

    @Test("of a whole document are equal, plain and verbose")
    func document() throws {
        let value = try WireFormat.transitJSON.decode(Witness.bytes("conformance/transit/example.json"))
        #expect(
            try WireFormat.transitJSONVerbose.decode(
                Witness.bytes("conformance/transit/example.verbose.json"))
                == value)
        #expect(
            try WireFormat.transitMessagePack.decode(WireFormat.transitMessagePack.encode(value)) == value)
    }
}
