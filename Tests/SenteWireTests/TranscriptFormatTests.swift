// SPDX-License-Identifier: Apache-2.0

import SenteWire
import Testing

@Suite(
    "Recorded payloads",
    .enabled(if: Witness.folder != nil, "SENTE_SHARED does not name the folder of test data"))
struct TranscriptFormatTests {
    @Test(
        "are read, and read as the same once written again",
        arguments: [
            ("sente-ws-transit", .transitJSON, 40), ("sente-ws-transit-verbose", .transitJSONVerbose, 40),
            ("sente-ws-msgpack", .senteMessagePack, 40),
        ] as [(String, WireFormat, Int)])
    func payloads(name: String, format: WireFormat, least: Int) throws {
        var count = 0
        for line in try Witness.bytes("transcripts/\(name).jsonl").split(separator: 0x0A) {
            let record = try WireFormat.json.decode(line)
            let payload: [UInt8]
            switch record["opcode"]?.stringValue {
            case "text": payload = Array((record["text"]?.stringValue ?? "").utf8)
            case "binary":
                let hex = Array((record["hex"]?.stringValue ?? "").utf8)
                payload = stride(from: 0, to: hex.count - 1, by: 2).compactMap {
                    UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16)
                }
            default: continue
            }
            // Where a recording was cut there is no document any more.
            if record["note"]?.stringValue?.contains("malformed") == true { continue }
            let value = try format.decode(payload)
            #expect(try format.decode(format.encode(value)) == value)
            count += 1
        }
        #expect(count >= least)
    }
}
