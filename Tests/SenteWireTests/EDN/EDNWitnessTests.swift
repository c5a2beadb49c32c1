// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite(
    "EDN that others wrote",
    .enabled(if: Witness.folder != nil, "SENTE_SHARED does not name the folder of test data"))
struct EDNWitnessTests {
    /// What the recording's client sent to see how a server takes what is no EDN, or more than one value.
    private static let broken: Set<String> = ["[broken", "{broken", "this is ] not edn", "   ", ""]

    @Test(
        "in recordings of real servers is read, and written again as the same value",
        arguments: [
            "lite-head-edn", "lite-head-heartbeat", "lite-head-publish", "lite-v1-edn",
            "sente-jvmclient-basic",
            "sente-jvmclient-keepalive", "sente-ws-close", "sente-ws-edn", "sente-ws-gzip-edn",
            "sente-ws-refusals",
        ])
    func transcripts(name: String) throws {
        let lines = try Witness.bytes("transcripts/\(name).jsonl").split(separator: UInt8(ascii: "\n"))
        var count = 0
        for line in lines {
            let entry = try WireFormat.json.decode(line)
            let frame = entry["opcode"] == "text" ? entry["text"] : entry["decoded"]
            guard let text = frame?.stringValue, !Self.broken.contains(text), !text.hasSuffix("(cut)") else {
                continue
            }
            let value = try WireFormat.edn.decode(Array(text.utf8))
            #expect(try WireFormat.edn.decode(WireFormat.edn.encode(value)) == value, "\(text)")
            // Servers write with pr-str, as this package does, but for maps with a namespace and doubles.
            if entry["dir"] == "s2c", !text.contains("#:"), !text.contains("E"), text.contains("{:a ") {
                #expect(value.description == text)
            }
            count += 1
        }
        #expect(count > 5)
    }

    @Test("beside transit's exemplars is read, and written again as the same value")
    func exemplars() throws {
        let names = try Witness.names("conformance/transit/simple").filter { $0.hasSuffix(".edn") }
        #expect(names.count == 67)
        for name in names {
            let value = try WireFormat.edn.decode(Witness.bytes("conformance/transit/simple/\(name)"))
            #expect(try WireFormat.edn.decode(WireFormat.edn.encode(value)) == value, "\(name)")
        }
        let set = try WireFormat.edn.decode(Witness.bytes("conformance/transit/simple/set_mixed.edn"))
        #expect(
            set
                == .set([
                    nil, 0, 2.0, "~eight", 1, true, "five", false, .symbol("seven"), .keyword("six"),
                ]))
    }

    /// Documents that are well-formed if the text is UTF-8.
    private static func documents(_ text: [UInt8]) -> [(WireFormat, [UInt8])] {
        let asString = Array("\"".utf8) + text + Array("\"".utf8)
        let asComment = Array(";".utf8) + text + Array("\n1".utf8)
        let asKeyword = Array(":a".utf8) + text
        let isName = text.allSatisfy { $0 >= 0x80 }
        return [(.json, asString), (.edn, asString), (.edn, asComment)] + (isName ? [(.edn, asKeyword)] : [])
    }

    @Test("and JSON are refused exactly where text is not UTF-8 by flenniken's cases")
    func unicodeCases() throws {
        var count = 0
        for line in try Witness.bytes("conformance/utf8/utf8tests.txt").split(separator: UInt8(ascii: "\n")) {
            let parts = String(decoding: line, as: UTF8.self).split(separator: ":").map {
                $0.trimmingPrefix { $0 == " " }
            }
            guard parts.count >= 3, line.first != UInt8(ascii: "#"), parts[1].hasSuffix(" hex") else {
                continue
            }
            let digits = parts[2].filter { !$0.isWhitespace }
            let text = stride(from: 0, to: digits.count, by: 2).compactMap { position in
                UInt8(digits.dropFirst(position).prefix(2), radix: 16)
            }
            // What else has a meaning in a string is not what is asked here.
            if text.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) { continue }
            count += 1
            for (format, document) in Self.documents(text) {
                let isAccepted = (try? format.decode(document)) != nil
                #expect(isAccepted == (parts[1] == "valid hex"), "\(format): \(line.map(\.self))")
            }
        }
        #expect(count > 100)
    }

    @Test("and JSON are refused exactly where text is not UTF-8 by Markus Kuhn's file")
    func stressFile() throws {
        var verdicts = [true: 0, false: 0]
        for line in try Witness.bytes("conformance/utf8/UTF-8-test.txt").split(separator: UInt8(ascii: "\n"))
        {
            let text = line.map { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C ? UInt8(ascii: ".") : $0 }
            let isValid = String(validating: text, as: UTF8.self) != nil
            verdicts[isValid, default: 0] += 1
            for (format, document) in Self.documents(text) {
                #expect(((try? format.decode(document)) != nil) == isValid, "\(format): \(text)")
            }
        }
        #expect(verdicts[false, default: 0] > 60 && verdicts[true, default: 0] > 100)
    }
}
